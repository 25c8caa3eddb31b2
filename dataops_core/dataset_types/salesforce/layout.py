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
            " has been a customer of ours for {number} quarters and uses {product} for {things}. "
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
            "{owner} calls them again after {span}. ",
        ),
    ),
    "partner": Layout(
        types=("Channel Partner / Reseller", "Installation Partner", "Technology Partner"),
        intros=(
            " sells {product} together with services around {things}. {owner} manages the partnership. ",
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
            " left after {number} months; the reason given was {a_thing}. ",
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

#: Where companies sit: city, state, country, the digits of a postal code before its last two, dialling code, latitude
#: and longitude in millionths of a degree.
CITIES = (
    ("Portland", "Oregon", "United States", "972", "1", 45_515_000, -122_678_000),
    ("Columbus", "Ohio", "United States", "432", "1", 39_961_000, -82_999_000),
    ("Denver", "Colorado", "United States", "802", "1", 39_739_000, -104_990_000),
    ("Raleigh", "North Carolina", "United States", "276", "1", 35_780_000, -78_639_000),
    ("Minneapolis", "Minnesota", "United States", "554", "1", 44_978_000, -93_265_000),
    ("Austin", "Texas", "United States", "787", "1", 30_267_000, -97_743_000),
    ("Hartford", "Connecticut", "United States", "061", "1", 41_764_000, -72_685_000),
    ("Boise", "Idaho", "United States", "837", "1", 43_615_000, -116_202_000),
    ("Richmond", "Virginia", "United States", "232", "1", 37_541_000, -77_436_000),
    ("Omaha", "Nebraska", "United States", "681", "1", 41_257_000, -95_934_000),
    ("Leipzig", "Saxony", "Germany", "041", "49", 51_340_000, 12_375_000),
    ("Bremen", "Bremen", "Germany", "281", "49", 53_079_000, 8_802_000),
    ("Lyon", "Auvergne-Rhône-Alpes", "France", "690", "33", 45_764_000, 4_836_000),
    ("Nantes", "Pays de la Loire", "France", "440", "33", 47_218_000, -1_554_000),
    ("Turin", "Piedmont", "Italy", "101", "39", 45_070_000, 7_687_000),
    ("Valencia", "Valencian Community", "Spain", "460", "34", 39_470_000, -377_000),
    ("Krakow", "Lesser Poland", "Poland", "310", "48", 50_065_000, 19_945_000),
    ("Gothenburg", "Västra Götaland", "Sweden", "411", "46", 57_709_000, 11_974_000),
    ("Tampere", "Pirkanmaa", "Finland", "331", "358", 61_498_000, 23_761_000),
    ("Aarhus", "Central Denmark", "Denmark", "80", "45", 56_163_000, 10_204_000),
    ("Graz", "Styria", "Austria", "80", "43", 47_071_000, 15_439_000),
    ("Melbourne", "Victoria", "Australia", "30", "61", -37_814_000, 144_963_000),
)
STREETS = (
    "Mill Lane", "Harbor Street", "Foundry Road", "Orchard Avenue", "Station Square", "Granary Row", "Linden Street",
    "Quarry Hill", "Market Place", "Bridge Street", "Kiln Road", "Park Terrace", "Dock Street", "Meadow Way",
    "Tower Street", "College Road", "Spring Gardens", "Canal Street",
)  # fmt: skip
#: What tells accounts apart when names are used up.
REGIONS = ("North", "South", "East", "West", "International", "Group", "Services", "Partners")
