"""Blocks of a README in Markdown, as sequences of fragments.

Belongs here: how each kind of content that a layout names is written in Markdown. Every block ends with an empty line.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from dataops_core.company.build import issue_key, repository_url, space_home_url
from dataops_core.company.files import first_files
from dataops_core.company.model import Company, Release
from dataops_core.dataset_types.github.layout import LAYOUTS
from dataops_core.generation import arrays, calendar
from dataops_core.generation.library import Library
from dataops_core.generation.measures import ROWS
from dataops_core.generation.outline import Parts
from dataops_core.generation.seeding import Draws
from dataops_core.generation.sentences import PROJECT, sentence, sentences, spoken_day

#: The pools of one block of a kind; the draws vary it.
_Build: TypeAlias = Callable[[Library, Draws], tuple[str, ...]]

#: Code by language of the fence.
_CODE = {
    "bash": (
        "make set-up TARGET={slug}\n",
        "make check\n",
        "make run PORT={port}\n",
        "export STATE={state_slug}\n",
        "curl -sS https://{service}.{domain}/v1/{slug*}?limit={number}\n",
        "docker compose up {service}\n",
        "docker compose logs --tail={number} {slug}\n",
        "terraform plan -target=module.{table}\n",
        "{service} {slug} --state={state_slug} --limit={number}\n",
        "{service} verify --ticket={ticket}\n",
    ),
    "yaml": (
        "{slug}:\n  enabled: true\n  limit: {number}\n",
        "{slug}:\n  state: {state_slug}\n  retries: {number}\n",
        "owner: {email}\n",
        "service: {service}\nversion: {version}\n",
        "upstream: https://{other_service}.{domain}\n",
        "alert:\n  metric: {slug}\n  threshold: {bare_amount}\n",
    ),
    "sql": (
        "select count(*) from {table} where state = '{state_slug}';\n",
        "select owner, count(*) from {table} group by owner;\n",
        "create table {table} (id bigint primary key, state text, ticket text);\n",
        "delete from {table} where ticket = '{ticket}';\n",
    ),
    "python": (
        "from {table} import Client\n\nclient = Client(timeout={number})\n",
        'for item in client.list(state="{state_slug}", limit={number}):\n    print(item)\n',
        'client.update("{slug}", owner="{email}")\n',
        'assert client.count("{slug*}") < {bare_amount}\n',
    ),
}

#: What a section has once at most.
_ONCE = ("settings", "metrics", "issues", "tables")


def add_pools(library: Library, company: Company) -> None:
    """Adds the pools that only READMEs need; those of ``sentences.add_pools`` must be there."""
    library.pool("home_link", [f"[{project.name}]({space_home_url(company, project)})" for project in company.projects])
    library.pool_by(
        PROJECT,
        "own_home_link",
        [[f"[{project.name}]({space_home_url(company, project)})"] for project in company.projects],
    )
    library.pool_by(
        PROJECT,
        "file_link",
        [[f"[{name}]({url})" for name, url in first_files(company, project)] for project in company.projects],
    )
    library.pool(
        "repository_link", [f"[{service.name}]({repository_url(company, service)})" for service in company.services]
    )
    library.pool_by(
        PROJECT,
        "ticket_link",
        [
            arrays.numbered(f"[{key}]({company.jira_url}/browse/{key})", project.issue_count)
            for project in company.projects
            for key in [f"{project.key}-{arrays.NUMBER}"]
        ],
    )
    library.wrapped("setting", "table", "`", "`")
    library.divided("setting", ROWS)
    library.pool("port", [str(port) for port in range(8001, 8100)])


def change(company: Company, release: Release) -> str:
    """The line of a changelog that says what went out with a release, and when."""
    keys = [issue_key(company, release.project, number) for number in release.fixed]
    links = ", ".join(f"[{key}]({company.jira_url}/browse/{key})" for key in keys)
    return f"- **{release.version}** ({spoken_day(release.moment // calendar.DAY)}): {links}\n"


def kinds(library: Library, draws: Draws) -> dict[str, tuple[int, ...]]:
    """The blocks of every kind of content that a layout may name. ``draws`` varies them."""
    return {kind: tuple(library.block(*build(library, draws)) for _ in range(12)) for kind, build in _BUILDERS.items()}


def parts(library: Library, archetype: str, blocks: Mapping[str, tuple[int, ...]], draws: Draws) -> Parts:
    """What an archetype's outline consists of."""
    layout = LAYOUTS[archetype]
    end = library.literal("\n\n")
    intros = [
        library.block(*library.parse(text), *sentences(draws, library, count, 1), end)
        for text in layout.intros
        for count in (1, 2, 3)
    ]
    sections = []
    for number, section in enumerate(layout.sections):
        library.pool(f"{archetype}_heading{number}", section.headings)
        start = library.parse(f"## {{{archetype}_heading{number}}}\n\n")
        heads = [library.block(*start, *sentences(draws, library, count), end) for count in (1, 2, 2, 3)]
        sections.append((tuple(heads), {blocks[kind]: weight for kind, weight in section.kinds.items()}))
    outros = [
        library.block(*library.parse(f"## Contact\n\n{text}\n"))
        for text in (
            "{team} owns this repository. Write to {person_mail}, or read the pages of {own_home_link}.",
            "Questions go to {person_mail}. Decisions are kept in {own_home_link}; see {ticket_link} for the next one.",
            "{person} and {team} review changes. The wiki of {own_home_link} says how.",
            "{team} owns this repository; what it was planned for is in {file_link}. Ask {person_mail}.",
            "Releases are announced in Slack, [the last one]({announcement}) by {team}. Questions go to {person_mail}.",
        )
    ]
    return Parts(tuple(intros), tuple(sections), tuple(outros)).arranged(
        blocks, once=_ONCE, apart=("bullets", "steps", "code")
    )


