"""Queries and scans: conditions, pages, filters, indexes, legacy members."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.calls import Call, api, s
from tests.support.tables_of_calls import PAIRS, n, pair


def searches() -> Iterator[Call]:
    ann = {":a": s("ann")}

    def query(detail: str, condition: str | None, values: Any = None, **more: Any) -> Call:
        request: dict[str, Any] = {**PAIRS}
        if condition is not None:
            request["KeyConditionExpression"] = condition
            request["ExpressionAttributeValues"] = {**ann, **(values or {})}
        return api("Query", detail, {**request, **more})

    when = {"ExpressionAttributeNames": {"#w": "when"}}
    yield query("a partition", "author = :a")
    yield query("one page", "author = :a", Limit=5)
    yield query("the next", "author = :a", Limit=5, ExclusiveStartKey=pair("ann", 4))
    yield query("the last", "author = :a", Limit=5, ExclusiveStartKey=pair("ann", 9))
    yield query("after all", "author = :a", ExclusiveStartKey=pair("ann", 99))
    yield query("exactly all", "author = :a", Limit=12)
    yield query(
        "from a start of another partition", "author = :a", ExclusiveStartKey=pair("bob", 1)
    )
    yield query("from half a start", "author = :a", ExclusiveStartKey={"author": s("ann")})
    yield query("from a null start", "author = :a", ExclusiveStartKey=None)
    for limit in (10.0, 10.5, 0, -1, "10", None, True, 1e3, 2**31):
        yield query(f"limit {limit!r}", "author = :a", Limit=limit)
    yield query("backward", "author = :a", ScanIndexForward=False, Limit=3)
    yield query("none", "author = :z", {":z": s("nobody")})
    yield query(
        "of nobody", "author = :n", {":n": s("nobody")}, ExpressionAttributeValues={":n": s("no")}
    )
    for text in ("#w > :w", "#w BETWEEN :w AND :x", "#w = :w", "#w <> :w", "#w IN (:w)"):
        values = {":w": n(3)} | ({":x": n(5)} if ":x" in text else {})
        yield query(f"author = :a AND {text}", f"author = :a AND {text}", values, **when)
    for text in (
        "author > :a",
        "#w = :a",
        "author = :a AND author = :a",
        "author = :a OR #w = :a",
        "tag = :a",
        "author = :a AND tag = :a",
        "",
        "author = ",
    ):
        yield query(f"a bad condition, {text}", text, **when)
    yield query("a value of another type", "author = :a", {":a": n(1)})
    yield query("no condition", None)
    for kind in ("ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT", "X"):
        yield query(f"select {kind}", "author = :a", Select=kind)
    likes = {":l": n(1)}
    filter_ = {"FilterExpression": "likes = :l"}
    yield query("filtered", "author = :a", likes, **filter_)
    yield query("filtered, one page", "author = :a", likes, **filter_, Limit=2)
    yield query("filtered by its key", "author = :a", FilterExpression="author = :a")
    yield query("projected", "author = :a", ProjectionExpression="likes, tag", Limit=2)
    tag = {"IndexName": "by-tag"}
    odd = {":t": s("odd")}
    yield query("a global index", "tag = :t", odd, ExpressionAttributeValues=odd, **tag)
    more = {**tag, "ExpressionAttributeValues": odd, "Limit": 2}
    yield query("a global index, one page", "tag = :t", **more)
    start = {"ExclusiveStartKey": pair("ann", 3, tag=s("odd"))}
    yield query("a global index, the next", "tag = :t", **more, **start)
    yield query("a global index, strongly", "tag = :t", **more, ConsistentRead=True)
    yield query("a global index, all attributes", "tag = :t", **more, Select="ALL_ATTRIBUTES")
    only = {"IndexName": "by-likes-only", "ExpressionAttributeValues": {":l": n(1)}}
    yield query("keys only", "likes = :l", **only)
    yield query("keys only, all attributes", "likes = :l", **only, Select="ALL_ATTRIBUTES")
    yield query(
        "keys only, another",
        "likes = :l",
        **only,
        ProjectionExpression="#t",
        ExpressionAttributeNames={"#t": "text"},
    )
    local = {"IndexName": "by-likes"}
    yield query("a local index", "author = :a AND likes = :l", likes, **local)
    yield query("a local index, all", "author = :a", **local, Select="ALL_ATTRIBUTES", Limit=2)
    yield query("a local index, strongly", "author = :a", **local, ConsistentRead=True)
    yield query("no index", "author = :a", IndexName="none")
    conditions = {"author": {"ComparisonOperator": "EQ", "AttributeValueList": [s("ann")]}}
    yield query("legacy", None, KeyConditions=conditions)
    between = {"ComparisonOperator": "BETWEEN", "AttributeValueList": [n(2), n(4)]}
    yield query("legacy, a range", None, KeyConditions={**conditions, "when": between})
    legacy = {"likes": {"ComparisonOperator": "EQ", "AttributeValueList": [n(1)]}}
    yield query("legacy, filtered", None, KeyConditions=conditions, QueryFilter=legacy)
    yield query("legacy and not", "author = :a", KeyConditions=conditions)
    bad = {"author": {"ComparisonOperator": "GT", "AttributeValueList": [s("ann")]}}
    yield query("legacy, no equality", None, KeyConditions=bad)

    def scan(detail: str, **request: Any) -> Call:
        return api("Scan", detail, {**PAIRS, **request})

    yield scan("everything")
    yield scan("one page", Limit=4)
    yield scan("the next", Limit=4, ExclusiveStartKey=pair("ann", 3))
    yield scan("count", Select="COUNT")
    yield scan("filtered", **filter_, ExpressionAttributeValues=likes)
    yield scan(
        "nothing is left",
        FilterExpression="likes = :l",
        **{"ExpressionAttributeValues": {":l": n(99)}},
    )
    yield scan("legacy", ScanFilter=legacy)
    yield scan("legacy, null", ScanFilter={"tag": {"ComparisonOperator": "NULL"}})
    either = {"ConditionalOperator": "OR"}
    yield scan("legacy, either", ScanFilter={**legacy, "when": between}, **either)
    yield scan("a global index", **tag)
    yield scan("a global index, strongly", **tag, ConsistentRead=True)
    yield scan("keys only", IndexName="by-likes-only")
    yield scan("a local index", IndexName="by-likes", Limit=3)
    yield scan("no index", IndexName="none")
    for segment, total in ((0, 2), (1, 2), (2, 2), (0, 0), (-1, 2), (0, 1_000_001)):
        yield scan(f"segment {segment} of {total}", Segment=segment, TotalSegments=total)
    yield scan("a segment of what", Segment=0)
    yield scan("segments without one", TotalSegments=2)
    yield scan("an unused value", ExpressionAttributeValues=likes)
    yield scan("attributes, legacy", AttributesToGet=["author"], Limit=2)
    yield api("Scan", "no table", {"TableName": "none"})
    yield api("Query", "no table", {"TableName": "none", "KeyConditions": conditions})
