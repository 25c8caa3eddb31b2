"""Blocks of office documents as their plain text: what an export as text holds of a document, a sheet or slides.

Belongs here: how each kind of content that ``office_layout.py`` names is written: headings on lines of their own, lists
with a mark, the cells of a table apart by tabs. Source: Google Drive's export formats (text/plain).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from dataops_core.dataset_types.office_layout import COLUMNS, LAYOUTS, SHEET, SLIDES, TEXT
from dataops_core.generation.library import Library
from dataops_core.generation.measures import ROWS
from dataops_core.generation.outline import Parts, Section
from dataops_core.generation.seeding import Draws
from dataops_core.generation.sentences import sentence, sentences

#: The pools of one block of a kind; the draws vary it.
_Build: TypeAlias = Callable[[Library, Draws], tuple[str, ...]]

#: A table has so many rows at most that begin with somebody to turn to, each with another one.
_CONTACTS = 3

#: How a section begins, by the form of the document: a heading, the name of a sheet, the title of a slide.
_HEADINGS: Mapping[str, str] = {TEXT: "{{{0}}}\n\n", SHEET: "Sheet: {{{0}}}\n", SLIDES: "Slide: {{{0}}}\n"}
_ENDS: Mapping[str, tuple[str, ...]] = {
    TEXT: (
        "Questions go to {person_mail}. Related: {ticket}, {repository}\n",
        "{person} keeps this document. See also {ticket} and {space_home}\n",
        "Comments to {person_mail}, please; the work is tracked in {ticket}, the page is {space_home}\n",
        "Since {service} {version} ({announcement}) some of this has changed; ask {person_mail} and see {ticket}\n",
    ),
    SHEET: (
        "Source\t{space_home}\t{ticket}\t{person}\n",
        "Checked by {person} on {day}\t{ticket}\t{repository}\n",
    ),
    SLIDES: (
        "Slide: Thank you\n{person_mail}\n{space_home}\n{repository}\n",
        "Slide: Links\n{space_home}\n{repository}\n{ticket}, {person}\n",
    ),
}


def add_pools(library: Library) -> None:
    """Adds the pools that only office documents need; those of ``sentences.add_pools`` must be there."""
    library.alias("due", "any_day")
    library.divided("person_mail", _CONTACTS)
    library.pool("change", [f"{sign}{number}%" for sign in "+-" for number in range(1, 60)])


def kinds(library: Library, draws: Draws) -> dict[str, tuple[int, ...]]:
    """The blocks of every kind of content that a layout may name. ``draws`` varies them."""
    return {kind: tuple(library.block(*build(library, draws)) for _ in range(12)) for kind, build in _BUILDERS.items()}


def parts(library: Library, archetype: str, blocks: Mapping[str, tuple[int, ...]], draws: Draws) -> Parts:
    """What an archetype's outline consists of."""
    layout = LAYOUTS[archetype]
    end = library.literal("\n\n")
    intros = []
    for text in layout.intros:
        said = library.parse(text.replace("{title_things}", "{title_j} {title_ns}"))
        for count in (1, 2, 2):
            more = (*sentences(draws, library, count, 1), end) if layout.form == TEXT else ()
            intros.append(library.block(*said, *more))
    sections = []
    for number, section in enumerate(layout.sections):
        name = f"{archetype}_heading{number}"
        library.pool(name, section.headings)
        heading = library.parse(_HEADINGS[layout.form].format(name))
        heads = [library.block(*heading, *_below(library, draws, layout.form, section)) for _ in range(4)]
        sections.append((tuple(heads), {blocks[kind]: weight for kind, weight in section.kinds.items()}))
    outros = tuple(library.block(*library.parse(text)) for text in _ENDS[layout.form])
    return Parts(tuple(intros), tuple(sections), outros).arranged(blocks, once=_ONCE, apart=("bullets", "steps"))


def _below(library: Library, draws: Draws, form: str, section: Section) -> tuple[str, ...]:
    """What stands below the heading of a section, whatever follows: text, a sheet's columns, a slide's points."""
    if form == TEXT:
        return (*sentences(draws, library, draws.between("head", 1, 3)), library.literal("\n\n"))
    if form == SHEET:
        (rows,) = section.kinds
        return (library.literal("\t".join(COLUMNS[rows]) + "\n"),)
    return _listed(library, draws)


def _paragraph(library: Library, draws: Draws) -> tuple[str, ...]:
    return (*sentences(draws, library, draws.between("length", 3, 6)), library.literal("\n\n"))


def _live(library: Library, draws: Draws) -> tuple[str, ...]:
    return (*sentences(draws, library, draws.between("live length", 2, 4), 9), *library.parse("See {ticket}.\n\n"))


def _subsection(library: Library, draws: Draws) -> tuple[str, ...]:
    return (
        *library.parse("{phrase}\n" if draws.below("own", 4) else "{phrase*}\n"),
        *sentences(draws, library, draws.between("length", 3, 6)),
        library.literal("\n\n"),
    )


