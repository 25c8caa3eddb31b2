"""Blocks of Confluence's storage format: paragraphs, lists, tables, macros, as sequences of fragments.

Belongs here: how each kind of content that a layout names is written in storage-format XHTML. Every block is
well-formed by itself.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from dataops_core.company.build import issue_key, repository_url, space_home_url, ticket_url
from dataops_core.company.files import first_files
from dataops_core.company.model import Company, Release
from dataops_core.company.threads import thread_links
from dataops_core.dataset_types.confluence.layout import Layout
from dataops_core.dataset_types.outages import Event, clock, courses, events, lasted, spanned
from dataops_core.generation.library import Library
from dataops_core.generation.measures import ROWS
from dataops_core.generation.outline import Parts
from dataops_core.generation.seeding import Draws
from dataops_core.generation.sentences import PROJECT, sentence, sentences

_ISSUE = '<ac:structured-macro ac:name="jira"><ac:parameter ac:name="key">{ticket}</ac:parameter></ac:structured-macro>'
_CODE_START = (
    '<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">{}</ac:parameter>'
    "<ac:plain-text-body><![CDATA["
)
_CODE_END = "]]></ac:plain-text-body></ac:structured-macro>"

#: Lines of code. No angle bracket, no ampersand: literal text needs no escaping then.
_CODE = {
    "bash": (
        "kubectl -n {service} rollout status deployment/{service}\n",
        "kubectl -n {service} scale deployment/{service} --replicas={number}\n",
        "curl -sS https://{service}.{domain}/healthz\n",
        "curl -sS https://{service}.{domain}/v1/{slug*}?limit={number}\n",
        "{service} list {slug} --state={state_slug} --limit={number}\n",
        "{service} replay {slug} --since=2h --dry-run\n",
        "{service} export {slug} --ticket={ticket}\n",
        "export RELEASE={version}\n",
        "git checkout -b {ticket}-{slug}\n",
        "make verify TARGET={slug}\n",
    ),
    "yaml": (
        "{slug}:\n  enabled: true\n  limit: {number}\n",
        "{slug}:\n  owner: {email}\n  change: {code}\n",
        "retry:\n  attempts: {number}\n  state: {state_slug}\n",
        "service: {service}\nversion: {version}\n",
        "alerts:\n  - name: {slug}\n    threshold: {bare_amount}\n    ticket: {ticket}\n",
        "upstream: https://{other_service}.{domain}\n",
    ),
    "sql": (
        "select count(*) from {table} where state = '{state_slug}';\n",
        "select id, state, updated_at from {table} order by updated_at desc limit {number};\n",
        "update {table} set state = '{state_slug}' where ticket = '{ticket}';\n",
        "delete from {table} where change_id = '{code}';\n",
        "select owner, count(*) from {table} group by owner;\n",
    ),
}

#: The pools of one block of a kind; the draws vary it.
_Build: TypeAlias = Callable[[Library, Draws], tuple[str, ...]]

_TIMELINE_ROWS = 8
#: What a section has once at most.
_ONCE = ("timeline", "metrics", "issues", "actions", "contacts", "comparison", "links")
#: A table has so many rows at most that begin with somebody to turn to, each with another one.
_CONTACTS = 4
#: So many spaces and repositories at most are in a list of links.
_LINKS = 3


@lru_cache(maxsize=8192)  # a plan says the same few hundred words again and again
def escape(text: str) -> str:
    """The text as XHTML has it."""
    return html.escape(text, quote=False)


def add_pools(library: Library, company: Company) -> None:
    """Adds the pools that only pages need; those of ``sentences.add_pools`` must be there."""
    library.pool("home_link", [_link(space_home_url(company, project), project.name) for project in company.projects])
    links = [_link(repository_url(company, service), service.name) for service in company.services]
    library.pool("repository_link", links)
    for pool in ("home_link", "repository_link"):
        library.divided(pool, _LINKS)
    library.pool_by(
        PROJECT,
        "file_link",
        [[_link(url, name) for name, url in first_files(company, project)] for project in company.projects],
    )
    library.pool_by(
        PROJECT, "parent_url", [[f"{company.wiki_url}/spaces/{project.key}/pages/"] for project in company.projects]
    )
    # What people wait for, or work on without a break.
    library.pool(
        "short_span", ("ten minutes", "fifteen minutes", "half an hour", "an hour", "two hours", "three hours")
    )
    library.alias("incident_ticket", "ticket*")
    library.alias("affected", "customer")
    library.alias("outage_day", "any_day")
    library.pool("support_ticket", [html.escape(ticket_url(company, each.first_ticket)) for each in company.incidents])
    library.pool("outage_thread", thread_links(company).incidents)
    library.pool("outage_span", [spanned(each) for each in company.incidents])
    library.pool("outage_lasted", [lasted(each) for each in company.incidents])
    library.pool("outage_course", [_course(course) for course in courses(company)])
    library.pool("release_contents", [_contents(company, release) for release in company.releases])
    library.pool("digits", [f"{number:03d}" for number in range(1000)])
    for name in ("id_a", "id_b", "id_c"):
        library.alias(name, "digits")
    _add_wrapped(library)
    for hour in range(_TIMELINE_ROWS):
        library.pool(f"clock{hour}", [f"{hour + 8:02d}:{minute:02d}" for minute in range(60)])


def _add_wrapped(library: Library) -> None:
    """Cells and list entries as pools of their own: one fragment each where the tags around would make three."""
    for pool in ("person", "any_day", "level", "summary"):
        library.wrapped(f"cell_{pool}", pool, "<td>", "</td>")
    library.divided("person_mail", _CONTACTS)
    apart = (*(f"measured{part}" for part in range(ROWS)), *(f"person_mail{part}" for part in range(_CONTACTS)))
    for pool in (*apart, "step", "phrase"):
        library.wrapped(f"first_{pool}", pool, "<tr><td>", "</td>")
    for pool in ("person", "state", "level", "practice", "ticket"):
        library.wrapped(f"last_{pool}", pool, "<td>", "</td></tr>")
    for pool, end in (("item", ". "), ("step", " ")):
        library.wrapped(f"entry_{pool}", pool, "", "</li><li>")
        library.wrapped(f"explained_{pool}", f"{pool}*", "", end)
    library.alias("cell_due", "cell_any_day")
    library.pool("cell_change", [f"<td>{sign}{number} percent</td>" for sign in "+-" for number in range(1, 60)])


def kinds(library: Library, draws: Draws) -> dict[str, tuple[int, ...]]:
    """The blocks of every kind of content that a layout may name. ``draws`` varies them."""
    return {kind: tuple(library.block(*build(library, draws)) for _ in range(12)) for kind, build in _BUILDERS.items()}


def parts(library: Library, name: str, layout: Layout, blocks: Mapping[str, tuple[int, ...]], draws: Draws) -> Parts:
    """What the outline of a layout consists of."""
    intros = [
        library.block(*library.parse(f"{contents}<p>{_titled(text)}"), *sentences(draws, library, 2, 0), *end)
        for text in layout.intros
        for contents in ('<ac:structured-macro ac:name="toc" />', "")
        for end in [library.parse("</p>")]
    ]
    sections = []
    for number, section in enumerate(layout.sections):
        library.pool(f"{name}_heading{number}", section.headings)
        heading = f"<h2>{{{name}_heading{number}}}</h2>"
        if number in layout.openings:
            heads = [library.block(*library.parse(heading + layout.openings[number]))]
        else:
            start, end = library.parse(f"{heading}<p>"), library.literal("</p>")
            heads = [library.block(*start, *sentences(draws, library, count), end) for count in (2, 3, 3, 4)]
        sections.append((tuple(heads), {blocks[kind]: weight for kind, weight in section.kinds.items()}))
    outros = [
        library.block(
            *library.parse(
                f'<p>{text} See also <a href="{{parent_url}}{{id_a}}{{id_b}}{{id_c}}">{words}</a> and the repository '
                '<a href="{repository}">{service}</a>.</p>'
                if words
                else f"<p>{text}</p>"
            )
        )
        for text, words in layout.closings
    ]
    return Parts(tuple(intros), tuple(sections), tuple(outros)).arranged(
        blocks, once=_ONCE, apart=("bullets", "steps", "code", "panel")
    )


def tracking(library: Library) -> int:
    """The block at the end of an incident's review: where it is tracked, and who was hit."""
    macro = _ISSUE.replace("{ticket}", "{incident_ticket}")
    return library.block(
        *library.parse(
            f"<p>Tracked as {macro}. {{affected}} was hit on {{outage_day}} and opened "
            '<a href="{support_ticket}">a support ticket</a>; what was said meanwhile is <a href="{outage_thread}">in '
            "Slack</a>, and {author} leads the follow-up.</p>"
        )
    )


