"""The changes by which the tests themselves are tested."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutants.changes import changes
from tests.mutants.rooms import ROOMS, changes_of, known_to_change_nothing


def made(path: Path, code: str) -> set[tuple[str, str]]:
    path.write_text(code)
    return {(change.before, change.after) for change in changes(path, path.parent)}


@pytest.mark.parametrize(
    ("code", "others"),
    [
        pytest.param("a = b + c", ["a = b - c"], id="an operator"),
        pytest.param("a += b", ["a -= b"], id="in place"),
        pytest.param("a = b < c", ["a = b <= c"], id="a comparison"),
        pytest.param("a = b < c < d", ["a = b <= c < d", "a = b < c <= d"], id="a chain of them"),
        pytest.param("a = b is None", ["a = b is not None"], id="identity"),
        pytest.param("a = b and c", ["a = b or c"], id="and"),
        pytest.param("a = not b", ["a = b"], id="not"),
        pytest.param("a = -b", ["a = b"], id="a sign"),
        pytest.param("a = 3", ["a = 4"], id="a number"),
        pytest.param("a = 0.5", ["a = 1.5"], id="a fraction"),
        pytest.param("a = True", ["a = False"], id="a truth"),
        pytest.param("a = 'b'", ["a = ''"], id="a text"),
        pytest.param("a = ''", ["a = 'x'"], id="an empty text"),
        pytest.param("a(b, c)", ["pass"], id="a call"),
        pytest.param("async def f():\n    await a(b, c)", ["pass"], id="a call that is awaited"),
        pytest.param("a = b(c)", ["a = c"], id="a call around a value"),
        pytest.param("a = b.c()", ["a = b"], id="a call of a value"),
        pytest.param("if a == b:\n    c = d", ["if a != b:"], id="the head of a block"),
        pytest.param('def f():\n    """Text."""', [], id="no docstring"),
        pytest.param("def f(a: Literal['b'], c: 'd') -> 'e': ...", [], id="no type"),
        pytest.param("def f(a=1): ...", [], id="no function without a body"),
        pytest.param("zip(a, b, strict=True)", ["pass"], id="no check of lengths"),
        pytest.param("__all__ = ['a']", [], id="no list for tools"),
        pytest.param("if TYPE_CHECKING:\n    a()", [], id="nothing that is only for tools"),
    ],
)
def test_each_kind_of_change_is_made(tmp_path, code, others):
    assert {after for _, after in made(tmp_path / "file.py", code)} == set(others)


def test_a_change_is_named_by_where_it_is_and_not_by_its_line(tmp_path):
    path = tmp_path / "file.py"
    code = "class A:\n    def b(self):\n        self.c = 1\n"
    path.write_text(code)
    (before,) = changes(path, tmp_path)
    path.write_text("import os\n\n" + code)
    (after,) = changes(path, tmp_path)
    assert before == after
    assert before.key == ("file.py", "A.b", "self.c = 1", "self.c = 2")
    assert (before.lines, after.lines) == (range(3, 4), range(5, 6))
    assert after.made(path.read_text()) == ast.unparse(
        ast.parse(path.read_text().replace("1", "2"))
    )


def test_what_is_known_to_change_nothing_can_still_be_changed():
    possible = {change.key for room in ROOMS for change in changes_of(room)}
    assert known_to_change_nothing().keys() - possible == set()
