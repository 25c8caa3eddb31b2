"""Blocks of an issue's description in the Atlassian Document Format, as sequences of fragments; and its plain text.

A document is JSON text: an introduction opens it, every other block begins with a comma, and ``CLOSING`` ends it. Every
block is well-formed by itself, and texts are never empty, which the format forbids. Source: Atlassian's "Document
structure" of ADF.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from dataops_core.company.build import issue_key, pull_request_url, space_home_url, ticket_url
from dataops_core.company.files import first_files
from dataops_core.company.model import Company, Release
from dataops_core.company.threads import thread_links
from dataops_core.dataset_types.jira.layout import LAYOUTS
from dataops_core.dataset_types.outages import CLOCKS, add_clocks, events
from dataops_core.generation import arrays
from dataops_core.generation.library import Library
from dataops_core.generation.outline import Parts
from dataops_core.generation.seeding import Draws
from dataops_core.generation.sentences import PROJECT, sentences

#: The pools of one block of a kind; the draws vary it.
_Build: TypeAlias = Callable[[Library, Draws], tuple[str, ...]]

OPENING = '{"type":"doc","version":1,"content":['
CLOSING = "]}"
_TEXT, _TEXT_END = '{"type":"text","text":"', '"}'
_PARAGRAPH, _PARAGRAPH_END = '{"type":"paragraph","content":[' + _TEXT, _TEXT_END + "]}"
#: A paragraph that follows another block.
PARAGRAPH = ("," + _PARAGRAPH, _PARAGRAPH_END)
_ITEM, _ITEM_END = '{"type":"listItem","content":[' + _PARAGRAPH, _PARAGRAPH_END + "]}"

#: Lines of code and logs, by language.
_CODE = {
    "bash": (
        "curl -sS https://{service}.{domain}/v1/{slug*}?limit={number}",
        "{service} list {slug} --state={state_slug} --limit={number}",
        "{service} replay {slug} --since=2h --dry-run",
        "kubectl -n {service} logs deployment/{service} --tail={number}",
        "git checkout -b {ticket}-{slug}",
    ),
    "text": (
        "WARN  {service} {slug}: {number} left in state {state_slug}",
        "ERROR {service} {slug}: change {code} not found, giving up",
        "INFO  {other_service} answered after {bare_amount} ms",
        "ERROR {service} expected state {state_slug}, {other_service} has none",
        "WARN  {service} queue {slug*} holds {bare_amount} entries",
    ),
    "sql": (
        "select count(*) from {table} where state = '{state_slug}';",
        "select id, state from {table} where change_id = '{code}';",
        "select owner, count(*) from {table} group by owner order by 2 desc limit {number};",
    ),
}

#: What a section has once at most.
_ONCE = ("facts", "issues", "links", "reports", "timeline")


def escape(text: str) -> str:
    """The text as it stands between JSON's quotes."""
    return orjson.dumps(text).decode()[1:-1]


def add_pools(library: Library, company: Company) -> None:
    """Adds the pools that only issues need; those of ``sentences.add_pools`` and titles must be there.

    Mentions and cards are nodes of their own: such a fragment ends the text before it and begins the next one.
    """
    library.pool(
        "mention*",
        [
            _node({"type": "mention", "attrs": {"id": person.account_id, "text": f"@{person.name}"}})
            for person in company.people
        ],
    )
    teams, links = [company.teams[project.team] for project in company.projects], thread_links(company)
    library.view_by(PROJECT, "mention", "mention*", [(team.first_person, team.size) for team in teams])
    library.pool_by(PROJECT, "page_card", [[_card(space_home_url(company, project))] for project in company.projects])
    library.pool_by(
        PROJECT, "file_card", [[_card(url) for _, url in first_files(company, project)] for project in company.projects]
    )
    library.pool_by(
        PROJECT,
        "pull_card",
        [
            arrays.numbered(_card(pull_request_url(company, service, arrays.NUMBER)), service.pull_request_count)
            for service in company.services[: len(company.projects)]
        ],
    )
    library.pool_by(
        PROJECT,
        "issue_card",
        [
            arrays.numbered(_card(f"{company.jira_url}/browse/{project.key}-{arrays.NUMBER}"), project.issue_count)
            for project in company.projects
        ],
    )
    library.pool_by(
        PROJECT,
        "announcement_card",
        [[_card(links.releases[release.index]) for release in each] for each in company.releases_by_project],
    )
    library.pool("release_thread", [_card(url) for url in links.releases])
    library.pool("outage_thread", [_card(url) for url in links.incidents])
    library.alias("affected", "customer")
    library.pool("release_contents", [_cards(company, release) for release in company.releases])
    library.pool("support_card", arrays.numbered(_card(ticket_url(company, arrays.NUMBER)), company.ticket_count))
    add_clocks(library)


