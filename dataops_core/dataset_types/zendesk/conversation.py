"""What is said when in a ticket's conversation: blocks that are whole comments, and which of them each turn is.

What is solved ends with what solved it, and perhaps with thanks; what is not ends with neither. Nobody says the same
twice. Does not belong here: the words (``layout.py``), who says them and at what moment (``builder.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dataops_core.dataset_types.zendesk.layout import (
    ANSWERS,
    FIRST_ANSWERS,
    FIRST_REPLIES,
    LAST_NOTES,
    LIVE,
    NOTES,
    REPLIES,
    SOLUTIONS,
    THANKS,
)
from dataops_core.generation.library import Library
from dataops_core.generation.seeding import I64, U64, Draws, mix, pick
from dataops_core.generation.sentences import sentences

#: Of each form four blocks, with so many sentences of the topic after it.
_SENTENCES = (0, 1, 1, 2)
#: More than a conversation has turns of a kind: where these begin among the forms.
_FORMS = 60


@dataclass(frozen=True, slots=True)
class Comments:
    """Blocks that are whole comments, by what is said at that point: of each form (rows) some variants."""

    first_replies: I64
    first_answers: I64
    replies: I64
    answers: I64
    #: Of each archetype (first axis) the replies that solve a ticket.
    solutions: I64
    thanks: I64
    notes: I64
    last_notes: I64

    @property
    def by_author(self) -> tuple[I64, I64, I64]:
        """All that agents, customers and internal notes say."""
        said = (
            (self.first_replies, self.replies, self.solutions),
            (self.first_answers, self.answers, self.thanks),
            (self.notes, self.last_notes),
        )
        agents, customers, notes = (np.concatenate([each.ravel() for each in theirs]) for theirs in said)
        return agents, customers, notes

    def said(self, solved: I64, archetype: I64, turns: tuple[I64, I64], keys: U64, drawn: U64) -> I64:
        """The block of each comment of tickets that are ``solved`` (1) or not (0).

        ``turns`` are the comment's place in its conversation, an agent's where it is even, and how many there are, -1
        for a note after the last; ``keys`` are the tickets', ``drawn`` the comments' own.
        """
        turn, many = turns
        answers, done = turn % 2 == 1, solved == 1
        first, nth = pick(keys, len(self.first_replies)), pick(mix(keys), _FORMS) + turn // 2

        def of(forms: I64, form: I64) -> I64:
            found: I64 = forms[form % len(forms), pick(drawn, forms.shape[1])]
            return found

        solutions = self.solutions[archetype]
        variant = pick(drawn, solutions.shape[2])
        chosen: I64 = np.select(
            [
                (many < 0) & done,
                many < 0,
                answers & done & (turn == many - 1),
                answers & (turn == 1),
                answers,
                done & (turn >= many - 2),
                turn == 0,
            ],
            [
                of(self.last_notes, nth),
                of(self.notes, nth),
                of(self.thanks, nth),
                of(self.first_answers, first),
                of(self.answers, nth),
                solutions[np.arange(len(turn)), nth % solutions.shape[1], variant],
                of(self.first_replies, first),
            ],
            of(self.replies, nth),
        )
        return chosen


def comments(library: Library, draws: Draws, archetypes: Sequence[str]) -> Comments:
    """The comments on tickets of these archetypes. Customers name what they can know."""

    def blocks(forms: Sequence[str], before: str = "", after: str = "") -> I64:
        def more(count: int) -> tuple[str, ...]:
            of_customer = before.startswith("{greeting}")
            return sentences(draws, library, count, 3, LIVE) if of_customer else sentences(draws, library, count, 3)

        return np.array(
            [
                [
                    library.block(*library.parse(before + form), *more(count), *library.parse(after))
                    for count in _SENTENCES
                ]
                for form in forms
            ],
            dtype=np.int64,
        )

    def replies(forms: Sequence[str]) -> I64:
        return blocks(forms, "Hi {called},\n\n", "\n\n{farewell}\n{agent}")

    def answers(forms: Sequence[str]) -> I64:
        return blocks(forms, "{greeting}\n\n", "\n\n{requester}")

    return Comments(
        first_replies=replies(FIRST_REPLIES),
        first_answers=answers(FIRST_ANSWERS),
        replies=replies(REPLIES),
        answers=answers(ANSWERS),
        solutions=np.stack([replies(SOLUTIONS[name]) for name in archetypes]),
        thanks=answers(THANKS),
        notes=blocks(NOTES),
        last_notes=blocks(LAST_NOTES),
    )
