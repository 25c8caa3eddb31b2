"""Messages in Slack's mrkdwn, as sequences of fragments, and what they say as plain text.

Belongs here: how a mention, a link, a list or code is written in a message, and how it is read. Does not belong here:
what messages say (``layout.py``). Source: Slack's "Formatting text for app surfaces".
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from dataops_core.company.build import issue_key, pull_request_url, space_home_url
from dataops_core.company.files import first_files
from dataops_core.company.model import Company
from dataops_core.company.workspace import channels, user_id
from dataops_core.dataset_types.outages import clock
from dataops_core.dataset_types.slack.layout import CLOSINGS, DOWN, ENDS, LAYOUTS, LIVE, RELEASED, STILL_DOWN
from dataops_core.generation import arrays
from dataops_core.generation.filling import Filling, Words, fill
from dataops_core.generation.library import Library
from dataops_core.generation.outline import Parts
from dataops_core.generation.seeding import I64, Draws
from dataops_core.generation.sentences import PROJECT, TOPIC
from dataops_core.generation.words import Lexicon

#: Openings, replies and closings of a topic.
_SAID = 900
_REFERENCE = re.compile(r"<([@#]?)([^<>|]+)(?:\|([^<>]*))?>")

_CODE = (
    "kubectl -n {service} rollout status deployment/{service}\n",
    "curl -sS https://{service}.{domain}/v1/{slug}?limit={number}\n",
    "{service} replay {slug} --since={number}m --dry-run\n",
    "{service} list {slug} --state={state_slug} --limit={number}\n",
    "select count(*) from {table} where state = '{state_slug}' and id &gt; {number}000;\n",
    "{service}: {slug} is {state_slug}, {ticket}\n",
    "git checkout -b {ticket}-{slug}\n",
)

#: Clauses that make a pooled sentence. No whole sentences: two short messages must not share one.
_SHAPES = (
    ("main_alone",),
    ("opener", "main_last"),
    ("past_alone",),
    ("timeless_opener", "past_last"),
    ("main_first", "tail"),
)


def escape(text: str) -> str:
    """The text as a message holds it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain_message(text: str, addressee: str) -> str:
    """The message as its reader sees it; who is mentioned has the name ``addressee``."""

    def read(reference: "re.Match[str]") -> str:
        kind, target, label = reference.groups()
        if kind == "@":
            return f"@{addressee}"
        return f"{kind}{label or target}"

    shown = _REFERENCE.sub(read, text)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def add_pools(library: Library, company: Company) -> None:
    """Adds the pools that only messages need; those of ``sentences.add_pools`` must be there."""
    library.pool("mention", [f"<@{user_id(company, person)}>" for person in company.people])
    library.alias("addressee", "mention")
    library.pool("channel_link", [f"<#{channel.channel_id}|{channel.name}>" for channel in channels(company)])
    library.pool_by(
        PROJECT,
        "ticket_link",
        [
            arrays.numbered(_link(f"{company.jira_url}/browse/{key}", key), project.issue_count)
            for project in company.projects
            for key in [f"{project.key}-{arrays.NUMBER}"]
        ],
    )
    library.pool(
        "release_contents",
        [
            ", ".join(
                _link(f"{company.jira_url}/browse/{key}", key)
                for key in (issue_key(company, release.project, number) for number in release.fixed)
            )
            for release in company.releases
        ],
    )
    library.alias("outage_service", "service*")
    library.pool("outage_clock", [clock(incident.started) for incident in company.incidents])
    library.pool_by(
        PROJECT,
        "pull_link",
        [
            arrays.numbered(
                _link(pull_request_url(company, service, arrays.NUMBER), f"{service.name}#{arrays.NUMBER}"),
                service.pull_request_count,
            )
            for service in company.services[: len(company.projects)]
        ],
    )
    library.pool_by(
        PROJECT,
        "home_link",
        [[_link(space_home_url(company, project), f"{project.name}: start here")] for project in company.projects],
    )
    library.pool_by(
        PROJECT,
        "file_link",
        [[_link(url, name) for name, url in first_files(company, project)] for project in company.projects],
    )
    library.pool_by(PROJECT, "page_link", [[f"<{space_home_url(company, project)}>"] for project in company.projects])