def kinds(library: Library, draws: Draws) -> dict[str, tuple[int, ...]]:
    """The blocks of every kind of content that a layout may name. ``draws`` varies them."""
    return {kind: tuple(library.block(*build(library, draws)) for _ in range(12)) for kind, build in _BUILDERS.items()}


def parts(library: Library, archetype: str, blocks: Mapping[str, tuple[int, ...]], draws: Draws) -> Parts:
    """What an archetype's outline consists of."""
    layout = LAYOUTS[archetype]
    start, end = library.literal(OPENING + _PARAGRAPH), library.literal(_PARAGRAPH_END)
    intros = [
        library.block(start, *_parsed(library, text), *sentences(draws, library, count, 1), end)
        for text in layout.intros
        for count in (0, 1, 2)
    ]
    sections = []
    for number, section in enumerate(layout.sections):
        library.pool(f"{archetype}_heading{number}", section.headings)
        heading = _literal_node(library, '{"type":"heading","attrs":{"level":3},"content":[' + _TEXT)
        heads = [
            library.block(
                heading,
                *library.parse(f"{{{archetype}_heading{number}}}"),
                library.literal(_TEXT_END + "]}," + _PARAGRAPH),
                *sentences(draws, library, count),
                end,
            )
            for count in (1, 1, 1, 2)
        ]
        sections.append((tuple(heads), {blocks[kind]: weight for kind, weight in section.kinds.items()}))
    outros = [
        library.block(_literal_node(library, _PARAGRAPH), *_parsed(library, text), end)
        for text in (
            "See {page_card} for background, or ask {mention} about {things.}",
            "Questions go to {person_mail}. ",
            "Belongs to {issue_card}.",
        )
    ]
    return Parts(tuple(intros), tuple(sections), tuple(outros)).arranged(
        blocks, once=_ONCE, apart=("bullets", "steps", "code", "panel")
    )


def comments(library: Library, draws: Draws, forms: Sequence[str]) -> tuple[int, ...]:
    """Blocks that are whole comments of these forms, each a document."""
    start, end = library.literal(OPENING + _PARAGRAPH), library.literal(_PARAGRAPH_END + CLOSING)
    blocks = []
    for form in forms:
        text, said, _ = form.partition("|")
        for count in (1, 2, 3) if said else (0,):
            more = sentences(draws, library, count, 3)
            blocks.append(library.block(start, *_parsed(library, text), *more, end))
    return tuple(blocks)


def afterwards(library: Library) -> int:
    """The last comment on the issue of an incident: where it was spoken of."""
    start, end = library.literal(OPENING + _PARAGRAPH), library.literal(_PARAGRAPH_END + CLOSING)
    return library.block(
        start, *library.parse("All of {service} is back. What was said meanwhile: {outage_thread}."), end
    )


def shipping(library: Library) -> tuple[int, int, int]:
    """Blocks on a release: what goes out with it, and the last comments on its own issue and on one that went out."""
    start, end = library.literal(OPENING + _PARAGRAPH), library.literal(_PARAGRAPH_END + CLOSING)
    contents = library.parse("Goes out with {released}: {release_contents}.")
    return (
        library.block(_literal_node(library, _PARAGRAPH), *contents, library.literal(_PARAGRAPH_END)),
        library.block(start, *library.parse("{released} is out: {release_thread}. {customer} has been told. "), end),
        library.block(start, *library.parse("Released with {released}. "), end),
    )


def _cards(company: Company, release: Release) -> str:
    return ", ".join(
        _card(f"{company.jira_url}/browse/{issue_key(company, release.project, number)}") for number in release.fixed
    )


def plain_text(document: str) -> str:
    """The text of a document: a line per paragraph, mentions by their names, cards by their addresses."""
    return "\n".join(filter(None, map(str.strip, "".join(_said(orjson.loads(document))).split("\n"))))


def is_document(value: Any) -> bool:
    """Whether a parsed value is a document of the format: nodes of a type, texts not empty."""
    return isinstance(value, dict) and value.get("type") == "doc" and value.get("version") == 1 and _is_node(value)


def _is_node(node: Any) -> bool:
    if not isinstance(node, dict) or not isinstance(node.get("type"), str):
        return False
    if node["type"] == "text":
        return isinstance(node.get("text"), str) and node["text"] != ""
    content = node.get("content", [])
    leaf = node["type"] in {"mention", "inlineCard"}
    return isinstance(content, list) and (leaf or bool(content)) and all(map(_is_node, content))


def _said(node: Mapping[str, Any]) -> Iterator[str]:
    kind, attributes = node["type"], node.get("attrs", {})
    if kind in {"text", "mention"}:
        yield node["text"] if kind == "text" else attributes["text"]
    elif kind == "inlineCard":
        yield attributes["url"]
    for child in node.get("content", ()):
        yield from _said(child)
    if kind in {"paragraph", "heading", "codeBlock"}:
        yield "\n"


def _node(node: Mapping[str, Any]) -> str:
    return f"{_TEXT_END},{orjson.dumps(node).decode()},{_TEXT}"


