"""PartiQL, as far as it decides what a statement costs: the table, the attributes it names, and
what its WHERE demands of keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from tweetlab.endpoint.table import Item, Key, plain_value

_TOKEN = re.compile(
    r"""
        '(?P<string>(?:[^']|'')*)'
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)
      | (?P<path>(?:"[^"]+"|[A-Za-z_]\w*)(?:\.(?:"[^"]+"|\w+)|\[\d+\])*)
      | (?P<mark><=|>=|<>|<<|>>|\S)
    """,
    re.VERBOSE,
)
_PATH = re.compile(r'"([^"]+)"|(\w+)')
_WORD = re.compile(
    "SELECT|FROM|INSERT|INTO|VALUE|UPDATE|SET|REMOVE|DELETE|EXISTS|RETURNING|ORDER|BY|"
    "WHERE|AND|OR|NOT|IN|BETWEEN|BEGINS_WITH",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Condition:
    """What a WHERE demands of an attribute: an operator, and the values beside it in DynamoDB's
    JSON."""

    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Search:
    """What a SELECT reads: the items of a partition key, those of some sort keys, or all of them
    (partition None)."""

    partition: Any | None
    sort: Condition | None = None

    @property
    def partition_key(self) -> str | None:
        return None if self.partition is None else plain_value(self.partition)

    def request(self, key: Key) -> dict[str, Any]:
        """The members of the Query, or the Scan, that reads the same."""
        if self.partition is None:
            return {}
        expression, names, values = "#p = :p", {"#p": key.partition}, {":p": self.partition}
        if self.sort:
            conditions = {
                "BETWEEN": "#s BETWEEN :0 AND :1",
                "BEGINS_WITH": "begins_with(#s, :0)",
            }
            condition = conditions.get(self.sort.operator, f"#s {self.sort.operator} :0")
            expression += f" AND {condition}"
            names["#s"] = str(key.sort)
            values |= {f":{number}": value for number, value in enumerate(self.sort.values)}
        return {
            "KeyConditionExpression": expression,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }


@dataclass(frozen=True)
class Statement:
    """A PartiQL statement, as far as its cost depends on it."""

    verb: str
    """SELECT, INSERT, UPDATE, DELETE or EXISTS."""
    table: str
    index: str | None
    names: frozenset[str]
    """The attributes it names; of a SELECT, those it shows."""
    item: Item
    """What an INSERT says of its item."""
    alternatives: Sequence[Mapping[str, Condition]]
    """What WHERE demands of attributes, apart for each side of an OR. What is in brackets, or is
    negated, is left out."""

    @property
    def reads(self) -> bool:
        return self.verb == "SELECT"

    def key_of(self, key: Key) -> Item | None:
        """The one key that it names, or None."""
        given = dict(self.item)
        if len(self.alternatives) == 1:
            conditions = self.alternatives[0].items()
            given |= {name: each.values[0] for name, each in conditions if each.operator == "="}
        return key.of(given) if key.within(given) else None

    def searches(self, key: Key) -> list[Search]:
        """What it reads of a table or an index with that key. Without a value of the partition
        key, by equality or IN, that is all of it (Developer Guide, "PartiQL select statements").
        """
        found = []
        for conditions in self.alternatives:
            partition = conditions.get(key.partition)
            if partition is None or partition.operator not in ("=", "IN"):
                return [Search(None)]
            sorts: list[Condition | None] = [conditions.get(key.sort or "")]
            if sorts[0] and sorts[0].operator == "IN":
                sorts = [Condition("=", (value,)) for value in sorts[0].values]
            found += [Search(value, sort) for value in partition.values for sort in sorts]
        return found or [Search(None)]


def parse(text: str, parameters: Sequence[Any] = ()) -> Statement | None:
    """What decides a statement's cost; None if it is not one that DynamoDB takes."""
    tokens = list(_tokens(text, iter(parameters)))
    match tokens:
        case ["EXISTS", "(", "SELECT", *_, ")"]:
            inner = _parse(tokens[2:-1])
            return replace(inner, verb="EXISTS") if inner else None
    return _parse(tokens)