def _list(mark: str, entry: str) -> _Build:
    def build(library: Library, draws: Draws) -> tuple[str, ...]:
        pools: list[str] = []
        for number in range(draws.between("entries", 3, 8)):
            own = "" if draws.below("own", 10) < 7 else "*"
            pools += library.parse(f"{mark.format(number + 1)} {{{entry}{own}}}")
            if draws.below("explained", 4) == 0:
                pools += (library.literal(". " if entry == "item" else " "), *sentence(draws))
            pools.append(library.literal("\n"))
        return (*pools, library.literal("\n"))

    return build


def _table(header: Sequence[str], row: str, smallest: int = 3, largest: int = 6) -> _Build:
    def build(library: Library, draws: Draws) -> tuple[str, ...]:
        order = draws.shuffled("order", largest)[: draws.between("rows", smallest, largest)]
        rows = [pool for part in order for pool in library.parse(row.replace("#", str(part)))]
        return (library.literal("\t".join(header) + "\n"), *rows, library.literal("\n"))

    return build


def _rows(*forms: str) -> _Build:
    """Rows of a sheet, whose header stands above them."""

    def build(library: Library, draws: Draws) -> tuple[str, ...]:
        form = forms[draws.below("form", len(forms))]
        return library.parse(form) * draws.between("rows", 2, 5)

    return build


#: What a section has once at most.
_ONCE = ("metrics", "actions", "contacts", "budget", "register", "figures", "milestones")

#: How a slide begins that is not its section's first.
_SLIDE = "Slide: {phrase}\n"


def _points(library: Library, draws: Draws) -> tuple[str, ...]:
    return (*library.parse(_SLIDE), *_listed(library, draws))


def _listed(library: Library, draws: Draws) -> tuple[str, ...]:
    """Points of a slide."""
    points = ("- {item}\n", "- {phrase}\n", "- {customer}: {item*}\n", "- Now: {practice}, with {person}\n")
    chosen = [points[draws.below("point", len(points))] for _ in range(draws.between("points", 3, 5))]
    return (*library.parse("".join(chosen)), library.literal("\n"))


def _story(library: Library, draws: Draws) -> tuple[str, ...]:
    return (
        *library.parse(_SLIDE),
        *sentences(draws, library, draws.between("story", 2, 3), 8),
        library.literal("\n\n"),
    )


def _slide(build: _Build) -> _Build:
    """A table on a slide of its own."""
    return lambda library, draws: (*library.parse(_SLIDE), *build(library, draws))


_BUILDERS: Mapping[str, _Build] = {
    "paragraph": _paragraph,
    "live": _live,
    "subsection": _subsection,
    "bullets": _list("*", "item"),
    "steps": _list("{}.", "step"),
    "metrics": _table(("Metric", "Now", "Change", "Contact"), "{measured#}\t{change}\t{person}\n", 3, ROWS),
    "actions": _table(("Action", "Owner", "Due", "Issue"), "{step}\t{person}\t{due}\t{ticket}\n"),
    "contacts": _table(("Person", "Team", "Ask about"), "{person_mail#}\t{team}\t{practice*}\n", 2, _CONTACTS),
    "budget": _table(("Item", "Amount", "Change", "Reference"), "{item}\t{amount}\t{change}\t{code}\n"),
    "register": _table(("Risk", "Level", "Owner", "What we do"), "{risk}\t{level}\t{person}\t{step}\n"),
    "tracker_rows": _rows(
        "{phrase}\t{person}\t{state}\t{day}\t{ticket}\n",
        "{item}\t{person}\t{state}\t{day}\t{ticket}\n",
        "{phrase} for {customer}\t{person}\t{state}\t{day}\t{ticket}\n",
    ),
    "budget_rows": _rows(
        "{phrase}\t{team}\t{amount} planned\t{due}\t{code}\n",
        "{item}\t{team}\t{amount} spent, {change}\t{day}\t{code}\n",
        "{phrase} for {customer}\t{team}\t{amount} invoiced\t{day}\t{code}\n",
    ),
    "register_rows": _rows(
        "{item}, against {risk}\t{person}\t{level}\t{day}\t{ticket}\n",
        "{customer} asks about {a_thing}\t{person}\t{level}\t{day}\t{ticket}\n",
    ),
    "done_rows": _rows(
        "{phrase}\t{person}\tDone\t{day}\t{ticket}\n",
        "{item} at {customer}\t{person}\tDone\t{day}\t{ticket}\n",
        "{phrase*} for {customer}\t{person}\tDropped\t{day}\t{ticket}\n",
    ),
    "plan_rows": _rows(
        "{step}\t{person}\t{level}\t{due}\t{ticket}\n",
        "{item} at {customer}\t{person}\t{level}\t{due}\t{code}\n",
    ),
    "points": _points,
    "story": _story,
    "figures": _slide(_table(("Metric", "Now", "Change"), "{measured#}\t{change}\n", 2, ROWS)),
    "milestones": _slide(_table(("When", "What", "Who"), "{due}\t{phrase}\t{person}\n", 2, 5)),
}