def _card(url: str) -> str:
    return _node({"type": "inlineCard", "attrs": {"url": url}})


def _literal_node(library: Library, start: str) -> str:
    return library.literal(f",{start}")


def _parsed(library: Library, text: str) -> tuple[str, ...]:
    """The text's pools. A text that begins with a node begins with a word before it, since none may be empty."""
    if text.startswith("{mention}"):
        text = f"Hi {text}"
    return library.parse(text.replace("{title_things}", "{title_j} {title_ns}"))


def _paragraph(library: Library, draws: Draws) -> tuple[str, ...]:
    return (
        _literal_node(library, _PARAGRAPH),
        *sentences(draws, library, draws.between("length", 1, 4), 3),
        library.literal(_PARAGRAPH_END),
    )


def _live(library: Library, draws: Draws) -> tuple[str, ...]:
    endings = (
        "Ask {mention} about {things.}",
        "{mention} has seen {a_thing} at {customer.}",
        "It belongs to {issue_card} and concerns {customer.}",
        "The change is {pull_card} and {person} reviewed it. ",
    )
    ending = endings[draws.below("ending", len(endings))]
    return (
        _literal_node(library, _PARAGRAPH),
        *sentences(draws, library, draws.between("live length", 1, 2), 9),
        *library.parse(ending),
        library.literal(_PARAGRAPH_END),
    )


def _panel(library: Library, draws: Draws) -> tuple[str, ...]:
    kind = ("info", "note", "warning", "success")[draws.below("panel", 4)]
    return (
        _literal_node(library, f'{{"type":"panel","attrs":{{"panelType":"{kind}"}},"content":[' + _PARAGRAPH),
        *sentences(draws, library, draws.between("panel length", 1, 2)),
        library.literal(_PARAGRAPH_END + "]}"),
    )


def _list(kind: str, *entries: str, longest: int = 5) -> _Build:
    start = f'{{"type":"{kind}","content":['

    def build(library: Library, draws: Draws) -> tuple[str, ...]:
        pools = [_literal_node(library, start)]
        order = draws.shuffled("entry", len(entries))
        for number in range(draws.between("entries", 2, longest)):
            pools.append(library.literal(f",{_ITEM}" if number else _ITEM))
            pools += library.parse(entries[order[number % len(order)]])
            pools.append(library.literal(_ITEM_END))
        return (*pools, library.literal("]}"))

    return build


def _timeline(library: Library, draws: Draws) -> tuple[str, ...]:
    pools = [_literal_node(library, '{"type":"bulletList","content":[')]
    told = events(library, draws, draws.between("events", 3, len(CLOCKS)))
    for place, (name, event) in enumerate(zip(CLOCKS, told, strict=False)):
        pools.append(library.literal(f",{_ITEM}" if place else _ITEM))
        pools += (*library.parse(f"{{{name}}}: "), *event)
        pools.append(library.literal(_ITEM_END))
    return (*pools, library.literal("]}"))


def _code(library: Library, draws: Draws) -> tuple[str, ...]:
    language = sorted(_CODE)[draws.below("language", len(_CODE))]
    lines = _CODE[language]
    order = draws.shuffled("lines", len(lines))[: draws.between("line count", 2, min(4, len(lines)))]
    start = f'{{"type":"codeBlock","attrs":{{"language":"{language}"}},"content":[' + _TEXT
    # A backslash and an n: a line's end within JSON.
    code = r"\n".join(lines[place] for place in order)
    return (_literal_node(library, start), *library.parse(code), library.literal(_TEXT_END + "]}"))


_BUILDERS: Mapping[str, _Build] = {
    "paragraph": _paragraph,
    "live": _live,
    "panel": _panel,
    "bullets": _list("bulletList", "{item}.", "{item}.", "{item*}.", "{phrase} in {service}."),
    "steps": _list("orderedList", "{step}", "{step}", "{step*}", "{step} See {issue_card}."),
    "facts": _list(
        "bulletList", "Service: {service}, version {version}", "{measured} on {day}",
        "Customer: {customer}, reference {code}", "State: {state_slug}, {number} times since {day}", longest=4,
    ),
    "issues": _list("bulletList", "{summary}: {issue_card}.", "{phrase}, as in {issue_card} by {person}."),
    "links": _list(
        "bulletList", "Wiki: {page_card}.", "Pull request: {pull_card} by {person}.", "{phrase}: {page_card}.",
        "Support ticket: {support_card}.", "Document: {file_card}.", "Last release: {announcement_card}.",
    ),
    "reports": lambda library, draws: (
        _literal_node(library, _PARAGRAPH),
        *library.parse("{affected} opened {support_card} about it. "),
        *sentences(draws, library, draws.between("reported", 0, 2), 9),
        library.literal(_PARAGRAPH_END),
    ),
    "timeline": _timeline,
    "code": _code,
}  # fmt: skip
