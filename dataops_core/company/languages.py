"""What differs from language to language: titles, and the words that companies are named with. Data only.

All names are ours, as those of ``names.py``. The words of one kind stand in one order everywhere: the n-th of
``customer_forms`` says in each language what a customer trades in.
"""

from dataclasses import dataclass

from dataops_core.company import names


@dataclass(frozen=True, slots=True)
class Titles:
    """What people do, as their cards say: those who lead a team, and everybody else.

    The words of one kind stand in one order everywhere. Where a language would have to say whether it is a man or a
    woman, they name the work, or what the cards of both say.
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

SPANISH = Words(
    stems_a=(
        "Brezo", "Cala", "Encina", "Espino", "Fresno", "Haya", "Jara", "Junco", "Laurel", "Loma", "Madroño", "Olmo",
        "Roble", "Sabina", "Sauce", "Tejo", "Tomillo", "Zarza",
    ),
    stems_b=("alba", "brisa", "clara", "mar", "monte", "norte", "prado", "sierra", "sol", "valle", "verde", "viento"),
    company_forms=("Labs", "Talleres", "Sistemas", "Grupo", "Colectivo", "Asociados", "Industrias", "Tecnologías"),
    customer_forms=(
        "Holding", "Comercial", "Cooperativa", "Logística", "Alimentos", "Mutua", "Clínicas", "Equipamiento",
        "Componentes", "Hermanos", "Suministros", "Transportes", "Almacenes", "Instrumentos", "Energía", "Estudios",
    ),
)  # fmt: skip
ITALIAN = Words(
    stems_a=(
        "Acero", "Betulla", "Brina", "Carpino", "Castagno", "Corniolo", "Edera", "Faggio", "Felce", "Frassino",
        "Ginepro", "Larice", "Mirto", "Nebbia", "Ontano", "Salice", "Sorbo", "Tiglio",
    ),
    stems_b=("alto", "bianco", "chiaro", "costa", "lago", "mare", "monte", "riva", "scuro", "sole", "valle", "vento"),
    company_forms=("Labs", "Officine", "Sistemi", "Gruppo", "Collettivo", "Associati", "Industrie", "Tecnologie"),
    customer_forms=(
        "Holding", "Commercio", "Cooperativa", "Logistica", "Alimentari", "Mutua", "Cliniche", "Attrezzature",
        "Componenti", "Fratelli", "Forniture", "Trasporti", "Magazzini", "Strumenti", "Energia", "Studi",
    ),
)  # fmt: skip
PORTUGUESE = Words(
    stems_a=(
        "Alecrim", "Amieiro", "Aroeira", "Brisa", "Cedro", "Esteva", "Faia", "Freixo", "Giesta", "Junco", "Loureiro",
        "Medronho", "Murta", "Névoa", "Orvalho", "Salgueiro", "Tília", "Urze",
    ),
    stems_b=("alva", "bela", "clara", "duna", "mar", "monte", "norte", "serra", "sol", "vale", "vento", "verde"),
    company_forms=("Labs", "Oficinas", "Sistemas", "Grupo", "Coletivo", "Associados", "Indústrias", "Tecnologias"),
    customer_forms=(
        "Holding", "Comércio", "Cooperativa", "Logística", "Alimentos", "Mútua", "Clínicas", "Equipamentos",
        "Componentes", "Irmãos", "Materiais", "Transportes", "Lojas", "Instrumentos", "Energia", "Estúdios",
    ),
)  # fmt: skip
DUTCH = Words(
    stems_a=(
        "Beuken", "Braam", "Duin", "Elzen", "Esdoorn", "Gagel", "Hazel", "Heide", "Kievit", "Klaver", "Meidoorn",
        "Nevel", "Olmen", "Riet", "Vlier", "Wilgen", "Zilver", "Zwaluw",
    ),
    stems_b=("akker", "beek", "berg", "dijk", "donk", "hof", "horst", "kamp", "loo", "meer", "veld", "wijk"),
    company_forms=("Labs", "Werken", "Systemen", "Groep", "Collectief", "Partners", "Industrie", "Technologie"),
    customer_forms=(
        "Holding", "Handel", "Coöperatie", "Logistiek", "Voeding", "Onderlinge", "Klinieken", "Uitrusting",
        "Onderdelen", "Zonen", "Toelevering", "Vracht", "Winkels", "Instrumenten", "Energie", "Studios",
    ),
)  # fmt: skip
DANISH = Words(
    stems_a=(
        "Birke", "Bregne", "Bøge", "Dug", "Fyrre", "Gran", "Hassel", "Hede", "Hyld", "Klit", "Lærke", "Lyng", "Mose",
        "Pile", "Rav", "Rønne", "Siv", "Tjørne",
    ),
    stems_b=("bjerg", "bæk", "dal", "gård", "holt", "høj", "lund", "mark", "næs", "skov", "sund", "vang"),
    company_forms=("Labs", "Værk", "Systemer", "Gruppen", "Kollektiv", "Partnere", "Industri", "Teknologi"),
    customer_forms=(
        "Holding", "Handel", "Andel", "Logistik", "Fødevarer", "Forsikring", "Klinikker", "Udstyr", "Komponenter",
        "Brødre", "Forsyning", "Fragt", "Varehuse", "Instrumenter", "Energi", "Studio",
    ),
)  # fmt: skip
NORWEGIAN = Words(
    stems_a=(
        "Bjerke", "Bregne", "Einer", "Furu", "Gran", "Hassel", "Hegge", "Kløver", "Kvit", "Lauv", "Myrull", "Røsslyng",
        "Rogne", "Selje", "Siv", "Skodde", "Tind", "Vier",
    ),
    stems_b=("bakk", "berg", "bekk", "dal", "eid", "haug", "holm", "lund", "nes", "sund", "vang", "vik"),
    company_forms=("Lab", "Verk", "Systemer", "Gruppen", "Kollektiv", "Partnere", "Industri", "Teknologi"),
    customer_forms=(
        "Holding", "Handel", "Samvirke", "Logistikk", "Matvarer", "Forsikring", "Klinikker", "Utstyr", "Komponenter",
        "Brødre", "Forsyning", "Frakt", "Butikk", "Instrumenter", "Energi", "Studio",
    ),
)  # fmt: skip
SWEDISH = Words(
    stems_a=(
        "Ask", "Björk", "Gran", "Hassel", "Hägg", "Klöver", "Ljung", "Lönn", "Mörk", "Norr", "Rönn", "Säv", "Tall",
        "Tjäder", "Vide", "Åker", "Älv", "Örn",
    ),
    stems_b=("backa", "berga", "bäck", "dalen", "gård", "hult", "källa", "lund", "näs", "strand", "vik", "åsen"),
    company_forms=("Labb", "Verk", "System", "Gruppen", "Kollektiv", "Partner", "Industri", "Teknik"),
    customer_forms=(
        "Holding", "Handel", "Kooperativ", "Logistik", "Livsmedel", "Försäkring", "Kliniker", "Utrustning",
        "Komponenter", "Bröder", "Leverans", "Frakt", "Varuhus", "Instrument", "Energi", "Studio",
    ),
)  # fmt: skip
FINNISH = Words(
    stems_a=(
        "Aarni", "Halla", "Havu", "Hilla", "Huurre", "Kaisla", "Kanerva", "Kataja", "Kelo", "Kuura", "Lehto", "Lumi",
        "Mänty", "Pouta", "Sammal", "Tuomi", "Usva", "Vaahtera",
    ),
    stems_b=("harju", "joki", "kallio", "kangas", "koski", "lahti", "lampi", "mäki", "niemi", "ranta", "salo", "vaara"),
    company_forms=("Labs", "Verstas", "Järjestelmät", "Konserni", "Yhteisö", "Kumppanit", "Teollisuus", "Tekniikka"),
    customer_forms=(
        "Holding", "Kauppa", "Osuuskunta", "Logistiikka", "Elintarvike", "Vakuutus", "Klinikat", "Varuste",
        "Komponentit", "Veljekset", "Tarvike", "Rahti", "Tavaratalo", "Mittalaite", "Energia", "Studiot",
    ),
)  # fmt: skip
POLISH = Words(
    stems_a=(
        "Bukow", "Cis", "Głog", "Grab", "Jarzęb", "Jawor", "Jesion", "Kalin", "Klon", "Leszczyn", "Mech", "Olch",
        "Rdest", "Sosn", "Tarnin", "Wierzb", "Wrzos", "Żarn",
    ),
    stems_b=("any", "awa", "ec", "eń", "ica", "iec", "in", "isko", "nik", "owiec", "ówka", "yna"),
    company_forms=("Labs", "Zakłady", "Systemy", "Grupa", "Kolektyw", "Partnerzy", "Przemysł", "Technologie"),
    customer_forms=(
        "Holding", "Handel", "Spółdzielnia", "Logistyka", "Żywność", "Ubezpieczenia", "Kliniki", "Wyposażenie",
        "Komponenty", "Bracia", "Zaopatrzenie", "Spedycja", "Sklepy", "Przyrządy", "Energia", "Studio",
    ),
)  # fmt: skip
CZECH = Words(
    stems_a=(
        "Borov", "Březov", "Habr", "Jasan", "Javor", "Jedlov", "Kalin", "Klokoč", "Lísk", "Mlhov", "Olšov", "Rákos",
        "Rokyt", "Smrk", "Topol", "Trnov", "Vrbov", "Vřesov",
    ),
    stems_b=("any", "anka", "ava", "ec", "enka", "ice", "ina", "isko", "ín", "ná", "ota", "ůvka"),
    company_forms=("Labs", "Závody", "Systémy", "Skupina", "Kolektiv", "Partneři", "Průmysl", "Technologie"),
    customer_forms=(
        "Holding", "Obchod", "Družstvo", "Logistika", "Potraviny", "Pojišťovna", "Kliniky", "Vybavení", "Komponenty",
        "Bratři", "Zásobování", "Doprava", "Prodejny", "Přístroje", "Energie", "Studio",
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
SPANISH_TITLES = Titles(
    managers=("Jefatura de desarrollo", "Dirección", "Coordinación de equipo", "Responsable de entregas"),
    others=(
        "Desarrollo de software", "Desarrollo de software sénior", "Ingeniería principal", "Gestión de producto",
        "Análisis de negocio", "Ingeniería de datos", "Calidad de software", "Redacción técnica",
        "Fiabilidad de servicios", "Diseño de producto", "Gestión de programas", "Arquitectura de soluciones",
    ),
)  # fmt: skip
ITALIAN_TITLES = Titles(
    managers=("Responsabile sviluppo", "Direzione", "Responsabile di gruppo", "Responsabile delle consegne"),
    others=(
        "Sviluppo software", "Sviluppo software senior", "Ingegneria principale", "Responsabile di prodotto",
        "Analista di business", "Ingegneria dei dati", "Controllo qualità", "Redazione tecnica",
        "Affidabilità dei servizi", "Design di prodotto", "Responsabile di programma", "Architettura delle soluzioni",
    ),
)  # fmt: skip
#: Words that Brazil and Portugal write alike.
PORTUGUESE_TITLES = Titles(
    managers=("Gestão de desenvolvimento", "Direção", "Coordenação técnica", "Gestão de entregas"),
    others=(
        "Desenvolvimento de software", "Desenvolvimento principal", "Engenharia principal", "Gestão de produto",
        "Análise de processos", "Engenharia de dados", "Garantia da qualidade", "Redação técnica",
        "Operação de serviços", "Design de produto", "Gestão de programas", "Arquitetura de soluções",
    ),
)  # fmt: skip
DUTCH_TITLES = Titles(
    managers=("Ontwikkelmanager", "Directeur", "Teamleider", "Leveringsmanager"),
    others=(
        "Softwareontwikkelaar", "Senior softwareontwikkelaar", "Hoofdontwikkelaar", "Productmanager", "Bedrijfsanalist",
        "Data-engineer", "Kwaliteitsingenieur", "Technisch schrijver", "Betrouwbaarheidsingenieur", "Productontwerper",
        "Programmamanager", "Oplossingsarchitect",
    ),
)  # fmt: skip
DANISH_TITLES = Titles(
    managers=("Udviklingschef", "Direktør", "Teamleder", "Leveranceansvarlig"),
    others=(
        "Softwareudvikler", "Senior softwareudvikler", "Ledende udvikler", "Produktchef", "Forretningsanalytiker",
        "Dataingeniør", "Kvalitetsingeniør", "Teknisk skribent", "Driftsingeniør", "Produktdesigner", "Programleder",
        "Løsningsarkitekt",
    ),
)  # fmt: skip
NORWEGIAN_TITLES = Titles(
    managers=("Utviklingssjef", "Direktør", "Teamleder", "Leveranseansvarlig"),
    others=(
        "Programvareutvikler", "Seniorutvikler", "Ledende utvikler", "Produktsjef", "Forretningsanalytiker",
        "Dataingeniør", "Kvalitetsingeniør", "Teknisk skribent", "Driftsingeniør", "Produktdesigner", "Programleder",
        "Løsningsarkitekt",
    ),
)  # fmt: skip
SWEDISH_TITLES = Titles(
    managers=("Utvecklingschef", "Direktör", "Gruppchef", "Leveransansvarig"),
    others=(
        "Mjukvaruutvecklare", "Senior mjukvaruutvecklare", "Ledande utvecklare", "Produktchef",
        "Verksamhetsanalytiker", "Dataingenjör", "Testingenjör", "Teknikinformatör", "Driftingenjör", "Produktdesigner",
        "Programansvarig", "Lösningsarkitekt",
    ),
)  # fmt: skip
FINNISH_TITLES = Titles(
    managers=("Kehityspäällikkö", "Johtaja", "Tiiminvetäjä", "Toimituspäällikkö"),
    others=(
        "Ohjelmistokehittäjä", "Vanhempi ohjelmistokehittäjä", "Johtava kehittäjä", "Tuotepäällikkö",
        "Liiketoiminta-analyytikko", "Data-insinööri", "Laatuinsinööri", "Tekninen kirjoittaja",
        "Käyttövarmuusinsinööri", "Tuotesuunnittelija", "Ohjelmapäällikkö", "Ratkaisuarkkitehti",
    ),
)  # fmt: skip
POLISH_TITLES = Titles(
    managers=("Kierownik rozwoju", "Dyrektor", "Kierownik zespołu", "Kierownik wdrożeń"),
    others=(
        "Programista", "Starszy programista", "Główny inżynier", "Menedżer produktu", "Analityk biznesowy",
        "Inżynier danych", "Inżynier jakości", "Redaktor techniczny", "Inżynier niezawodności", "Projektant produktu",
        "Kierownik programu", "Architekt rozwiązań",
    ),
)  # fmt: skip
CZECH_TITLES = Titles(
    managers=("Vedoucí vývoje", "Vedení divize", "Vedoucí týmu", "Vedoucí dodávek"),
    others=(
        "Vývoj softwaru", "Vývoj softwaru senior", "Hlavní inženýrství", "Produktový management", "Obchodní analýza",
        "Datové inženýrství", "Zajištění kvality", "Technická dokumentace", "Spolehlivost služeb", "Produktový design",
        "Řízení programů", "Architektura řešení",
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
