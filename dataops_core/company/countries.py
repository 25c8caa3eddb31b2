"""What differs from country to country: offices and legal forms, and the language of titles and names. Data only."""

from dataclasses import dataclass
from typing import NamedTuple

from dataops_core.company import languages
from dataops_core.company.languages import Titles, Words


class Office(NamedTuple):
    """Where a team sits: the city as its people write it, and its time zone."""

    city: str
    zone: str


@dataclass(frozen=True, slots=True)
class Country:
    """Offices and companies of a locale. ``family_first``: people are named with their family's name first."""

    offices: tuple[Office, ...]
    #: Follow a company's name (in Japan they may precede it); none where companies do without.
    legal_forms: tuple[str, ...]
    words: Words
    titles: Titles
    family_first: bool = False


def _offices(zone: str, *cities: str) -> tuple[Office, ...]:
    return tuple(Office(city, zone) for city in cities)


#: By locale. Legal forms have no full stops, which would end a sentence.
COUNTRIES = {
    "en_US": Country(
        (
            Office("New York", "America/New_York"),
            Office("Chicago", "America/Chicago"),
            Office("Denver", "America/Denver"),
            Office("Seattle", "America/Los_Angeles"),
        ),
        (),
        languages.ENGLISH,
        languages.AMERICAN_TITLES,
    ),
    "en_GB": Country(
        _offices("Europe/London", "London", "Manchester", "Leeds", "Bristol", "Edinburgh"),
        ("Ltd", "plc"),
        languages.ENGLISH,
        languages.BRITISH_TITLES,
    ),
    "en_AU": Country(
        (Office("Sydney", "Australia/Sydney"), Office("Perth", "Australia/Perth")),
        ("Pty Ltd",),
        languages.ENGLISH,
        languages.BRITISH_TITLES,
    ),
    "en_CA": Country(
        (Office("Toronto", "America/Toronto"), Office("Vancouver", "America/Vancouver")),
        ("Inc", "Ltd"),
        languages.ENGLISH,
        languages.AMERICAN_TITLES,
    ),
    "en_IE": Country(
        _offices("Europe/Dublin", "Dublin", "Cork"), ("Ltd", "DAC"), languages.ENGLISH, languages.BRITISH_TITLES
    ),
    "en_NZ": Country(
        _offices("Pacific/Auckland", "Auckland", "Wellington"), ("Ltd",), languages.ENGLISH, languages.BRITISH_TITLES
    ),
    "cs_CZ": Country(_offices("Europe/Prague", "Praha", "Brno"), ("SE",), languages.CZECH, languages.CZECH_TITLES),
    "da_DK": Country(
        _offices("Europe/Copenhagen", "København", "Aarhus"), ("ApS",), languages.DANISH, languages.DANISH_TITLES
    ),
    "de_AT": Country(
        _offices("Europe/Vienna", "Wien", "Graz", "Linz"), ("GmbH", "AG"), languages.GERMAN, languages.GERMAN_TITLES
    ),
    "de_DE": Country(
        _offices("Europe/Berlin", "Berlin", "München", "Hamburg", "Köln", "Leipzig", "Stuttgart"),
        ("GmbH", "AG", "KG"),
        languages.GERMAN,
        languages.GERMAN_TITLES,
    ),
    "es_ES": Country(
        _offices("Europe/Madrid", "Madrid", "Valencia", "Bilbao"),
        ("SL", "SA"),
        languages.SPANISH,
        languages.SPANISH_TITLES,
    ),
    "es_MX": Country(
        _offices("America/Mexico_City", "Ciudad de México", "Puebla"),
        ("SA de CV",),
        languages.SPANISH,
        languages.SPANISH_TITLES,
    ),
    "fi_FI": Country(
        _offices("Europe/Helsinki", "Helsinki", "Tampere"), ("Oy", "Oyj"), languages.FINNISH, languages.FINNISH_TITLES
    ),
    "fr_CA": Country(
        _offices("America/Toronto", "Montréal", "Québec"), ("inc",), languages.FRENCH, languages.FRENCH_TITLES
    ),
    "fr_FR": Country(
        _offices("Europe/Paris", "Paris", "Lyon", "Nantes", "Toulouse", "Lille"),
        ("SARL", "SAS", "SA"),
        languages.FRENCH,
        languages.FRENCH_TITLES,
    ),
    "it_IT": Country(
        _offices("Europe/Rome", "Milano", "Torino", "Bologna"),
        ("Srl", "SpA"),
        languages.ITALIAN,
        languages.ITALIAN_TITLES,
    ),
    "ja_JP": Country(
        _offices("Asia/Tokyo", "東京", "大阪", "名古屋", "福岡"),
        ("株式会社", "合同会社"),
        languages.JAPANESE,
        languages.JAPANESE_TITLES,
        family_first=True,
    ),
    "nl_BE": Country(
        _offices("Europe/Brussels", "Brussel", "Gent", "Antwerpen"),
        ("BV", "NV"),
        languages.DUTCH,
        languages.DUTCH_TITLES,
    ),
    "nl_NL": Country(
        _offices("Europe/Amsterdam", "Amsterdam", "Utrecht", "Eindhoven"),
        ("BV", "NV"),
        languages.DUTCH,
        languages.DUTCH_TITLES,
    ),
    "no_NO": Country(
        _offices("Europe/Oslo", "Oslo", "Bergen"), ("AS", "ASA"), languages.NORWEGIAN, languages.NORWEGIAN_TITLES
    ),
    "pl_PL": Country(
        _offices("Europe/Warsaw", "Warszawa", "Kraków", "Wrocław"), ("SA",), languages.POLISH, languages.POLISH_TITLES
    ),
    "pt_BR": Country(
        _offices("America/Sao_Paulo", "São Paulo", "Curitiba"),
        ("Ltda", "SA"),
        languages.PORTUGUESE,
        languages.PORTUGUESE_TITLES,
    ),
    "pt_PT": Country(
        _offices("Europe/Lisbon", "Lisboa", "Porto"), ("Lda", "SA"), languages.PORTUGUESE, languages.PORTUGUESE_TITLES
    ),
    "sv_SE": Country(
        _offices("Europe/Stockholm", "Stockholm", "Göteborg"), ("AB",), languages.SWEDISH, languages.SWEDISH_TITLES
    ),
}
#: Where a team may sit abroad, in countries where the company is not at home.
OTHER_OFFICES = (
    Office("Warsaw", "Europe/Warsaw"),
    Office("Singapore", "Asia/Singapore"),
    Office("Toronto", "America/Toronto"),
    Office("Dublin", "Europe/Dublin"),
)
