"""How Salesforce accounts follow from a specification: the plan of a template and company, and any range of rows.

The first accounts are the company's customers, in their order, and older than anything that speaks of them; the others
are prospects, partners and accounts that came to nothing. Users and accounts have ids in closed form.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataops_core.company.people import CONTACTS, customer_domain
from dataops_core.company.wheel import Wheel
from dataops_core.dataset_types.base import GenerationSpec, Planted
from dataops_core.dataset_types.defects import Candidates, Defects, Marks, incomplete
from dataops_core.dataset_types.facts import Facts
from dataops_core.dataset_types.plan import (
    Numbered,
    People,
    PlanCache,
    PlanKey,
    batch,
    incomplete_quota,
    new_library,
    topic_table,
    weighted,
)
from dataops_core.dataset_types.salesforce import markup
from dataops_core.dataset_types.salesforce.addresses import Addresses
from dataops_core.dataset_types.salesforce.layout import LAYOUTS, SOURCES
from dataops_core.dataset_types.salesforce.names import ACCOUNT, USER, Accounts, ids
from dataops_core.generation import arrays, calendar
from dataops_core.generation.fragments import Fragments
from dataops_core.generation.outline import Outline, Sizes, blocks_of, compile_outline
from dataops_core.generation.seeding import I64, U64, Affine, Draws, chance, draw, key, mix, pick, weighted_table
from dataops_core.generation.sentences import PROJECT, TICKETS, TOPIC, narrow_days, narrow_newest, narrow_releases
from dataops_core.templates.model import Template

#: Bytes of a stored row besides its description, so that the two together meet the template's mean.
_OTHER_BYTES = 865
_INCOMPLETE_FIELDS = ("Phone", "Website", "AnnualRevenue")
_CUSTOMER = "customer"

_TEXT = pa.string()
_COLUMNS: dict[str, pa.DataType] = {
    "attributes.type": _TEXT, "attributes.url": _TEXT, "Id": _TEXT, "IsDeleted": pa.bool_(), "MasterRecordId": _TEXT,
    "Name": _TEXT, "Type": _TEXT, "ParentId": _TEXT, "BillingStreet": _TEXT, "BillingCity": _TEXT,
    "BillingState": _TEXT, "BillingPostalCode": _TEXT, "BillingCountry": _TEXT, "BillingLatitude": pa.float64(),
    "BillingLongitude": pa.float64(), "BillingGeocodeAccuracy": _TEXT, "ShippingStreet": _TEXT, "ShippingCity": _TEXT,
    "ShippingState": _TEXT, "ShippingPostalCode": _TEXT, "ShippingCountry": _TEXT, "ShippingLatitude": pa.float64(),
    "ShippingLongitude": pa.float64(), "ShippingGeocodeAccuracy": _TEXT, "Phone": _TEXT, "Fax": _TEXT,
    "Website": _TEXT, "PhotoUrl": _TEXT, "Industry": _TEXT, "AnnualRevenue": pa.float64(),
    "NumberOfEmployees": pa.int64(), "Description": _TEXT, "OwnerId": _TEXT, "CreatedDate": _TEXT,
    "CreatedById": _TEXT, "LastModifiedDate": _TEXT, "LastModifiedById": _TEXT, "SystemModstamp": _TEXT,
    "LastActivityDate": _TEXT, "LastViewedDate": _TEXT, "LastReferencedDate": _TEXT, "IsCustomerPortal": pa.bool_(),
    "Jigsaw": _TEXT, "JigsawCompanyId": _TEXT, "AccountSource": _TEXT, "SicDesc": _TEXT, "_view_url": _TEXT,
    "_archetype": _TEXT, "_topic": _TEXT, "_author_name": _TEXT, "_author_email": _TEXT, "_owner_name": _TEXT,
    "_owner_email": _TEXT,
}  # fmt: skip
#: Fields that the company does not use: columns without any value.
EMPTY = ("MasterRecordId", "Fax", "LastViewedDate", "LastReferencedDate", "Jigsaw", "JigsawCompanyId", "SicDesc")
SCHEMA = pa.schema([pa.field(name, kind) for name, kind in _COLUMNS.items()])


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all accounts of a template and company share."""

    fragments: Fragments
    outlines: tuple[Outline, ...]
    facts: Facts
    #: The block that tells of an outage; and of each customer the last incident that hit it, and its ticket (-1: none).
    outage: int
    incident: I64
    hit_ticket: I64
    archetypes: tuple[str, ...]
    archetype_table: I64
    topics: pa.Array
    topic_table: I64
    wheel: Wheel
    numbered: Numbered
    people: People
    accounts: Accounts
    addresses: Addresses
    users: pa.Array


