"""A catalog file, however it is broken, gives a problem with its line, quickly, and runs nothing."""

from pathlib import Path

import pytest

from dataops_core.templates.source import MAX_BYTES, Problem, read_source


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "mine.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def only_problem(folder: Path, content: str | bytes) -> Problem:
    source = read_source(written(folder, content))
    assert len(source.problems) == 1
    return source.problems[0]


def test_values_keep_their_lines(tmp_path: Path) -> None:
    source = read_source(
        written(tmp_path, "name: a\ncounts:\n  sandbox: 20\nwords: [one,\n  two]\nnested:\n  - key: x\n")
    )
    assert source.data == {"name": "a", "counts": {"sandbox": 20}, "words": ["one", "two"], "nested": [{"key": "x"}]}
    assert source.problems == []
    assert source.line(("counts", "sandbox")) == 3
    assert source.line(("words", 1)) == 5
    assert source.line(("nested", 0, "key")) == 7
    assert source.line(("counts", "absent")) == 2, "a field that is not there has the line of what would hold it"


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        ("name: x\nlist: [a, b\nversion: 1\n", 3, "is not valid YAML"),
        ("name: x\n\tversion: 1\n", 2, "is not valid YAML"),
        ("name: x\n---\nname: y\n", 2, "is not valid YAML: expected a single document"),
        (b"name: x\nlabel: caf\xe9\n", 2, "is not UTF-8 text"),
        ("name: x\nlabel: \x01\n", 2, "control character '\\x01'"),
        ('name: x\nlabel: "a\\0b"\n', 2, "holds a line break or control character"),
        ("name: x\nlabel: |\n  a\n  b\n", 2, "holds a line break or control character"),
        ("", 1, "must hold fields"),
        ("# only a comment\n", 1, "must hold fields"),
        ("- a\n- b\n", 1, "must hold fields"),
        ("name: x\n7: y\n", 2, "'7' is no name of a field"),
        ("name: x\n? [a]\n: y\n", 2, "a list or mapping cannot name a field"),
        ("name: x\nversion: " + "9" * 5000, 2, "is no whole number"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(tmp_path: Path, content: str | bytes, line: int, said: str) -> None:
    problem = only_problem(tmp_path, content)
    assert problem.file == str(tmp_path / "mine.yaml")
    assert problem.line == line
    assert said in problem.text


def test_a_field_given_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    problem = only_problem(tmp_path, "name: x\ncounts:\n  pilot: 1\n  sandbox: 2\n  pilot: 3\n")
    assert (problem.line, problem.field) == (5, "counts.pilot")
    assert problem.text == "is given twice (first on line 3)"


@pytest.mark.parametrize(
    "content",
    [
        "a: &a [x, x]\nb: [*a, *a]\n",
        "x: y\na: &a [*a]\n",
        "x: y\nb: {<<: *a}\n",
    ],
)
def test_aliases_are_refused_so_that_no_text_multiplies(tmp_path: Path, content: str) -> None:
    problem = only_problem(tmp_path, content)
    assert problem.line == 2
    assert "aliases (*a) are not allowed" in problem.text


@pytest.mark.parametrize("content", ["[" * 500_000, "- " * 500_000 + "x", "? " * 300_000, "a: " + "{b: " * 200_000])
def test_endless_nesting_is_refused_before_it_exhausts_the_stack(tmp_path: Path, content: str) -> None:
    assert only_problem(tmp_path, content).text in {
        "is nested too deeply",
        "is larger than 1 MiB: a file holds one template",
    }


def test_a_file_above_the_limit_is_not_parsed(tmp_path: Path) -> None:
    assert "larger than 1 MiB" in only_problem(tmp_path, "#" * (MAX_BYTES + 1)).text


@pytest.mark.parametrize(
    ("content", "tag"),
    [
        ("name: x\nrun: !!python/object/apply:os.mkdir [{folder}]\n", "!!python/object/apply:os.mkdir"),
        ("name: x\nrun: !mine y\n", "!mine"),
        ("name: x\nrun: !!binary eA==\n", "!!binary"),
        ("name: x\nrun: !!set {{a}}\n", "!!set"),
    ],
)
def test_tags_make_no_objects(tmp_path: Path, content: str, tag: str) -> None:
    made = tmp_path / "made"
    problem = only_problem(tmp_path, content.format(folder=made))
    assert (problem.line, problem.field) == (2, "run")
    assert problem.text == f"the tag {tag} is not allowed"
    assert not made.exists()


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    assert read_source(tmp_path / "gone.yaml").problems[0].text == "cannot be read: No such file or directory"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    source = read_source(written(tmp_path, "\ufeffname: x\r\nversion: 1\r\n"))
    assert source.data == {"name": "x", "version": 1}
    assert source.line(("version",)) == 2