def add_said(library: Library, topics: Sequence[tuple[str, Lexicon]], *path: object) -> None:
    """Adds, for each kind of thread, what its messages begin with: openings, replies, closings, by topic.

    Of a pool those of one form stand together: ``said_range`` says where.
    """
    forms = {
        **{f"{kind}_opening": layout.openings for kind, layout in LAYOUTS.items()},
        **{f"{kind}_reply": layout.replies for kind, layout in LAYOUTS.items()},
        "closing": CLOSINGS,
    }
    of_topics = []
    for topic, lexicon in topics:
        words = Words.of(lexicon, escape)
        of_topics.append(
            fill([Filling(said, words, _SAID, (*path, topic, name), capital=True) for name, said in forms.items()])
        )
    for (name, said), filled in zip(forms.items(), zip(*of_topics, strict=True), strict=True):
        # Filled in turn, form by form.
        order = arrays.integers(np.argsort(np.arange(_SAID) % len(said), kind="stable"))
        library.pool_by(TOPIC, name, [texts.take(order) for texts in filled])


def said_range(kind: str, form: I64) -> tuple[I64, I64]:
    """Where the replies of a kind of thread that have a form (modulo all) begin in their pool, and how many."""
    many = len(LAYOUTS[kind].replies)
    form = form % many
    fewer, more = _SAID // many, _SAID % many
    return form * fewer + np.minimum(form, more), fewer + (form < more)


def parts(library: Library, beginning: str, kinds: Mapping[str, tuple[int, ...]]) -> Parts:
    """What the outline of messages that begin with this pool consists of."""
    # Whoever begins a thread says which issue it is about.
    said = [text for text in LIVE if "{ticket_link}" in text] if beginning.endswith("_opening") else LIVE
    intros = tuple(library.block(beginning, *library.parse(text)) for text in said)
    # What is pointed at varies with the beginning; what follows it is talk, so that few messages are mostly links.
    heads = kinds["pooled"]
    ends = tuple(library.block(*library.parse(end)) for end in ENDS)
    weights = {"pooled": 7, "live": 4, "bullets": 1, "code": 1, "quote": 1}
    return Parts(intros, ((heads, {kinds[kind]: weight for kind, weight in weights.items()}),), ends)


def announcements(library: Library) -> tuple[int, ...]:
    """Blocks that say which release is out."""
    return tuple(library.block(*library.parse(text)) for text in RELEASED)


def alarms(library: Library) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Blocks that say which service is down: of the first thread about that, and of the others."""
    first, others = (tuple(library.block(*library.parse(text)) for text in texts) for texts in (DOWN, STILL_DOWN))
    return first, others


def kinds(library: Library, draws: Draws) -> dict[str, tuple[int, ...]]:
    """The blocks of every kind of content that a message may have."""
    return {
        "live": tuple(library.block(*live) for live in _lives(library)),
        "pooled": tuple(
            library.block(*(f"{part}{mark}" for part in shape)) for shape in _SHAPES for mark in ("", "", "*")
        ),
        "bullets": tuple(library.block(*_bullets(library, draws)) for _ in range(6)),
        "code": tuple(library.block(*_code(library, draws)) for _ in range(8)),
        "quote": tuple(
            library.block(*library.parse(text))
            for text in ("\n&gt; {step} \n", "\n&gt; {item}, says {customer}\n", "\n&gt; {phrase} ({ticket_link})\n")
        ),
    }


def _lives(library: Library) -> list[tuple[str, ...]]:
    return [library.parse(text) for text in LIVE]


def _bullets(library: Library, draws: Draws) -> tuple[str, ...]:
    entries = library.parse("• {item}: {ticket_link}\n") + library.parse("• {step}\n") * draws.between("entries", 1, 2)
    return (library.literal("\n"), *entries)


def _code(library: Library, draws: Draws) -> tuple[str, ...]:
    order = draws.shuffled("lines", len(_CODE))[: draws.between("line count", 1, 2)]
    return library.parse("\n```\n" + "".join(_CODE[place] for place in order) + "```\n")


def _link(url: str, label: str) -> str:
    return f"<{url}|{escape(label)}>"
