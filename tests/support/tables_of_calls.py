"""The tables that calls find, and the words that calls are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.calls import THROUGHPUT, Call, api, key, s


def n(number: object) -> dict[str, str]:
    return {"N": str(number)}


def attributes(kinds: str) -> list[dict[str, str]]:
    """``id:S when:N`` as AttributeDefinitions."""
    pairs = [each.split(":") for each in kinds.split()]
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in pairs]


def schema(keys: str) -> list[dict[str, str]]:
    kinds = zip(keys.split(), ("HASH", "RANGE"), strict=False)
    return [{"AttributeName": name, "KeyType": kind} for name, kind in kinds]


def index(name: str, keys: str, projection: str = "ALL", **more: Any) -> dict[str, Any]:
    projected = {"ProjectionType": projection}
    return {"IndexName": name, "KeySchema": schema(keys), "Projection": projected, **more}


def table(name: str, kinds: str, keys: str, **more: Any) -> dict[str, Any]:
    return {
        "TableName": name,
        "AttributeDefinitions": attributes(kinds),
        "KeySchema": schema(keys),
        "ProvisionedThroughput": THROUGHPUT,
        **more,
    }


PLAIN = {"TableName": "plain"}
PAIRS = {"TableName": "pairs"}
RICH = {
    **key("rich"),
    "n": n(5),
    "b": {"B": "AAEC"},
    "yes": {"BOOL": True},
    "nothing": {"NULL": True},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "bs": {"BS": ["AA==", "AQ=="]},
    "l": {"L": [s("x"), n(1), {"M": {"deep": {"L": [s("y")]}}}]},
    "m": {"M": {"a": s("x"), "with.dot": n(1), "": s("unnamed")}},
}
RICH["m"]["M"].pop("")


def pair(author: str, when: int, **more: Any) -> dict[str, Any]:
    return {"author": s(author), "when": n(when), **more}


def tables() -> Iterator[Call]:
    """The tables of all that follows, and items in them."""
    yield api("CreateTable", "plain", table("plain", "id:S", "id"))
    more = {
        "LocalSecondaryIndexes": [index("by-likes", "author likes", "KEYS_ONLY")],
        "GlobalSecondaryIndexes": [
            index("by-tag", "tag when", ProvisionedThroughput=THROUGHPUT),
            index("by-likes-only", "likes", "KEYS_ONLY", ProvisionedThroughput=THROUGHPUT),
        ],
    }
    kinds = "author:S when:N likes:N tag:S"
    yield api("CreateTable", "pairs", table("pairs", kinds, "author when", **more))
    yield api("PutItem", "rich", {**PLAIN, "Item": RICH})
    for number in range(12):
        item = pair("ann", number, likes=n(number % 3), tag=s("odd" if number % 2 else "even"))
        yield api("PutItem", f"pair {number}", {**PAIRS, "Item": item | {"text": s("x" * 50)}})
    yield api("PutItem", "pair without indexed attributes", {**PAIRS, "Item": pair("bob", 1)})


def value_of(value: Any) -> dict[str, Any]:
    return {"ExpressionAttributeValues": {":v": value}}
