"""What differs from country to country: offices, titles, legal forms, words that companies are named with. Data only.

All names are ours, as those of ``names.py``, which countries without words of their own share. The words of one kind
stand in one order everywhere: the n-th of ``customer_forms`` says in each language what a customer trades in.
"""

from dataclasses import dataclass
from typing import NamedTuple

from dataops_core.company import names


class Office(NamedTuple):
    """Where a team sits: the city as its people write it, and its time zone."""

    city: str
    zone: str


@dataclass(frozen=True, slots=True)
class Titles:
    """What people do, as their cards say: those who lead a team, and everybody else.

    The words of one kind stand in one order everywhere. Where a language would have to say whether it is a man or a
    woman, they name the work.
    """

    managers: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """What the companies of a language are named with: two stems make a word, a form follows it.

    ``latin`` spells stems and forms in ASCII where they are in another script; else it is empty.
    """

    stems_a: tuple[str, ...]
    stems_b: tuple[str, ...]
    company_forms: tuple[str, ...]
    customer_forms: tuple[str, ...]
    latin: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Country:
    """Offices and companies of a locale. ``family_first``: people are named with their family's name first."""

    offices: tuple[Office, ...]
    #: Follow a company's name (in Japan they may precede it); none where companies do without.
    legal_forms: tuple[str, ...]
    words: Words
    titles: Titles
    family_first: bool = False


ENGLISH = Words(names.STEMS_A, names.STEMS_B, names.COMPANY_FORMS, names.CUSTOMER_FORMS)

GERMAN = Words(
    stems_a=(
        "Ahorn", "Brombeer", "Dorn", "Eiben", "Erlen", "Farn", "Ginster", "Grün", "Hasel", "Holunder", "Kiesel",
        "Lärchen", "Mühl", "Nebel", "Quell", "Rauh", "Schlehen", "Tannen", "Wacholder", "Weiß", "Zirben",
    ),
    stems_b=("aue", "bruch", "fenn", "gries", "hang", "lohe", "ried", "röder", "siek", "stieg", "wiek", "zell"),
    company_forms=("Labor", "Werke", "Systeme", "Gruppe", "Verbund", "Partner", "Industrie", "Technologien"),
    customer_forms=(
        "Holding", "Handel", "Agrar", "Logistik", "Lebensmittel", "Versicherung", "Kliniken", "Ausstattung",
        "Bauteile", "Söhne", "Bedarf", "Spedition", "Kaufhaus", "Instrumente", "Energie", "Studios",
    ),
)  # fmt: skip

FRENCH = Words(
    stems_a=(
        "Alisier", "Argousier", "Bruyère", "Chêne", "Corail", "Embrun", "Érable", "Fougère", "Genêt", "Houle",
        "Lavande", "Mélèze", "Noisetier", "Orme", "Sarment", "Sureau", "Tilleul", "Verveine",
    ),
    stems_b=("bois", "clos", "combe", "fond", "gué", "lac", "mare", "pierre", "rive", "source", "val", "vent"),
    company_forms=("Labs", "Ateliers", "Systèmes", "Groupe", "Collectif", "Partenaires", "Industries", "Technologies"),
    customer_forms=(
        "Holding", "Négoce", "Coopérative", "Logistique", "Alimentation", "Assurances", "Cliniques", "Équipement",
        "Composants", "Frères", "Fournitures", "Fret", "Distribution", "Instruments", "Énergie", "Studios",
    ),
)  # fmt: skip

