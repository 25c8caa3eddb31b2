"""A ticket's description as plain text, as sequences of fragments. Every block ends with an empty line.

Does not belong here: what follows a description (``conversation.py``).
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from dataops_core.company.build import pull_request_url, space_home_url, ticket_url
from dataops_core.company.model import Company
from dataops_core.company.threads import thread_links
from dataops_core.dataset_types.zendesk.layout import FAREWELLS, GREETINGS, LAYOUTS, LIVE, OUTAGE_NOTES
from dataops_core.generation import arrays
from dataops_core.generation.library import Library
from dataops_core.generation.outline import Parts
from dataops_core.generation.seeding import Draws
from dataops_core.generation.sentences import PROJECT, sentences

#: The pools of one block of a kind; the draws vary it.
_Build: TypeAlias = Callable[[Library, Draws], tuple[str, ...]]

_LOG = (
    "{service}: {slug} {state_slug}, reference {code}\n",
    "HTTP 500 from https://{service}.{domain}/v1/{slug*}\n",
    "HTTP 429 from https://{service}.{domain}/v1/{slug*}, retry after {number} s\n",
    "error {code}: {table} is {state_slug}\n",
    "timeout after {bare_amount} ms ({slug})\n",
    "{service} closed the connection, {number} {table} sent\n",
    "{slug}: expected {state_slug}, got nothing ({code})\n",
    "502 Bad Gateway, upstream {service}, {bare_amount} bytes\n",
)


def add_pools(library: Library, company: Company) -> None:
    """Adds the pools that only tickets need; those of ``sentences.add_pools`` and titles must be there."""
    library.pool("greeting", GREETINGS)
    library.pool("farewell", FAREWELLS)
    library.pool("requester", [contact.name for theirs in company.contacts for contact in theirs])
    library.pool("called", [_called(contact.name) for theirs in company.contacts for contact in theirs])
    library.alias("own_customer", "customer")
    library.alias("agent", "person*")
    library.pool_by(PROJECT, "page", [[space_home_url(company, project)] for project in company.projects])
    library.pool_by(
        PROJECT,
        "pull",
        [
            arrays.numbered(pull_request_url(company, service, arrays.NUMBER), service.pull_request_count)
            for service in company.services[: len(company.projects)]
        ],
    )
    library.pool("support_ticket", arrays.numbered(ticket_url(company, arrays.NUMBER), company.ticket_count))
    library.alias("incident_ticket", "ticket*")
    library.alias("outage_lead", "person*")
    library.pool("outage_thread", thread_links(company).incidents)


def kinds(library: Library, draws: Draws) -> dict[str, tuple[int, ...]]:
    """The blocks of every kind of content that a layout may name. ``draws`` varies them."""
    return {kind: tuple(library.block(*build(library, draws)) for _ in range(12)) for kind, build in _BUILDERS.items()}


def parts(library: Library, archetype: str, blocks: Mapping[str, tuple[int, ...]], draws: Draws) -> Parts:
    """What an archetype's outline consists of."""
    layout = LAYOUTS[archetype]
    end = library.literal("\n\n")
    intros = [
        library.block(*library.parse("{greeting}\n\n" + _titled(text)), *_told(draws, library, count, 2), end)
        for text in layout.intros
        for count in (0, 1, 2)
    ]
    sections = []
    for kinds_ in layout.sections:
        heads = [library.block(*_told(draws, library, count, 4), end) for count in (1, 1, 2)]
        sections.append((tuple(heads), {blocks[kind]: weight for kind, weight in kinds_.items()}))
    outros = [library.block(*library.parse(text)) for text in ("Please let me know what you need from us.\n\n",)]
    return Parts(tuple(intros), tuple(sections), tuple(outros))


def signature(library: Library) -> int:
    """The block that ends a description."""
    return library.block(*library.parse("{farewell}\n{requester}\n{own_customer}"))


def incident_notes(library: Library) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The blocks of the internal note that ties a ticket to the company's incident: before there is a word about that
    in the chat, and when it can be pointed at.
    """
    return (
        tuple(library.block(*library.parse(told)) for told, _ in OUTAGE_NOTES),
        tuple(library.block(*library.parse(f"{told} {follow}")) for told, follow in OUTAGE_NOTES),
    )


def _called(name: str) -> str:
    """How somebody is addressed: by the first name, or in Japan, where the family's comes first, by that."""
    first = name.partition(" ")[0]
    return first if first.isascii() or first[0] < "\u2e80" else f"{first}-san"


def _titled(text: str) -> str:
    return text.replace("{title_things}", "{title_j} {title_ns}")


def _told(draws: Draws, library: Library, count: int, live_of_twenty: int) -> tuple[str, ...]:
    """Sentences of a customer."""
    return sentences(draws, library, count, live_of_twenty, LIVE)


def _paragraph(library: Library, draws: Draws) -> tuple[str, ...]:
    return (*_told(draws, library, draws.between("length", 1, 4), 3), library.literal("\n\n"))


def _live(library: Library, draws: Draws) -> tuple[str, ...]:
    return (*_told(draws, library, draws.between("live length", 1, 3), 12), library.literal("\n\n"))


def _list(bullet: str, *entries: str) -> _Build:
    def build(library: Library, draws: Draws) -> tuple[str, ...]:
        pools: list[str] = []
        order = draws.shuffled("entry", len(entries))
        for number in range(draws.between("entries", 2, 5)):
            pools += library.parse(f"{bullet.format(number + 1)} {entries[order[number % len(order)]]}\n")
        return (*pools, library.literal("\n"))

    return build


def _log(library: Library, draws: Draws) -> tuple[str, ...]:
    order = draws.shuffled("lines", len(_LOG))[: draws.between("line count", 1, 4)]
    return (*library.parse("".join(_LOG[place] for place in order)), library.literal("\n"))


_BUILDERS: Mapping[str, _Build] = {
    "paragraph": _paragraph,
    "live": _live,
    "steps": _list("{}.", "{step}", "{step}", "{step*}"),
    "wishes": _list("-", "{item}", "{item}", "{item*}", "{phrase}"),
    "facts": _list(
        "-", "Service: {service}, version {version}", "{measured} on {day}", "Reference: {code}",
        "Seen on {day}, {number} times", "{measured} at the moment",
    ),
    "log": _log,
}  # fmt: skip
