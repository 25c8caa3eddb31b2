"""What the documents of an office are titled, how they begin and what their sections are. Data only.

Google Drive and SharePoint hold the same kinds of documents; which of them a dataset type has, it says itself. In
titles ``{T}`` is an adjective with a plural noun of the document's topic and ``{x}`` the thing named beside it, whose
kind stands first. In introductions names in braces are pools. A document is text, a sheet tables, slides a heading with
points each.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dataops_core.generation.outline import Section

#: What a kind of document is made of.
TEXT, SHEET, SLIDES = "text", "sheet", "slides"

_TEXT = {"paragraph": 8, "live": 3, "subsection": 4}
#: The columns of a sheet, by the kind of its rows.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "tracker_rows": ("Item", "Owner", "State", "Date", "Reference"),
    "budget_rows": ("Item", "Team", "Amount", "Date", "Reference"),
    "register_rows": ("Risk", "Owner", "Level", "Seen", "Reference"),
    "done_rows": ("Item", "Owner", "State", "Closed", "Reference"),
    "plan_rows": ("What", "Owner", "Priority", "Due", "Reference"),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """A kind of document."""

    form: str
    titles: tuple[tuple[str, str], ...]
    intros: tuple[str, ...]
    sections: tuple[Section, ...]
    #: One line about it, with the slots of ``generation/grammar.py``.
    descriptions: tuple[str, ...]


LAYOUTS: Mapping[str, Layout] = {
    "proposal": Layout(
        form=TEXT,
        titles=(
            ("customer", "Proposal: {T} for {x}"),
            ("project", "Proposal to put {T} into {x}"),
            ("service", "Case for {T} in {x}"),
            ("team", "Offer by {x}: {T}"),
        ),
        intros=(
            "We propose to change how {title_things} are treated, beginning with {title_other}. {person} wrote this "
            "draft on {recent_day}; {a_thing} is the first example. ",
            "This proposal is about {title_things}. It was asked for by {customer} and concerns {title_other}. It also "
            "says what {a_thing} would cost. ",
            "{team} suggests a new way with {title_things} at {title_other}. Comments go to {person_mail}, please. ",
        ),
        sections=(
            Section(("Summary", "In short", "What we propose"), {**_TEXT, "bullets": 3}),
            Section(("Where we are", "Background", "The problem"), {**_TEXT, "metrics": 1}),
            Section(("What would change", "Approach", "Solution"), {"steps": 5, "bullets": 4, **_TEXT}),
            Section(("Cost and benefit", "What it costs", "Return"), {"budget": 6, "paragraph": 6, "live": 2}),
            Section(("Risks", "What could go wrong", "Open questions"), {"register": 5, "bullets": 4, "paragraph": 5}),
            Section(("Next steps", "Decision asked for", "Time table"), {"actions": 6, "paragraph": 4, "live": 3}),
        ),
        descriptions=(
            "A case for {a_j} {n}, with cost and risks",
            "What {stake} would gain from {p}",
            "Why we should {vb} {a_j} {n}, and when",
        ),
    ),
    "project_plan": Layout(
        form=TEXT,
        titles=(
            ("project", "Plan for {T} in {x}"),
            ("project", "{x}: road to {T}"),
            ("service", "Plan: moving {T} to {x}"),
            ("customer", "Roll-out of {T} at {x}"),
        ),
        intros=(
            "This plan covers {title_things} and ends with {title_other}. {person} leads it from {day} on; {a_thing} "
            "is the first milestone. ",
            "The plan for {title_things}, agreed with {title_other}. {team} reviews it every second week, {a_thing} at "
            "a time. ",
        ),
        sections=(
            Section(("Goals", "What we want", "Outcome"), {**_TEXT, "bullets": 4}),
            Section(("Scope", "In and out", "What belongs to it"), {"bullets": 6, "paragraph": 6}),
            Section(("Milestones", "Phases", "Schedule"), {"actions": 4, "steps": 4, "paragraph": 4}),
            Section(("People", "Roles", "Who does what"), {"contacts": 6, "paragraph": 4, "live": 4}),
            Section(("Budget", "Effort", "Cost"), {"budget": 6, "paragraph": 5}),
            Section(("Risks", "Dependencies", "Assumptions"), {"register": 6, "bullets": 3, "live": 3, "paragraph": 4}),
        ),
        descriptions=(
            "Milestones, people and budget of the change to {j} {ns}",
            "How we {goal}, step by step",
            "The plan behind {p}",
        ),
    ),
    "meeting_notes": Layout(
        form=TEXT,
        titles=(
            ("customer", "Meeting with {x} on {T}"),
            ("team", "{x} notes on {T}"),
            ("project", "{x} call about {T}"),
            ("service", "Working session: {T} and {x}"),
        ),
        intros=(
            "Present: {senior}, {junior} and {customer}. Held on {recent_day}. Subject: {title_things} and "
            "{title_other}, with {a_thing} as the example. ",
            "Notes of {recent_day} by {person}. We spoke about {title_things}, mostly those of {title_other}, and "
            "looked at {a_thing}. ",
        ),
        sections=(
            Section(("What was said", "Discussion", "Talking points"), {"live": 7, "bullets": 5, "paragraph": 6}),
            Section(("Decisions", "Agreed", "What we decided"), {"bullets": 6, "live": 4, "paragraph": 4}),
            Section(("Action points", "To do", "Who does what"), {"actions": 4, "live": 4, "paragraph": 4}),
            Section(("Open", "Left for next time", "Parked"), {"bullets": 6, "paragraph": 5}),
        ),
        descriptions=(
            "Notes and action points on {j} {ns}",
            "What we agreed with {stake} on {a_j} {n}",
            "Talk about {p}",
        ),
    ),
    "report": Layout(
        form=TEXT,
        titles=(
            ("team", "Report of {x} on {T}"),
            ("service", "Figures and findings: {T} in {x}"),
            ("customer", "Review of {T} with {x}"),
            ("project", "Status of {T} in {x}"),
        ),
        intros=(
            "This report looks at {title_things} and what they mean for {title_other}. The figures are of {day}; "
            "{person} checked them on {a_thing}. ",
            "Once a quarter we report on {title_things}. This time {title_other} is in the foreground, and with it "
            "{a_thing}. ",
        ),
        sections=(
            Section(("Key findings", "Summary", "At a glance"), {"bullets": 6, "metrics": 1, **_TEXT}),
            Section(("Figures", "Measurements", "Numbers"), {"metrics": 3, "paragraph": 6, "live": 4}),
            Section(("What stands behind them", "Analysis", "Causes"), {**_TEXT, "subsection": 6}),
            Section(("Customers", "Feedback", "What we hear"), {"live": 7, "bullets": 3, "paragraph": 4}),
            Section(("Recommendations", "Measures", "What to do now"), {"steps": 5, "actions": 4, "paragraph": 4}),
        ),
        descriptions=(
            "Figures on the {m} and what stands behind them",
            "How {j} {ns} developed {past}",
            "Findings and measures for {stake}",
        ),
    ),
    "guide": Layout(
        form=TEXT,
        titles=(
            ("service", "Guide to {T} in {x}"),
            ("team", "How {x} works with {T}"),
            ("customer", "Handbook for {x}: {T}"),
            ("project", "Getting started with {T} in {x}"),
        ),
        intros=(
            "For everybody who meets {title_things} for the first time. The examples come from {title_other}; "
            "{person_mail} answers questions about {a_thing}. ",
            "How to work with {title_things} when {title_other} is involved. Read it once; keep {a_thing} at hand. ",
        ),
        sections=(
            Section(("Before you begin", "What you need", "Access"), {"bullets": 7, "paragraph": 4}),
            Section(("Step by step", "How to do it", "Walk-through"), {"steps": 9, "subsection": 4, "paragraph": 4}),
            Section(("When something is odd", "Questions and answers", "Pitfalls"), {**_TEXT, "bullets": 4}),
            Section(("Words", "Background", "How it works"), {**_TEXT, "subsection": 6}),
            Section(("Who can help", "Contacts", "People"), {"contacts": 7, "live": 3, "paragraph": 3}),
        ),
        descriptions=(
            "How to {vb} {a_j} {n} without help",
            "First steps with {j} {ns}",
            "A guide to {p}",
        ),
    ),
    "policy": Layout(
        form=TEXT,
        titles=(
            ("team", "Policy on {T}, kept by {x}"),
            ("service", "Rules for {T} in {x}"),
            ("project", "Standard: {T} in {x}"),
            ("customer", "Policy: {T} of {x}"),
        ),
        intros=(
            "This policy governs {title_things}. It holds for {title_other} and for all who work with it. {person} "
            "owns it, {regulation} is its source, {a_thing} its first case. ",
            "Approved on {recent_day} by {person}. It says how {title_things} are treated wherever {title_other} is "
            "involved, down to {a_thing}. ",
        ),
        sections=(
            Section(("Purpose", "Why there is this policy", "Intent"), _TEXT),
            Section(("Scope", "Whom it concerns", "Where it applies"), {"bullets": 5, "paragraph": 6}),
            Section(("Rules", "Requirements", "Obligations"), {"steps": 6, "subsection": 6, "bullets": 4}),
            Section(("Exceptions", "Waivers", "Deviations"), {"register": 4, "paragraph": 6, "live": 2}),
            Section(("Roles", "Responsibilities", "Who decides"), {"contacts": 6, "paragraph": 5}),
            Section(("Review", "Evidence", "Audit"), {"metrics": 1, "paragraph": 6, "live": 3}),
        ),
        descriptions=(
            "What {reg} asks of {j} {ns}",
            "Rules for {a_j} {n}, with exceptions and owners",
            "How {risk} is kept away from {prods}",
        ),
    ),
    "procedure": Layout(
        form=TEXT,
        titles=(
            ("service", "Procedure: {T} in {x}"),
            ("team", "How {x} handles {T}"),
            ("customer", "Procedure for {T} reported by {x}"),
            ("project", "Work instruction: {T} in {x}"),
        ),
        intros=(
            "Follow this procedure whenever {title_things} come up and {title_other} is affected. It takes {span} and "
            "ends with {a_thing}. ",
            "The procedure for {title_things}, valid from {day}. {person} trained {title_other} in it, {a_thing} "
            "included. ",
        ),
        sections=(
            Section(("When to use it", "Trigger", "Conditions"), {**_TEXT, "bullets": 4}),
            Section(("Steps", "Procedure", "What to do"), {"steps": 10, "paragraph": 3, "subsection": 4}),
            Section(("Records to keep", "Evidence", "Documentation"), {"register": 4, "bullets": 5, "paragraph": 4}),
            Section(("Escalation", "If it does not work", "Exceptions"), {"contacts": 5, "live": 5, "paragraph": 4}),
            Section(("History", "Changes", "Versions"), {"actions": 5, "live": 4, "paragraph": 3}),
        ),
        descriptions=(
            "Steps from {a_j} {n} to {a_n}",
            "What to do when {a_n} is {j}",
            "Work instruction for {p}",
        ),
    ),
    "agreement": Layout(
        form=TEXT,
        titles=(
            ("customer", "Agreement with {x} on {T}"),
            ("customer", "{x}: terms for {T}"),
            ("customer", "Service levels for {x}: {T}"),
            ("customer", "Amendment for {x}: {T}"),
        ),
        intros=(
            "This document sums up what was agreed with {title_other} about {title_things}. It was signed on "
            "{recent_day}; {person} keeps the original, with {a_thing} annexed. ",
            "Terms that concern {title_things}, in force since {day}. They bind {title_other} and {team}, and name "
            "{a_thing} as the measure. ",
        ),
        sections=(
            Section(("Subject", "What is agreed", "Parties"), {**_TEXT, "live": 4}),
            Section(("Service levels", "Measures", "Targets"), {"metrics": 4, "paragraph": 5, "bullets": 3}),
            Section(("Fees", "Prices", "Payment"), {"budget": 4, "paragraph": 5}),
            Section(("Duties", "Obligations", "What each side does"), {"bullets": 5, "steps": 4, "paragraph": 5}),
            Section(("Term and notice", "Duration", "End"), {"live": 4, "paragraph": 6, "actions": 2}),
        ),
        descriptions=(
            "Terms on {j} {ns} with levels and fees",
            "What both sides owe each other for {a_j} {n}",
            "Levels for the {m}",
        ),
    ),
    "training": Layout(
        form=TEXT,
        titles=(
            ("team", "Training by {x}: {T}"),
            ("service", "Course on {T} in {x}"),
            ("project", "{x} training: {T}"),
            ("customer", "Workshop for {x} on {T}"),
        ),
        intros=(
            "This course teaches how {title_things} are treated, with exercises from {title_other}. {person} gives it; "
            "bring {a_thing}. ",
            "Material for the session of {recent_day}: {title_things} and {title_other}. It takes {span} and ends with "
            "{a_thing}. ",
        ),
        sections=(
            Section(("What you will learn", "Aims", "Contents"), {"bullets": 7, "paragraph": 5}),
            Section(("Lesson one", "Basics", "Introduction"), {**_TEXT, "subsection": 6}),
            Section(("Exercises", "Try it yourself", "Practice"), {"steps": 9, "paragraph": 4}),
            Section(("Cases", "Examples from work", "What happened elsewhere"), {"live": 7, "paragraph": 5}),
            Section(("Questions to check yourself", "Test", "Review"), {"bullets": 7, "paragraph": 3}),
        ),
        descriptions=(
            "Lessons and exercises on {j} {ns}",
            "Teaches {role} to {vb} {a_j} {n}",
            "A course on {p}",
        ),
    ),
    "tracker": Layout(
        form=SHEET,
        titles=(
            ("project", "{x} tracker: {T}"),
            ("customer", "List of {T} for {x}"),
            ("team", "{x} overview of {T}"),
            ("service", "Inventory of {T} in {x}"),
        ),
        intros=(
            "About\t{title_things} of {title_other}\nOwner\t{person_mail}\nUpdated\t{recent_day}\n"
            "Example\t{a_thing}\n\n",
            "Subject\t{title_things}\nConcerns\t{title_other}\nKept by\t{person}\nBegins with\t{a_thing}\n\n",
        ),
        sections=(
            Section(("Open", "Current", "This quarter"), {"tracker_rows": 1}),
            Section(("Budget", "Cost", "Effort"), {"budget_rows": 1}),
            Section(("Risks", "Watch list", "Questions"), {"register_rows": 1}),
            Section(("Done", "Closed", "Archive"), {"done_rows": 1}),
            Section(("Next", "Plan", "Coming up"), {"plan_rows": 1}),
        ),
        descriptions=(
            "{ns} with owner, state and cost",
            "A list of {j} {ns}, kept {often}",
            "Numbers behind the {m}",
        ),
    ),
    "deck": Layout(
        form=SLIDES,
        titles=(
            ("customer", "Pitch to {x}: {T}"),
            ("team", "{x} all-hands: {T}"),
            ("project", "{x} steering: {T}"),
            ("service", "In ten slides: {T} and {x}"),
        ),
        intros=(
            "About {title_things}: what they mean for {title_other}\n{person}, {recent_day}\n"
            "In one line: {a_thing}\n\n",
            "For {title_other}: all on {title_things}\nPresented by {person} to {customer}\nBegins with {a_thing}\n\n",
        ),
        sections=(
            Section(("Why now", "The situation", "What we see"), {"points": 8, "figures": 3}),
            Section(("What we propose", "The idea", "Our answer"), {"points": 8, "story": 4}),
            Section(("Figures", "Proof", "Results"), {"figures": 4, "points": 5}),
            Section(("What comes next", "Road map", "Plan"), {"milestones": 7, "points": 4}),
            Section(("Questions", "Appendix", "Discussion"), {"points": 5, "story": 5}),
        ),
        descriptions=(
            "Slides on {a_j} {n} for {stake}",
            "The story of {p}, told to {stake}",
            "What the {m} says, in ten slides",
        ),
    ),
}