def _plan(plan_key: PlanKey) -> _Plan:
    template, company = plan_key.template, plan_key.company
    wheel = Wheel(company)
    library = new_library(plan_key, wheel, str)
    markup.add_pools(library, company)
    draws = Draws("salesforce", company.client_id, template.template_id)
    # The company's customers are there whatever the template weighs.
    archetypes = tuple(sorted({_CUSTOMER, *(name for name, weight in template.archetypes.items() if weight)}))
    blocks = markup.kinds(library, draws)
    parts = [markup.parts(library, name, blocks, draws) for name in archetypes]
    outage = markup.outage(library)
    facts = Facts.add(library, template, company, str)
    fragments = library.freeze()
    incident = np.full(len(company.customers), -1, dtype=np.int64)
    ticket = np.full(len(company.customers), -1, dtype=np.int64)
    hits = [(each.index, customer) for each in company.incidents for customer in each.customers]
    for place, (index, customer) in enumerate(hits):
        incident[customer], ticket[customer] = index, place
    return _Plan(
        fragments=fragments,
        outlines=tuple(
            compile_outline(part, fragments.block_bytes, _mean_bytes(template), "account", company.client_id, name)
            for part, name in zip(parts, archetypes, strict=True)
        ),
        facts=facts,
        outage=outage,
        incident=incident,
        hit_ticket=ticket,
        archetypes=archetypes,
        archetype_table=weighted_table([template.archetypes.get(name, 0) for name in archetypes]),
        topics=arrays.texts([topic.key for topic in template.topics]),
        topic_table=topic_table(template),
        wheel=wheel,
        numbered=Numbered.of(company),
        people=People.of(company),
        accounts=Accounts(company),
        addresses=Addresses(company.locale),
        users=arrays.texts(ids(USER, company, range(len(company.people)))),
    )


_plans = PlanCache(_plan)


@dataclass(frozen=True, slots=True)
class _Accounts:
    """A range of accounts, as numbers: what their columns and their text both say."""

    rows: I64
    project: I64
    topic: I64
    archetype: I64
    #: The company's customer that an account is or belongs to, -1 for none; and whether it is that customer itself.
    customer: I64
    own: NDArray[np.bool_]
    owner: I64
    creator: I64
    created: I64
    modified: I64
    #: Index of the field that an incomplete account lacks, -1 for a complete one.
    lacking: I64