def _tokens(text: str, parameters: Iterator[Any]) -> Iterator[Any]:
    """Words and marks as text, names as tuples of their parts, values as DynamoDB's JSON."""
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match[match.lastgroup or 0]
        if kind == "string":
            yield {"S": token.replace("''", "'")}
        elif kind == "number":
            yield {"N": token}
        elif kind == "path" and not _WORD.fullmatch(token):
            yield tuple(quoted or bare for quoted, bare in _PATH.findall(token))
        elif token == "?":
            yield next(parameters, None)
        else:
            yield token.upper()


def _parse(tokens: list[Any]) -> Statement | None:
    shown: list[Any] = []
    match tokens:
        case ["SELECT", *rest] if "FROM" in rest:
            shown, rest = rest[: rest.index("FROM")], rest[rest.index("FROM") + 1 :]
        case ["INSERT", "INTO", *rest] | ["DELETE", "FROM", *rest] | ["UPDATE", *rest]:
            pass
        case _:
            return None
    match rest:
        case [(table,), *rest]:
            index = None
        case [(table, index), *rest]:
            pass
        case _:
            return None
    item = _item(rest) if tokens[0] == "INSERT" else {}
    named = {token[0] for token in shown or rest if isinstance(token, tuple)}
    where: list[Any] = []
    if "WHERE" in rest:
        where = rest[rest.index("WHERE") + 1 :]
        ends = [where.index(word) for word in ("RETURNING", "ORDER") if word in where]
        where = where[: min(ends, default=None)]
    names = frozenset(named | item.keys())
    return Statement(tokens[0], table, index, names, item, _alternatives(where))


def _item(tokens: list[Any]) -> dict[str, Any]:
    """The attributes in ``{'id': 'a', ...}``; of lists and maps only the names."""
    item, depth = {}, 0
    for at, token in enumerate(tokens[:-1]):
        depth += (token in ("{", "[", "<<")) - (token in ("}", "]", ">>"))
        if token == ":" and depth == 1:
            name, value = tokens[at - 1], tokens[at + 1]
            name = name["S"] if isinstance(name, dict) and "S" in name else str(name)
            item[name] = value
    return item


def _alternatives(where: list[Any]) -> list[dict[str, Condition]]:
    alternatives: list[list[Any]] = [[]]
    depth = 0
    for previous, token in pairwise([None, *where]):
        called = isinstance(previous, tuple) or previous in ("BEGINS_WITH", "IN")
        if token == "(" and (depth or not called):
            depth += 1
        elif depth:
            depth -= token == ")"
        elif token == "OR":
            alternatives.append([])
        else:
            alternatives[-1].append(token)
    return [_conditions(tokens) for tokens in alternatives]


def _conditions(tokens: list[Any]) -> dict[str, Condition]:
    """What is demanded of each attribute, all at once."""
    found: dict[str, Condition] = {}
    if "NOT" in tokens:
        return found
    while tokens:
        match tokens:
            case [(name,), "=" | "<" | "<=" | ">" | ">=" as operator, {} as value, *tokens]:
                found[name] = Condition(operator, (value,))
            case [(name,), "BETWEEN", {} as low, "AND", {} as high, *tokens]:
                found[name] = Condition("BETWEEN", (low, high))
            case ["BEGINS_WITH", "(", (name,), ",", {} as value, ")", *tokens]:
                found[name] = Condition("BEGINS_WITH", (value,))
            case [(name,), "IN", "[" | "(", *tokens]:
                values = []
                while tokens and tokens[0] not in ("]", ")"):
                    values += [tokens[0]] if isinstance(tokens[0], dict) else []
                    tokens = tokens[1:]
                found[name] = Condition("IN", tuple(values))
            case [_, *tokens]:
                pass
    return found
