"""Calls that read or write one item: keys, paths, conditions, updates, values of every type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.support.calls import Call, api, key, s
from tests.support.tables_of_calls import PAIRS, PLAIN, n, pair, value_of

MB = 1024 * 1024


def gets() -> Iterator[Call]:
    rich = {**PLAIN, "Key": key("rich")}
    yield api("GetItem", "an item of every type", rich)
    yield api("GetItem", "none", {**PLAIN, "Key": key("none")})
    yield api("GetItem", "of no table", {"TableName": "none", "Key": key("a")})
    for path in (
        "id, n",
        "l[0], l[2].deep",
        "#m.#dot",
        "m",
        "missing",
        "l[9]",
        "id, id",
        "m, m.a",
        "#unknown",
        "",
        "l[",
        "size(id)",
        "n n",
        "status",
    ):
        names = {"#m": "m", "#dot": "with.dot"} if "#m" in path else None
        request: dict[str, Any] = {**rich, "ProjectionExpression": path}
        if names:
            request["ExpressionAttributeNames"] = names
        yield api("GetItem", f"projected to {path!r}", request)
    named = {**rich, "ExpressionAttributeNames": {"#unused": "n"}}
    yield api("GetItem", "names without an expression", named)
    yield api("GetItem", "an unused name", {**named, "ProjectionExpression": "id"})
    yield api("GetItem", "attributes, legacy", {**rich, "AttributesToGet": ["n", "m"]})
    yield api(
        "GetItem", "both ways", {**rich, "AttributesToGet": ["n"], "ProjectionExpression": "n"}
    )


def keys() -> Iterator[Call]:
    """Keys that are none, to each operation that takes one."""
    key_: Any
    for name, key_ in (
        ("of a list", {"id": {"L": [s("a")]}}),
        ("of a number", {"id": n(1)}),
        ("of null", {"id": {"NULL": True}}),
        ("empty", {"id": s("")}),
        ("of another name", {"name": s("a")}),
        ("too many", {**key("a"), "more": s("a")}),
        ("none at all", {}),
        ("not a value", {"id": "a"}),
        ("a value of no type", {"id": {}}),
        ("a value of two types", {"id": {"S": "a", "N": "1"}}),
        ("a value of an unknown type", {"id": {"X": "a"}}),
        ("a null value", {"id": None}),
        ("a number for a string", {"id": {"S": 1}}),
        ("2,049 bytes", key("k" * 2049)),
    ):
        yield api("GetItem", f"a key, {name}", {**PLAIN, "Key": key_})
        yield api("DeleteItem", f"a key, {name}", {**PLAIN, "Key": key_})
        update = {"UpdateExpression": "SET x = :v", "ExpressionAttributeValues": {":v": s("v")}}
        yield api("UpdateItem", f"a key, {name}", {**PLAIN, "Key": key_, **update})
        put = {**key_, "x": s("v")}
        yield api("PutItem", f"a key, {name}", {**PLAIN, "Item": put})
        batch = {"RequestItems": {"plain": [{"PutRequest": {"Item": put}}]}}
        yield api("BatchWriteItem", f"a key, {name}", batch)
        yield api("BatchGetItem", f"a key, {name}", {"RequestItems": {"plain": {"Keys": [key_]}}})
        write = {"TransactItems": [{"Put": {**PLAIN, "Item": put}}]}
        yield api("TransactWriteItems", f"a key, {name}", write)
        read = {"TransactItems": [{"Get": {**PLAIN, "Key": key_}}]}
        yield api("TransactGetItems", f"a key, {name}", read)


def by_arn() -> Iterator[Call]:
    """An ARN stands for the table's name."""
    keep = {"arn": ("Table", "TableArn")}
    yield api("DescribeTable", "for its ARN", PLAIN, keep=keep)
    arn = {"TableName": "$arn"}
    yield api("DescribeTable", "by ARN", arn)
    yield api("PutItem", "by ARN", {**arn, "Item": {**key("by-arn"), "n": n(1)}})
    yield api("GetItem", "by ARN", {**arn, "Key": key("by-arn")})
    yield api("Scan", "by ARN", {**arn, "Select": "COUNT"})
    yield api("BatchGetItem", "by ARN", {"RequestItems": {"$arn": {"Keys": [key("by-arn")]}}})
    delete = {"DeleteRequest": {"Key": key("by-arn")}}
    yield api("BatchWriteItem", "by ARN", {"RequestItems": {"$arn": [delete]}})
    yield api("TransactGetItems", "by ARN", {"TransactItems": [{"Get": {**arn, "Key": key("a")}}]})
    keys = {"Keys": [key("rich")]}
    both = {"RequestItems": {"$arn": keys, "plain": keys}}
    yield api("BatchGetItem", "by ARN and by name", both)


