"""Ten thousand hostile requests leave the endpoint serving; each answer is one of DynamoDB's."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support import hostile
from tests.support.serving import STRING_KEY, Clock, Server, serving
from tweetlab.endpoint import Moto

REQUEST_SECONDS = 2.0
"""So long the endpoint waits for a request, of which many never come to an end here."""
AT_ONCE = 100
SLOW = 200
ERROR = re.compile(r"com\.amazon[\w.]*#\w+")


@pytest.fixture(scope="module")
def patience() -> Clock:
    """The clock by which it waits."""
    return Clock()


@pytest.fixture(scope="module")
def server(patience: Clock) -> Iterator[Server]:
    with serving(Moto, request_seconds=REQUEST_SECONDS, patience=patience) as server:
        server.dynamodb.create_table(
            TableName="fuzzed",
            ProvisionedThroughput={"ReadCapacityUnits": 40_000, "WriteCapacityUnits": 40_000},
            **STRING_KEY,
        )
        yield server


async def let_time_pass(patience: Clock) -> None:
    """Much faster than it does, but no faster than the clients get their turns."""
    while True:
        await asyncio.sleep(0.01)
        patience.advance(REQUEST_SECONDS / 40)


async def exchange(server: Server, request: bytes) -> bytes:
    """All that comes back until the endpoint, or the client when it has its answer, hangs up."""
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(request)
        await writer.drain()
        answer = await asyncio.wait_for(read_answer(reader), 120)
        await asyncio.sleep(0)
        return answer
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    head = b""
    while head == b"" or head.startswith(b"HTTP/1.1 100"):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            return error.partial
    (length,) = re.findall(rb"Content-Length: (\d+)", head)
    return head + await reader.readexactly(int(length))


def problem(answer: bytes) -> str | None:
    """What is wrong with an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    if headers.get("Content-Type") != "application/x-amz-json-1.0":
        return f"content type {headers.get('Content-Type')}"
    if int(headers["x-amz-crc32"]) != zlib.crc32(body):
        return "checksum"
    parsed: dict[str, Any] = json.loads(body)
    status = int(lines[0].split()[1])
    if status == 200:
        return None
    if not ERROR.fullmatch(parsed["__type"]) or "tweetlab failed" in str(parsed):
        return str(parsed)[:300]
    return None if status in (400, 403, 408, 413, 500) else f"status {status}"


def test_ten_thousand_hostile_requests(server, patience, caplog):
    caplog.set_level(logging.CRITICAL)  # moto's own failures are many, and no news
    wrong: list[tuple[str, bytes, str]] = []
    outcomes: Counter[tuple[str, bytes]] = Counter()

    async def worker(requests: Iterator[tuple[str, bytes]]) -> None:
        for kind, request in requests:
            answer = await exchange(server, request)
            outcomes[kind, answer[9:12]] += 1
            found = problem(answer) if answer else "no answer"
            if found:
                wrong.append((kind, request[:600], found))

    async def attack() -> None:
        requests = hostile.requests(seed=1)
        passing = asyncio.create_task(let_time_pass(patience))
        await asyncio.gather(*(worker(requests) for _ in range(AT_ONCE)))
        passing.cancel()

    asyncio.run(attack())
    assert not wrong, (len(wrong), wrong[:3])
    assert outcomes.total() == 10_000
    refused = sum(n for (_, status), n in outcomes.items() if status != b"200")
    assert refused > 7_000, "these requests are hardly hostile"
    assert_serves(server)


def test_slow_clients_are_let_go_and_hinder_nobody(server, patience):
    request = hostile.http(json.dumps(hostile.request_of("GetItem")).encode(), "GetItem")

    async def attack() -> list[bytes]:
        half = request[: len(request) // 2]
        slow = asyncio.gather(*(exchange(server, half) for _ in range(SLOW)))
        quick = await asyncio.gather(*(exchange(server, request) for _ in range(20)))
        assert [answer[:12] for answer in quick] == [b"HTTP/1.1 200"] * 20
        assert not slow.done()
        passing = asyncio.create_task(let_time_pass(patience))
        answers = await slow
        passing.cancel()
        return answers

    answers = asyncio.run(attack())
    assert len(answers) == SLOW
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 408")
        assert problem(answer) is None
    assert_serves(server)


def assert_serves(server: Server) -> None:
    key = {"id": {"S": "after"}}
    server.dynamodb.put_item(TableName="fuzzed", Item=key)
    answer = server.dynamodb.get_item(TableName="fuzzed", Key=key, ConsistentRead=True)
    assert answer["Item"] == key


@pytest.mark.parametrize("operation", ["UpdateTable", "CreateTable"])
def test_a_throughput_beyond_all_measure_is_refused(server, operation):
    """moto takes any number, and each 1,000 units are a partition to keep."""
    for units in (10_000_001, 2**63):
        throughput = {"ReadCapacityUnits": 1, "WriteCapacityUnits": units}
        request = {"TableName": "fuzzed", "ProvisionedThroughput": throughput, **STRING_KEY}
        reply = server.post(operation, request)
        assert reply.status == 400
        assert reply.json["__type"].endswith("#ValidationException")
    assert_serves(server)
