"""Where companies of a country sit, as its people write it. Data, and the one way to choose from it.

Streets are such as many towns have; no house with the number drawn need be there. Places are in the middle of the
named town, to a thousandth of a degree, in millionths as all coordinates here.
"""

from dataclasses import dataclass

import numpy as np

from dataops_core.generation.seeding import U64, chance, key, mix, pick


@dataclass(frozen=True, slots=True)
class City:
    """A town. In ``postal`` each # is any digit and each @ any of ``_LETTERS``."""

    name: str
    state: str
    postal: str
    latitude: int
    longitude: int


@dataclass(frozen=True, slots=True)
class Land:
    """A country: what it is called at home and in English, its dialling code, its towns and streets."""

    name: str
    english: str
    dialling: str
    cities: tuple[City, ...]
    #: {n} is the number of a house; Japan counts blocks and houses, {b} and {n}.
    streets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a company sits. Coordinates are those of the town."""

    street: str
    city: str
    state: str
    postal_code: str
    country: str
    dialling: str
    latitude: int
    longitude: int


_ENGLISH = (
    "{n} Mill Lane", "{n} Harbor Street", "{n} Foundry Road", "{n} Orchard Avenue", "{n} Station Square",
    "{n} Granary Row", "{n} Linden Street", "{n} Quarry Hill", "{n} Market Place", "{n} Bridge Street", "{n} Kiln Road",
    "{n} Park Terrace", "{n} Dock Street", "{n} Meadow Way", "{n} Tower Street", "{n} College Road",
    "{n} Spring Gardens", "{n} Canal Street",
)  # fmt: skip
_BRITISH = tuple(street.replace("Harbor", "Harbour") for street in _ENGLISH)
_GERMAN = (
    "Mühlgasse {n}", "Hafenstraße {n}", "Gießereistraße {n}", "Obstgartenweg {n}", "Bahnhofplatz {n}",
    "Speicherstraße {n}", "Lindenallee {n}", "Am Steinbruch {n}", "Marktplatz {n}", "Brückenstraße {n}",
    "Ziegeleiweg {n}", "Parkstraße {n}", "Werftstraße {n}", "Wiesenweg {n}", "Turmstraße {n}", "Schulstraße {n}",
)  # fmt: skip
_FRENCH = (
    "{n} rue du Moulin", "{n} quai du Port", "{n} rue de la Fonderie", "{n} avenue des Vergers", "{n} place de la Gare",
    "{n} rue du Grenier", "{n} allée des Tilleuls", "{n} chemin de la Carrière", "{n} place du Marché",
    "{n} rue du Pont", "{n} boulevard du Parc", "{n} rue des Prés", "{n} rue de la Tour", "{n} rue du Collège",
)  # fmt: skip
_ITALIAN = (
    "Via del Mulino {n}",
    "Via del Porto {n}",
    "Piazza del Mercato {n}",
    "Via della Torre {n}",
    "Viale del Parco {n}",
)
_SPANISH = ("Calle del Molino {n}", "Calle del Puerto {n}", "Plaza del Mercado {n}", "Calle de la Torre {n}")
_PORTUGUESE = ("Rua do Moinho {n}", "Rua do Porto {n}", "Largo do Mercado {n}", "Rua da Torre {n}")
_DUTCH = ("Molenstraat {n}", "Havenkade {n}", "Marktplein {n}", "Brugstraat {n}", "Torenlaan {n}")
_DANISH = ("Møllevej {n}", "Havnegade {n}", "Torvet {n}", "Brogade {n}", "Parkvej {n}")
_NORWEGIAN = ("Mølleveien {n}", "Havnegata {n}", "Torget {n}", "Brugata {n}", "Parkveien {n}")
_SWEDISH = ("Kvarngatan {n}", "Hamngatan {n}", "Stortorget {n}", "Brogatan {n}", "Parkvägen {n}")
_FINNISH = ("Myllykatu {n}", "Satamakatu {n}", "Kauppatori {n}", "Siltakatu {n}", "Puistotie {n}")
_POLISH = ("ul. Młyńska {n}", "ul. Portowa {n}", "Rynek {n}", "ul. Mostowa {n}", "ul. Parkowa {n}")
_CZECH = ("Mlýnská {n}", "Nádražní {n}", "Tržní {n}", "Mostní {n}", "Sadová {n}")
_JAPANESE = (
    "本町{b}-{n}", "中央{b}-{n}", "栄{b}-{n}", "港町{b}-{n}", "駅前通{b}-{n}", "桜木町{b}-{n}", "緑町{b}-{n}",
    "泉町{b}-{n}", "若葉{b}-{n}", "城西{b}-{n}",
)  # fmt: skip

#: By the second part of a locale; by the whole of it where another language is spoken in a part of the country.
LANDS = {
    "US": Land("United States", "United States", "1", (
        City("Portland", "Oregon", "972##", 45_515_000, -122_678_000),
        City("Columbus", "Ohio", "432##", 39_961_000, -82_999_000),
        City("Denver", "Colorado", "802##", 39_739_000, -104_990_000),
        City("Raleigh", "North Carolina", "276##", 35_780_000, -78_639_000),
        City("Minneapolis", "Minnesota", "554##", 44_978_000, -93_265_000),
        City("Austin", "Texas", "787##", 30_267_000, -97_743_000),
        City("Hartford", "Connecticut", "061##", 41_764_000, -72_685_000),
        City("Boise", "Idaho", "837##", 43_615_000, -116_202_000),
        City("Richmond", "Virginia", "232##", 37_541_000, -77_436_000),
        City("Omaha", "Nebraska", "681##", 41_257_000, -95_934_000),
    ), _ENGLISH),
    "GB": Land("United Kingdom", "United Kingdom", "44", (
        City("Leeds", "West Yorkshire", "LS1 #@@", 53_801_000, -1_549_000),
        City("Manchester", "Greater Manchester", "M1 #@@", 53_481_000, -2_242_000),
        City("Bristol", "Bristol", "BS1 #@@", 51_454_000, -2_588_000),
        City("Edinburgh", "Scotland", "EH1 #@@", 55_953_000, -3_188_000),
        City("Cardiff", "Wales", "CF10 #@@", 51_482_000, -3_179_000),
        City("Norwich", "Norfolk", "NR1 #@@", 52_630_000, 1_297_000),
    ), _BRITISH),
    "DE": Land("Deutschland", "Germany", "49", (
        City("Leipzig", "Sachsen", "041##", 51_340_000, 12_375_000),
        City("Bremen", "Bremen", "281##", 53_079_000, 8_802_000),
        City("Köln", "Nordrhein-Westfalen", "506##", 50_938_000, 6_960_000),
        City("München", "Bayern", "803##", 48_137_000, 11_575_000),
        City("Freiburg", "Baden-Württemberg", "791##", 47_996_000, 7_849_000),
        City("Münster", "Nordrhein-Westfalen", "481##", 51_961_000, 7_626_000),
    ), _GERMAN),
    "FR": Land("France", "France", "33", (
        City("Lyon", "Auvergne-Rhône-Alpes", "690##", 45_764_000, 4_836_000),
        City("Nantes", "Pays de la Loire", "440##", 47_218_000, -1_554_000),
        City("Toulouse", "Occitanie", "310##", 43_605_000, 1_444_000),
        City("Lille", "Hauts-de-France", "590##", 50_629_000, 3_057_000),
        City("Besançon", "Bourgogne-Franche-Comté", "250##", 47_238_000, 6_024_000),
    ), _FRENCH),
    "JP": Land("日本", "Japan", "81", (
        City("大阪市", "大阪府", "541-00##", 34_694_000, 135_502_000),
        City("名古屋市", "愛知県", "460-00##", 35_182_000, 136_906_000),
        City("福岡市", "福岡県", "810-00##", 33_590_000, 130_402_000),
        City("仙台市", "宮城県", "980-08##", 38_268_000, 140_869_000),
        City("横浜市", "神奈川県", "231-00##", 35_444_000, 139_638_000),
        City("札幌市", "北海道", "060-00##", 43_062_000, 141_354_000),
    ), _JAPANESE),
    "AT": Land("Österreich", "Austria", "43", (
        City("Graz", "Steiermark", "80##", 47_071_000, 15_439_000),
        City("Linz", "Oberösterreich", "40##", 48_306_000, 14_286_000),
    ), _GERMAN),
    "AU": Land("Australia", "Australia", "61", (
        City("Melbourne", "Victoria", "30##", -37_814_000, 144_963_000),
        City("Adelaide", "South Australia", "50##", -34_929_000, 138_601_000),
    ), _BRITISH),
    "BE": Land("België", "Belgium", "32", (
        City("Gent", "Oost-Vlaanderen", "90##", 51_054_000, 3_717_000),
        City("Leuven", "Vlaams-Brabant", "30##", 50_879_000, 4_701_000),
    ), _DUTCH),
    "BR": Land("Brasil", "Brazil", "55", (
        City("Curitiba", "Paraná", "80010-0##", -25_429_000, -49_271_000),
        City("Recife", "Pernambuco", "50010-0##", -8_054_000, -34_881_000),
    ), _PORTUGUESE),
    "CA": Land("Canada", "Canada", "1", (
        City("Halifax", "Nova Scotia", "B3H #@#", 44_649_000, -63_575_000),
        City("Calgary", "Alberta", "T2P #@#", 51_045_000, -114_057_000),
    ), _BRITISH),
    "fr_CA": Land("Canada", "Canada", "1", (
        City("Montréal", "Québec", "H3B #@#", 45_502_000, -73_567_000),
        City("Sherbrooke", "Québec", "J1H #@#", 45_404_000, -71_893_000),
    ), _FRENCH),
    "CZ": Land("Česko", "Czechia", "420", (
        City("Brno", "Jihomoravský kraj", "602 ##", 49_195_000, 16_607_000),
        City("Plzeň", "Plzeňský kraj", "301 ##", 49_748_000, 13_378_000),
    ), _CZECH),
    "DK": Land("Danmark", "Denmark", "45", (
        City("Aarhus", "Midtjylland", "80##", 56_163_000, 10_204_000),
        City("Odense", "Syddanmark", "50##", 55_396_000, 10_388_000),
    ), _DANISH),
    "ES": Land("España", "Spain", "34", (
        City("Valencia", "Comunidad Valenciana", "460##", 39_470_000, -377_000),
        City("Bilbao", "País Vasco", "480##", 43_263_000, -2_935_000),
    ), _SPANISH),
    "FI": Land("Suomi", "Finland", "358", (
        City("Tampere", "Pirkanmaa", "331##", 61_498_000, 23_761_000),
        City("Turku", "Varsinais-Suomi", "201##", 60_452_000, 22_267_000),
    ), _FINNISH),
    "IE": Land("Ireland", "Ireland", "353", (
        City("Cork", "Munster", "T12 @#@#", 51_898_000, -8_476_000),
        City("Galway", "Connacht", "H91 @#@#", 53_271_000, -9_057_000),
    ), _BRITISH),
    "IT": Land("Italia", "Italy", "39", (
        City("Torino", "Piemonte", "101##", 45_070_000, 7_687_000),
        City("Bologna", "Emilia-Romagna", "401##", 44_494_000, 11_343_000),
    ), _ITALIAN),
    "MX": Land("México", "Mexico", "52", (
        City("Puebla", "Puebla", "720##", 19_041_000, -98_206_000),
        City("Querétaro", "Querétaro", "760##", 20_589_000, -100_390_000),
    ), _SPANISH),
    "NL": Land("Nederland", "Netherlands", "31", (
        City("Utrecht", "Utrecht", "35## @@", 52_091_000, 5_122_000),
        City("Groningen", "Groningen", "97## @@", 53_219_000, 6_567_000),
    ), _DUTCH),
    "NO": Land("Norge", "Norway", "47", (
        City("Bergen", "Vestland", "50##", 60_393_000, 5_324_000),
        City("Trondheim", "Trøndelag", "70##", 63_430_000, 10_395_000),
    ), _NORWEGIAN),
    "NZ": Land("New Zealand", "New Zealand", "64", (
        City("Wellington", "Wellington", "60##", -41_287_000, 174_776_000),
        City("Dunedin", "Otago", "90##", -45_879_000, 170_503_000),
    ), _BRITISH),
    "PL": Land("Polska", "Poland", "48", (
        City("Kraków", "małopolskie", "31-0##", 50_065_000, 19_945_000),
        City("Poznań", "wielkopolskie", "61-7##", 52_406_000, 16_925_000),
    ), _POLISH),
    "PT": Land("Portugal", "Portugal", "351", (
        City("Porto", "Porto", "4050-0##", 41_158_000, -8_629_000),
        City("Coimbra", "Coimbra", "3000-0##", 40_203_000, -8_410_000),
    ), _PORTUGUESE),
    "SE": Land("Sverige", "Sweden", "46", (
        City("Göteborg", "Västra Götaland", "411 ##", 57_709_000, 11_974_000),
        City("Uppsala", "Uppsala", "753 ##", 59_859_000, 17_639_000),
    ), _SWEDISH),
}  # fmt: skip
#: Letters that stand at these places of codes in Britain, Canada, Ireland and the Netherlands alike.
_LETTERS = "AEHNPRTWX"
#: Accounts of a thousand that sit in the company's own country, and the highest number of a house.
_AT_HOME, _HOUSES, _BLOCKS = 750, 180, 6


def land_of(locale: str) -> Land:
    """Where a company of the locale is at home."""
    return LANDS.get(locale) or LANDS[locale.partition("_")[2]]


class Addresses:
    """The addresses of a company's accounts: most in its own country."""

    def __init__(self, locale: str) -> None:
        home = land_of(locale)
        # Abroad are the towns whose names the company's people can read.
        lands = [home, *(land for land in LANDS.values() if land.name not in {home.name, LANDS["JP"].name})]
        self._cities = [
            (city, land, land.name if place == 0 else land.english)
            for place, land in enumerate(lands)
            for city in land.cities
        ]
        self._own = len(home.cities)

    def of(self, drawn: U64, codes: U64) -> list[Address]:
        """An address per draw; ``codes`` draw the ends of postal codes."""
        own, abroad = pick(mix(drawn), self._own), pick(mix(drawn), len(self._cities) - self._own)
        places = np.where(chance(drawn, _AT_HOME), own, self._own + abroad)
        houses, blocks = 1 + pick(mix(~drawn), _HOUSES), 1 + pick(mix(codes), _BLOCKS)
        streets = pick(mix(drawn + key("street")), 2**31)
        columns = (column.tolist() for column in (places, houses, blocks, streets, codes))
        return [self._address(*each) for each in zip(*columns, strict=True)]

    def _address(self, place: int, house: int, block: int, street: int, code: int) -> Address:
        city, land, country = self._cities[place]
        return Address(
            street=land.streets[street % len(land.streets)].format(n=house, b=block),
            city=city.name,
            state=city.state,
            postal_code=_postal_code(city.postal, code),
            country=country,
            dialling=land.dialling,
            latitude=city.latitude,
            longitude=city.longitude,
        )


def _postal_code(pattern: str, drawn: int) -> str:
    for kind, known in (("#", "0123456789"), ("@", _LETTERS)):
        for _ in range(pattern.count(kind)):
            drawn, place = divmod(drawn, len(known))
            pattern = pattern.replace(kind, known[place], 1)
    return pattern
