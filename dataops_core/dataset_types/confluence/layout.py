"""What Confluence pages of each archetype are titled, how they begin and what their sections are. Data only.

In titles ``{T}`` is an adjective with a plural noun of the page's topic and ``{x}`` the thing named beside it, whose
kind stands first. In introductions and closings names in braces are pools.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dataops_core.generation.outline import Section

_TEXT = {"paragraph": 8, "live": 4, "subsection": 4}


@dataclass(frozen=True, slots=True)
class Layout:
    """An archetype of page."""

    titles: tuple[tuple[str, str], ...]
    intros: tuple[str, ...]
    sections: tuple[Section, ...]
    #: Of some sections, by their number, what stands below the heading in place of text.
    openings: Mapping[int, str] = field(default_factory=dict)
    #: How a page ends, and the words that lead to the page above it, if it has one.
    closings: tuple[tuple[str, str], ...] = (
        ("Questions go to {person_mail}.", "the page above this one"),
        ("{author} wrote this page for {team}.", "the overview above"),
        ("Corrections are welcome; tell {person}.", "what comes before"),
    )


LAYOUTS: Mapping[str, Layout] = {
    "runbook": Layout(
        titles=(
            ("service", "Runbook: recovering {T} in {x}"),
            ("service", "Runbook: {T} stuck behind {x}"),
            ("service", "On-call guide to {T} for {x}"),
            ("customer", "Runbook: {T} reported by {x}"),
            ("project", "What to do about {T} in {x}"),
        ),
        intros=(
            (
                "This runbook says what to do about {title_things} around {title_other}. {person} keeps it up to "
                "date; ask in {team} before you change a step. "
            ),
            (
                "Use this runbook when {title_things} show up and {title_other} is affected. It was last rehearsed "
                "on {day} by {person}. "
            ),
            (
                "Follow the steps below as soon as {title_things} are reported for {title_other}. They take "
                "{short_span} at most. "
            ),
        ),
        sections=(
            Section(
                ("When to use this runbook", "Symptoms", "What the alert means"), {**_TEXT, "bullets": 3, "metrics": 1}
            ),
            Section(
                ("Before you start", "Prerequisites", "Access that you need"),
                {"bullets": 5, "paragraph": 4, "panel": 4, "code": 2},
            ),
            Section(
                ("Procedure", "Steps", "Recovery steps"),
                {"steps": 8, "code": 4, "paragraph": 4, "panel": 2, "subsection": 4},
            ),
            Section(
                ("Verification", "How to tell that it worked", "Checks afterwards"),
                {"steps": 4, "metrics": 1, "code": 2, **_TEXT},
            ),
            Section(
                ("Escalation", "Whom to call", "If this does not help"),
                {"contacts": 5, "live": 4, "paragraph": 6, "panel": 2},
            ),
            Section(("Background", "Why this happens", "Known causes"), {**_TEXT, "issues": 2}),
        ),
    ),
    "decision_record": Layout(
        titles=(
            ("service", "Decision: how {x} treats {T}"),
            ("team", "Decision: ownership of {T} moves to {x}"),
            ("service", "Decision: keeping {T} out of {x}"),
            ("customer", "Decision: {T} for {x}"),
            ("project", "Proposal: one model of {T} across {x}"),
        ),
        intros=(
            (
                "We decided how {title_things} are treated, with {title_other} as the first case. {person} proposed "
                "it on {recent_day}; {team} agreed. "
            ),
            (
                "Status: accepted on {recent_day}. This record explains why we chose this way of treating "
                "{title_things} and what follows for {title_other}. "
            ),
            (
                "This page records a decision about {title_things}. It concerns {title_other}; {person} can answer "
                "questions. "
            ),
        ),
        sections=(
            Section(("Context", "The problem", "Where we stand"), {**_TEXT, "metrics": 1, "issues": 1}),
            Section(
                ("Decision", "What we decided", "The decision in short"),
                {"paragraph": 8, "panel": 4, "bullets": 3, "live": 2},
            ),
            Section(
                ("Options", "Options that we considered", "Alternatives"),
                {"subsection": 8, "comparison": 3, "bullets": 3, "paragraph": 3},
            ),
            Section(("Consequences", "What this changes", "Trade-offs"), {**_TEXT, "bullets": 4, "panel": 1}),
            Section(
                ("Open questions", "What is still open", "Follow-up"),
                {"actions": 3, "issues": 2, "live": 3, "paragraph": 3},
            ),
        ),
    ),
    "incident_report": Layout(
        titles=(
            ("service", "Incident review: {T} in {x}"),
            ("customer", "Post-incident review: {T} at {x}"),
            ("service", "Outage of {x} after {T}"),
            ("team", "Incident report: {T} missed by {x}"),
            ("project", "Near miss in {x}: {T}"),
        ),
        intros=(
            (
                "On {recent_day}, {title_things} affected {title_other} for {short_span}. {person} led the response. "
                "This review is blameless. "
            ),
            (
                "Between the first alert and the all-clear lay {short_span}. {title_other} was affected, since "
                "{title_things} went unnoticed; {person} wrote this review. "
            ),
            (
                "{customer} noticed {title_things} before we did. {title_other} recovered on {recent_day}, after "
                "{short_span}. "
            ),
        ),
        sections=(
            Section(("Summary", "What happened", "In short"), {**_TEXT, "panel": 2}),
            Section(
                ("Impact", "Who was affected", "Effect on customers"),
                {"metrics": 2, "paragraph": 6, "bullets": 2, "live": 3},
            ),
            Section(("Timeline", "Course of events", "What happened when"), {"timeline": 6, "live": 4, "paragraph": 3}),
            Section(("Root cause", "Causes", "Why it happened"), {**_TEXT, "code": 2, "issues": 1}),
            Section(
                ("What went well", "Where we were lucky", "Lessons"), {"bullets": 5, "paragraph": 7, "subsection": 2}
            ),
            Section(
                ("Action items", "Follow-up", "What we change"), {"actions": 5, "issues": 2, "live": 2, "paragraph": 3}
            ),
        ),
    ),
    "how_to": Layout(
        titles=(
            ("service", "How to inspect {T} in {x}"),
            ("service", "How to move {T} to {x}"),
            ("team", "Guide: requesting {T} from {x}"),
            ("project", "Getting started with {T} in {x}"),
            ("customer", "How to explain {T} to {x}"),
        ),
        intros=(
            (
                "This guide shows how to work with {title_things} around {title_other}. It takes {short_span}; no "
                "special access is needed. "
            ),
            (
                "You will need this guide the first time that you meet {title_things}. The examples come from "
                "{title_other}. {person} wrote it for newcomers of {team}. "
            ),
            (
                "Read this page before you touch {title_things}. It assumes that you know {title_other}; if you do "
                "not, ask {person}. "
            ),
        ),
        sections=(
            Section(("Overview", "What you will learn", "Concepts"), {**_TEXT, "bullets": 3, "comparison": 1}),
            Section(
                ("Set-up", "What you need", "Preparation"),
                {"code": 4, "bullets": 4, "steps": 3, "paragraph": 4, "panel": 2},
            ),
            Section(
                ("Step by step", "Procedure", "Walk-through"), {"steps": 8, "code": 4, "subsection": 5, "paragraph": 3}
            ),
            Section(
                ("Troubleshooting", "When it does not work", "Common mistakes"),
                {"subsection": 6, "panel": 4, "code": 2, "paragraph": 4},
            ),
            Section(
                ("Further reading", "Where to go next", "Related pages"),
                {"links": 4, "live": 5, "paragraph": 4, "issues": 1},
            ),
        ),
    ),
    "meeting_notes": Layout(
        titles=(
            ("team", "Meeting notes: {x} on {T}"),
            ("customer", "Review with {x}: {T}"),
            ("project", "Sync notes: {T} in {x}"),
            ("team", "Planning session of {x}: {T}"),
            ("service", "Working session on {T} in {x}"),
        ),
        intros=(
            "Present: {senior}, {junior} and {team*}. Date: {recent_day}. Subject: {title_things} and {title_other}. ",
            (
                "{senior} invited {team} on {recent_day} to talk about {title_things}; {title_other} was the example. "
                "{junior} took notes. "
            ),
            "Notes of {recent_day}, taken by {person}. We spoke about {title_things} with a view to {title_other}. ",
        ),
        sections=(
            Section(("Agenda", "Subjects", "Why we met"), {"bullets": 8, "paragraph": 4}),
            Section(
                ("Discussion", "Notes", "What was said"), {"live": 8, "paragraph": 8, "subsection": 5, "bullets": 2}
            ),
            Section(("Numbers", "Status", "Where we stand"), {"metrics": 2, "paragraph": 4, "live": 3}),
            Section(
                ("Decisions", "What we agreed on", "Outcome"), {"bullets": 4, "panel": 4, "paragraph": 4, "live": 3}
            ),
            Section(("Action items", "Next steps", "Who does what"), {"actions": 5, "issues": 2, "live": 2}),
        ),
    ),
    "policy": Layout(
        titles=(
            ("service", "Policy: {T} in {x}"),
            ("team", "Policy for {T} owned by {x}"),
            ("project", "Standard: handling of {T} in {x}"),
            ("customer", "Rules for {T} of {x}"),
            ("service", "Control: {T} that reach {x}"),
        ),
        intros=(
            (
                "This policy governs {title_things}. It applies to {title_other} and to everybody who works with "
                "it. {person} owns it; {regulation} is its source. "
            ),
            (
                "Approved on {recent_day} by {person}. The rules below say how {title_things} are treated wherever "
                "{title_other} is involved. "
            ),
            (
                "This standard is binding for {team}. It covers {title_things} with regard to {title_other}, as "
                "{regulation} demands. "
            ),
        ),
        sections=(
            Section(("Purpose", "Why this policy exists", "Goal"), {**_TEXT, "panel": 1}),
            Section(("Scope", "Whom it concerns", "Where it applies"), {"bullets": 6, "paragraph": 7, "comparison": 1}),
            Section(
                ("Rules", "Requirements", "What is required"),
                {"steps": 5, "subsection": 7, "bullets": 4, "paragraph": 4},
            ),
            Section(
                ("Roles and duties", "Responsibilities", "Who decides"), {"contacts": 6, "paragraph": 6, "live": 2}
            ),
            Section(
                ("Exceptions", "How to ask for an exception", "Waivers"),
                {"steps": 3, "panel": 3, "paragraph": 6, "issues": 1},
            ),
            Section(("Evidence and review", "Audit", "How we check"), {"metrics": 1, **_TEXT}),
        ),
    ),
    "release_notes": Layout(
        titles=(
            ("service", "Release notes: {T} in {x}"),
            ("service", "New in {x}: {T}"),
            ("project", "Changes to {x}: {T}"),
            ("customer", "Release for {x}: {T}"),
            ("team", "Release of {x}: {T}"),
        ),
        intros=(
            ("{service} {release} changes how {title_things} are treated; {title_other} benefits first. "),
            (
                "These are notes on {service} {release}. They concern {title_things} and {title_other}. {author} "
                "managed the release. "
            ),
            ("With {service} {version}, the main subject is {title_things}; {title_other} was the pilot. "),
        ),
        sections=(
            Section(("Highlights", "What is new", "In short"), {"bullets": 6, **_TEXT}),
            Section(("Changes", "Improvements", "Details"), {"issues": 3, "subsection": 5, "paragraph": 5, "live": 3}),
            Section(
                ("Fixes", "Corrections", "Resolved issues"), {"issues": 3, "bullets": 3, "live": 3, "paragraph": 3}
            ),
            Section(
                ("Upgrading", "Migration", "What you have to do"), {"steps": 6, "code": 5, "panel": 3, "paragraph": 3}
            ),
            Section(("Known issues", "Limits", "What is missing"), {"issues": 2, "bullets": 3, "panel": 2, **_TEXT}),
        ),
    ),
}

#: The review of one of the company's incidents: when it was and how it went is known.
_COURSE = Section(("Timeline", "Course of events", "What happened when"), {"live": 4, "paragraph": 3})
REVIEW = replace(
    LAYOUTS["incident_report"],
    intros=(
        (
            "On {outage_day}, {title_other} was down {outage_span}; {title_things} were the first sign. {author} led "
            "the response. This review is blameless. "
        ),
        (
            "Between the first alert and the all-clear on {outage_day} lay {outage_lasted}. {title_other} was down, "
            "since {title_things} went unnoticed; {author} wrote this review. "
        ),
        (
            "{affected} noticed {title_things} before we did. {title_other} was down for {outage_lasted} on "
            "{outage_day}, {outage_span}. "
        ),
    ),
    sections=tuple(
        _COURSE if "timeline" in section.kinds else section for section in LAYOUTS["incident_report"].sections
    ),
    openings={
        place: "{outage_course}"
        for place, section in enumerate(LAYOUTS["incident_report"].sections)
        if "timeline" in section.kinds
    },
)

#: A space's first page: who is here, and where all else is.
HOME_ARCHETYPE = "space_home"
_PEOPLE = "<table><tbody><tr><th>Person</th><th>Team</th><th>Ask about</th></tr>{}</tbody></table>".format(
    "".join(f"{{first_person_mail{row}}}<td>{{team}}</td><td>{{practice*}}</td></tr>" for row in range(3))
)
HOME = Layout(
    titles=(("project", "{x}: {T}"),),
    intros=(
        (
            "This is the space of {project}. {team} runs {service} here; {person_mail} answers questions.</p><ul>"
            '<li>The code is in <a href="{repository}">{service}</a></li><li>The files are in {file_link}</li><li>The '
            'news is in <a href="{announcement}">#releases</a></li></ul><p>'
        ),
        (
            "Welcome to {project}. You find here what {team} knows about {service} and {title_things}.</p><ul>"
            '<li>Code: <a href="{repository}">{service}</a></li><li>Files: {file_link}</li><li>News: <a '
            'href="{announcement}">#releases</a></li><li>Questions: {person_mail}</li></ul><p>'
        ),
    ),
    sections=(
        Section(("About this space", "What we do", "What this space is for"), {**_TEXT, "bullets": 3, "panel": 2}),
        Section(("Who is who", "People", "Whom to ask"), {"live": 5, "paragraph": 5, "subsection": 2}),
        Section(("What we run", "Services", "What we look after"), {"links": 4, **_TEXT, "code": 2, "metrics": 2}),
        Section(("Pages", "Where to find what", "Contents"), {"links": 4, **_TEXT}),
        Section(("How we work", "Working with us", "Good to know"), {"bullets": 5, "steps": 3, "panel": 3, **_TEXT}),
        Section(("What is new", "News", "Current work"), {"issues": 5, "actions": 3, **_TEXT}),
    ),
    openings={
        1: f"<p>Any of us in {{team}} can help, these three first.</p>{_PEOPLE}",
        3: '<p>All pages of this space:</p><ac:structured-macro ac:name="children" />',
        5: '<p>Changed lately:</p><ac:structured-macro ac:name="recently-updated" />',
    },
    closings=(
        ("Questions go to {person_mail}.", ""),
        ("{author} keeps this page for {team}.", ""),
        ("Corrections are welcome; tell {person}.", ""),
    ),
)

#: Messages of versions; never blank.
VERSION_MESSAGES = (
    "Clarify the wording", "Add what the review asked for", "Update the owners", "Correct the links",
    "Add a table of figures",
    "Remove outdated steps", "Answer the open questions", "Reflect the last release", "Shorten the introduction",
    "Add an example", "Bring the numbers up to date", "Fix typing errors", "Move details to their own section",
    "Add the points of the last meeting", "Name the new contact", "Align terms with the glossary",
)  # fmt: skip
FIRST_VERSION = "First version"