def _paragraph(library: Library, draws: Draws) -> tuple[str, ...]:
    return (*sentences(draws, library, draws.between("length", 2, 5)), library.literal("\n\n"))


def _live(library: Library, draws: Draws) -> tuple[str, ...]:
    return (
        *sentences(draws, library, draws.between("live length", 1, 3), 9),
        *library.parse("See {ticket_link}.\n\n"),
    )


def _subsection(library: Library, draws: Draws) -> tuple[str, ...]:
    return (
        *library.parse("### {phrase}\n\n" if draws.below("own", 4) else "### {phrase*}\n\n"),
        *sentences(draws, library, draws.between("length", 2, 5)),
        library.literal("\n\n"),
    )


def _list(bullet: str, entry: str) -> _Build:
    def build(library: Library, draws: Draws) -> tuple[str, ...]:
        pools: list[str] = []
        for number in range(draws.between("entries", 3, 7)):
            mark = "" if draws.below("own", 10) < 7 else "*"
            start = bullet.format(number + 1)
            pools += library.parse(f"{'' if number == 0 else chr(10)}{start} {{{entry}{mark}}}")
            if draws.below("explained", 4) == 0:
                pools += (library.literal(". " if entry == "item" else " "), *sentence(draws))
        return (*pools, library.literal("\n\n"))

    return build


def _table(header: Sequence[str], row: str) -> _Build:
    start = f"| {' | '.join(header)} |\n|{'---|' * len(header)}\n"

    def build(library: Library, draws: Draws) -> tuple[str, ...]:
        order = draws.shuffled("order", ROWS)[: draws.between("rows", 3, ROWS)]
        rows = [pool for part in order for pool in library.parse(row.replace("#", str(part)))]
        return (library.literal(start), *rows, library.literal("\n"))

    return build


def _code(library: Library, draws: Draws) -> tuple[str, ...]:
    language = sorted(_CODE)[draws.below("language", len(_CODE))]
    lines = _CODE[language]
    # A program imports what it uses.
    order = sorted(draws.shuffled("lines", len(lines))[: draws.between("line count", 2, min(5, len(lines)))])
    order = [0, *order[order[0] == 0 :]] if language == "python" else order
    return library.parse(f"```{language}\n" + "".join(lines[place] for place in order) + "```\n\n")


_BUILDERS: Mapping[str, _Build] = {
    "paragraph": _paragraph,
    "live": _live,
    "subsection": _subsection,
    "bullets": _list("-", "item"),
    "steps": _list("{}.", "step"),
    "code": _code,
    "settings": _table(("Setting", "Default", "Meaning"), "| {setting#} | {number} | {phrase} |\n"),
    "metrics": _table(("Metric", "Now", "Contact"), "| {measured#} | {person} |\n"),
    "issues": _table(("Issue", "What remains", "State"), "| {ticket_link} | {summary} | {state} |\n"),
    "tables": _table(("Table", "Holds", "Owner"), "| {setting#} | {phrase} | {person} |\n"),
}