def puts() -> Iterator[Call]:
    def put(detail: str, item: dict[str, Any], **more: Any) -> Call:
        return api("PutItem", detail, {**PLAIN, "Item": {**key("put"), **item}, **more})

    yield put("nothing but the key", {})
    yield put("returning what was", {"n": n(1)}, ReturnValues="ALL_OLD")
    yield put("returning what was, again", {"n": n(2)}, ReturnValues="ALL_OLD")
    yield put("returning what is", {}, ReturnValues="ALL_NEW")
    numbers = "5.0 -0 1e5 0.00000001 1E125 1E126 1e-130 1e-131 007 +3 x NaN Infinity 0x10 1_000"
    for number in (*numbers.split(), "", " 1", "1 ", "1" * 38, "1" * 39, "\u0661"):
        yield put(f"the number {number!r}", {"n": n(number)})
    yield api("GetItem", "the last number", {**PLAIN, "Key": key("put")})
    for detail, value in (
        ("an empty string", s("")),
        ("an empty binary", {"B": ""}),
        ("an empty list", {"L": []}),
        ("an empty map", {"M": {}}),
        ("an empty set", {"SS": []}),
        ("an empty set of numbers", {"NS": []}),
        ("a set with an empty string", {"SS": [""]}),
        ("a set with duplicates", {"SS": ["a", "a"]}),
        ("a set of equal numbers", {"NS": ["1", "1.0"]}),
        ("a set with null", {"SS": [None]}),
        ("a set of sets", {"SS": [["a"]]}),
        ("a list with null", {"L": [None]}),
        ("a map with null", {"M": {"a": None}}),
        ("a null", None),
        ("a type that is null", {"S": None}),
        ("a type that is null beside another", {"S": "a", "N": None}),
        ("NULL false", {"NULL": False}),
        ("NULL of a string", {"NULL": "true"}),
        ("BOOL of a string", {"BOOL": "true"}),
        ("no base 64", {"B": "!!"}),
        ("base 64 without padding", {"B": "AA"}),
        ("a number that is no text", {"N": 1}),
        ("two types", {"S": "a", "N": "1"}),
        ("an unknown type", {"X": "a"}),
        ("a list that is a map", {"L": {}}),
        ("a map that is a list", {"M": []}),
        ("a string", "a"),
        ("32 levels", deep(32)),
        ("33 levels", deep(33)),
        ("50 levels", deep(50)),
        ("an unnamed attribute, nested", {"M": {"": s("x")}}),
        ("an unnamed attribute, in a list", {"L": [{"M": {"": s("x")}}]}),
        ("a name of 70,000 bytes, nested", {"M": {"x" * 70_000: s("x")}}),
        ("a lone surrogate", s("\ud800")),
        ("an emoji", s("🐦")),
        ("a null character", s("a\0b")),
    ):
        yield put(detail, {"v": value})
    yield put("an unnamed attribute", {**key("unnamed"), "": s("x")})
    yield put("a name of 70,000 bytes", {"x" * 70_000: s("x")})
    yield put("400 KB", {"v": s("x" * (400 * 1024 - 6))})
    yield put("400 KB and a byte", {"v": s("x" * (400 * 1024 - 5))})
    yield put("1 MB", {"v": s("x" * MB)})
    yield api("GetItem", "after all puts", {**PLAIN, "Key": key("put")})
    yield api("PutItem", "into no table", {"TableName": "none", "Item": key("a")})
    yield api("PutItem", "into a name that is none", {"TableName": "a b", "Item": key("a")})
    yield api("PutItem", "into a short name", {"TableName": "ab", "Item": key("a")})
    item = pair("eve", 1, tag=n(1))
    yield api("PutItem", "an index's key of another type", {**PAIRS, "Item": item})
    item = pair("eve", 1, tag=s(""))
    yield api("PutItem", "an index's key that is empty", {**PAIRS, "Item": item})
    collection = {"ReturnItemCollectionMetrics": "SIZE"}
    yield api("PutItem", "collection metrics", {**PAIRS, "Item": pair("eve", 2), **collection})
    yield api("PutItem", "collection metrics of none", {**PLAIN, "Item": key("a"), **collection})


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = s("x")
    for _ in range(levels - 1):
        value = {"L": [value]}
    return value