_STEMS_A = {
    "霧": "kiri", "葵": "aoi", "楓": "kaede", "凪": "nagi", "蛍": "hotaru", "茜": "akane", "菫": "sumire",
    "暁": "akatsuki", "霞": "kasumi", "雫": "shizuku", "朧": "oboro", "蒼": "ao", "梢": "kozue", "汐": "shio",
    "颯": "hayate", "澪": "mio", "紬": "tsumugi", "燈": "akari", "椿": "tsubaki", "柊": "hiiragi", "棗": "natsume",
    "縹": "hanada",
}  # fmt: skip
_STEMS_B = {
    "浜": "hama", "峰": "mine", "沢": "sawa", "原": "hara", "崎": "saki", "瀬": "se", "谷": "tani", "岬": "misaki",
    "泉": "izumi", "野": "no", "森": "mori", "丘": "oka",
}  # fmt: skip
_COMPANY_FORMS = {
    "ラボ": "labs", "ワークス": "works", "システムズ": "systems", "グループ": "group", "コレクティブ": "collective",
    "パートナーズ": "partners", "工業": "industries", "テクノロジー": "technologies",
}  # fmt: skip
_CUSTOMER_FORMS = {
    "ホールディングス": "holdings", "商事": "trading", "農産": "farms", "物流": "logistics", "フーズ": "foods",
    "共済": "mutual", "クリニック": "clinics", "用品": "outfitters", "部品": "components", "兄弟社": "brothers",
    "サプライ": "supply", "運輸": "freight", "リテール": "retail", "計器": "instruments", "エナジー": "energy",
    "スタジオ": "studios",
}  # fmt: skip
JAPANESE = Words(
    stems_a=tuple(_STEMS_A),
    stems_b=tuple(_STEMS_B),
    company_forms=tuple(_COMPANY_FORMS),
    customer_forms=tuple(_CUSTOMER_FORMS),
    latin=tuple((_STEMS_A | _STEMS_B | _COMPANY_FORMS | _CUSTOMER_FORMS).items()),
)

