"""What people write to each other, by kind of thread: how a thread begins, how it goes on and how it ends. Data only.

Forms have the slots of ``generation/grammar.py``, and each has a noun in the singular, so that every message says what
it is about; they are short, so that two messages never share a long run of words. In the other texts names in braces
are pools. The archetypes of ``slack_messages`` are the kinds of threads.
"""

from collections.abc import Mapping
from dataclasses import dataclass

#: Where threads of a kind are: in a project's channel, in its help channel, or in a shared one of that name.
WORK, HELP = "work", "help"
#: Threads of this kind are about the company's incidents, at their times.
INCIDENT = "incident"
#: Some threads of this kind are about the company's releases, soon after these.
ANNOUNCEMENT = "announcement"


@dataclass(frozen=True, slots=True)
class Layout:
    """A kind of thread."""

    channel: str
    openings: tuple[str, ...]
    replies: tuple[str, ...]
    #: Longest pause between two messages, in minutes.
    pause: int


LAYOUTS: Mapping[str, Layout] = {
    "question": Layout(
        channel=HELP,
        openings=(
            "does {a_j} {n} still {vb} the {n}? ",
            "why would {a_j} {n} {vb} {a_n} twice? ",
            "should the {n} be {j} while the {sys} waits? ",
            "what makes {a_n} {j} for {stake}? ",
            "what do we do with {a_j} {n} that the {sys} refuses? ",
            "is there a limit on {ns} per {n}? ",
            "where do we see whether {a_n} is {j}? ",
            "can {role} {vb} {a_j} {n} alone? ",
            "who tried {a_j} {n} with {p}? ",
            "how long may {a_j} {n} wait? ",
            "do we {vb} the {j} {n} before or after {p}? ",
            "quick one on the {j} {n}: who may {vb} it? ",
        ),
        replies=(
            "yes, as long as the {n} is {j}. ",
            "no, {a_j} {n} would confuse the {sys}. ",
            "it depends: {a_j} {n} may, {a_n} must not. ",
            "only {role} may {vb} {a_j} {n}, so ask first. ",
            "it was {a_j} {n} last time. ",
            "{vb} the {j} {n} first, then look at the {m}. ",
            "same with {a_j} {n}, and {p} helped. ",
            "{a_j} {n} is the answer, not {p}. ",
            "not sure, the {n} was {j} {past}. ",
            "{a_j} {n} has to stay, says {reg}. ",
        ),
        pause=170,
    ),
    INCIDENT: Layout(
        channel="incidents",
        openings=(
            "we have {a_j} {n} that nobody can {vb}. ",
            "{num} {j} {ns} in the {sys}, and one {n} more by the minute. ",
            "the {m} is out of range since the last {n}. ",
            "{stake} report {a_j} {n} in {prods}. ",
            "the {j} {n} holds {num} {ns} up. ",
            "alert: the {m}, with {a_j} {n} behind it. ",
            "this looks like {risk}, not like {a_j} {n}. ",
            "the {sys} stopped after {a_j} {n}. ",
        ),
        replies=(
            "I can reproduce it with {a_j} {n}. ",
            "looking at the {n} now, the {m} is still bad. ",
            "my guess is {a_j} {n} behind the {sys}. ",
            "we {vb} the {j} {n} by hand now. ",
            "the {m} is down by {pct}, the {n} stays {j}. ",
            "the first {n} is through, {num} {ns} are left. ",
            "{stake} know about the {j} {n}. ",
            "switched to {a_j} {n}, watching the {m}. ",
            "nothing in the {sys} explains {a_j} {n}. ",
            "rolled the {j} {n} back, and the {sys} answers. ",
        ),
        pause=25,
    ),
    ANNOUNCEMENT: Layout(
        channel="announcements",
        openings=(
            "from today on, every {n} is {j} by default. ",
            "we now {vb} the {n} before the {sys} sees it. ",
            "{a_j} {n} needs {p} from now on. ",
            "{a_j} {n} replaces the old {n}. ",
            "{stake} get {a_j} {n} this month. ",
            "{a_j} {n} comes next, so that we {goal}. ",
            "reminder: {a_j} {n} needs {a_n} beside it. ",
            "new for {a_j} {n}: {reg} has changed. ",
        ),
        replies=(
            "good news, {a_j} {n} was in our way for {span}. ",
            "also for {a_j} {n} in {prods}? ",
            "who will {vb} the {j} {n} until then? ",
            "so the {n} is {j}, no more {p}? ",
            "{stake} still {vb} {a_j} {n}, please tell them. ",
            "great, the {m} should show it, {n} by {n}. ",
            "{a_j} {n}, is there a guide? ",
        ),
        pause=230,
    ),
    "review": Layout(
        channel=WORK,
        openings=(
            "who reviews the {j} {n}? It {v} {ns}. ",
            "small change: the {n} now {v} {a_j} {n}. ",
            "ready for review: {a_j} {n} instead of {a_n}. ",
            "this adds {a_j} {n} to the {sys}. ",
            "draft: the {n} {v} {ns} in one pass. ",
            "second pair of eyes for {a_j} {n}? ",
            "this makes {p} possible without {a_j} {n}. ",
            "a check for the {n}: nobody may {vb} {a_j} one. ",
        ),
        replies=(
            "two remarks on the {j} {n} and {a_n}. ",
            "approved, with a note on {a_j} {n}. ",
            "why not {vb} the {n} right there? ",
            "what happens to {a_j} {n} if the {sys} is down? ",
            "fixed, the {n} {v} {a_n} only once now. ",
            "please add {a_j} {n} to the checks. ",
            "keep {a_j} {n} for {span}, the {m} will tell. ",
            "looks right, even for {a_j} {n}. ",
        ),
        pause=150,
    ),
    "decision": Layout(
        channel=WORK,
        openings=(
            "proposal: we {vb} the {n} only when it is {j}. ",
            "should the {n} be {j} for {stake}? ",
            "I would rather {vb} {a_n} than keep {a_j} {n}. ",
            "two options for {a_j} {n}: {p}, or {p}. ",
            "can we agree that {a_j} {n} belongs to the {sys}? ",
            "who decides on {a_j} {n}, before {reg} does? ",
            "with {a_j} {n}, how shall we {goal}? ",
            "what speaks against {p} for every {j} {n}? ",
        ),
        replies=(
            "agreed, {a_n} that is {j} has no place there. ",
            "I prefer {p}: {a_j} {n} costs {span} each time. ",
            "against: {stake} need {a_j} {n}. ",
            "then the {n} must be {j} first. ",
            "{risk} bothers me, not {a_j} {n}. ",
            "try {a_j} {n} for {span}, compare the {m}. ",
            "{role} should decide on {a_j} {n}, not we. ",
            "the {m} speaks for {p}, and so does {a_j} {n}. ",
        ),
        pause=210,
    ),
    "status": Layout(
        channel=WORK,
        openings=(
            "done with the {n}, next is {p}. ",
            "today: {p}; waiting for {a_j} {n}. ",
            "the {j} {n} is next, then {p}. ",
            "the {n} is {j} now, {num} {ns} are left. ",
            "{p} took {span}, but the {n} {v} {ns} again. ",
            "the {m} moved by {pct} with the {j} {n}. ",
            "{num} {ns} are {j}, one {n} is not. ",
            "met {role} on {a_j} {n}: {p} goes on. ",
        ),
        replies=(
            "same here, {a_j} {n} takes longer. ",
            "need help with {a_j} {n}? ",
            "I can {vb} the {n} this afternoon. ",
            "then I take {a_j} {n}. ",
            "nice, {pct} off the {m}, one {j} {n} less. ",
            "let {a_j} {n} wait for the {sys}. ",
            "the {n} is {j}, {p} can begin. ",
        ),
        pause=190,
    ),
}

