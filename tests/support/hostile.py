"""Malformed and hostile requests, as bytes: some 10,000 of them from one seed."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.serving import SIGNED, TARGET

MB = 1024 * 1024
OPERATIONS = [
    "GetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "Scan",
    "BatchGetItem",
    "BatchWriteItem",
    "TransactGetItems",
    "TransactWriteItems",
    "DescribeTable",
    "UpdateTable",
]
KEY = {"id": {"S": "a"}}
ITEM = {**KEY, "n": {"N": "1"}, "l": {"L": [{"S": "x"}, {"M": {"b": {"B": "AAAA"}}}]}}


def request_of(operation: str) -> dict[str, Any]:
    """A request that is well."""
    table = {"TableName": "fuzzed"}
    values = {"ExpressionAttributeValues": {":v": {"S": "a"}}}
    requests: dict[str, dict[str, Any]] = {
        "GetItem": {**table, "Key": KEY, "ConsistentRead": True},
        "PutItem": {**table, "Item": ITEM, "ReturnConsumedCapacity": "INDEXES"},
        "UpdateItem": {**table, "Key": KEY, "UpdateExpression": "SET m = :v", **values},
        "DeleteItem": {**table, "Key": KEY, "ReturnValues": "ALL_OLD"},
        "Query": {**table, "KeyConditionExpression": "id = :v", "Limit": 5, **values},
        "Scan": {**table, "Select": "COUNT", "TotalSegments": 2, "Segment": 0},
        "BatchGetItem": {"RequestItems": {"fuzzed": {"Keys": [KEY]}}},
        "BatchWriteItem": {"RequestItems": {"fuzzed": [{"PutRequest": {"Item": ITEM}}]}},
        "TransactGetItems": {"TransactItems": [{"Get": {**table, "Key": KEY}}]},
        "TransactWriteItems": {"TransactItems": [{"Put": {**table, "Item": ITEM}}]},
        "DescribeTable": table,
        "UpdateTable": {
            **table,
            "ProvisionedThroughput": {"ReadCapacityUnits": 40_000, "WriteCapacityUnits": 40_000},
        },
    }
    return requests[operation]


def http(body: bytes, operation: str, **headers: str) -> bytes:
    """A request in HTTP; a header given takes the place of the usual one."""
    usual = {
        "Host": "127.0.0.1",
        "X-Amz-Target": TARGET + operation,
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": str(len(body)),
        **SIGNED,
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**usual, **named}.items())
    return f"POST / HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


def cut_off(rng: random.Random, operation: str) -> bytes:
    body = json.dumps(request_of(operation)).encode()
    return http(body[: rng.randrange(len(body))], operation)


def flipped(rng: random.Random, operation: str) -> bytes:
    body = bytearray(json.dumps(request_of(operation)).encode())
    for _ in range(rng.randint(1, 5)):
        body[rng.randrange(len(body))] = rng.randrange(256)
    return http(bytes(body), operation)


def anything(rng: random.Random) -> Any:
    """Some JSON that may stand where it should not."""
    text = "".join(rng.choices(string.printable + "é🐦\0\u202e", k=rng.randint(0, 12)))
    simple: list[Any] = [None, True, 0, -1, 2**70, 1.5e308, text, "fuzzed", "id", "", [], {}, KEY]
    attribute = {rng.choice(["S", "N", "B", "SS", "NS", "L", "M", "BOOL", "NULL", "X"]): text}
    return rng.choice([*simple, attribute, [text] * 3, {text: text}, {"S": {"S": "x"}}])


def mistyped(rng: random.Random, operation: str) -> bytes:
    """With something else in place of one of its values, or beside it."""
    request: Any = json.loads(json.dumps(request_of(operation)))
    at = request
    while True:
        place = rng.choice(list(at)) if isinstance(at, dict) else rng.randrange(len(at))
        inner = at[place]
        if isinstance(inner, (dict, list)) and inner and rng.random() < 0.7:
            at = inner
            continue
        choice = rng.random()
        if choice < 0.2 and isinstance(at, dict):
            del at[place]
        elif choice < 0.3 and isinstance(at, dict):
            at[str(anything(rng))] = anything(rng)
        else:
            at[place] = anything(rng)
        return http(json.dumps(request).encode(), operation)


def nested(rng: random.Random, operation: str) -> bytes:
    depth = rng.choice([33, 100, 1000, 20_000])
    opened, closed = rng.choice(
        [("[", "]"), ('{"a":', "}"), ('{"L":[', "]}"), ('{"M":{"a":', "}}")]
    )
    value = opened * depth + '{"S":"x"}' + closed * depth * rng.choice([0, 1])
    body = json.dumps({**request_of(operation), "Item": "HERE"}).replace('"HERE"', value)
    return http(body.encode(), operation)


def misaddressed(rng: random.Random, operation: str) -> bytes:
    body = json.dumps(request_of(operation)).encode()
    wrong: list[dict[str, str]] = [
        {"X_Amz_Target": rng.choice(["", "x" * 5000, "Kinesis_20131202.PutRecord", "../../etc"])},
        {"X_Amz_Target": TARGET + rng.choice(["DropTable", operation.lower(), operation + " "])},
        {"Content_Type": rng.choice(["text/html", "application/json; charset=utf-16", "\x7f"])},
        {"Content_Length": rng.choice(["-1", "abc", "9" * 30, "0x10", "1,2", ""])},
        {"Transfer_Encoding": rng.choice(["chunked", "gzip, chunked", "identity", "nonsense"])},
        {"Authorization": rng.choice(["", "Basic eDp5", "AWS4-HMAC-SHA256 " + "y" * 9000])},
        {"Accept_Encoding": "br;q=" + "1" * 4000},
        {"Expect": rng.choice(["100-continue", "the worst"])},
        {"X_Junk": "z" * rng.choice([100, 70_000])},
        {"Connection": rng.choice(["close", "Upgrade"]), "Upgrade": rng.choice(["h2c", "x"])},
        {"Content_Encoding": rng.choice(["gzip", "br", "identity", ", ", "\x7f"])},
        {"Host": rng.choice(["", "localhost", "attacker.example", "[::1", "[::1]:x", "\xe9"])},
        {"Origin": rng.choice(["null", "http://127.0.0.1", "https://attacker.example", ""])},
        {"Bad Header": "x"},
    ]
    return http(body, operation, **rng.choice(wrong))


def no_http(rng: random.Random, _: str) -> bytes:
    line = rng.choice(
        [
            rng.randbytes(rng.randint(1, 300)),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET / HTTP/9.9",
            b"GET /" + b"a" * 70_000 + b" HTTP/1.1",
            b"* HTTP/2.0\r\n\r\nSM",
            b"POST / HTTP/1.1\r\nHost",
            b"POST / HTTP/1.1\r\n : x",
            b"PUT /tweetlab/drill HTTP/1.1\r\nContent-Length: 1\r\n\r\n{",
        ]
    )
    return line + b"\r\n\r\n"


def large(rng: random.Random, operation: str) -> bytes:
    filler = rng.choice(["x", "é", "[", '{"S":', "\\u0000"])
    body = json.dumps({**request_of(operation), "Item": {**KEY, "text": {"S": "HERE"}}})
    return http(body.replace("HERE", filler * (2 * MB // len(filler))).encode(), operation)


KINDS: list[tuple[Callable[[random.Random, str], bytes], int]] = [
    (cut_off, 1500),
    (flipped, 1500),
    (mistyped, 4260),
    (nested, 800),
    (misaddressed, 1200),
    (no_http, 700),
    (large, 40),
]


def requests(seed: int) -> Iterator[tuple[str, bytes]]:
    """Each request with what kind it is, in random order."""
    rng = random.Random(seed)
    kinds = [kind for kind, count in KINDS for _ in range(count)]
    rng.shuffle(kinds)
    for kind in kinds:
        yield kind.__name__, kind(rng, rng.choice(OPERATIONS))
