"""What Zendesk tickets of each archetype are called, how customers begin them, and what is answered. Data only.

In subjects ``{T}`` is an adjective with a plural noun of the ticket's topic and ``{x}`` the thing named beside it,
whose kind stands first; a customer that is named there is the one that asks. In other texts names in braces are pools:
``requester`` is who asks, ``own_customer`` where from, ``agent`` who answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_TEXT = {"paragraph": 8, "live": 3}


@dataclass(frozen=True, slots=True)
class Layout:
    """An archetype of ticket."""

    #: Zendesk's type of ticket.
    ticket_type: str
    subjects: tuple[tuple[str, str], ...]
    intros: tuple[str, ...]
    #: What follows, part by part: kinds of content with their weights.
    sections: tuple[Mapping[str, int], ...]
    #: How often each priority (``PRIORITIES``) is given.
    priorities: tuple[int, ...]
    #: Days until it is solved, at most.
    longest: int


LAYOUTS: Mapping[str, Layout] = {
    "question": Layout(
        ticket_type="question",
        subjects=(
            ("customer", "How do we handle {T} at {x}?"),
            ("customer", "{x}: question about {T}"),
            ("service", "Can {x} deal with {T}?"),
            ("customer", "Where does {x} see {T}?"),
        ),
        intros=(
            "we are not sure what to do with {title_things}. {own_customer} has {number} of them by now. ",
            "can you tell us how {title_things} are meant to be used? We found nothing about {title_other} in the "
            "documentation. ",
            "since {day} we see {title_things}, and my colleagues ask me what they mean for {title_other}. ",
        ),
        sections=({**_TEXT, "facts": 3}, {"wishes": 5, **_TEXT}),
        priorities=(2, 10, 62, 26),
        longest=12,
    ),
    "problem": Layout(
        ticket_type="problem",
        subjects=(
            ("customer", "{T} missing at {x}"),
            ("service", "{x} returns errors for {T}"),
            ("customer", "{x} gets {T} twice"),
            ("service", "{T} stuck in {x}"),
            ("customer", "Wrong figures for {T} at {x}"),
        ),
        intros=(
            "something is wrong with {title_things}. {title_other} has not been right since {day}. ",
            "we have a problem with {title_things}: about {number} of a hundred fail, and {title_other} is affected. ",
            "{title_things} worked before {service} {release}. Now they do not, at least not for {title_other}. ",
        ),
        sections=({"steps": 6, "log": 5, "facts": 3}, {**_TEXT, "log": 2}, {"wishes": 5, "paragraph": 4}),
        priorities=(12, 34, 44, 10),
        longest=20,
    ),
    "incident": Layout(
        ticket_type="incident",
        subjects=(
            ("customer", "{x} cannot work: {T}"),
            ("service", "{x} unreachable, {T} affected"),
            ("customer", "Urgent: {T} down for {x}"),
        ),
        intros=(
            "nothing works any more: {title_things} fail, and {title_other} felt it first. {own_customer} is waiting. ",
            "this is urgent. {title_things} have been failing since this morning, and {title_other} is hit the most. ",
            "we cannot work. All our {title_things} are affected, and {title_other} comes to a stop. ",
        ),
        sections=({"log": 6, "facts": 4, "paragraph": 2}, {**_TEXT, "wishes": 3}),
        priorities=(55, 40, 5, 0),
        longest=2,
    ),
    "request": Layout(
        ticket_type="task",
        subjects=(
            ("customer", "Please set up {T} for {x}"),
            ("customer", "{x} needs access to {T}"),
            ("service", "Change of {T} in {x}"),
            ("customer", "Export of {T} for {x}"),
        ),
        intros=(
            "please take care of {title_things} for us; {title_other} should be ready by the end of the month. ",
            "{own_customer} would like to use {title_things}. What do you need from us for {title_other}? ",
            "as discussed with {person} on {day}, we ask you to change {title_things} with regard to {title_other}. ",
        ),
        sections=({"wishes": 7, "facts": 3, "paragraph": 3}, _TEXT),
        priorities=(2, 14, 60, 24),
        longest=30,
    ),
    "billing": Layout(
        ticket_type="question",
        subjects=(
            ("customer", "Invoice of {x}: {T}"),
            ("customer", "{x} was charged for {T}"),
            ("customer", "Credit for {T}, {x}"),
        ),
        intros=(
            "our invoice {code} lists {amount} {title_things}. {own_customer} ordered fewer; please check. ",
            "we were charged for {title_things} again, although {person} promised a credit on {day}. ",
            "the figures for {title_things} on invoice {code} differ from what {title_other} counted. ",
        ),
        sections=({"facts": 7, "paragraph": 4}, {"wishes": 5, **_TEXT}),
        priorities=(4, 22, 56, 18),
        longest=25,
    ),
    "feedback": Layout(
        ticket_type="question",
        subjects=(
            ("customer", "{x} on the new {T}"),
            ("service", "Idea: {T} in {x}"),
            ("customer", "Feedback from {x} about {T}"),
        ),
        intros=(
            "some feedback on {title_things}, after {span} with {title_other}. ",
            "it would help {own_customer} if {title_things} were easier to find. {title_other} is in use every day. ",
            "my team likes {title_things}, but there is room for improvement around {title_other}. ",
        ),
        sections=({"wishes": 6, **_TEXT}, _TEXT),
        priorities=(0, 4, 46, 50),
        longest=40,
    ),
}

PRIORITIES = ("urgent", "high", "normal", "low")
#: Statuses of what is not solved yet, with how often they are met.
UNSOLVED = (("open", 6), ("pending", 4), ("hold", 2), ("new", 2))
#: Channels with their weights.
CHANNELS = (("email", 46), ("web", 28), ("chat", 10), ("api", 6), ("mobile", 6), ("voice", 4))

GREETINGS = ("Hello,", "Hi,", "Hello support team,", "Good morning,", "Dear team,", "Hi all,")
FAREWELLS = ("Kind regards,", "Best,", "Thank you,", "Many thanks,", "Regards,")

#: Sentences of customers that name somebody or something: what they can know.
LIVE = (
    "On {day} we had {amount} {things} in {service}, {trend} {number} percent. ",
    "We saw this on {day} for the first time, with {a_thing.}",
    "{person} told us on {day} that somebody would look into {things.}",
    "The reference that {person} gave us is {code}. ",
    "Since {service} {version} we see {things} nearly every day. ",
    "After {service} {release} it was better for {span}. ",
    "{number} of our people work with {service}, and most of them see {things.}",
    "Our {metric} has gone {trend} by {number} percent since {day}. ",
    "We have sent {amount} {things} to {service} since {day}. ",
    "{own_customer} has reported this before, under {code}. ",
    "Your colleague {person} knows about {a_thing} from an earlier ticket, {code}. ",
    "We tried again on {day}: {number} of {amount} {things} failed. ",
    "In {service} we cannot find {a_thing} from {day}. ",
    "Nothing has changed on our side since {day}, and {service} worked then. ",
    "The message names {a_thing} and the reference {code}. ",
    "In our contract it says {number} {things} at most, under {code}. ",
)

#: How a conversation goes, each followed by some sentences of the topic. The first reply of an agent, and what a
#: customer answers to it: the n-th to the n-th.
FIRST_REPLIES = (
    "thank you for your message. Please send us the reference and the time at which it happened. ",
    "thank you for the details. I could see {a_thing} on our side; {team} is looking into it. ",
    "I have asked {person}, who knows {things} best. You will hear from me within {span}. ",
    "could you tell me who is affected at {own_customer}, and since when? ",
)
FIRST_ANSWERS = (
    "the reference is {code}. It happened {number} times on {day}. ",
    "good to know. My colleagues asked about {a_thing} too. ",
    "thank you, we will wait. In the meantime we saw it again, on {day}. ",
    "about {number} of us, since {day}. ",
)
#: What both write while nothing is solved.
REPLIES = (
    "we have changed {a_thing} for {own_customer}. Could you try again? ",
    "there is something about it in {service} {release}. Do you have that already? ",
    "{person} has seen it with {a_thing} as well. We are working on it. ",
    "it has to do with {things}, and {team} is on it. ",
    "just a sign of life: {person} needs a little longer. ",
)
ANSWERS = (
    "no change so far: we still see {things}. ",
    "is there any news? {own_customer} needs {things} for the end of the month. ",
    "we have tried it with {a_thing}, it is the same. ",
    "we will test it and come back to you. ",
    "a colleague found {a_thing} in the list of {day}, if that helps. ",
)
#: The reply that solves a ticket, by archetype, and what customers may say to it.
SOLUTIONS: Mapping[str, tuple[str, ...]] = {
    "question": (
        "this is expected with {things}, and the page {page} explains it. ",
        "yes, {things} are meant to be like that; see {page}. ",
        "{person} has written it down for you on {page}. ",
    ),
    "problem": (
        "we found it: {a_thing} was wrong on our side, and is right now. Tell us if you see it again. ",
        "we are sorry for the trouble. The {metric} is back to normal. ",
        "{service} has been corrected, {things} go through again. ",
    ),
    "incident": (
        "all of {service} is back, and {things} with it. We are sorry. ",
        "the outage is over. {person} writes a report, which you will get. ",
        "{service} has been stable for {span}. Thank you for your patience. ",
    ),
    "request": (
        "it is done, {things} are ready for {own_customer}. ",
        "{person} has set it up. You can use {a_thing} from now on. ",
        "it is changed as you asked, under {code}. ",
    ),
    "billing": (
        "the credit is on its way, reference {code}. ",
        "you were right, and we are sorry. The new invoice is {code}. ",
        "{person} has checked it: the invoice is correct, the list {code} shows why. ",
    ),
    "feedback": (
        "thank you, {team} has it on its list. ",
        "noted, and {person} may call you about {a_thing}. ",
        "part of it is planned: {things} come first. ",
    ),
}
THANKS = (
    "that helped, thank you. ",
    "thank you, this answers it. ",
    "all clear now, you can close this. ",
)
#: Internal notes: on what is not solved, and on what is.
NOTES = (
    "Internal: tracked as {ticket}, {person} is on it. ",
    "Internal: the same as {ticket}. Do not promise a date to {own_customer}. ",
    "Internal: asked {team*} about {things}. ",
    "Internal: {service} {version} may help, see {announcement}. ",
)
LAST_NOTES = (
    "Internal: see the pull request {pull}. ",
    "Internal: kept for the next time in {ticket}. ",
    "Internal: {customer} had the same {things}, see {support_ticket}. ",
)
#: The note that ties a ticket to the company's incident, and where that is spoken of.
OUTAGE_NOTES = (
    (
        "Internal: {own_customer} is hit by the outage of {service}. It is tracked as {incident_ticket}; {outage_lead} "
        "leads the response.",
        "Follow {outage_thread} before you answer.",
    ),
    (
        "Internal: this is {incident_ticket}, {service} is down. {outage_lead} is in the lead and has {own_customer} "
        "on the list.",
        "The thread: {outage_thread}",
    ),
    (
        "Internal: same cause as {incident_ticket}. {service} does not answer; ask {outage_lead} what {own_customer} "
        "may be told.",
        "News come first in {outage_thread}.",
    ),
)