class AccountBuilder:
    """Builds any range of a specification's accounts."""

    schema = SCHEMA

    def __init__(self, spec: GenerationSpec) -> None:
        self._spec = spec
        self._plan = _plans(spec)
        self._path = ("salesforce_accounts", spec.seed)
        self._incomplete = Affine(spec.record_count, *self._path, "incomplete")
        self._quota = incomplete_quota(spec)
        self._sizes = Sizes(spec.record_count, _mean_bytes(spec.template), *self._path, "size")

        self._defects = Defects(spec, self._candidates, facts=self._plan.facts.count)

    def planted(self) -> Iterator[Planted]:
        """The defects that accounts have on purpose."""
        yield from incomplete(self._incomplete, self._quota, _INCOMPLETE_FIELDS)
        projects = self._spec.company.projects
        yield from self._defects.planted(lambda _, project: projects[project].key, self._plan.facts.said)

    def rows(self, start: int, stop: int) -> pa.RecordBatch:
        """Accounts ``start`` to ``stop``, the latter excluded."""
        marks = self._defects.of(np.arange(start, stop, dtype=np.int64))
        accounts, told = marks.split(self._accounts(marks.with_sources))
        # Who keys an account in again says how it is registered; it is one of the same customer's all the same.
        accounts = replace(
            accounts,
            topic=told.topic,
            archetype=told.archetype,
            customer=told.customer,
            modified=np.maximum(accounts.modified, np.where(marks.near, told.modified, 0)),
        )
        known = [self._plan.accounts.name(row) for row in told.rows.tolist()]
        names = [
            self._plan.accounts.otherwise(name) if is_copy else name
            for name, is_copy in zip(known, marks.near.tolist(), strict=True)
        ]
        count = len(names)
        columns = {
            **dict.fromkeys(EMPTY, [None] * count),
            **dict.fromkeys(("IsDeleted", "IsCustomerPortal"), [False] * count),
            **self._identity(accounts, names, known),
            **self._places(accounts),
            **self._people(accounts),
            **self._history(accounts),
            "Description": self._descriptions(accounts, told, names, known, marks),
        }
        return batch(columns, SCHEMA)

    def _draw(self, column: str, rows: I64) -> U64:
        return draw(key(*self._path, column), rows)

    def _candidates(self, rows: I64) -> Candidates:
        """Any account may be defective but the company's own customers. All are in one place."""
        found = self._accounts(rows)
        return Candidates(
            project=found.project, moment=found.created, paired=~found.own, movable=np.zeros_like(found.own)
        )

    def _accounts(self, rows: I64) -> _Accounts:
        plan, customers = self._plan, len(self._spec.company.customers)
        own = rows < customers
        project = plan.wheel.project(rows)
        chosen = weighted(self._draw("archetype", rows), plan.archetype_table)
        archetype = np.where(own, plan.archetypes.index(_CUSTOMER), chosen)
        # Any other account of a customer is a part of one of the company's.
        belongs = archetype == plan.archetypes.index(_CUSTOMER)
        parent = pick(self._draw("parent", rows), customers)
        owner = plan.people.member(project, self._draw("owner", rows))
        creators = self._draw("creator", rows)
        creator = np.where(chance(creators, 600), owner, plan.people.member(project, mix(creators)))
        zone = plan.people.zone[creator]
        drawn = self._draw("created", rows)
        # Customers are in the CRM when the window begins.
        created = np.where(own, calendar.before(drawn, zone=zone), calendar.moments(drawn, self._spec.weeks, zone=zone))
        place = self._incomplete(rows)
        return _Accounts(
            rows=rows,
            project=project,
            topic=weighted(self._draw("topic", rows), plan.topic_table),
            archetype=archetype,
            customer=np.where(own, rows, np.where(belongs, parent, -1)),
            own=own,
            owner=owner,
            creator=creator,
            created=created,
            modified=calendar.later(created, self._draw("modified", rows), within_days=calendar.WINDOW_DAYS, zone=zone),
            lacking=np.where(place < self._quota, place % len(_INCOMPLETE_FIELDS), -1),
        )

    def _identity(self, accounts: _Accounts, names: list[str], known: list[str]) -> dict[str, Any]:
        """What an account is and how to reach it: at the site of the company that is ``known`` by that name."""
        plan, company, rows = self._plan, self._spec.company, accounts.rows
        own_ids = ids(ACCOUNT, company, rows.tolist())
        parents = ids(ACCOUNT, company, range(len(company.customers)))
        under = (accounts.customer >= 0) & ~accounts.own
        kinds = [LAYOUTS[plan.archetypes[index]].types for index in accounts.archetype.tolist()]
        drawn = pick(self._draw("type", rows), 1 << 16).tolist()
        size = self._draw("employees", rows)
        # Few are large: the product of two draws.
        employees = 12 + (pick(size, 200) * pick(mix(size), 200) * (1 + pick(mix(~size), 3))) // 10
        revenue = employees * (90 + pick(self._draw("revenue", rows), 160)) * 1000
        source = weighted(self._draw("source", rows), weighted_table([weight for _, weight in SOURCES]))
        return {
            "attributes.type": ["Account"] * len(names),
            "attributes.url": [f"/services/data/v61.0/sobjects/Account/{id_}" for id_ in own_ids],
            "Id": own_ids,
            "Name": names,
            "Type": [types[index % len(types)] for types, index in zip(kinds, drawn, strict=True)],
            "ParentId": arrays.texts(parents).take(arrays.integers(accounts.customer, present=under)),
            "Website": [
                None if lacks else f"https://www.{customer_domain(name, company.locale)}"
                for lacks, name in zip(self._lacks(accounts, "Website").tolist(), known, strict=True)
            ],
            "PhotoUrl": [f"/services/images/photo/{id_}" for id_ in own_ids],
            "Industry": [plan.accounts.industry(name) for name in known],
            "NumberOfEmployees": employees,
            "AnnualRevenue": arrays.floats(revenue, present=~self._lacks(accounts, "AnnualRevenue")),
            "AccountSource": [SOURCES[index][0] for index in source.tolist()],
            "_view_url": [f"{company.crm_url}/lightning/r/Account/{id_}/view" for id_ in own_ids],
            "_archetype": arrays.texts(plan.archetypes).take(arrays.integers(accounts.archetype)),
            "_topic": plan.topics.take(arrays.integers(accounts.topic)),
        }

    def _places(self, accounts: _Accounts) -> dict[str, Any]:
        """Where an account sits. Two in three are delivered to where they are billed, the others nowhere."""
        rows = accounts.rows
        drawn = self._draw("address", rows)
        places = self._plan.addresses.of(drawn, self._draw("postal code", rows))
        lines = pick(self._draw("phone", rows), 10_000).tolist()
        # Within a few kilometers of the middle, to a hundred thousandth of a degree.
        near = pick(self._draw("near", rows), 8000) - 4000, pick(mix(self._draw("near", rows)), 8000) - 4000
        latitude, longitude = (
            (np.array(middle, dtype=np.int64) + offset * 10) / 1_000_000
            for middle, offset in zip(
                ([each.latitude for each in places], [each.longitude for each in places]), near, strict=True
            )
        )
        texts = {
            "Street": [each.street for each in places],
            "City": [each.city for each in places],
            "State": [each.state for each in places],
            "PostalCode": [each.postal_code for each in places],
            "Country": [each.country for each in places],
            "GeocodeAccuracy": ["Address"] * len(places),
        }
        shipped = chance(self._draw("shipping", rows), 667)
        here = arrays.integers(np.arange(len(rows)), present=shipped)
        return {
            **{f"Billing{part}": values for part, values in texts.items()},
            **{f"Shipping{part}": arrays.texts(values).take(here) for part, values in texts.items()},
            "BillingLatitude": arrays.floats(latitude),
            "BillingLongitude": arrays.floats(longitude),
            "ShippingLatitude": arrays.floats(latitude, present=shipped),
            "ShippingLongitude": arrays.floats(longitude, present=shipped),
            "Phone": [
                None if lacks else f"+{place.dialling} 555 {line // 100:02d} {line % 100:02d}"
                for lacks, place, line in zip(self._lacks(accounts, "Phone").tolist(), places, lines, strict=True)
            ],
        }

    def _people(self, accounts: _Accounts) -> dict[str, Any]:
        """Who brought an account in, who looks after it, and who changed it last."""
        people, users = self._plan.people, self._plan.users
        owner, creator = arrays.integers(accounts.owner), arrays.integers(accounts.creator)
        return {
            "OwnerId": users.take(owner),
            "CreatedById": users.take(creator),
            "LastModifiedById": users.take(owner),
            "_author_name": people.names.take(creator),
            "_author_email": people.emails.take(creator),
            "_owner_name": people.names.take(owner),
            "_owner_email": people.emails.take(owner),
        }

    def _history(self, accounts: _Accounts) -> dict[str, Any]:
        """When an account was made, changed and last spoken to. A customer always has been."""
        drawn = self._draw("activity", accounts.rows)
        active = (accounts.customer >= 0) | chance(drawn, 500)
        last = calendar.later(accounts.created, mix(drawn), within_days=calendar.WINDOW_DAYS)
        here = arrays.integers(np.arange(len(accounts.rows)), present=active)
        modified = calendar.with_offset(accounts.modified)
        return {
            "CreatedDate": calendar.with_offset(accounts.created),
            "LastModifiedDate": modified,
            "SystemModstamp": modified,
            "LastActivityDate": calendar.dates(last).take(here),
        }

    def _lacks(self, accounts: _Accounts, name: str) -> NDArray[np.bool_]:
        lacks: NDArray[np.bool_] = accounts.lacking == _INCOMPLETE_FIELDS.index(name)
        return lacks

    def _descriptions(
        self, accounts: _Accounts, told: _Accounts, names: list[str], known: list[str], marks: Marks
    ) -> pa.StringArray:
        """Each account's name, then what is said of it as of its last change: of ``told``, which is another account
        where one is a copy.
        """
        plan, fragments, company = self._plan, self._plan.fragments, self._spec.company
        ranges = fragments.ranges(len(names), {TOPIC: told.topic, PROJECT: told.project})
        moment = marks.moment(accounts.modified, told.modified)
        # Nothing is told of the days before an account was there.
        there = calendar.day_of(marks.moment(accounts.created, told.created))
        narrow_days(fragments, ranges, calendar.day_of(moment), since=there)
        made = plan.numbered.issues_by(told.project, moment)
        narrow_newest(fragments, ranges, told.project, made, TICKETS)
        narrow_releases(fragments, ranges, told.project, plan.numbered.releases_by(told.project, moment))
        fragments.only(ranges, "owner", fragments.base("owner") + accounts.owner)
        customers = accounts.customer >= 0
        contact = fragments.base("known_contact") + accounts.customer * CONTACTS
        fragments.only(
            ranges,
            "known_contact",
            np.where(customers, contact, fragments.base("known_contact")),
            np.full(len(names), CONTACTS, dtype=np.uint64),
        )
        incident = np.where(accounts.own, plan.incident[accounts.customer], -1)
        starts = np.array([each.started for each in company.incidents], dtype=np.int64)
        services = np.array([each.service for each in company.incidents], dtype=np.int64)
        # An outage is told of once it has been.
        hit = (incident >= 0) & (starts[incident] + calendar.DAY * 4 < accounts.modified)
        fragments.only(ranges, "hit_service", fragments.base("hit_service") + services[incident])
        fragments.only(ranges, "hit_day", fragments.base("hit_day") + starts[incident] // calendar.DAY)
        tickets = plan.hit_ticket[accounts.customer]
        fragments.only(ranges, "hit_ticket", fragments.base("hit_ticket") + np.where(hit, tickets, 0))
        wanted = self._sizes(told.rows) - np.array([len(name.encode()) for name in known])
        blocks = blocks_of(plan.outlines, told.archetype, wanted, self._draw("outline", told.rows))
        blocks = plan.facts.placed(blocks, marks)
        plan.facts.narrow(fragments, ranges, marks)
        outage = np.where(hit, plan.outage, -1)[:, None]
        bodies = fragments.compose(
            ranges, np.hstack([blocks, outage]), self._draw("description", told.rows), marks.edits
        )
        return pc.binary_join_element_wise(arrays.texts(names), bodies, arrays.texts([""] * len(names)))


def _mean_bytes(template: Template) -> int:
    """What descriptions have on average, so that whole rows have what the template says."""
    return max(template.bytes_per_record - _OTHER_BYTES, 200)
