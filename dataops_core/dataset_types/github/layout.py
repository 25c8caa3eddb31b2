"""What repositories of each archetype are called, written in, and what their READMEs say. Data only.

In texts names in braces are pools. A suffix belongs to one archetype and is one word, so that names never meet.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dataops_core.generation.outline import Section

_TEXT = {"paragraph": 8, "live": 2, "subsection": 3}


@dataclass(frozen=True, slots=True)
class Layout:
    """An archetype of repository."""

    suffixes: tuple[str, ...]
    #: Languages with their weights.
    languages: Mapping[str, int]
    descriptions: tuple[str, ...]
    intros: tuple[str, ...]
    sections: tuple[Section, ...]


_RUN = Section(("Running it", "Local development", "Getting started"), {"code": 7, "steps": 4, "paragraph": 4})
_CONFIGURE = Section(("Configuration", "Settings", "Environment"), {"settings": 7, "paragraph": 4, "code": 3})
_OPERATE = Section(("Operations", "Running in production", "On call"), {"metrics": 5, "live": 3, **_TEXT})
_CHANGE = Section(
    ("Contributing", "How to change it", "Development"), {"bullets": 4, "steps": 4, "live": 3, "paragraph": 4}
)
_KNOWN = Section(("Known issues", "Limits", "Roadmap"), {"issues": 6, "bullets": 3, "live": 3, "paragraph": 3})

LAYOUTS: Mapping[str, Layout] = {
    "service": Layout(
        suffixes=("backend", "daemon", "endpoint", "dispatcher", "manager", "hub"),
        languages={"Java": 5, "Kotlin": 3, "Go": 5, "Python": 4, "TypeScript": 3, "C#": 2},
        descriptions=(
            "{a_j} {n} that {v} {ns} for {stake}",
            "Keeps {j} {ns} for the {sys}",
            "Hands {ns} over to the {sys}, {j} ones first",
            "The {n} behind {prods}",
        ),
        intros=(
            "This service keeps {things} in order. {team} runs it for {project}. ",
            "It hands {things} over to the {system}. Ask {person_mail} before you depend on it. ",
            "Other services call this one for {a_thing}. {person} leads its development. ",
        ),
        sections=(
            Section(("What it does", "Overview", "Purpose"), {**_TEXT, "bullets": 3}),
            Section(
                ("Interface", "Endpoints", "How to call it"), {"code": 5, "settings": 3, "paragraph": 5, "bullets": 2}
            ),
            _RUN,
            _CONFIGURE,
            _OPERATE,
            _KNOWN,
            _CHANGE,
        ),
    ),
    "library": Layout(
        suffixes=("client", "sdk", "lib", "schemas", "protocol", "toolkit", "types"),
        languages={"Java": 4, "Python": 5, "TypeScript": 5, "Go": 4, "Rust": 2, "Kotlin": 2},
        descriptions=(
            "A library to {vb} {j} {ns}",
            "Types and rules of {ns} and {ns}",
            "Lets a program {vb} {a_j} {n} in one call",
            "The shared model of {j} {ns}",
        ),
        intros=(
            "A small library for {things}. {team} maintains it; {person} reviews changes. ",
            "Use this library wherever {things} matter. It has no dependency on the {system}. ",
            "It was cut out of {service} and is used by {other_service} as well. ",
        ),
        sections=(
            Section(("Why it exists", "Overview", "Concepts"), {**_TEXT, "bullets": 3}),
            Section(("Installation", "Set-up", "Adding it"), {"code": 8, "paragraph": 3}),
            Section(("Usage", "Examples", "A first call"), {"code": 8, "paragraph": 5, "subsection": 3}),
            Section(("Reference", "Options", "Interface"), {"settings": 7, "bullets": 3, "paragraph": 4}),
            _KNOWN,
            _CHANGE,
        ),
    ),
    "infrastructure": Layout(
        suffixes=("terraform", "helm", "cluster", "network", "policies", "images"),
        languages={"HCL": 7, "Shell": 2, "Go": 2, "Dockerfile": 2, "Python": 1},
        descriptions=(
            "Infrastructure of the {n}: {j} by default",
            "Modules that provision {ns} for the {sys}",
            "Everything that {ns} run on",
            "Policies that keep {ns} {j}",
        ),
        intros=(
            "Modules for what {things} run on. {team} applies them; a pull request is the only way to change them. ",
            "Declares the environments of {service} and {other_service}. {person_mail} approves changes. ",
            "This repository provisions what the {system} needs for {things}. ",
        ),
        sections=(
            Section(("Overview", "Layout", "What is declared here"), {**_TEXT, "bullets": 4}),
            Section(("Requirements", "Access", "Before you begin"), {"bullets": 6, "code": 3, "paragraph": 4}),
            Section(("Applying changes", "Usage", "Rolling out"), {"steps": 7, "code": 6, "paragraph": 3}),
            Section(("Variables", "Inputs", "Settings"), {"settings": 8, "paragraph": 4}),
            _OPERATE,
            _CHANGE,
        ),
    ),
    "data_pipeline": Layout(
        suffixes=("pipeline", "etl", "warehouse", "features", "reports", "export"),
        languages={"Python": 8, "SQL": 3, "Scala": 3, "Java": 1},
        descriptions=(
            "Loads {ns} and {ns} into the warehouse, {often}",
            "Builds tables of {j} {ns} for {stake}",
            "Computes the {m} from {ns}",
            "Joins {ns} with what the {sys} knows of them",
        ),
        intros=(
            "Loads {things} for {stakeholders}. {team} watches it; {person} owns the tables. ",
            "Every run reads {things} from {service} and writes one table per day. ",
            "This pipeline tells {stakeholders} about {things}. It runs beside the {system}. ",
        ),
        sections=(
            Section(("What it loads", "Overview", "Lineage"), {**_TEXT, "bullets": 3}),
            Section(("Tables", "Outputs", "Data model"), {"tables": 7, "code": 4, "paragraph": 4}),
            Section(("Running a backfill", "Usage", "Running it by hand"), {"code": 6, "steps": 6, "paragraph": 3}),
            _CONFIGURE,
            _OPERATE,
            _KNOWN,
        ),
    ),
    "frontend": Layout(
        suffixes=("portal", "webapp", "dashboard", "console", "widgets", "mobile"),
        languages={"TypeScript": 8, "JavaScript": 2, "Swift": 1, "Kotlin": 1},
        descriptions=(
            "Where {stake} see {ns} and {ns}",
            "Shows {j} {ns} to {stake}",
            "The screens of {prods}: {ns}, {ns} and the {m}",
            "Lets {stake} {vb} {a_n} without help",
        ),
        intros=(
            "{Stakeholders} see {things} here. {team} designs and builds it. ",
            "The screens for {things}. They read from {service}; {person} answers questions about the design. ",
            "A single-page application on top of {service} and {other_service}. ",
        ),
        sections=(
            Section(("What it shows", "Overview", "Screens"), {**_TEXT, "bullets": 4}),
            _RUN,
            Section(("Structure", "Components", "Design"), {"bullets": 4, "tables": 2, **_TEXT}),
            _CONFIGURE,
            Section(
                ("Accessibility and tests", "Testing", "Quality"), {"steps": 4, "metrics": 4, "code": 3, "paragraph": 5}
            ),
            _KNOWN,
            _CHANGE,
        ),
    ),
    "tooling": Layout(
        suffixes=("cli", "scripts", "generator", "linter", "playbooks", "bench"),
        languages={"Python": 5, "Go": 5, "Shell": 3, "Rust": 2, "TypeScript": 2},
        descriptions=(
            "A command to {vb} {ns} from a terminal",
            "Finds {j} {ns} before they reach the {sys}",
            "Scripts for {p}",
            "Measures the {m} on a developer's machine",
        ),
        intros=(
            "A tool for {team}: it finds {things} before anybody else does. ",
            "It makes {practice} a matter of one command. {person} wrote the first version. ",
            "Helps with {things} in {service}. Install it once; it updates itself. ",
        ),
        sections=(
            Section(("What it is for", "Overview", "Why"), {**_TEXT, "bullets": 3}),
            Section(("Installation", "Set-up", "Getting it"), {"code": 8, "paragraph": 3}),
            Section(("Commands", "Usage", "How to use it"), {"code": 7, "tables": 3, "bullets": 3, "paragraph": 3}),
            _CONFIGURE,
            _KNOWN,
            _CHANGE,
        ),
    ),
}

#: Ids of licenses with name and SPDX id; the last one is that of what is not published.
LICENSES = (
    ("apache-2.0", "Apache License 2.0", "Apache-2.0"),
    ("mit", "MIT License", "MIT"),
    ("bsd-3-clause", 'BSD 3-Clause "New" or "Revised" License', "BSD-3-Clause"),
    ("other", "Other", "NOASSERTION"),
)
