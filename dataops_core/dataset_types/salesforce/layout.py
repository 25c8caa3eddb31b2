"""What Salesforce accounts of each archetype are, what their descriptions say, and where companies sit. Data only.

In texts names in braces are pools; introductions follow the account's name, and ``known_contact`` is one of its people.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_TEXT = {"paragraph": 7, "live": 4}


@dataclass(frozen=True, slots=True)
class Layout:
    """An archetype of account."""

    #: Salesforce's types of account, each as likely as another.
    types: tuple[str, ...]
    intros: tuple[str, ...]
    #: What follows, part by part: kinds of content with their weights.
    sections: tuple[Mapping[str, int], ...]
    outros: tuple[str, ...]


LAYOUTS: Mapping[str, Layout] = {
    "customer": Layout(
        types=("Customer - Direct", "Customer - Direct", "Customer - Direct", "Customer - Channel"),
        intros=(
            " has been a customer of ours for {years} and uses {products} for {things}. "
            "{known_contact} decides, {owner} looks after them. ",
            " works with {service} every day, mostly because of {things}. Our contact is {known_contact}. ",
            " has been with us since the pilot with {things}. {known_contact} runs the project there, {owner} here. ",
        ),
        sections=({"renewal": 5, **_TEXT}, {"points": 6, **_TEXT}, {"next": 4, **_TEXT}),
        outros=(
            "Next review with {known_contact}: see {page}. ",
            "{known_contact} prefers calls in the morning. ",
        ),
    ),
    "prospect": Layout(
        types=("Prospect",),
        intros=(
            " asked about {things} after a talk of {person} on {day}. {owner} follows up. ",
            " compares us with two others. What matters to them is {a_thing}, and that {stakeholders} accept it. ",
            " came to us through {customer}. They want to {goal} and have {things} on their list. ",
        ),
        sections=({"points": 5, **_TEXT}, {"objections": 6, **_TEXT}, {"next": 4, **_TEXT}),
        outros=(
            "The offer is {code}. ",
            "{owner} calls them again in a few weeks. ",
        ),
    ),
    "partner": Layout(
        types=("Channel Partner / Reseller", "Installation Partner", "Technology Partner"),
        intros=(
            " sells {products} together with services around {things}. {owner} manages the partnership. ",
            " connects {service} with the {system}. {person} keeps in touch about {things}. ",
            " has been a partner since {day} and trains {stakeholders} on {things}. ",
        ),
        sections=({"points": 6, **_TEXT}, {"renewal": 4, **_TEXT}, {"next": 4, **_TEXT}),
        outros=(
            "The agreement is {code}; its terms are on {page}. ",
            "They brought us {customer}. ",
        ),
    ),
    "dormant": Layout(
        types=("Other", "Prospect"),
        intros=(
            " decided against {things} on {day}. {person} may ask again next year. ",
            " has been silent for {span}; the talks about {things} ended when {stakeholders} objected. ",
            " left after {years}; the reason given was {a_thing}. ",
        ),
        sections=({"objections": 7, **_TEXT}, {"next": 3, "paragraph": 6}),
        outros=("{owner} keeps an eye on them. ", "Reference {code}. "),
    ),
}

#: What companies of a form do, as Salesforce's picklist has it.
INDUSTRIES: Mapping[str, str] = {
    "Holdings": "Finance", "Trading": "Consulting", "Cooperative": "Agriculture", "Logistics": "Transportation",
    "Foods": "Food & Beverage", "Mutual": "Insurance", "Clinics": "Healthcare", "Outfitters": "Apparel",
    "Components": "Manufacturing", "Brothers": "Construction", "Supply": "Machinery", "Freight": "Shipping",
    "Retail": "Retail", "Instruments": "Electronics", "Energy": "Energy", "Studios": "Media",
}  # fmt: skip

#: Sources of accounts with their weights.
SOURCES = (("Web", 34), ("Phone Inquiry", 14), ("Partner Referral", 26), ("Purchased List", 8), ("Other", 18))

#: What tells accounts apart when names are used up.
REGIONS = ("North", "South", "East", "West", "International", "Group", "Services", "Partners")