AMERICAN_TITLES = Titles(names.MANAGER_TITLES, names.TITLES)
BRITISH_TITLES = Titles(
    managers=("Engineering Manager", "Director", "Team Leader", "Head of Delivery"),
    others=(
        "Software Engineer", "Senior Software Engineer", "Principal Engineer", "Product Manager", "Business Analyst",
        "Data Engineer", "Test Engineer", "Technical Author", "Site Reliability Engineer", "Product Designer",
        "Programme Manager", "Solutions Architect",
    ),
)  # fmt: skip
GERMAN_TITLES = Titles(
    managers=("Leitung Entwicklung", "Bereichsleitung", "Teamleitung", "Leitung Umsetzung"),
    others=(
        "Softwareentwicklung", "Softwareentwicklung Senior", "Leitende Entwicklung", "Produktmanagement",
        "Anforderungsanalyse", "Datentechnik", "Qualitätssicherung", "Technische Redaktion", "Systembetrieb",
        "Produktgestaltung", "Programmleitung", "Softwarearchitektur",
    ),
)  # fmt: skip
FRENCH_TITLES = Titles(
    managers=("Responsable technique", "Responsable de pôle", "Responsable de groupe", "Responsable des livraisons"),
    others=(
        "Développement logiciel", "Développement logiciel senior", "Expertise technique", "Responsable produit",
        "Analyste métier", "Ingénierie des données", "Responsable qualité", "Rédaction technique",
        "Fiabilité des services", "Conception produit", "Responsable de programme", "Architecte logiciel",
    ),
)  # fmt: skip
JAPANESE_TITLES = Titles(
    managers=("開発課長", "部長", "チームリーダー", "デリバリー責任者"),
    others=(
        "ソフトウェアエンジニア", "シニアソフトウェアエンジニア", "主任技師", "プロダクトマネージャー",
        "ビジネスアナリスト", "データエンジニア", "品質保証エンジニア", "テクニカルライター", "サイト信頼性エンジニア",
        "プロダクトデザイナー", "プログラムマネージャー", "ソリューションアーキテクト",
    ),
)  # fmt: skip


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
        ENGLISH,
        AMERICAN_TITLES,
    ),
    "en_GB": Country(
        _offices("Europe/London", "London", "Manchester", "Leeds", "Bristol", "Edinburgh"),
        ("Ltd", "plc"),
        ENGLISH,
        BRITISH_TITLES,
    ),
    "en_AU": Country(
        (Office("Sydney", "Australia/Sydney"), Office("Perth", "Australia/Perth")),
        ("Pty Ltd",),
        ENGLISH,
        BRITISH_TITLES,
    ),
    "en_CA": Country(
        (Office("Toronto", "America/Toronto"), Office("Vancouver", "America/Vancouver")),
        ("Inc", "Ltd"),
        ENGLISH,
        AMERICAN_TITLES,
    ),
    "en_IE": Country(_offices("Europe/Dublin", "Dublin", "Cork"), ("Ltd", "DAC"), ENGLISH, BRITISH_TITLES),
    "en_NZ": Country(_offices("Pacific/Auckland", "Auckland", "Wellington"), ("Ltd",), ENGLISH, BRITISH_TITLES),
    "cs_CZ": Country(_offices("Europe/Prague", "Praha", "Brno"), ("SE",), ENGLISH, AMERICAN_TITLES),
    "da_DK": Country(_offices("Europe/Copenhagen", "København", "Aarhus"), ("ApS",), ENGLISH, AMERICAN_TITLES),
    "de_AT": Country(_offices("Europe/Vienna", "Wien", "Graz", "Linz"), ("GmbH", "AG"), GERMAN, GERMAN_TITLES),
    "de_DE": Country(
        _offices("Europe/Berlin", "Berlin", "München", "Hamburg", "Köln", "Leipzig", "Stuttgart"),
        ("GmbH", "AG", "KG"),
        GERMAN,
        GERMAN_TITLES,
    ),
    "es_ES": Country(_offices("Europe/Madrid", "Madrid", "Valencia", "Bilbao"), ("SL", "SA"), ENGLISH, AMERICAN_TITLES),
    "es_MX": Country(
        _offices("America/Mexico_City", "Ciudad de México", "Puebla"), ("SA de CV",), ENGLISH, AMERICAN_TITLES
    ),
    "fi_FI": Country(_offices("Europe/Helsinki", "Helsinki", "Tampere"), ("Oy", "Oyj"), ENGLISH, AMERICAN_TITLES),
    "fr_CA": Country(_offices("America/Toronto", "Montréal", "Québec"), ("inc",), FRENCH, FRENCH_TITLES),
    "fr_FR": Country(
        _offices("Europe/Paris", "Paris", "Lyon", "Nantes", "Toulouse", "Lille"),
        ("SARL", "SAS", "SA"),
        FRENCH,
        FRENCH_TITLES,
    ),
    "it_IT": Country(_offices("Europe/Rome", "Milano", "Torino", "Bologna"), ("Srl", "SpA"), ENGLISH, AMERICAN_TITLES),
    "ja_JP": Country(
        _offices("Asia/Tokyo", "東京", "大阪", "名古屋", "福岡"),
        ("株式会社", "合同会社"),
        JAPANESE,
        JAPANESE_TITLES,
        family_first=True,
    ),
    "nl_BE": Country(
        _offices("Europe/Brussels", "Brussel", "Gent", "Antwerpen"), ("BV", "NV"), ENGLISH, AMERICAN_TITLES
    ),
    "nl_NL": Country(
        _offices("Europe/Amsterdam", "Amsterdam", "Utrecht", "Eindhoven"), ("BV", "NV"), ENGLISH, AMERICAN_TITLES
    ),
    "no_NO": Country(_offices("Europe/Oslo", "Oslo", "Bergen"), ("AS", "ASA"), ENGLISH, AMERICAN_TITLES),
    "pl_PL": Country(_offices("Europe/Warsaw", "Warszawa", "Kraków", "Wrocław"), ("SA",), ENGLISH, AMERICAN_TITLES),
    "pt_BR": Country(_offices("America/Sao_Paulo", "São Paulo", "Curitiba"), ("Ltda", "SA"), ENGLISH, AMERICAN_TITLES),
    "pt_PT": Country(_offices("Europe/Lisbon", "Lisboa", "Porto"), ("Lda", "SA"), ENGLISH, AMERICAN_TITLES),
    "sv_SE": Country(_offices("Europe/Stockholm", "Stockholm", "Göteborg"), ("AB",), ENGLISH, AMERICAN_TITLES),
}
#: Where a team may sit abroad, in countries where the company is not at home.
OTHER_OFFICES = (
    Office("Warsaw", "Europe/Warsaw"),
    Office("Singapore", "Asia/Singapore"),
    Office("Toronto", "America/Toronto"),
    Office("Dublin", "Europe/Dublin"),
)
