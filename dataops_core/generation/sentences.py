"""What every kind of document is written with: the pools of a company and a template, and sentences made of them.

Belongs here: pools that a page and a README share, and the shapes of sentences, pooled and live. A live sentence names
people of the page's team, issues of its project, services, customers and days: the words that a search can single a
page out by. Does not belong here: markup and the outline of a document (``dataset_types/``).
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache

import numpy as np
import pyarrow as pa

from dataops_core.company.build import repository_url, space_home_url
from dataops_core.company.firms import ascii_text
from dataops_core.company.model import Company, Person
from dataops_core.company.threads import thread_links
from dataops_core.generation import arrays, calendar
from dataops_core.generation.filling import Words
from dataops_core.generation.fragments import Fragments, Ranges
from dataops_core.generation.library import Library
from dataops_core.generation.measures import add_measures
from dataops_core.generation.prose import prose
from dataops_core.generation.seeding import I64, Draws
from dataops_core.generation.words import Lexicon, capitalized
from dataops_core.templates.model import IndustryVocabulary, Template

#: Contexts of a row.
TOPIC = "topic"
PROJECT = "project"

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

#: Pools of days, to be narrowed for each row.
DAYS = ("day", "day.")

#: Pools of issues' keys, to be narrowed for each row.
TICKETS = ("ticket", "ticket.")
#: Of what is numbered as it is made, so many of the newest are spoken of.
_NEWEST = 300

#: Pools of the versions of the project's own service, without their day and with it, and of where each was announced,
#: to be narrowed for each row.
RELEASES = ("version", "release", "announcement")

#: Of ten pooled sentences, so many speak of the page's topic; the others of any topic of the template.
_OWN_TOPIC_OF_TEN = 7

_NO_SLUG = re.compile(r"[^a-z0-9]+")

#: Small pools that live sentences join their names with; a blank is put on both sides.
_CONNECTIVES: dict[str, tuple[str, ...]] = {
    "did": (
        "confirmed", "reported", "documented", "closed", "reopened", "escalated", "picked up", "reviewed", "estimated",
        "verified", "signed off", "handed over", "split", "prioritized", "linked", "investigated", "reproduced",
        "commented on",
    ),
    "agreed": (
        "agreed on", "decided on", "discussed", "ruled out", "postponed", "compared notes on", "walked through",
        "sketched",
        "asked for", "signed off", "went over", "set a date for",
    ),
    "for_whom": ("for", "on behalf of", "after a call with", "together with", "at the request of", "as promised to",
    "before the visit of"),
    "met": ("ran into", "asked about", "reported", "went live with", "raised", "complained about", "insisted on",
    "helped us find"),
    "tracks": ("tracks", "covers", "describes", "adds", "removes", "is blocked by", "was opened for", "follows from",
    "replaces"),
    "owns": ("owns", "runs", "took over", "maintains", "has looked after", "is on call for"),
    "handled": ("handled", "processed", "rejected", "replayed", "queued", "delivered", "dropped", "repaired",
    "archived"),
    "contact": ("is the contact for", "looks after", "has the numbers on", "keeps the list of", "can explain",
    "knows the history of"),
    "calls": ("calls", "reads from", "waits for", "publishes to", "falls back to", "subscribes to",
    "is deployed before"),
    "reached": ("reached", "settled at", "peaked at", "came down to", "went back to", "was measured at"),
    "where": ("in", "behind", "around", "on top of", "next to"),
}  # fmt: skip
_REASONS = (
    "for the details", "for background", "before changing anything here", "for the numbers", "for the discussion",
    "for the original request", "for what is still open", "for the decision",
)  # fmt: skip

#: Live sentences. Names in braces are pools.
_LIVE = (
    "{person}{did}{ticket}{for_whom}{customer.}",
    "{person}{did}{ticket} on {day},{for_whom}{customer.}",
    "On {day}, {senior} and {junior}{agreed}{things}{for_whom}{customer.}",
    "On {day}, {person}{agreed}{things}{where}{service.}",
    "{customer}{met}{things}{where}{service}, see {ticket.}",
    "{customer}{met}{a_thing} on {day}; {person}{did}{ticket.}",
    "{ticket}{tracks}{a_thing}{where}{service}; the next step is for {person.}",
    "{ticket} and {ticket} belong together; {person}{did}both. ",
    "{team}{owns}{service}; {person}{contact}{things.}",
    "{service}{handled}{amount} {things} on {day}, {trend} {number} percent. ",
    "{service}{handled}{amount} {things}{for_whom}{customer.}",
    "See {ticket} and {ticket}{why}",
    "{person}{contact}{things} at {customer.}",
    "The {metric} of {service}{reached}{number} on {day}, and {person}{did}{ticket.}",
    "Since version {version}, {service}{calls}{other_service} for {a_thing.}",
    "After {service} {release}, {person}{did}{ticket.}",
    "{person} will repeat this with {customer}, using {a_thing} (reference {code}). ",
    "On record is the change {code}, with {ticket} as its ticket and {person} as its contact. ",
    "{customer} signed the change {code} on {day.}",
    "{person} asked {team*} whether {service} still{calls}{other_service.}",
)

#: Shapes of pooled sentences, with how many of a hundred have each. Most are put together from parts while a page is
#: composed, so that few are said twice; one whole fragment is cheaper.
_SHAPES = (
    (("main_alone",), 12),
    (("sentence_with_tail",), 8),
    (("main_first", "tail"), 22),
    (("sentence_with_opener",), 6),
    (("opener", "main_last"), 16),
    (("opener", "main_between", "tail"), 10),
    (("past_alone",), 6),
    (("past_sentence",), 3),
    (("past_first", "past_tail"), 9),
    (("timeless_opener", "past_last"), 8),
)
_SHAPE_TABLE = tuple(shape for shape, share in _SHAPES for _ in range(share))


def add_pools(
    library: Library,
    template: Template,
    vocabulary: IndustryVocabulary,
    company: Company,
    *,
    escape: Callable[[str], str],
    between: str = ": ",
) -> None:
    """Adds every pool that sentences need, with texts escaped for the document's markup.

    ``between`` stands between a metric and its value, where both are one fragment: ``{measured}``.
    """
    lexicons = _add_topic_pools(library, template, vocabulary, company, escape)
    add_measures(library, TOPIC, [lexicon.slots["m"] for lexicon in lexicons], escape, between)
    _add_company_pools(library, company, escape)
    for name, texts in _everybodys().items():
        library.pool(name, texts)
    library.wrapped("any_day.", "any_day", "", ". ")
    for name in DAYS:
        library.alias(name, f"any_{name}")
    # When something was that is written down soon after.
    library.alias("recent_day", "any_day")
    # What a live sentence may end with brings the full stop along: one fragment less for each.
    for name in ("customer", "service", "other_service", "ticket", "person", "things", "a_thing"):
        library.wrapped(f"{name}.", name, "", ". ")


@cache
def _everybodys() -> dict[str, pa.StringArray]:
    """The pools that are the same for every template and company."""
    amounts = range(103, 9800, 37)
    days = [calendar.WINDOW_START + timedelta(days=day) for day in range(calendar.WINDOW_DAYS)]
    pools: dict[str, Sequence[str]] = {
        **{name: [f" {text} " for text in texts] for name, texts in _CONNECTIVES.items()},
        "why": [f" {text}. " for text in _REASONS],
        "trend": ("up", "down"),
        "state": ("Open", "In progress", "In review", "Done", "Blocked", "Waiting for customer"),
        "level": ("Low", "Medium", "High", "Critical"),
        "number": [str(number) for number in range(2, 98)],
        "amount": [f"{number:,}" for number in amounts],
        # As programs write them.
        "bare_amount": [str(number) for number in amounts],
        "code": [f"{letter}{number}" for letter in ("CR-", "CHG-", "REF-") for number in range(10_000, 99_999, 89)],
        "any_day": [_spoken(day) for day in days],
    }
    return {name: arrays.texts(texts) for name, texts in pools.items()}


def narrow_days(
    fragments: Fragments, ranges: Ranges, days: I64, pools: Sequence[str] = DAYS, *, since: "int | I64" = 0
) -> None:
    """Lets each row name the 120 days up to its own only, of the window's days; and the last five as ``recent_day``.

    None is before ``since``, where that is before the row's own day.
    """
    for name, many in (*((pool, 120) for pool in pools), ("recent_day", 5)):
        first = np.clip(np.maximum(days - many + 1, since), 0, days)
        fragments.only(ranges, name, fragments.base(name) + first, (days - first + 1).astype(np.uint64))


def narrow_due(fragments: Fragments, ranges: Ranges, days: I64, pool: str) -> None:
    """Lets each row name the sixty days after its own, as far as the window goes: when something is due."""
    first = (days + 1).clip(max=calendar.WINDOW_DAYS - 1)
    counts = (calendar.WINDOW_DAYS - first).clip(max=60).astype(np.uint64)
    fragments.only(ranges, pool, fragments.base(pool) + first, counts)


def narrow_newest(
    fragments: Fragments, ranges: Ranges, projects: I64, made: I64, pools: Sequence[str], *, newest: int = _NEWEST
) -> None:
    """Lets each row name the newest of what its project had numbered by then: ``made`` so many, at least the first.

    ``pools`` hold one fragment per number, by project.
    """
    first = (made - newest).clip(min=0)
    counts = (made - first).clip(min=1).astype(np.uint64)
    for name in pools:
        fragments.only(
            ranges, name, fragments.bases[fragments.offsets[fragments.names[name]] + projects] + first, counts
        )


def narrow_releases(fragments: Fragments, ranges: Ranges, projects: I64, out: I64) -> None:
    """Lets each row name the newest version only of those that its project had ``out`` by then."""
    narrow_newest(fragments, ranges, projects, out, RELEASES, newest=1)


def sentence(draws: Draws) -> tuple[str, ...]:
    """The pools of one pooled sentence."""
    shape = _SHAPE_TABLE[draws.below("shape", len(_SHAPE_TABLE))]
    mark = "" if draws.below("own topic", 10) < _OWN_TOPIC_OF_TEN else "*"
    return tuple(f"{part}{mark}" for part in shape)


def live_sentence(draws: Draws, library: Library, forms: Sequence[str] = _LIVE) -> tuple[str, ...]:
    """The pools of one live sentence, of one of the forms."""
    return library.parse(forms[draws.below("live", len(forms))])


def sentences(
    draws: Draws, library: Library, count: int, live_of_twenty: int = 3, forms: Sequence[str] = _LIVE
) -> tuple[str, ...]:
    """The pools of a paragraph. Its live sentences are of the forms."""
    pools: list[str] = []
    for _ in range(count):
        live = draws.below("is live", 20) < live_of_twenty
        pools += live_sentence(draws, library, forms) if live else sentence(draws)
    return tuple(pools)


def slug(phrase: str, joint: str = "-") -> str:
    """The phrase in lower-case ASCII letters and digits, words joined: a name in code."""
    return _NO_SLUG.sub(joint, ascii_text(phrase).lower()).strip(joint) or "item"


def spoken_day(day: int) -> str:
    """A day of the window as texts say it: ``January 28, 2026``."""
    return _spoken(calendar.WINDOW_START + timedelta(days=day))


def _spoken(day: date) -> str:
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def _add_topic_pools(
    library: Library,
    template: Template,
    vocabulary: IndustryVocabulary,
    company: Company,
    escape: Callable[[str], str],
) -> list[Lexicon]:
    lexicons = [Lexicon.of(topic, vocabulary) for topic in template.topics]
    pools_of = [
        prose(Words.of(lexicon, escape), (company.client_id, template.template_id, topic.key))
        for lexicon, topic in zip(lexicons, template.topics, strict=True)
    ]
    for name in pools_of[0]:
        library.pool_by(TOPIC, name, [pools[name] for pools in pools_of])
    library.pool_by(TOPIC, "metric", [[escape(metric) for metric in lexicon.slots["m"]] for lexicon in lexicons])
    for name, slot, joint in (("slug", "n", "-"), ("table", "ns", "_"), ("state_slug", "j", "_")):
        library.pool_by(TOPIC, name, [[slug(word, joint) for word in lexicon.slots[slot]] for lexicon in lexicons])
    library.pool("topic_title*", [escape(topic.title) for topic in template.topics])
    library.view_by(TOPIC, "topic_title", "topic_title*", [(index, 1) for index in range(len(lexicons))])
    library.pool("risk", [escape(risk) for risk in vocabulary.risks])
    library.pool("goal", [escape(goal) for goal in vocabulary.goals])
    library.pool("regulation", [escape(regulation) for regulation in vocabulary.regulations])
    library.pool("system", [escape(system) for system in lexicons[0].slots["sys"]])
    library.pool("product", [escape(product) for product in lexicons[0].slots["prod"]])
    library.pool("products", [escape(products) for products in lexicons[0].slots["prods"]])
    library.pool("stakeholders", [escape(stakeholder) for stakeholder in lexicons[0].slots["stake"]])
    library.pool("Stakeholders", [escape(capitalized(stakeholder)) for stakeholder in lexicons[0].slots["stake"]])
    library.pool("role", lexicons[0].slots["role"])
    library.pool("span", lexicons[0].slots["span"])
    return lexicons


def _add_company_pools(library: Library, company: Company, escape: Callable[[str], str]) -> None:
    teams = [company.teams[project.team] for project in company.projects]
    library.pool("person*", [escape(person.name) for person in company.people])
    library.view_by(PROJECT, "person", "person*", [(team.first_person, team.size) for team in teams])
    library.pool("email*", [person.email for person in company.people])
    library.view_by(PROJECT, "email", "email*", [(team.first_person, team.size) for team in teams])
    # Two halves of each team, so that a sentence can name two people who are not the same.
    library.view_by(PROJECT, "senior", "person*", [(team.first_person, team.size // 2) for team in teams])
    library.view_by(
        PROJECT,
        "junior",
        "person*",
        [(team.first_person + team.size // 2, team.size - team.size // 2) for team in teams],
    )
    library.pool("person_mail*", [escape(_introduced(person)) for person in company.people])
    library.view_by(PROJECT, "person_mail", "person_mail*", [(team.first_person, team.size) for team in teams])
    library.pool("team*", [escape(team.name) for team in company.teams])
    library.view_by(PROJECT, "team", "team*", [(team.index, 1) for team in teams])
    library.pool("service*", [service.name for service in company.services])
    # Service i below the number of projects is project i's: every project has one of its own.
    library.view_by(PROJECT, "service", "service*", [(project.index, 1) for project in company.projects])
    library.pool_by(
        PROJECT,
        "other_service",
        [
            [service.name for service in company.services if service.index != project.index]
            for project in company.projects
        ],
    )
    library.pool("project*", [escape(project.name) for project in company.projects])
    library.view_by(PROJECT, "project", "project*", [(project.index, 1) for project in company.projects])
    library.pool("customer", [escape(customer) for customer in company.customers])
    library.pool_by(
        PROJECT,
        "ticket",
        [arrays.numbered(f"{project.key}-{arrays.NUMBER}", project.issue_count) for project in company.projects],
    )
    _add_releases(library, company)
    library.pool("jira", [company.jira_url])
    library.pool("domain", [company.domain])
    library.pool_by(PROJECT, "space_home", [[space_home_url(company, project)] for project in company.projects])
    library.pool_by(
        PROJECT,
        "repository",
        [[repository_url(company, company.services[project.index])] for project in company.projects],
    )


def _introduced(person: Person) -> str:
    """Somebody to turn to, for those who do not know him."""
    return f"{person.name} ({person.title}, {person.city}, {person.email})"


def _add_releases(library: Library, company: Company) -> None:
    """Of each project the versions of its own service, in the order of their time, with the days on which they went
    out, and with the addresses of the messages that said so.
    """
    releases = company.releases_by_project
    library.pool("released", [f"{company.services[each.service].name} {each.version}" for each in company.releases])
    library.pool_by(PROJECT, "version", [[release.version for release in each] for each in releases])
    library.pool_by(
        PROJECT,
        "release",
        [
            [f"{release.version} of {spoken_day(release.moment // calendar.DAY)}" for release in each]
            for each in releases
        ],
    )
    links = thread_links(company).releases
    library.pool_by(PROJECT, "announcement", [[links[release.index] for release in each] for each in releases])
