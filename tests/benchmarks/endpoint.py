"""``python -m tests.benchmarks.endpoint [--json] [--quick]``

What the endpoint costs: beside its upstream, for a throttled answer, for its buckets; and whether
16 readers get no more than the table has for 30 seconds. Alternating runs, as medians of ratios,
since the machine is rarely quiet.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.conftest import ROOT, compose_command, free_port, listening, running
from tests.support.accounting import BURST_SECONDS, check_accounting
from tests.support.hostile import http
from tests.support.serving import STRING_KEY, client, item
from tweetlab import endpoint
from tweetlab.capacity import TableCapacity
from tweetlab.endpoint.wire import TARGET, Answer, dump

TABLE, SMALL = "bench", "exhausted"
KEY = {"id": {"S": "a"}}
MB = 1024 * 1024


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """Amazon's DynamoDB Local, as the tests run it."""
    home = Path(os.environ.get("DYNAMODB_LOCAL_DIR", ROOT / ".cache" / "dynamodb-local"))
    port = free_port()
    command = ["java", f"-Djava.library.path={home / 'DynamoDBLocal_lib'}"]
    command += [*compose_command("dynamodb"), "-port", str(port)]
    command[command.index("DynamoDBLocal.jar")] = str(home / "DynamoDBLocal.jar")
    with tempfile.TemporaryDirectory() as directory, running(command, port, Path(directory)):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[int, str]]:
    """`tweetlab endpoint`: its process id and its URL."""
    command = [sys.executable, "-m", "tweetlab", "endpoint", "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout
        yield process.pid, process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def motos_own_server() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not listening(port):
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def make_tables(url: str) -> None:
    """One table that serves everything, one that is exhausted, with an item each."""
    dynamodb = client(url)
    for name, units in ((TABLE, 30_000), (SMALL, 1)):
        throughput = {"ReadCapacityUnits": units, "WriteCapacityUnits": 10}
        dynamodb.create_table(TableName=name, ProvisionedThroughput=throughput, **STRING_KEY)
        dynamodb.put_item(TableName=name, Item=item("a", 400))
    dynamodb.close()


class Boto3:
    """GetItem by an ordinary boto3 client."""

    def __init__(self, url: str) -> None:
        self._dynamodb = client(url)

    def __call__(self) -> None:
        self._dynamodb.get_item(TableName=TABLE, Key=KEY)


class Prepared:
    """GetItem as bytes made before, on one kept-alive connection: no SDK's time counts."""

    def __init__(self, url: str, table: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = http(dump({"TableName": table, "Key": KEY}), "GetItem")
        self.statuses: set[bytes] = set()

    def __call__(self) -> None:
        self._socket.sendall(self._request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._socket.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        (length,) = (
            int(line.partition(b":")[2])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        while len(body) < length:
            body += self._socket.recv(65536)
        self.statuses.add(head[9:12])


def alternating(
    calls: Mapping[str, Callable[[], None]], rounds: int, each: int
) -> dict[str, list[float]]:
    """The median seconds of a call, of each round; one after the other in every round."""
    medians: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        for _ in range(each):
            call()
    for _ in range(rounds):
        for name, call in calls.items():
            times = []
            for _ in range(each):
                began = time.perf_counter()
                call()
                times.append(time.perf_counter() - began)
            medians[name].append(statistics.median(times))
    return medians


def ratio(medians: Mapping[str, list[float]], of: str, to: str) -> float:
    return statistics.median(a / b for a, b in zip(medians[of], medians[to], strict=True))


def row(what: str, figure: str, must_show: str = "") -> dict[str, str]:
    return {"what": what, "figure": figure, "must show": must_show}


def overhead(rounds: int, each: int) -> Iterator[dict[str, str]]:
    """Beside DynamoDB Local and moto, and for a throttled answer."""
    with ExitStack() as stack:
        local = stack.enter_context(dynamodb_local())
        _, proxy = stack.enter_context(serving("--upstream", local))
        _, in_process = stack.enter_context(serving())
        of_moto = stack.enter_context(motos_own_server())
        for url in (proxy, in_process, of_moto):
            make_tables(url)
        by_boto3 = alternating(
            {
                "local": Boto3(local),
                "proxy": Boto3(proxy),
                "in process": Boto3(in_process),
                "moto": Boto3(of_moto),
            },
            rounds,
            each,
        )
        prepared = {
            "local": Prepared(local, TABLE),
            "proxy": Prepared(proxy, TABLE),
            "proxy, throttled": Prepared(proxy, SMALL),
            "in process": Prepared(in_process, TABLE),
            "in process, throttled": Prepared(in_process, SMALL),
        }
        by_hand = alternating(prepared, rounds, each)
        assert all(b"400" in prepared[name].statuses for name in prepared if "thr" in name)
    milliseconds = {name: 1000 * statistics.median(times) for name, times in by_boto3.items()}
    yield row(
        "GetItem by boto3, p50: through the proxy / DynamoDB Local directly",
        f"{ratio(by_boto3, 'proxy', 'local'):.2f}"
        f" ({milliseconds['proxy']:.2f} / {milliseconds['local']:.2f} ms)",
        "<= 1.30",
    )
    yield row(
        "GetItem by boto3, requests a second: moto in process / moto's own server",
        f"{ratio(by_boto3, 'moto', 'in process'):.2f}"
        f" ({milliseconds['in process']:.2f} / {milliseconds['moto']:.2f} ms each)",
        ">= 1.30",
    )
    yield row(
        "throttled / admitted answer, moto, p50 on a kept-alive connection",
        f"{ratio(by_hand, 'in process, throttled', 'in process'):.2f}",
        "<= 0.20",
    )
    yield row(
        "throttled / admitted answer, DynamoDB Local, the same",
        f"{ratio(by_hand, 'proxy, throttled', 'proxy'):.2f}",
    )
    added = statistics.median(
        a - b for a, b in zip(by_hand["proxy"], by_hand["local"], strict=True)
    )
    yield row("what the proxy adds to a prepared GetItem", f"{added * 1e6:.0f} us")


def decisions(rounds: int) -> Iterator[dict[str, str]]:
    """How many a second ``TableCapacity.read`` makes, admitted and refused."""
    for name, capacity, units in (
        ("admitted, one partition", 150, 1e-9),
        ("refused, one partition", 150, 0.5),
        ("admitted, 14 partitions", 40_000, 1e-9),
    ):
        table = TableCapacity(capacity, 1)
        keys = [str(number) for number in range(1000)]
        rates = []
        for _ in range(rounds):
            began = time.process_time()
            for _ in range(50):
                for key in keys:
                    table.read(key, units)
            rates.append(50 * len(keys) / (time.process_time() - began))
        figure = f"{statistics.median(rates) / 1e6:.2f} million a second"
        yield row(f"decisions, {name}", figure, ">= 1 million a second")


class Nothing:
    """An upstream of tables that hold nothing."""

    async def send(self, operation: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if operation != "DescribeTable":
            return Answer(200, b"{}")
        name = json.loads(body)["TableName"]
        throughput = {"ReadCapacityUnits": 2000, "WriteCapacityUnits": 200}
        description = {
            "TableName": name,
            "TableArn": f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}",
            "KeySchema": STRING_KEY["KeySchema"],
            "ProvisionedThroughput": throughput,
        }
        return Answer(200, dump({"Table": description}))

    async def close(self) -> None:
        pass


def memory(tables: int = 1000) -> Iterator[dict[str, str]]:
    """What the buckets of many tables take, and all that the endpoint keeps of them."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [TableCapacity(2000, 200) for _ in range(tables)]
    for table in kept:
        for number in range(100):
            table.read(str(number), 0.5)
            table.write(str(number), 1)
    taken = tracemalloc.get_traced_memory()[0] - before
    yield row(f"buckets of {tables:,} tables with traffic", f"{taken / MB:.1f} MB", "<= 50 MB")

    before = tracemalloc.get_traced_memory()[0]
    served = endpoint.Endpoint(Nothing(), endpoint.Limits())

    async def traffic() -> int:
        for table in range(tables):
            for number in range(100):
                body = dump({"TableName": f"table-{table}", "Key": {"id": {"S": str(number)}}})
                answer = await served.answer(TARGET + "GetItem", body, {})
                assert answer.ok
        # What the loop still has to do, of itself: nothing.
        return len(asyncio.all_tasks()) - 1

    tasks = asyncio.run(traffic())
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    yield row(f"all that is kept of {tables:,} tables, metrics too", f"{taken / MB:.1f} MB")
    yield row("tasks that their being there leaves running", f"{tasks}", "0")


def idle(seconds: float) -> Iterator[dict[str, str]]:
    """What an endpoint with a table that nobody uses takes of the processor."""
    with serving() as (pid, url):
        make_tables(url)
        process = psutil.Process(pid)
        time.sleep(0.5)
        began = sum(process.cpu_times()[:2])
        time.sleep(seconds)
        used = sum(process.cpu_times()[:2]) - began
    figure = f"{1000 * used / seconds:.1f} ms of CPU a second"
    yield row(f"an endpoint whose tables are idle for {seconds:g} s", figure, "0 ms")


def accounting(seconds: float) -> Iterator[dict[str, str]]:
    """16 threads in 3 processes; raises AssertionError if they get too much."""
    with serving("--burst-seconds", str(BURST_SECONDS)) as (_, url):
        check_accounting(url, seconds)
    what = f"16 threads in 3 processes for {seconds:g} s: never more than the table has"
    yield row(what, "holds, and the metrics are the sum of all answers", "holds")


def run(quick: bool = False) -> list[dict[str, str]]:
    """One row for each figure."""
    logging.disable()
    return [
        *overhead(*((3, 50) if quick else (21, 150))),
        *decisions(3 if quick else 9),
        *memory(),
        *idle(2 if quick else 5),
        *accounting(5 if quick else 30),
    ]


def main(run: Callable[[bool], list[dict[str, str]]], about: str | None) -> None:
    """Print the figures that ``run`` makes, quickly or not."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", action="store_true", help="one JSON list, for programs")
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that it works")
    options = parser.parse_args()
    rows = run(options.quick)
    if options.json:
        print(json.dumps(rows))
        return
    width = max(len(each["what"]) for each in rows)
    for each in rows:
        must = f"   must show {each['must show']}" if each["must show"] else ""
        print(f"{each['what']:{width}}  {each['figure']}{must}")


if __name__ == "__main__":
    main(run, __doc__)
