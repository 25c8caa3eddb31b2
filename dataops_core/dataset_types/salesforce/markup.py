"""An account's description as plain text, as sequences of fragments."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from dataops_core.company.build import space_home_url, ticket_url
from dataops_core.company.model import Company
from dataops_core.dataset_types.salesforce.layout import LAYOUTS
from dataops_core.generation.library import Library
from dataops_core.generation.outline import Parts
from dataops_core.generation.seeding import Draws
from dataops_core.generation.sentences import PROJECT, sentences

#: The pools of one block of a kind; the draws vary it.
_Build: TypeAlias = Callable[[Library, Draws], tuple[str, ...]]


def add_pools(library: Library, company: Company) -> None:
    """Adds the pools that only accounts need; those of ``sentences.add_pools`` must be there."""
    library.pool("known_contact", [contact.name for theirs in company.contacts for contact in theirs])
    library.alias("owner", "person*")
    library.pool("years", ("a year", "two years", "three years", "four years", "five years", "seven years"))
    library.pool_by(PROJECT, "page", [[space_home_url(company, project)] for project in company.projects])
    library.alias("hit_service", "service*")
    library.alias("hit_day", "any_day")
    library.pool(
        "hit_ticket",
        [
            ticket_url(company, incident.first_ticket + place)
            for incident in company.incidents
            for place in range(len(incident.customers))
        ],
    )


def kinds(library: Library, draws: Draws) -> dict[str, tuple[int, ...]]:
    """The blocks of every kind of content that a layout may name. ``draws`` varies them."""
    return {kind: tuple(library.block(*build(library, draws)) for _ in range(12)) for kind, build in _BUILDERS.items()}


def parts(library: Library, archetype: str, blocks: Mapping[str, tuple[int, ...]], draws: Draws) -> Parts:
    """What an archetype's outline consists of."""
    layout = LAYOUTS[archetype]
    end = library.literal("\n\n")
    intros = [
        library.block(*library.parse(text), *sentences(draws, library, count, 2), end)
        for text in layout.intros
        for count in (0, 1, 2)
    ]
    sections = []
    for kinds_ in layout.sections:
        heads = [library.block(*sentences(draws, library, count, 5), end) for count in (1, 1, 2)]
        sections.append((tuple(heads), {blocks[kind]: weight for kind, weight in kinds_.items()}))
    outros = [library.block(*library.parse(text)) for text in layout.outros]
    return Parts(tuple(intros), tuple(sections), tuple(outros)).arranged(
        blocks, once=("points", "objections", "next", "renewal")
    )


def outage(library: Library) -> int:
    """The block that tells of the outage that hit a customer."""
    return library.block(
        *library.parse("\n\nThe outage of {hit_service} on {hit_day} hit them, see {hit_ticket}. They expect a report.")
    )


def _paragraph(library: Library, draws: Draws) -> tuple[str, ...]:
    return (*sentences(draws, library, draws.between("length", 1, 3), 3), library.literal("\n\n"))


def _live(library: Library, draws: Draws) -> tuple[str, ...]:
    return (*sentences(draws, library, draws.between("live length", 1, 3), 14), library.literal("\n\n"))


def _list(title: str, *entries: str) -> _Build:
    def build(library: Library, draws: Draws) -> tuple[str, ...]:
        pools = [library.literal(f"{title}\n")]
        for place in draws.shuffled("entry", len(entries))[: draws.between("entries", 2, 4)]:
            pools += library.parse(f"- {entries[place]}\n")
        return (*pools, library.literal("\n"))

    return build


_BUILDERS: Mapping[str, _Build] = {
    "paragraph": _paragraph,
    "live": _live,
    "points": _list(
        "What matters to them:", "{item}", "{item}", "{item*}", "{phrase}", "{measured}",
        "The interface in {repository}",
    ),
    "objections": _list(
        "Objections:", "{phrase}: {person} answers", "{item}", "The price of the {product}", "{regulation}"
    ),
    "next": _list(
        "Next steps:", "{step} ({person})", "{step}", "Show {things} to {stakeholders}", "Send the offer {code}"
    ),
    "renewal": _list(
        "Contract:", "{product}, {number} licenses", "{service}, version {version}",
        "renewal {code}, {amount} per month",
        "{measured}, agreed on {day}",
    ),
}  # fmt: skip
