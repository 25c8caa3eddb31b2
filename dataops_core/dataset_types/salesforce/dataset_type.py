"""Salesforce accounts, as the REST API returns a record of the object Account.

Belongs here: which fields completeness counts, and what an account is as a record and as a search document. The
record's strict schema is in ``schema.py``, how rows follow from a specification in ``builder.py`` (names and ids:
``names.py``), what accounts say in ``layout.py``, how it is written in ``markup.py``.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dataops_core.company.model import Hosts
from dataops_core.dataset_types.base import Document, FieldRule, GenerationSpec, RecordBuilder
from dataops_core.dataset_types.cells import plain, unflatten
from dataops_core.dataset_types.salesforce.builder import EMPTY, AccountBuilder
from dataops_core.dataset_types.salesforce.layout import LAYOUTS

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

#: The fields that every account has a value for, where it is complete.
_ALWAYS = (
    "attributes.type", "attributes.url", "Id", "IsDeleted", "Name", "Type", "BillingStreet", "BillingCity",
    "BillingState", "BillingPostalCode", "BillingCountry", "BillingLatitude", "BillingLongitude", "Phone", "Website",
    "Industry", "AnnualRevenue", "NumberOfEmployees", "Description", "OwnerId", "CreatedDate", "CreatedById",
    "LastModifiedDate", "LastModifiedById", "SystemModstamp", "IsCustomerPortal", "AccountSource",
)  # fmt: skip
#: Parts of an address, as the compound field names them.
_ADDRESS = {
    "street": "Street", "city": "City", "state": "State", "postalCode": "PostalCode", "country": "Country",
    "latitude": "Latitude", "longitude": "Longitude", "geocodeAccuracy": "GeocodeAccuracy",
}  # fmt: skip


class SalesforceAccounts:
    """The dataset type ``salesforce_accounts``."""

    name = "salesforce_accounts"
    label = "Salesforce"
    object_type = "Account"
    category = "CRM"
    facets: tuple[str, ...] = ("Type", "Industry", "Country")
    filter_facet = "Industry"
    id_column = "Id"
    created_column = "CreatedDate"
    author_column = "_author_name"
    archetypes = frozenset(LAYOUTS)
    # An account is changed, never written anew, and stands in no folder.
    defects = frozenset({"near_duplicates", "conflicting_facts"})
    seasonal = True
    completeness = (
        *map(FieldRule, _ALWAYS),
        FieldRule("LastActivityDate", applies=lambda frame: frame["Type"].str.startswith("Customer")),
    )

    @property
    def schema(self) -> "DataFrameSchema":
        """The strict schema of the frame, loaded with pandera when it is first asked for."""
        from dataops_core.dataset_types.salesforce.schema import SCHEMA  # noqa: PLC0415  see base.DatasetType.schema

        return SCHEMA

    def builder(self, spec: GenerationSpec) -> RecordBuilder:
        """A builder of the specification's accounts."""
        return AccountBuilder(spec)

    def url_pattern(self, hosts: Hosts) -> str:
        """Matches the address of every account in the company's CRM."""
        return rf"^{re.escape(hosts.crm_url)}/lightning/r/Account/001.+$"

    def frame(self, table: pa.Table, *, text: bool = False) -> "pd.DataFrame":
        """The stored table as a frame; with ``text``, what is searched as ``_text`` beside it."""
        frame: pd.DataFrame = table.to_pandas()
        # A column without any value has no type of its own.
        frame = frame.astype(dict.fromkeys(EMPTY, object))
        if text:
            frame = frame.assign(_text=[_text(row) for row in table.to_pylist()]).astype({"_text": "str"})
        return frame

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as Salesforce's API returns the account, with the compound addresses."""
        record = unflatten(row)
        for kind in ("Billing", "Shipping"):
            address = {part: record[f"{kind}{field}"] for part, field in _ADDRESS.items()}
            record[f"{kind}Address"] = address if address["city"] is not None else None
        return record

    def document(self, row: Mapping[str, Any]) -> Document:
        """The row as a search document: its description and where to reach the account."""
        return Document(
            id=row["Id"],
            title=row["Name"],
            body=_text(row),
            mime_type="text/plain",
            view_url=row["_view_url"],
            author_email=row["_author_email"],
            author_name=row["_author_name"],
            owner_email=row["_owner_email"],
            owner_name=row["_owner_name"],
            container=row["Industry"],
            created_at=_epoch(row["CreatedDate"]),
            updated_at=_epoch(row["LastModifiedDate"]),
            status=None,
            properties={"Type": row["Type"], "Industry": row["Industry"], "Country": row["BillingCountry"]},
        )


def _text(row: Mapping[str, Any]) -> str:
    """The description, then the fields that people search for."""
    street, city, country = (row[f"Billing{part}"] for part in ("Street", "City", "Country"))
    lines = [row["Description"], "", f"{row['Type']}, {row['Industry']}, owned by {row['_owner_name']}"]
    lines += [f"{street}, {row['BillingPostalCode']} {city}, {country}"]
    lines += [value for value in (plain(row["Phone"]), plain(row["Website"])) if value]
    return "\n".join(lines)


def _epoch(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


DATASET_TYPE = SalesforceAccounts()
