"""What Jira issues of each archetype are called, how they begin, what their sections are, and what comments say. Data.

In summaries ``{T}`` is an adjective with a plural noun of the issue's topic and ``{x}`` the thing named beside it,
whose kind stands first. In other texts names in braces are pools.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dataops_core.generation.outline import Section

_TEXT = {"paragraph": 8, "live": 3}


@dataclass(frozen=True, slots=True)
class Layout:
    """An archetype of issue."""

    #: Jira's type of issue: id, name, whether it is a sub-task.
    issue_type: tuple[str, str, bool]
    summaries: tuple[tuple[str, str], ...]
    intros: tuple[str, ...]
    sections: tuple[Section, ...]
    #: How often each priority (``PRIORITIES``) is given.
    priorities: tuple[int, ...]
    #: Days from creation to the end, at most.
    longest: int


LAYOUTS: Mapping[str, Layout] = {
    "bug": Layout(
        issue_type=("10004", "Bug", False),
        summaries=(
            ("service", "{T} get lost in {x}"),
            ("service", "{x} rejects {T}"),
            ("customer", "{T} of {x} are shown twice"),
            ("service", "Timeouts in {x} while it handles {T}"),
            ("project", "{T} are missing from the reports of {x}"),
            ("customer", "{x} cannot change {T}"),
            ("service", "Wrong totals for {T} after a restart of {x}"),
        ),
        intros=(
            "{customer} reported that {title_things} are not what they should be around {title_other}. First seen on "
            "{day}. ",
            "Since {service} {release}, {title_things} break in {title_other}. It happens in about {number} of a "
            "hundred cases. ",
            "We found this while working on {ticket}: {title_things} go wrong as soon as {title_other} is involved. ",
            "{person} noticed {title_things} in the logs of {service}; {title_other} is affected. ",
        ),
        sections=(
            Section(("Steps to reproduce", "How to reproduce", "To reproduce"), {"steps": 9, "code": 3}),
            Section(("Expected behavior", "What should happen"), {"paragraph": 8, "bullets": 2}),
            Section(("Actual behavior", "What happens instead"), {"code": 6, **_TEXT}),
            Section(("Environment", "Where it was seen"), {"facts": 8, "paragraph": 2}),
            Section(("Impact", "Who is affected"), {**_TEXT, "panel": 4}),
            Section(("Analysis", "What we know so far"), {"links": 4, "code": 3, **_TEXT}),
        ),
        priorities=(6, 22, 48, 18, 6),
        longest=60,
    ),
    "task": Layout(
        issue_type=("10002", "Task", False),
        summaries=(
            ("service", "Document {T} of {x}"),
            ("service", "Remove {T} from {x}"),
            ("service", "Move {T} to {x}"),
            ("team", "Review {T} with {x}"),
            ("service", "Set up alerts on {T} in {x}"),
            ("customer", "Migrate {T} for {x}"),
            ("project", "Estimate the work on {T} in {x}"),
        ),
        intros=(
            "We need to take care of {title_things} before {title_other} moves on. {person} asked for it on {day}. ",
            "This follows from {ticket}. It is about {title_things} with regard to {title_other}. ",
            "{team} agreed to sort out {title_things}; {title_other} depends on it. ",
        ),
        sections=(
            Section(("What to do", "Scope", "Work"), {"steps": 7, "bullets": 5, "paragraph": 4}),
            Section(("Why", "Reason", "Background"), {"links": 4, **_TEXT}),
            Section(("Definition of done", "Done when"), {"bullets": 9, "paragraph": 2}),
            Section(("Notes", "Hints", "Good to know"), {"code": 4, "panel": 3, **_TEXT}),
        ),
        priorities=(2, 14, 54, 24, 6),
        longest=90,
    ),
    "story": Layout(
        issue_type=("10001", "Story", False),
        summaries=(
            ("customer", "Let {x} see {T}"),
            ("service", "Show {T} in {x}"),
            ("team", "Give {x} a list of {T}"),
            ("project", "Support {T} in {x}"),
            ("service", "Search for {T} in {x}"),
            ("customer", "Export {T} for {x}"),
        ),
        intros=(
            "{Stakeholders} want to work with {title_things} without asking us, {title_other} first of all. ",
            "For {stakeholders}, {title_things} matter every day. With this story {title_other} gets what {customer} "
            "asked for on {day}. ",
            "When this is done, {title_things} are at hand wherever {title_other} needs them. {person} knows the "
            "background. ",
        ),
        sections=(
            Section(("User story", "Who needs this"), {**_TEXT, "panel": 2}),
            Section(("Acceptance criteria", "We accept it when"), {"bullets": 9, "steps": 4}),
            Section(("Out of scope", "Not part of this"), {"bullets": 6, "paragraph": 4}),
            Section(("Design", "Technical notes"), {"links": 5, "code": 3, **_TEXT}),
        ),
        priorities=(2, 16, 56, 20, 6),
        longest=110,
    ),
    "epic": Layout(
        issue_type=("10000", "Epic", False),
        summaries=(
            ("project", "One model of {T} across {x}"),
            ("service", "{T} in {x}, end to end"),
            ("customer", "{T} for {x} and its like"),
            ("team", "{x} takes over {T}"),
            ("project", "Less manual work on {T} in {x}"),
        ),
        intros=(
            "This epic collects the work on {title_things}. It begins with {title_other}; {person} leads it. ",
            "The goal is to {goal}. It takes {title_things} and {title_other} to get there. ",
            "Approved on {day}. By the end, {title_things} are nobody's daily concern any more, starting with "
            "{title_other}. ",
        ),
        sections=(
            Section(("Goal", "Outcome", "Why now"), {**_TEXT, "panel": 3}),
            Section(("Scope", "What belongs to it"), {"bullets": 7, "issues": 4, "paragraph": 3}),
            Section(("Milestones", "Plan"), {"steps": 7, "live": 3, "paragraph": 3}),
            Section(("Measures", "How we measure it"), {"facts": 6, "bullets": 3, "paragraph": 3}),
            Section(("Risks", "What may go wrong"), {"bullets": 4, "panel": 2, **_TEXT}),
            Section(("Documents", "Further reading"), {"links": 9, "paragraph": 2}),
        ),
        priorities=(4, 30, 48, 14, 4),
        longest=300,
    ),
    "subtask": Layout(
        issue_type=("10003", "Sub-task", True),
        summaries=(
            ("service", "Write tests for {T} in {x}"),
            ("service", "Update the runbook on {T} of {x}"),
            ("team", "Check {T} with {x}"),
            ("service", "Clean up {T} in {x}"),
            ("customer", "Tell {x} about {T}"),
        ),
        intros=(
            "A part of {ticket}: {title_things} and what {title_other} makes of them. ",
            "Split off from {ticket} on {day}, since {title_things} can be done apart from {title_other}. ",
            "{person} takes {title_things} first; {title_other} follows. ",
        ),
        sections=(
            Section(("To do", "Steps"), {"steps": 7, "bullets": 5}),
            Section(("Notes", "Details"), {"code": 4, "links": 2, **_TEXT}),
        ),
        priorities=(2, 12, 58, 22, 6),
        longest=25,
    ),
    "incident": Layout(
        issue_type=("10005", "Incident", False),
        summaries=(
            ("service", "Outage of {x} after {T}"),
            ("customer", "{x} is cut off from {T}"),
            ("service", "{T} pile up in {x}"),
            ("service", "{x} slow because of {T}"),
        ),
        intros=(
            "{title_other} failed; {title_things} were the first sign. {affected} called at once. ",
            "An alert on {title_things} woke {person}. {title_other} was degraded, and {affected} noticed. ",
            "Declared by {person}: {title_other} cannot keep up with {title_things}. {affected} is affected. ",
        ),
        sections=(
            Section(("Impact", "Who is affected"), {"reports": 8, "facts": 3, **_TEXT}),
            Section(("Timeline", "Course of events"), {"timeline": 9, "live": 2}),
            Section(("Mitigation", "What we did"), {"steps": 6, "code": 4, "paragraph": 3}),
            Section(("Cause", "What we know of the cause"), {"code": 2, **_TEXT}),
            Section(("Follow-up", "What remains to be done"), {"issues": 6, "links": 3, "bullets": 2}),
        ),
        priorities=(45, 45, 10, 0, 0),
        longest=3,
    ),
}

#: Jira's priorities: id and name.
PRIORITIES = (("1", "Highest"), ("2", "High"), ("3", "Medium"), ("4", "Low"), ("5", "Lowest"))
#: Its statuses: id, name and category; the last one is the end.
STATUSES = (
    ("10010", "To Do", "new"),
    ("3", "In Progress", "indeterminate"),
    ("10011", "In Review", "indeterminate"),
    ("10012", "Blocked", "indeterminate"),
    ("10013", "Done", "done"),
)
#: Its resolutions: id and name, with how often each ends an issue.
RESOLUTIONS = (
    ("10000", "Done", 82),
    ("10001", "Won't Do", 8),
    ("10002", "Duplicate", 5),
    ("10003", "Cannot Reproduce", 5),
)

#: What comments say, by pools; ``|`` is followed by sentences of the topic.
COMMENTS = (
    "I can reproduce this with {a_thing} in {service}. |",
    "{mention}, can you have a look? {customer} asked about {things} again. ",
    "The pull request is {pull_card}, {person} reviews it. ",
    "Not in {service} {release} yet. |",
    "May have come with what was announced in {announcement_card}. |",
    "This is the same as {ticket}, as far as I can see. |",
    "Talked to {customer} about {things}. |",
    "Moved to the next sprint: {ticket} took {person} until {day}. ",
    "The background is on {page_card}. |",
    "{mention}, I have updated the description after our call with {customer}. |",
    "Waiting for {team*}: {service} needs {a_thing} first. ",
    "Reference {code} has the numbers. The {metric} went {trend} by {number} percent. ",
    "Not a blocker for {customer}, but {things} should not wait. |",
    "Reviewed with {person}. |",
    "I would rather split this: {things} first, {a_thing} later. |",
)
#: The same, the last ones on what is done, by its resolution (``RESOLUTIONS``).
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "Done": (
        "Closing, {customer} confirmed it on {day}. ",
        "Done in {pull_card}. |",
        "Works for {customer} now, as {person} has seen. ",
        "Closed after a last look at {things} with {person}. |",
    ),
    "Won't Do": (
        "We leave it at that: {customer} can do without {a_thing.}",
        "Not worth it any more, as {person} and I see it. |",
        "Closing without a change, {team} has other plans for {things.}",
    ),
    "Duplicate": (
        "The same as {ticket}, so I close this one. |",
        "Continued in {ticket}, {person} has all of it there. |",
    ),
    "Cannot Reproduce": (
        "Neither {person} nor I could reproduce it. |",
        "Tried again in {service} {release}, and it did not happen. |",
        "Not seen again by {customer}, closing until it is. |",
    ),
}
