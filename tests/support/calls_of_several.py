"""Batches, transactions and statements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.calls import Call, api, key, s
from tests.support.tables_of_calls import PLAIN, n, pair


def batches() -> Iterator[Call]:
    def get(detail: str, request: Any, **more: Any) -> Call:
        return api("BatchGetItem", detail, {"RequestItems": request, **more})

    def write(detail: str, request: Any, **more: Any) -> Call:
        return api("BatchWriteItem", detail, {"RequestItems": request, **more})

    def put(name: str, **more: Any) -> dict[str, Any]:
        return {"PutRequest": {"Item": {**key(name), **more}}}

    def without(name: str) -> dict[str, Any]:
        return {"DeleteRequest": {"Key": key(name)}}

    keys = [key("rich"), key("none")]
    yield get("one is missing", {"plain": {"Keys": keys}})
    yield get(
        "strongly, a part",
        {"plain": {"Keys": keys[:1], "ConsistentRead": True, "ProjectionExpression": "n"}},
    )
    yield get("legacy", {"plain": {"Keys": keys[:1], "AttributesToGet": ["n"]}})
    yield get("two tables", {"plain": {"Keys": keys}, "pairs": {"Keys": [pair("ann", 1)]}})
    yield get("one table is missing", {"plain": {"Keys": keys}, "none": {"Keys": keys}})
    yield get("twice the same", {"plain": {"Keys": [key("rich"), key("rich")]}})
    yield get("100", {"plain": {"Keys": [key(str(each)) for each in range(100)]}})
    yield get("101", {"plain": {"Keys": [key(str(each)) for each in range(101)]}})
    yield get("no keys", {"plain": {"Keys": []}})
    yield get("no tables", {})
    yield get(
        "nulls",
        {
            "plain": {
                "Keys": keys[:1],
                "ProjectionExpression": None,
                "ExpressionAttributeNames": None,
                "ConsistentRead": None,
                "AttributesToGet": None,
            }
        },
        ReturnConsumedCapacity=None,
    )
    yield get("a null table", {"plain": None})
    yield get(
        "consumption of a bad kind", {"plain": {"Keys": keys}}, ReturnConsumedCapacity="BOGUS"
    )
    yield write("put and delete", {"plain": [put("w1", n=n(1)), put("w2"), without("w3")]})
    yield write(
        "two tables", {"plain": [without("w1")], "pairs": [{"PutRequest": {"Item": pair("w", 1)}}]}
    )
    yield write("one table is missing", {"plain": [put("w4")], "none": [put("w4")]})
    yield write("twice the same", {"plain": [put("w5"), without("w5")]})
    yield write("25", {"plain": [put(f"w{each}") for each in range(25)]})
    yield write("26", {"plain": [put(f"w{each}") for each in range(26)]})
    yield write("none", {"plain": []})
    yield write("no tables", {})
    yield write("neither", {"plain": [{}]})
    yield write("both", {"plain": [{**put("w6"), **without("w7")}]})
    yield write("put and a null", {"plain": [{**put("w8"), "DeleteRequest": None}]})
    yield write("a null", {"plain": [None]})
    yield write("consumption of a bad kind", {"plain": [put("w9")]}, ReturnConsumedCapacity="BOGUS")
    yield api("GetItem", "what a bad batch wrote", {**PLAIN, "Key": key("w9")})
    yield write(
        "metrics of a bad kind", {"plain": [put("w9")]}, ReturnItemCollectionMetrics="BOGUS"
    )
    yield write("an item over 400 KB", {"plain": [put("w9", v=s("x" * (400 * 1024)))]})
    yield write("an unnamed attribute", {"plain": [put("unnamed", **{"": s("x")})]})
    yield api("GetItem", "what bad batches wrote", {**PLAIN, "Key": key("w9")})
    yield write("all of it back", {"plain": [without(f"w{each}") for each in range(25)]})


def transactions() -> Iterator[Call]:
    def write(detail: str, *items: Any, **more: Any) -> Call:
        return api("TransactWriteItems", detail, {"TransactItems": items, **more})

    def get(detail: str, *items: Any, **more: Any) -> Call:
        return api("TransactGetItems", detail, {"TransactItems": items, **more})

    def put(name: str, **more: Any) -> dict[str, Any]:
        return {"Put": {**PLAIN, "Item": {**key(name), "n": n(1)}, **more}}

    def without(name: str, **more: Any) -> dict[str, Any]:
        return {"Delete": {**PLAIN, "Key": key(name), **more}}

    def check(name: str, **more: Any) -> dict[str, Any]:
        return {"ConditionCheck": {**PLAIN, "Key": key(name), **more}}

    def update(name: str, text: str, values: Any) -> dict[str, Any]:
        changed = {
            "UpdateExpression": text,
            **({"ExpressionAttributeValues": values} if values else {}),
        }
        return {"Update": {**PLAIN, "Key": key(name), **changed}}

    there, absent = (
        {"ConditionExpression": f"attribute_{text}(id)"} for text in ("exists", "not_exists")
    )
    yield write(
        "of each kind",
        put("t1"),
        update("t2", "SET n = :v", {":v": n(1)}),
        without("t3"),
        check("rich", **there),
    )
    yield write("one condition fails", put("t4"), put("t1", **absent))
    returning = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    yield write("it says what was", put("t4"), put("t1", **absent, **returning))
    yield write(
        "all conditions fail", put("t2", **absent), without("t9", **there), check("none", **there)
    )
    yield get("what was not written", {"Get": {**PLAIN, "Key": key("t4")}})
    yield write("twice the same", put("t5"), without("t5"))
    yield write("no items")
    yield write("101", *[put(f"t{each}") for each in range(101)])
    yield write("100", *[put(f"t{each}") for each in range(100)])
    yield write("an empty one", {})
    yield write("of two kinds", {**put("t5"), **without("t6")})
    yield write("of a null kind", {**put("t5"), "Delete": None})
    yield write("a null", None)
    yield write("no table", {"Put": {"TableName": "none", "Item": key("a")}})
    yield write("a null token", put("t6"), ClientRequestToken=None)
    yield write("an empty token", put("t6"), ClientRequestToken="")
    yield write("a token of 37 letters", put("t6"), ClientRequestToken="x" * 37)
    yield write("a bad key", {"Put": {**PLAIN, "Item": {"id": n(1)}}}, put("t7"))
    yield write("a bad expression", update("t7", "SET", None))
    yield write("an update that fails", update("rich", "SET l = l + :v", {":v": n(1)}), put("t7"))
    yield write(
        "over 400 KB", put("t7"), {"Put": {**PLAIN, "Item": {**key("t8"), "v": s("x" * 410_000)}}}
    )
    unnamed = {**key("unnamed"), "": s("x")}
    yield write("an unnamed attribute", {"Put": {**PLAIN, "Item": unnamed}})
    yield write("consumption of a bad kind", put("t8"), ReturnConsumedCapacity="BOGUS")
    yield api("GetItem", "what bad transactions wrote", {**PLAIN, "Key": key("t8")})
    nulls = {
        "ConditionExpression": None,
        "ExpressionAttributeNames": None,
        "ExpressionAttributeValues": None,
        "ReturnValuesOnConditionCheckFailure": None,
    }
    yield write(
        "nulls",
        put("t9", **nulls),
        ClientRequestToken=None,
        ReturnConsumedCapacity=None,
        ReturnItemCollectionMetrics=None,
    )
    yield write(
        "under a token",
        update("hits", "ADD hits :v", {":v": n(1)}),
        ClientRequestToken="token-$run",
    )
    yield write(
        "under the token again",
        update("hits", "ADD hits :v", {":v": n(1)}),
        ClientRequestToken="token-$run",
    )
    yield api("GetItem", "how often it ran", {**PLAIN, "Key": key("hits")})
    yield write(
        "others under the token",
        update("hits", "ADD hits :v", {":v": n(2)}),
        ClientRequestToken="token-$run",
    )
    yield api("GetItem", "whether the others ran", {**PLAIN, "Key": key("hits")})
    yield get("two", {"Get": {**PLAIN, "Key": key("rich")}}, {"Get": {**PLAIN, "Key": key("none")}})
    yield get("a part", {"Get": {**PLAIN, "Key": key("rich"), "ProjectionExpression": "n"}})
    yield get("twice the same", *[{"Get": {**PLAIN, "Key": key("rich")}}] * 2)
    yield get("no table", {"Get": {"TableName": "none", "Key": key("rich")}})
    yield get("no items")
    yield get("101", *[{"Get": {**PLAIN, "Key": key(str(each))}} for each in range(101)])
    yield get("an empty one", {})
    yield get(
        "nulls",
        {
            "Get": {
                **PLAIN,
                "Key": key("rich"),
                "ProjectionExpression": None,
                "ExpressionAttributeNames": None,
            }
        },
        ReturnConsumedCapacity=None,
    )
    yield get(
        "consumption of a bad kind",
        {"Get": {**PLAIN, "Key": key("rich")}},
        ReturnConsumedCapacity="BOGUS",
    )


def partiql() -> Iterator[Call]:
    select = 'SELECT * FROM "plain" WHERE id = ?'
    one = {"Statement": select, "Parameters": [s("rich")]}
    yield api("ExecuteStatement", "a read", one)
    yield api("BatchExecuteStatement", "a read", {"Statements": [one]})
    yield api("ExecuteTransaction", "a read", {"TransactStatements": [one]})
