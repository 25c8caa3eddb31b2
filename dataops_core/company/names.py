"""Word parts that fictional companies, customers, teams, projects and services are named with. Data only.

All are ours; the combinations are invented. A name that is nevertheless a well-known company's is left out by
``KNOWN_NAMES``.
"""

#: First and second parts of an invented company name: Quillmere, Ostravane.
STEMS_A = (
    "Alder", "Amber", "Bram", "Brisk", "Cask", "Cinder", "Copper", "Corvin", "Dapple", "Drift", "Dunn", "Ebon", "Elder",
    "Fallow", "Fennel", "Gable", "Glimmer", "Gorse", "Halden", "Hearth", "Ivory", "Jasper", "Kestrel", "Kindle",
    "Larch",
    "Lumen", "Marl", "Mossy", "Nettle", "Oaken", "Ostra", "Pebble", "Pell", "Quarry", "Quill", "Rowan", "Sable",
    "Sorrel",
    "Tallow", "Tarn", "Thistle", "Umber", "Vellum", "Verdan", "Willow", "Wren", "Yarrow", "Zephyr",
)  # fmt: skip
STEMS_B = (
    "brook", "croft", "fell", "gate", "grove", "harrow", "holt", "lane", "march", "mere", "moor", "pike", "quay",
    "reach",
    "ridge", "rill", "row", "shore", "spire", "strand", "vale", "wharf", "wick", "yard",
)  # fmt: skip
COMPANY_FORMS = ("Labs", "Works", "Systems", "Group", "Collective", "Partners", "Industries", "Technologies")
CUSTOMER_FORMS = (
    "Holdings", "Trading", "Cooperative", "Logistics", "Foods", "Mutual", "Clinics", "Outfitters", "Components",
    "Brothers",
    "Supply", "Freight", "Retail", "Instruments", "Energy", "Studios",
)  # fmt: skip

#: Well-known names that the parts above must never form, compared without case and spaces.
KNOWN_NAMES = frozenset(
    {
        "amberroad", "cloudera", "copperleaf", "elderwood", "fairfield", "hearthstone", "ivorywood", "kestrellabs",
        "kindle", "lumentechnologies", "quarryworks", "rowanwood", "sableridge", "willowbrook", "willowgrove",
        "willowridge", "willowvale", "zephyrsystems", "marlbrook", "elderbrook",
    }
)  # fmt: skip

#: Team names; a company has as many of them as its size asks for, in an order of its own.
TEAMS = (
    "Platform Engineering", "Data Platform", "Site Reliability", "Identity and Access", "Client Onboarding",
    "Partner Integrations", "Billing Operations", "Mobile Experience", "Search and Discovery", "Developer Experience",
    "Security Engineering", "Quality Engineering", "Business Analytics", "Release Management", "Compliance Operations",
    "Workflow Automation",
)  # fmt: skip

#: Titles by rank within a team: the manager's, then everybody else's.
MANAGER_TITLES = ("Engineering Manager", "Director", "Team Lead", "Head of Delivery")
TITLES = (
    "Software Engineer", "Senior Software Engineer", "Staff Engineer", "Product Manager", "Business Analyst",
    "Data Engineer", "Quality Engineer", "Technical Writer", "Site Reliability Engineer", "Product Designer",
    "Program Manager", "Solutions Architect",
)  # fmt: skip

#: Code names of projects: the first four letters differ, so that Jira keys cut from them are unique.
PROJECT_WORDS = (
    "Anchor", "Beacon", "Cascade", "Compass", "Delta", "Ember", "Falcon", "Garnet", "Harbor", "Juniper", "Keystone",
    "Lantern", "Meridian", "Monarch", "Nimbus", "Orchard", "Pioneer", "Quartz", "Redwood", "Saffron", "Summit",
    "Tandem",
    "Tideway", "Vector", "Voyager", "Waypoint",
)  # fmt: skip
PROJECT_FORMS = (
    "Migration", "Rollout", "Consolidation", "Modernization", "Program", "Refresh", "Expansion", "Initiative", "Portal",
    "Integration",
)  # fmt: skip

#: Names of services: stem and role.
SERVICE_STEMS = (
    "relay", "beacon", "ember", "atlas", "orbit", "pylon", "talon", "cobalt", "mosaic", "prism", "lattice", "sentry",
    "harvest", "cipher", "tundra", "lichen", "marlin", "osprey", "gannet", "heron", "sparrow", "thicket", "bramble",
    "cedar",
)  # fmt: skip
SERVICE_ROLES = ("api", "gateway", "worker", "scheduler", "router", "ingest", "broker", "resolver", "registry", "sync")

#: No person's name holds one of these: directory imports drop such people as machines.
MACHINE_WORDS = (
    "test", "fake", "oncall", "user", "disabled", "service", "zoom", "request", "osx", "account", "dummy", "admin",
    "bot",
)  # fmt: skip

#: Full names that Faker can form and that are too well known for a mock company.
KNOWN_PEOPLE = frozenset(
    {
        "Michael Jackson", "James Brown", "Elizabeth Taylor", "George Bush", "Michael Jordan", "Kate Moss",
        "Paul Simon",
        "Emma Watson", "Boris Johnson", "Thomas Müller", "Helmut Schmidt", "Steve Martin", "Will Smith",
        "Jennifer Lopez",
        "Taylor Swift", "James Bond", "John Adams", "Diana Ross", "Richard Burton", "George Michael", "David Cameron",
        "Tony Blair", "Peter Parker", "Whitney Houston", "Grace Kelly", "Naomi Campbell", "Michael Caine",
        "高橋 陽一", "山本 太郎", "山田 太郎", "山田 花子", "坂本 真綾", "清水 翔太", "阿部 翔太", "橋本 治",
        "橋本 淳", "石川 淳", "石川 さゆり", "遠藤 舞", "藤井 聡太郎", "三浦 翼", "松田 翔太", "松田 直樹",
        "岡本 太郎", "斎藤 学", "斉藤 学", "佐藤 学", "山崎 直子", "前田 治", "田中 直樹", "田中 陽子",
        "石井 明美", "佐々木 亮介",
    }
)  # fmt: skip
