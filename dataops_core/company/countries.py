"""What differs from country to country: offices, legal forms, and the words that companies are named with. Data only.

All names are ours, as those of ``names.py``, which countries without words of their own share. The words of one kind
stand in one order everywhere: the n-th of ``customer_forms`` says in each language what a customer trades in.
"""

from dataclasses import dataclass

from dataops_core.company import names


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

    #: Each by its time zone.
    offices: tuple[str, ...]
    #: Follow a company's name (in Japan they may precede it); none where companies do without.
    legal_forms: tuple[str, ...]
    words: Words
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

#: By locale. Legal forms have no full stops, which would end a sentence.
COUNTRIES = {
    "en_US": Country(
        ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"),
        (),
        ENGLISH,
    ),
    "en_GB": Country(("Europe/London",), ("Ltd", "plc"), ENGLISH),
    "en_AU": Country(("Australia/Sydney", "Australia/Perth"), ("Pty Ltd",), ENGLISH),
    "en_CA": Country(("America/Toronto", "America/Vancouver"), ("Inc", "Ltd"), ENGLISH),
    "en_IE": Country(("Europe/Dublin",), ("Ltd", "DAC"), ENGLISH),
    "en_NZ": Country(("Pacific/Auckland",), ("Ltd",), ENGLISH),
    "cs_CZ": Country(("Europe/Prague",), ("SE",), ENGLISH),
    "da_DK": Country(("Europe/Copenhagen",), ("ApS",), ENGLISH),
    "de_AT": Country(("Europe/Vienna",), ("GmbH", "AG"), GERMAN),
    "de_DE": Country(("Europe/Berlin",), ("GmbH", "AG", "KG"), GERMAN),
    "es_ES": Country(("Europe/Madrid",), ("SL", "SA"), ENGLISH),
    "es_MX": Country(("America/Mexico_City",), ("SA de CV",), ENGLISH),
    "fi_FI": Country(("Europe/Helsinki",), ("Oy", "Oyj"), ENGLISH),
    "fr_CA": Country(("America/Toronto",), ("inc",), FRENCH),
    "fr_FR": Country(("Europe/Paris",), ("SARL", "SAS", "SA"), FRENCH),
    "it_IT": Country(("Europe/Rome",), ("Srl", "SpA"), ENGLISH),
    "ja_JP": Country(("Asia/Tokyo",), ("株式会社", "合同会社"), JAPANESE, family_first=True),
    "nl_BE": Country(("Europe/Brussels",), ("BV", "NV"), ENGLISH),
    "nl_NL": Country(("Europe/Amsterdam",), ("BV", "NV"), ENGLISH),
    "no_NO": Country(("Europe/Oslo",), ("AS", "ASA"), ENGLISH),
    "pl_PL": Country(("Europe/Warsaw",), ("SA",), ENGLISH),
    "pt_BR": Country(("America/Sao_Paulo",), ("Ltda", "SA"), ENGLISH),
    "pt_PT": Country(("Europe/Lisbon",), ("Lda", "SA"), ENGLISH),
    "sv_SE": Country(("Europe/Stockholm",), ("AB",), ENGLISH),
}
#: Where a team may sit else.
OTHER_OFFICES = (
    "Europe/Warsaw",
    "Asia/Singapore",
    "America/Toronto",
    "Europe/Dublin",
)
