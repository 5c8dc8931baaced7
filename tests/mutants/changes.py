"""The small changes that can be made to a file: an operator, a constant, a call left out."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
"""What takes an operator's place; ``not`` and a minus are left out."""
WIDTH = 120
"""Letters of code that a change is shown with."""
SHOWN = ast.expr | ast.stmt | ast.comprehension | ast.keyword | ast.arguments
HEADED = ast.stmt | ast.excepthandler
NAMED = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


Step = tuple[str, int | None]
"""How to go from a node to one below it: by a field, and a place in it if it is a list."""
Way = tuple[Step, ...]


@dataclass(frozen=True)
class Change:
    """One change, named by what is read there before and after, which outlives moved lines."""

    file: str
    within: str
    before: str
    after: str
    lines: range = field(compare=False)
    way: Way = field(compare=False, repr=False)
    new: ast.AST = field(compare=False, repr=False)

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.file, self.within, self.before, self.after

    def made(self, code: str) -> str:
        """The file's code with the change, without its comments."""
        tree = ast.parse(code)
        _put(_nodes(tree, self.way)[-2], self.way[-1], self.new)
        return ast.unparse(ast.fix_missing_locations(tree))

    def __str__(self) -> str:
        where = f"{self.file}:{self.lines[0]} {self.within}".rstrip()
        return f"{where}\n    - {self.before}\n    + {self.after}"


def changes(path: Path, root: Path) -> list[Change]:
    """Every change that can be made to a file; a change twice in a function counts once."""
    tree = ast.parse(path.read_text())
    name = path.relative_to(root).as_posix()
    return list(dict.fromkeys(_change(name, tree, way, new) for way, new in list(_ways(tree))))


def _ways(tree: ast.Module) -> Iterator[tuple[Way, ast.AST]]:
    """Where something can be changed, and what takes its place."""
    waiting: list[tuple[Way, ast.AST, ast.AST | None]] = [((), tree, None)]
    while waiting:
        way, node, parent = waiting.pop(0)
        if _says_nothing(node):
            continue
        yield from ((way, new) for new in _others(node, parent))
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "type_params", "decorator_list", "ctx"):
                continue
            if isinstance(value, ast.AST):
                waiting.append(((*way, (name, None)), value, node))
            elif isinstance(value, list):
                waiting += [
                    ((*way, (name, place)), child, node)
                    for place, child in enumerate(value)
                    if isinstance(child, ast.AST)
                ]


def _says_nothing(node: ast.AST) -> bool:
    """What does not run, or is there for tools: docstrings, types, ``__all__``, ``strict``."""
    match node:
        case ast.FunctionDef(body=[ast.Expr(value=ast.Constant(value=value))]) if value is ...:
            return True
        case ast.keyword(arg="strict"):
            return True
        case ast.Expr(value=ast.Constant()) | ast.Subscript(value=ast.Name(id="Literal")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")]):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec" | "cast")):
            return True
    return False


def _others(node: ast.AST, parent: ast.AST | None) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str(value)):
            yield ast.Constant("" if value else "x")
        case ast.Constant(value=bytes(value)):
            yield ast.Constant(b"" if value else b"x")
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call())):
            yield ast.Pass()
        case ast.Call(args=[only], keywords=[]) if not isinstance(only, ast.Starred):
            if not isinstance(parent, ast.Raise | ast.Expr):
                yield only
        case ast.Call(func=ast.Attribute(value=ast.Name(id="self"))):
            pass
        case ast.Call(func=ast.Attribute(value=value), args=[], keywords=[]):
            if not isinstance(parent, ast.Raise | ast.Expr | ast.Await):
                yield value
        case ast.operator() | ast.boolop() | ast.cmpop() if type(node) in OPERATORS:
            yield OPERATORS[type(node)]()


def _change(file: str, tree: ast.Module, way: Way, new: ast.AST) -> Change:
    nodes = _nodes(tree, way)
    # The statement that it is in, or as much of it as can be read at a glance.
    shown = max(place for place, node in enumerate(nodes) if isinstance(node, HEADED))
    statement = nodes[shown]
    for node in nodes[shown + 1 :]:
        if len(_head(nodes[shown])) <= WIDTH or not isinstance(node, SHOWN):
            break
        shown += 1
    before = _head(nodes[shown])
    _put(nodes[-2], way[-1], new)
    after = _head(_nodes(tree, way)[shown])
    _put(nodes[-2], way[-1], nodes[-1])
    within = [node.name for node in nodes if isinstance(node, NAMED)]
    return Change(file, ".".join(within), before, after, _lines(statement), way, new)


def _nodes(tree: ast.AST, way: Way) -> list[ast.AST]:
    nodes = [tree]
    for name, place in way:
        value = getattr(nodes[-1], name)
        nodes.append(value if place is None else value[place])
    return nodes


def _put(parent: ast.AST, step: Step, node: ast.AST) -> None:
    name, place = step
    if place is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[place] = node


def _lines(statement: ast.AST) -> range:
    """Those of a statement; of one that has others in it, those before them; and of a function,
    whose defaults matter to all of it, its own."""
    first, last = statement.lineno, statement.end_lineno  # type: ignore[attr-defined]
    within = getattr(statement, "body", None) or getattr(statement, "cases", None)
    if within and not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        last = getattr(within[0], "lineno", first + 1) - 1
    return range(first, max(first, last) + 1)


def _head(node: Any) -> str:
    """A node as code: without its body, if it has one."""
    if isinstance(node, ast.Match):
        return f"match {ast.unparse(node.subject)}:"
    if isinstance(node, HEADED) and hasattr(node, "body"):
        node = copy.copy(node)
        node.body, node.orelse, node.finalbody, node.decorator_list = [ast.Pass()], [], [], []
        return ast.unparse(ast.fix_missing_locations(node)).removesuffix("\n    pass")
    return ast.unparse(node)