def conditions() -> Iterator[Call]:
    """Of each kind, kept and broken."""
    values = {":five": n(5), ":x": s("x"), ":a": s("a"), ":type": s("N"), ":big": n(9)}
    for text in (
        "attribute_exists(id)",
        "attribute_not_exists(id)",
        "attribute_exists(missing)",
        "attribute_type(n, :type)",
        "n = :five",
        "n <> :five",
        "n < :five",
        "n BETWEEN :five AND :big",
        "n BETWEEN :big AND :five",
        "n IN (:five, :x)",
        "contains(ss, :a)",
        "contains(l, :x)",
        "begins_with(id, :x)",
        "begins_with(n, :x)",
        "size(l) > :five",
        "size(n) > :five",
        "NOT n = :five",
        "n = :five AND (m.a = :x OR missing = :x)",
        "m.a = :x",
        "l[0] = :x",
        "n = n",
        "n = :missing",
        "n =",
        "",
        "n = :five AND",
        "unknown(n)",
        "n = :five OR n",
        "((n = :five))",
        "#n = :five",
    ):
        used = {name: value for name, value in values.items() if name in text}
        request: dict[str, Any] = {**PLAIN, "Key": key("none"), "ConditionExpression": text}
        for existing in ("none", "rich"):
            request = {**request, "Key": key(existing), "UpdateExpression": "SET touched = :t"}
            request["ExpressionAttributeValues"] = {**used, ":t": n(1)}
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
            yield api("UpdateItem", f"{existing}, if {text!r}", request)
    yield delete("if it is another", ConditionExpression="n = :v", **value_of(n(7)))
    yield delete("if it is, legacy", Expected={"n": {"Value": n(7)}})
    yield delete("if it is not there, legacy", Expected={"n": {"Exists": False}})
    legacy = {"n": {"ComparisonOperator": "NE", "AttributeValueList": [n(5)]}}
    yield delete("compared, legacy", Expected=legacy)
    yield delete("legacy and not", Expected=legacy, ConditionExpression="attribute_exists(id)")
    or_ = {"ConditionalOperator": "OR", "Expected": {**legacy, "id": {"Exists": False}}}
    yield delete("either, legacy", **or_)
    yield delete("an unknown comparison", Expected={"n": {"ComparisonOperator": "BOGUS"}})


def delete(detail: str, **more: Any) -> Call:
    return api("DeleteItem", detail, {**PLAIN, "Key": key("rich"), **more})