#: Ends of threads.
CLOSINGS = (
    "thanks, {a_j} {n} explains it. ",
    "that did it, the {n} is {j} again. ",
    "done, the {n} {v} {ns} again. ",
    "good, then {a_j} {n} it is. ",
    "closing: {p}, and no {j} {n} any more. ",
    "I write it up: {a_j} {n}, {a_n}. ",
    "thanks all, {role} has the {j} {n}. ",
    "clear, I will {vb} the {n} right away. ",
    "wrapping up: {a_j} {n} stays, {a_n} goes. ",
)

#: What a thread about a release begins with, before its opening.
RELEASED = (
    ":rocket: {released}, with {release_contents}. ",
    "{released} is out: {release_contents}. ",
    "{released} is live, thanks to {person}: {release_contents}. ",
    "Just released: {released} ({release_contents}). ",
)

#: What the first thread about an incident begins with, before its opening, and what the other threads about it do.
DOWN = (
    ":rotating_light: {outage_service} is down since {outage_clock} UTC, {customer} is hit. Tracked as {ticket_link}. ",
    ":fire: {outage_service} has been failing since {outage_clock} UTC. {customer} called; {ticket_link} is open. ",
    "Incident: {outage_service} does not answer since {outage_clock} UTC, {customer} feels it. I lead {ticket_link}. ",
    "{outage_service} down since {outage_clock} UTC, reported by {customer}. All about it here: {ticket_link}. ",
)
STILL_DOWN = (
    "On the outage of {outage_service}: ",
    "{outage_service}, next part: ",
    ":hourglass: {outage_service} again. ",
    "Beside the thread on {outage_service}: ",
)

#: What messages point at: people of the project, issues, pull requests, pages, services, customers, days.
LIVE = (
    "{ticket_link} has the details, {addressee}. ",
    "{customer} ran into it on {day}, see {ticket_link}. ",
    "{addressee}, you changed {service} last: {ticket_link}? ",
    "Seen in {service} since version {version}, and {customer} asked about it. ",
    "{person} is on it, under {ticket_link}. ",
    "The change is {pull_link}, and {customer} waits for it. ",
    "Pull request {pull_link} touches it, {addressee}. ",
    "Agreed on {day}: {home_link}, {ticket_link}. ",
    "There is a page about it: {page_link}, by {person}. ",
    "I counted {amount} of them in {service} on {day}. ",
    "The reference for {customer} is {code}. ",
    "{team} and {customer} meet on it, with {addressee}. ",
    "This is {ticket_link} again, {addressee}. ",
    "{service} calls {other_service} there, says {person}. ",
    "{service} {release} changed it, says {person}: {ticket_link}. ",
    "Please follow up in {channel_link}, {addressee}. ",
    "{customer} sent {number} of them, the last one under {code}. ",
    "{person} and {customer} compared the numbers on {day}. ",
    "cc {addressee}, because of {customer} and {pull_link}. ",
    "Numbers for {service} from {day}: {amount} before, {number} after. ",
)

#: Last lines of a message, and of one that ends its thread.
ENDS = (
    ":eyes: {ticket_link}",
    "Thanks, {addressee}!",
    "Ask {person} or me.",
    "More tomorrow, {addressee}.",
    "Opened {ticket_link} for it.",
    "See {home_link}.",
    "It is in {file_link}.",
    "Like in <{announcement}>.",
    "Details in {pull_link}.",
    ":pray: {person}",
)

#: Reactions, the common ones first.
REACTIONS = (
    "+1", "eyes", "white_check_mark", "pray", "tada", "raised_hands", "heart", "thinking_face", "rocket", "100",
    "ok_hand", "hourglass_flowing_sand", "bug", "fire", "clap",
)  # fmt: skip