def contents(library: Library) -> int:
    """The block at the end of a release's notes: what went out with it, when, and where it is tracked."""
    return library.block(
        *library.parse(
            '<p>{released} went out on {outage_day} (<a href="{announcement}">announcement</a>), and {author} led it; '
            "{person} tells {customer}.</p>{release_contents}"
        )
    )


def _contents(company: Company, release: Release) -> str:
    macros = [
        _ISSUE.replace("{ticket}", issue_key(company, release.project, number))
        for number in (*release.fixed, release.issue)
        if number
    ]
    fixed, tracked = macros[: len(release.fixed)], macros[len(release.fixed) :]
    listed = "".join(f"<li>Closed: {macro}</li>" for macro in fixed)
    return f"<ul>{listed}</ul>" + "".join(f"<p>Tracked as {macro}.</p>" for macro in tracked)


def _course(course: Sequence[Event]) -> str:
    rows = "".join(
        f"<tr><td>{clock(each.moment)}</td><td>{escape(each.text).format(_link(each.url, each.name))}</td></tr>"
        for each in course
    )
    return f"<table><tbody><tr><th>Time (UTC)</th><th>Event</th></tr>{rows}</tbody></table>"


def _titled(text: str) -> str:
    return text.replace("{title_things}", "{title_j} {title_ns}")


def _link(url: str, text: str) -> str:
    return f'<a href="{html.escape(url)}">{escape(text)}</a>'