def updates() -> Iterator[Call]:
    """Update expressions of each kind, and what they return."""

    def update(detail: str, expression: str | None, values: dict[str, Any] | None, **more: Any):
        request: dict[str, Any] = {**PLAIN, "Key": key("updated"), "ReturnValues": "ALL_NEW"}
        if expression is not None:
            request["UpdateExpression"] = expression
        if values:
            request["ExpressionAttributeValues"] = values
        return api("UpdateItem", detail, {**request, **more})

    yield update("nothing to do", None, None)
    for text, values in (
        ("SET n = :v", n(1)),
        ("SET n = n + :v", n(1)),
        ("SET n = n - :v", n(3)),
        ("SET n = if_not_exists(n, :v)", n(9)),
        ("SET other = if_not_exists(other, :v)", n(9)),
        ("SET l = :v", {"L": [n(1)]}),
        ("SET l = list_append(l, :v)", {"L": [n(2)]}),
        ("SET l[1] = :v", n(3)),
        ("SET l[9] = :v", n(4)),
        ("SET m = :v", {"M": {"a": n(1)}}),
        ("SET m.b = :v", n(2)),
        ("SET missing.b = :v", n(2)),
        ("ADD n :v", n(5)),
        ("ADD fresh :v", n(5)),
        ("ADD tags :v", {"SS": ["a", "b"]}),
        ("ADD tags :v", {"SS": ["c"]}),
        ("DELETE tags :v", {"SS": ["a"]}),
        ("DELETE tags :v", {"SS": ["b", "c"]}),
        ("ADD l :v", n(1)),
        ("ADD n :v", s("x")),
        ("SET n = n + :v", s("x")),
        ("SET id = :v", s("x")),
        ("SET a = :v, a = :v", n(1)),
        ("SET a = :v SET b = :v", n(1)),
        ("SET a = :v, m.x = :v REMOVE other ADD n :w", n(1)),
        ("SET a = :unknown", n(1)),
        ("SET a :v", n(1)),
        ("BOGUS a = :v", n(1)),
        ("SET a = b", None),
        ("REMOVE a", None),
        ("REMOVE l[0]", None),
        ("REMOVE missing", None),
        ("REMOVE m.missing", None),
        ("REMOVE id", None),
        ("", None),
    ):
        used = {":v": values} if values else {}
        if ":w" in text:
            used[":w"] = n(1)
        yield update(f"{text}, {json.dumps(values)}", text, used)
    for kind in ("NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW", "BOGUS"):
        detail = f"returning {kind}"
        yield update(detail, "SET n = :v REMOVE m.a", {":v": n(7)}, ReturnValues=kind)
    unused = {":v": n(1), ":unused": n(2)}
    yield update("an unused value", "SET n = :v", unused)
    names = {"#n": "n", "#unused": "m"}
    more = {"ExpressionAttributeNames": names}
    yield update("an unused name", "SET #n = :v", {":v": n(1)}, **more)
    named = {"#id": "reserved", "#dot": "a.b"}
    more = {"ExpressionAttributeNames": named}
    yield update("named", "SET #id = :v, #dot = :v", {":v": n(1)}, **more)
    yield update("a reserved word", "SET status = :v", {":v": n(1)})
    empty = {"#": "n"}
    yield update(
        "a name's bad placeholder", "SET # = :v", {":v": n(1)}, ExpressionAttributeNames=empty
    )
    yield update("a value without colon", "SET n = v", {"v": n(1)})
    unnamed = {"ExpressionAttributeNames": {"#n": ""}}
    other = {"Key": key("unnamed")}
    yield update("an unnamed attribute", "SET #n = :v", {":v": n(1)}, **unnamed, **other)
    in_map = {":v": {"M": {"": s("x")}}}
    yield update("an unnamed attribute in a map", "SET mm = :v", in_map, **other)
    yield update("over 400 KB", "SET big = :v", {":v": s("x" * (400 * 1024))})
    value: Any
    for action, value in (
        ("PUT", n(1)),
        ("ADD", n(2)),
        ("DELETE", None),
        ("ADD", {"SS": ["x"]}),
        ("DELETE", {"SS": ["x"]}),
        ("BOGUS", n(1)),
    ):
        change: dict[str, Any] = {"Action": action} | ({"Value": value} if value else {})
        legacy = {"AttributeUpdates": {f"legacy-{(value and next(iter(value))) or ''}": change}}
        yield update(f"legacy {action} {json.dumps(value)}", None, None, **legacy)
    legacy = {"AttributeUpdates": {"n": {"Value": n(1)}}}
    yield update("legacy without an action", None, None, **legacy)
    yield update("legacy and not", "SET n = :v", {":v": n(1)}, **legacy)
    yield update("legacy of nothing", None, None, AttributeUpdates={})
    index_key = {**PAIRS, "Key": pair("ann", 0), "UpdateExpression": "SET tag = :v"}
    yield api("UpdateItem", "an index's key", {**index_key, **value_of(s("moved"))})
    yield api("UpdateItem", "an index's key of another type", {**index_key, **value_of(n(1))})
    yield api("UpdateItem", "an index's key, emptied", {**index_key, **value_of(s(""))})
    yield api("GetItem", "after all updates", {**PLAIN, "Key": key("updated")})
    yield update("legacy of the key", None, None, AttributeUpdates={"id": {"Value": s("x")}})
