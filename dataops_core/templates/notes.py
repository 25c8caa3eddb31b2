"""What each field of a template or vocabulary is, in a few words: for new files, and where a file lacks one.

Belongs here: the words. ``docs/templates.md`` has the rules whole, ``model.py`` holds files to them.
"""

from collections.abc import Mapping

#: By dotted path without positions: ``topics.nouns``.
NOTES: Mapping[str, str] = {
    "template_id": "the identity that clients keep: never changes",
    "version": "counts changes, from 1: raise it with each change that others may see",
    "name": "shown to people",
    "dataset_type": "what the records are",
    "industry": "whose vocabulary is used",
    "use_case": "what the company wants: lower case, digits and _",
    "description": "one sentence, 10 to 300 characters",
    "record_counts": "records per stage, each 20 to 1,000,000",
    "record_counts.sandbox": "records of a sandbox",
    "record_counts.pilot": "records of a pilot",
    "record_counts.production": "records of a production",
    "bytes_per_record": "mean size of a record's text, 200 to 1,000,000",
    "incomplete_share": "share of records that lack a field which may be empty, below 0.05",
    "defects": "shares of records that are wrong on purpose, each 0 to 0.05",
    "defects.near_duplicates": "share of records that repeat another one, with small edits",
    "defects.stale_versions": "share of records that are older versions of others which are still there",
    "defects.conflicting_facts": "share of records that state another value of a fact than another record does",
    "defects.misfiled": "share of records that stand where what they are about does not belong",
    "archetypes": "kinds of documents with their weights; 0 switches one off",
    "seasonality": "months in which more or less is written, in percent, 25 to 400; {} is as in the industry",
    "labels": "6 or more: lower case, digits and hyphens",
    "topics": "what is written about, 3 or more; sentences are made of their words",
    "topics.key": "lower case, digits and _, once per template",
    "topics.title": "as a heading has it",
    "topics.weight": "how often it is written about, 1 to 100",
    "topics.nouns": "8 or more: countable, singular, no article, as in `settlement batch`",
    "topics.verbs": "6 or more: take an object, third person singular, as in `reconciles`",
    "topics.adjectives": '6 or more: stand before a noun and after "is", as in `idempotent`',
    "topics.metrics": "4 or more: singular, can rise and fall, as in `authorization latency`",
    "topics.practices": "4 or more: begin with a verb in -ing, as in `rotating signing keys`",
    "products": "8 or more, like a topic's nouns: what companies of the industry sell",
    "systems": "8 or more, like a topic's nouns: what they run",
    "stakeholders": "6 or more, plural: who is affected, as in `card issuers`",
    "regulations": "4 or more, singular, with an article if it has one: what they must obey",
    "risks": "6 or more, uncountable, no article: what can go wrong",
    "goals": '6 or more, what follows "to": what they want',
}


def note(path: tuple[str | int, ...]) -> str | None:
    """The words for the field at this path; None where there are none."""
    return NOTES.get(".".join(part for part in path if isinstance(part, str)))