def _paragraph(library: Library, draws: Draws) -> tuple[str, ...]:
    return (library.literal("<p>"), *sentences(draws, library, draws.between("length", 3, 6)), library.literal("</p>"))


def _live(library: Library, draws: Draws) -> tuple[str, ...]:
    return (
        library.literal("<p>"),
        *sentences(draws, library, draws.between("live length", 2, 4), 12),
        *library.parse("See " + _ISSUE + ".</p>"),
    )


def _subsection(library: Library, draws: Draws) -> tuple[str, ...]:
    return (
        *library.parse("<h3>{phrase}</h3><p>" if draws.below("own", 4) else "<h3>{phrase*}</h3><p>"),
        *sentences(draws, library, draws.between("length", 3, 6)),
        library.literal("</p>"),
    )


def _panel(library: Library, draws: Draws) -> tuple[str, ...]:
    macro = ("info", "note", "warning", "tip")[draws.below("panel", 4)]
    start = f'<ac:structured-macro ac:name="{macro}"><ac:rich-text-body><p>'
    return (
        library.literal(start),
        *sentences(draws, library, draws.between("panel length", 1, 3)),
        library.literal("</p></ac:rich-text-body></ac:structured-macro>"),
    )


def _list(tag: str, entry: str) -> _Build:
    def build(library: Library, draws: Draws) -> tuple[str, ...]:
        pools = [library.literal(f"<{tag}><li>")]
        for left in reversed(range(draws.between("entries", 3, 8))):
            end = library.literal("</li><li>" if left else f"</li></{tag}>")
            if not draws.below("explained", 4):
                pools += (f"explained_{entry}", *sentence(draws), end)
            elif left:
                pools.append(f"entry_{entry}")
            else:
                pools += (entry, end)
        return tuple(pools)

    return build


def _table(header: Sequence[str], row: str, smallest: int = 3, largest: int = 5) -> _Build:
    start = "<table><tbody><tr>" + "".join(f"<th>{cell}</th>" for cell in header) + "</tr>"

    def build(library: Library, draws: Draws) -> tuple[str, ...]:
        order = draws.shuffled("order", largest)[: draws.between("rows", smallest, largest)]
        rows = [pool for part in order for pool in library.parse(row.replace("#", str(part)))]
        return (library.literal(start), *rows, library.literal("</tbody></table>"))

    return build


def _timeline(library: Library, draws: Draws) -> tuple[str, ...]:
    pools = [library.literal("<table><tbody><tr><th>Time</th><th>Event</th></tr>")]
    for hour, event in enumerate(events(library, draws, draws.between("events", 4, _TIMELINE_ROWS))):
        pools += (*library.parse(f"<tr><td>{{clock{hour}}}</td><td>"), *event)
        pools.append(library.literal("</td></tr>"))
    return (*pools, library.literal("</tbody></table>"))


def _code(library: Library, draws: Draws) -> tuple[str, ...]:
    language = sorted(_CODE)[draws.below("language", len(_CODE))]
    lines = _CODE[language]
    order = draws.shuffled("lines", len(lines))[: draws.between("line count", 3, min(6, len(lines)))]
    code = "".join(lines[place] for place in order)
    return library.parse(_CODE_START.format(language) + code + _CODE_END)


_BUILDERS: Mapping[str, _Build] = {
    "paragraph": _paragraph,
    "live": _live,
    "subsection": _subsection,
    "panel": _panel,
    "bullets": _list("ul", "item"),
    "steps": _list("ol", "step"),
    "code": _code,
    "timeline": _timeline,
    "metrics": _table(
        ("Metric", "Now", "Change", "Contact"),
        "{first_measured#}{cell_change}{last_person}",
        3,
        ROWS,
    ),
    "issues": _table(
        ("Issue", "What remains", "Contact", "State"),
        f"<tr><td>{_ISSUE}</td>{{cell_summary}}{{cell_person}}{{last_state}}",
        4,
        8,
    ),
    "actions": _table(
        ("Action", "Owner", "Due", "Issue"),
        "{first_step}{cell_person}{cell_due}{last_ticket}",
        4,
        8,
    ),
    "contacts": _table(
        ("Person", "Team", "Ask about"),
        "{first_person_mail#}<td>{team}</td>{last_practice}",
        2,
        _CONTACTS,
    ),
    "comparison": _table(
        ("Subject", "In favor", "Against", "Effort"),
        "{first_phrase}<td>{item}</td><td>{item*}</td>{last_level}",
        2,
        4,
    ),
    "links": lambda library, draws: library.parse(
        "<ul>"
        + "".join(f"<li>{{home_link{nth}}}: {{phrase}}</li>" for nth in range(draws.between("homes", 1, _LINKS)))
        + "".join(
            f"<li>{{repository_link{nth}}}: {{phrase*}}</li>" for nth in range(draws.between("repositories", 1, _LINKS))
        )
        + "<li>{file_link}: {phrase}</li>"
        + '<li><a href="{announcement}">#releases</a>: {phrase}</li>' * draws.below("announced", 2)
        + "</ul>"
    ),
}  # fmt: skip
