"""Calls whose consumption DynamoDB Local reports, and what ours consumes where that differs.

They are made in their order: each finds what those before it left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.serving import item

MISSING = "Local charges nothing for a missing item of a batch; the API reference the minimum."
NOTHING = "Local charges nothing for a search without a result; the Guide the minimum."
TWICE = "Local charges four units for each KB in a transaction; the Guide says two."
ARMS = "Local charges four units for each KB in a transaction, indexes too; AWS doubles no index."
CHECK = "Local charges four units for any check; we take a check for a write of the item."
READ = "Local leaves ReadCapacityUnits out of the table's part; DynamoDB does not."
STORAGE = "Local adds the 100 bytes that the storage of a local index's entry is billed for."
WHOLE = "Local charges scans of an index for the whole items; the Guide for what the index holds."
FETCHED = "Local fetches for any projection; the Guide for attributes that the index does not hold."
DELETED = "Local charges 2 units where a batch deletes a missing item, and 1 where DeleteItem does."

PLAIN, INDEXED = "PLAIN", "INDEXED"
"""Stand for the names of the two tables."""


@dataclass(frozen=True)
class Case:
    """A call. ``ours`` is what it consumes through the endpoint, where that differs, and why."""

    name: str
    operation: str
    request: dict[str, Any]
    ours: dict[str, Any] | None = None
    reason: str = ""


def call(operation: str, name: str, ours: Any = None, reason: str = "", **request: Any) -> Case:
    """A call, by its operation and its request."""
    return Case(f"{operation}, {name}", operation, request, ours, reason)


def on_table(units: float, kind: str = "", **indexes: dict[str, float]) -> dict[str, Any]:
    """A ConsumedCapacity with INDEXES: ``units`` are those of the table itself."""

    def counted(units: float) -> dict[str, float]:
        return {"CapacityUnits": units, kind: units} if kind else {"CapacityUnits": units}

    report: dict[str, Any] = {
        name: {index: counted(its_units) for index, its_units in of_kind.items()}
        for name, of_kind in indexes.items()
    }
    total = units + sum(sum(of_kind.values()) for of_kind in indexes.values())
    return {**counted(total), "Table": counted(units), **report}


def s(text: str) -> dict[str, str]:
    return {"S": text}


def key(name: str) -> dict[str, Any]:
    return {"id": s(name)}


def pair(author: str, name: str) -> dict[str, Any]:
    return {"author": s(author), "id": s(name)}


def tweet(author: str, name: str, size: int, **more: str) -> dict[str, Any]:
    return item(name, size, author=s(author), **{key: s(value) for key, value in more.items()})


def equals(name: str, value: str) -> dict[str, Any]:
    return {
        "KeyConditionExpression": "#k = :k",
        "ExpressionAttributeNames": {"#k": name},
        "ExpressionAttributeValues": {":k": s(value)},
    }


def set_to(name: str, value: str) -> dict[str, Any]:
    return {
        "UpdateExpression": f"SET {name} = :v",
        "ExpressionAttributeValues": {":v": s(value)},
    }


def writes() -> Iterator[Case]:
    """To a table without indexes."""
    sizes = [("new", 3500), ("again", 3500), ("smaller", 1500), ("much smaller", 100)]
    for name, size in sizes:
        yield call("PutItem", name, TableName=PLAIN, Item=item("a", size))
    yield call("PutItem", "10 KB", TableName=PLAIN, Item=item("b", 10 * 1024))
    updates = [("a little of much", "b", "y"), ("new", "c", "y"), ("growing", "c", "y" * 5000)]
    for name, of, value in updates:
        yield call("UpdateItem", name, TableName=PLAIN, Key=key(of), **set_to("n", value))
    yield call("DeleteItem", "missing", TableName=PLAIN, Key=key("missing"))
    puts = [{"PutRequest": {"Item": item("d", 500)}}, {"PutRequest": {"Item": item("e", 3500)}}]
    delete = {"DeleteRequest": {"Key": key("c")}}
    yield call("BatchWriteItem", "E10 and a delete", RequestItems={PLAIN: [*puts, delete]})
    delete = {"DeleteRequest": {"Key": key("missing")}}
    yield call("BatchWriteItem", "missing", on_table(1), DELETED, RequestItems={PLAIN: [delete]})


def reads() -> Iterator[Case]:
    """From a table without indexes."""
    for consistency in (False, True):
        how: dict[str, Any] = {"TableName": PLAIN, "ConsistentRead": consistency}
        which = "strong" if consistency else "eventual"
        nothing = on_table(1.0 if consistency else 0.5)
        filter_: dict[str, Any] = {
            "FilterExpression": "n = :n",
            "ExpressionAttributeValues": {":n": s("none")},
        }
        yield call("GetItem", which, Key=key("b"), **how)
        yield call("GetItem", f"missing, {which}", Key=key("missing"), **how)
        yield call("GetItem", f"part, {which}", Key=key("b"), ProjectionExpression="n", **how)
        yield call("Query", which, **equals("id", "b"), **how)
        missing = equals("id", "missing")
        yield call("Query", f"missing, {which}", nothing, NOTHING, **missing, **how)
        yield call("Scan", which, **how)
        yield call("Scan", f"count, {which}", Select="COUNT", **how)
        yield call("Scan", f"filtered, {which}", **filter_, **how)
    yield call("Scan", "one item", TableName=PLAIN, Limit=1)
    for segment in (0, 1):
        yield call("Scan", f"segment {segment}", TableName=PLAIN, TotalSegments=2, Segment=segment)
    two = {"Keys": [key("a"), key("b")]}
    part = {**two, "ConsistentRead": True, "ProjectionExpression": "id"}
    missing = {"Keys": [key("a"), key("missing")]}
    yield call("BatchGetItem", "two", RequestItems={PLAIN: two})
    yield call("BatchGetItem", "parts, strong", RequestItems={PLAIN: part})
    yield call("BatchGetItem", "one missing", on_table(1), MISSING, RequestItems={PLAIN: missing})


def transactions() -> Iterator[Case]:
    """On a table without indexes."""
    gets = [{"Get": {"TableName": PLAIN, "Key": key(name)}} for name in ("a", "b", "missing")]
    ours = on_table(2 + 6 + 2, "ReadCapacityUnits")
    yield call("TransactGetItems", "one missing", ours, READ, TransactItems=gets)
    put = {"TableName": PLAIN, "Item": item("f", 3000)}
    update = {"TableName": PLAIN, "Key": key("f"), **set_to("n", "y")}
    delete = {"TableName": PLAIN, "Key": key("f")}
    missing = {"TableName": PLAIN, "Key": key("missing")}
    check = {
        "TableName": PLAIN,
        "Key": key("e"),
        "ConditionExpression": "attribute_exists(id)",
    }
    writing: list[tuple[str, float, str, dict[str, Any]]] = [
        ("put", 6, TWICE, {"Put": put}),
        ("update", 6, TWICE, {"Update": update}),
        ("delete", 6, TWICE, {"Delete": delete}),
        ("delete of a missing item", 2, "", {"Delete": missing}),
        ("check", 8, CHECK, {"ConditionCheck": check}),
    ]
    for name, units, reason, action in writing:
        ours = on_table(units, "WriteCapacityUnits")
        yield call("TransactWriteItems", name, ours, reason, TransactItems=[action])
    tokened: dict[str, Any] = {
        "ClientRequestToken": f"token of {PLAIN}",
        "TransactItems": [{"Put": {"TableName": PLAIN, "Item": item("g", 5000)}}],
    }
    ours = on_table(10, "WriteCapacityUnits")
    yield call("TransactWriteItems", "with a token", ours, TWICE, **tokened)
    yield call("TransactWriteItems", "with the token again, which reads", **tokened)


def indexed_writes() -> Iterator[Case]:
    """To a table with indexes. 2,500 bytes are 3 KB also with the 100 of STORAGE."""
    for name, tweet_item in (
        ("in no index", tweet("ann", "0", 2500)),
        ("in all indexes", tweet("ann", "1", 2500, day="mon", tag="x")),
        ("unchanged in all", tweet("ann", "1", 2500, day="mon", tag="x")),
        ("what some do not hold", tweet("ann", "1", 2501, day="mon", tag="x")),
        ("smaller in all", tweet("ann", "1", 1500, day="mon", tag="x")),
        ("another key in some", tweet("ann", "1", 2500, day="tue", tag="x")),
        ("another key in the others", tweet("ann", "1", 2500, day="tue", tag="y")),
        ("out of all", tweet("ann", "1", 2500)),
        ("into all again", tweet("ann", "1", 4500, day="tue", tag="y", likes="5")),
    ):
        yield call("PutItem", name, TableName=INDEXED, Item=tweet_item)
    local: dict[str, float] = {"lsi-keys": 1, "lsi-all": 3}
    others: dict[str, float] = {"gsi-keys": 1, "gsi-some": 1, "gsi-all": 3}
    stored: dict[str, Any] = {"LocalSecondaryIndexes": local, "GlobalSecondaryIndexes": others}
    large = tweet("bob", "0", 3000, day="mon", tag="x")
    yield call(
        "PutItem", "3,000 bytes", on_table(3, **stored), STORAGE, TableName=INDEXED, Item=large
    )
    remove = {"UpdateExpression": "REMOVE tag"}
    for name, update in (
        ("what some hold", set_to("likes", "6")),
        ("nothing changed", set_to("likes", "6")),
        ("what only full ones hold", set_to("mood", "6")),
        ("a key", set_to("tag", "z")),
        ("out of some", remove),
        ("into some", set_to("tag", "z")),
    ):
        yield call("UpdateItem", name, TableName=INDEXED, Key=pair("ann", "1"), **update)
    yield call("DeleteItem", "from all", TableName=INDEXED, Key=pair("ann", "1"))
    yield call("DeleteItem", "missing, with indexes", TableName=INDEXED, Key=pair("ann", "1"))
    batch = [tweet("ann", str(n), 2500, day=f"d{n}", tag="x", likes="1") for n in range(2, 8)]
    puts = [{"PutRequest": {"Item": each}} for each in batch]
    yield call("BatchWriteItem", "into all", RequestItems={INDEXED: puts})
    put = {"TableName": INDEXED, "Item": tweet("bob", "1", 1900, day="d", tag="t")}
    ours = on_table(
        4,
        "WriteCapacityUnits",
        LocalSecondaryIndexes={"lsi-keys": 1, "lsi-all": 2},
        GlobalSecondaryIndexes={"gsi-keys": 1, "gsi-some": 1, "gsi-all": 2},
    )
    yield call("TransactWriteItems", "into all", ours, ARMS, TransactItems=[{"Put": put}])


def indexed_reads() -> Iterator[Case]:
    """From a table with indexes."""
    for index, condition, others in (
        ("lsi-keys", equals("author", "ann"), "id = :likes"),
        ("lsi-all", equals("author", "ann"), "likes = :likes"),
        ("gsi-all", equals("day", "d4"), "likes = :likes"),
        ("gsi-keys", equals("tag", "x"), "author = :likes"),
        ("gsi-some", equals("tag", "x"), "likes = :likes"),
    ):
        search = {"TableName": INDEXED, "IndexName": index, **condition}
        values = {**condition["ExpressionAttributeValues"], ":likes": s("9")}
        filtered = {**search, "ExpressionAttributeValues": values, "FilterExpression": others}
        yield call("Query", index, **search)
        yield call("Query", f"{index}, count", Select="COUNT", **search)
        yield call("Query", f"{index}, two", Limit=2, **search)
        yield call("Query", f"{index}, filtered", **filtered)
    of_ann = equals("author", "ann")
    keys = {"TableName": INDEXED, "IndexName": "lsi-keys", **of_ann}
    yield call("Query", "all fetched, two", Select="ALL_ATTRIBUTES", Limit=2, **keys)
    for consistency in (False, True):
        which = "strong" if consistency else "eventual"
        search = {**keys, "ConsistentRead": consistency}
        yield call("Query", f"all fetched, {which}", Select="ALL_ATTRIBUTES", **search)
        yield call("Query", f"one fetched, {which}", ProjectionExpression="likes", **search)
    ours = on_table(0, LocalSecondaryIndexes={"lsi-keys": 0.5})
    yield call("Query", "none fetched", ours, FETCHED, ProjectionExpression="id", **keys)
    ours = on_table(0, GlobalSecondaryIndexes={"gsi-keys": 0.5})
    missing = {"TableName": INDEXED, "IndexName": "gsi-keys", **equals("tag", "missing")}
    yield call("Query", "missing in an index", ours, NOTHING, **missing)
    for index in ("lsi-all", "gsi-all"):
        yield call("Scan", index, TableName=INDEXED, IndexName=index)
    for index in ("lsi-keys", "gsi-keys", "gsi-some"):
        kind = "LocalSecondaryIndexes" if index[0] == "l" else "GlobalSecondaryIndexes"
        of_kind: dict[str, Any] = {kind: {index: 0.5}}
        ours = on_table(0, **of_kind)
        yield call("Scan", index, ours, WHOLE, TableName=INDEXED, IndexName=index)
    yield call("Query", "table", TableName=INDEXED, **of_ann)
    yield call("Query", "backwards", TableName=INDEXED, ScanIndexForward=False, **of_ann)
    condition = {"AttributeValueList": [s("ann")], "ComparisonOperator": "EQ"}
    yield call("Query", "KeyConditions", TableName=INDEXED, KeyConditions={"author": condition})


CASES = [
    *writes(),
    *reads(),
    *transactions(),
    *indexed_writes(),
    *indexed_reads(),
]
