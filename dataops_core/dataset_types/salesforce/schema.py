"""The strict pandera schema of a Salesforce account, on the flat columns of the stored table.

Loads pandera and pandas, 0.4 s of a fresh process: nothing but ``SalesforceAccounts.schema`` imports it.
"""

import pandas as pd
from pandera.pandas import Column, DataFrameSchema

from dataops_core.dataset_types import rules

_TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000"
_MAIL = r"[^@\s]+@[^@\s]+"
_ACCOUNT, _USER = r"001[a-zA-Z0-9]{15}", r"005[a-zA-Z0-9]{15}"
_TYPES = (
    "Prospect", "Customer - Direct", "Customer - Channel", "Channel Partner / Reseller", "Installation Partner",
    "Technology Partner", "Other",
)  # fmt: skip


def _moment_column() -> Column:
    return rules.text(rules.matches(_TIMESTAMP), rules.moment())


def _day_column() -> Column:
    return rules.text(rules.matches(r"\d{4}-\d\d-\d\d"), rules.moment(), nullable=True)


def _words(*, nullable: bool = True) -> Column:
    return rules.text(rules.characters(1, 255), rules.not_blank(), nullable=nullable)


def _degrees(most: int) -> Column:
    return Column("float64", rules.between(-most, most), nullable=True)


def _empty() -> Column:
    """A field that the company does not use: null, as the API says it."""
    return Column(object, rules.each(lambda values: values.isna(), "must be null"), nullable=True)


_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")

SCHEMA = DataFrameSchema(
    {
        "attributes.type": rules.text(rules.one_of("Account")),
        "attributes.url": rules.text(rules.matches(r"/services/data/v\d+\.\d/sobjects/Account/001\w{15}")),
        "Id": rules.text(rules.matches(_ACCOUNT), unique=True),
        "IsDeleted": Column(bool),
        "MasterRecordId": _empty(),
        "Name": _words(nullable=False),
        "Type": rules.text(rules.one_of(*_TYPES)),
        "ParentId": rules.text(rules.matches(_ACCOUNT), nullable=True),
        **{f"Billing{part}": _words() for part in _ADDRESS},
        "BillingLatitude": _degrees(90),
        "BillingLongitude": _degrees(180),
        "BillingGeocodeAccuracy": rules.text(rules.one_of("Address", "Street", "City"), nullable=True),
        **{f"Shipping{part}": _words() for part in _ADDRESS},
        "ShippingLatitude": _degrees(90),
        "ShippingLongitude": _degrees(180),
        "ShippingGeocodeAccuracy": rules.text(rules.one_of("Address", "Street", "City"), nullable=True),
        "Phone": rules.text(rules.matches(r"\+\d{1,3} [\d ]{7,20}"), nullable=True),
        "Fax": _empty(),
        "Website": rules.text(rules.matches(r"https://\S+"), nullable=True),
        "PhotoUrl": rules.text(rules.matches(r"/services/images/photo/001\w{15}"), nullable=True),
        "Industry": _words(),
        "AnnualRevenue": Column("float64", rules.between(0, 10**12), nullable=True),
        "NumberOfEmployees": Column("int64", rules.between(0, 10**7)),
        "Description": rules.text(rules.byte_length(1, 32_000), rules.not_blank()),
        "OwnerId": rules.text(rules.matches(_USER)),
        "CreatedDate": _moment_column(),
        "CreatedById": rules.text(rules.matches(_USER)),
        "LastModifiedDate": _moment_column(),
        "LastModifiedById": rules.text(rules.matches(_USER)),
        "SystemModstamp": _moment_column(),
        "LastActivityDate": _day_column(),
        "LastViewedDate": _empty(),
        "LastReferencedDate": _empty(),
        "IsCustomerPortal": Column(bool),
        "Jigsaw": _empty(),
        "JigsawCompanyId": _empty(),
        "AccountSource": rules.text(
            rules.one_of("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"), nullable=True
        ),
        "SicDesc": _empty(),
        "_view_url": rules.text(rules.matches(r"https://.+"), unique=True),
        "_archetype": rules.text(),
        "_topic": rules.text(),
        "_author_name": rules.text(),
        "_author_email": rules.text(rules.matches(_MAIL)),
        "_owner_name": rules.text(),
        "_owner_email": rules.text(rules.matches(_MAIL)),
        "_text": rules.text(required=False),
    },
    checks=[
        rules.rows_hold(
            lambda frame: frame["CreatedDate"] <= frame["LastModifiedDate"], "modified no earlier than created"
        ),
        rules.rows_hold(
            lambda frame: frame["LastModifiedDate"] <= frame["SystemModstamp"], "stamped no earlier than modified"
        ),
        rules.rows_hold(
            lambda frame: (
                frame["LastActivityDate"].isna() | (frame["CreatedDate"].str[:10] <= frame["LastActivityDate"])
            ),
            "active no earlier than created",
        ),
        rules.rows_hold(
            lambda frame: pd.Series(
                [
                    url.endswith(f"/{id_}")
                    for url, id_ in zip(frame["attributes.url"].astype(str), frame["Id"], strict=True)
                ],
                index=frame.index,
                dtype=bool,
            ),
            "an address ends with the Id",
        ),
        rules.rows_hold(lambda frame: frame["ParentId"].isna() | (frame["ParentId"] != frame["Id"]), "its own parent"),
    ],
    strict=True,
    name="salesforce_accounts",
)
