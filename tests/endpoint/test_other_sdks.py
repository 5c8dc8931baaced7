"""SDKs that are not boto3: throttled, retrying by their own rules, and reading the error.

The AWS CLI is in test_command_line, boto3 itself in test_clients.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiodynamo.client import Client
from aiodynamo.credentials import Key, StaticCredentials
from aiodynamo.errors import ItemNotFound, ProvisionedThroughputExceeded
from aiodynamo.http.httpx import HTTPX
from aiodynamo.models import StaticDelayRetry
from yarl import URL

from tests.conftest import ROOT
from tests.support.asking import reads_served
from tests.support.left_out import unavailable, works
from tests.support.serving import STRING_KEY, Server, item

JAVASCRIPT = ROOT / ".cache" / "javascript"
SCRIPT = Path(__file__).parent / "javascript" / "reads.mjs"
EXCEEDED = "ProvisionedThroughputExceeded"


def drill(server: Server, calls: int) -> None:
    body = json.dumps({"calls": calls, "operation": "GetItem"}).encode()
    urllib.request.urlopen(server.url + "/tweetlab/drill", body).close()


# --- aiodynamo, an asynchronous client with no code of botocore's -----------------------------


def test_aiodynamo_is_throttled_and_retries(server: Server):
    table = server.create_table(read=5)
    server.around("PutItem", TableName=table, Item=item("a", 100))

    async def use() -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            dynamodb, impatient = (
                Client(
                    HTTPX(http),
                    StaticCredentials(Key("test", "test")),
                    "us-east-1",
                    endpoint=URL(server.url),
                    throttle_config=StaticDelayRetry(time_limit_secs=seconds, delay=0.01),
                ).table(table)
                for seconds in (60, 0.1)
            )
            drill(server, 3)
            found = await dynamodb.get_item({"id": "a"})
            assert found["id"] == "a"
            with pytest.raises(ItemNotFound):
                await dynamodb.get_item({"id": "none"})
            await dynamodb.put_item({"id": "b", "n": 1})
            assert [each["id"] async for each in dynamodb.scan()] in (["a", "b"], ["b", "a"])

            reads_served(server, table)
            with pytest.raises(ProvisionedThroughputExceeded):
                await impatient.get_item({"id": "a"})
            # A second passes while it tries again.
            waiting = asyncio.create_task(dynamodb.get_item({"id": "a"}))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            server.clock.advance(1)
            assert (await waiting)["id"] == "a"

    asyncio.run(use())


# --- the AWS SDK for JavaScript ---------------------------------------------------------------


@pytest.fixture(scope="module")
def outcomes(moto_server: Server) -> dict[str, Any]:
    """What the SDK's calls came to; see reads.mjs."""
    if not works("node", "--version") or not (JAVASCRIPT / "node_modules" / "@aws-sdk").exists():
        unavailable("the AWS SDK for JavaScript", "apt-get install npm, then make test")
    server = moto_server
    empty, full = server.create_table(read=1), server.create_table()
    reads_served(server, empty)
    server.dynamodb.create_table(
        TableName="on-demand",
        BillingMode="PAY_PER_REQUEST",
        OnDemandThroughput={"MaxReadRequestUnits": 1},
        **STRING_KEY,
    )
    reading = {"TableName": "on-demand", "Key": {"id": {"S": "a"}}, "ConsistentRead": True}
    server.dynamodb.get_item(**reading)
    drill(server, 1)
    command = ["node", str(SCRIPT), str(JAVASCRIPT), server.url, empty, full, "on-demand"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    server.dynamodb.delete_table(TableName="on-demand")
    server.delete_tables()
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    found["tables"] = (empty, full)
    return found


def test_the_javascript_sdk_retries_a_throttle(outcomes):
    assert outcomes["drilled"] == {"answer": {}, "attempts": 2}


def test_the_javascript_sdk_gives_up_by_its_own_rules_and_reads_the_error(outcomes):
    error = outcomes["throttled"]
    assert error["name"] == "ProvisionedThroughputExceededException"
    assert error["isKnown"] and error["fault"] == "client"
    assert error["status"] == 400
    assert error["attempts"] >= 3
    assert error["message"].startswith("The level of configured provisioned throughput")
    [reason] = error["reasons"]
    assert reason["reason"] == "TableReadProvisionedThroughputExceeded"
    assert reason["resource"].endswith(f"table/{outcomes['tables'][0]}")


def test_the_javascript_sdk_reads_the_error_of_an_on_demand_table(outcomes):
    error = outcomes["ofThisMode"]
    assert error["name"] == "ThrottlingException"
    assert error["attempts"] >= 3
    assert [each["reason"] for each in error["reasons"]] == [
        "TableReadMaxOnDemandThroughputExceeded"
    ]


def test_the_javascript_sdk_reads_why_a_transaction_was_cancelled(outcomes):
    error = outcomes["cancelled"]
    assert error["name"] == "TransactionCanceledException"
    assert error["attempts"] == 1
    assert [each["Code"] for each in error["cancellation"]] == ["None", EXCEEDED]


def test_the_javascript_sdk_gets_part_of_a_batch(outcomes):
    empty, full = outcomes["tables"]
    answer = outcomes["batch"]["answer"]
    assert list(answer["Responses"]) == [full]
    assert list(answer["UnprocessedKeys"]) == [empty]
    assert answer["ConsumedCapacity"] == [{"TableName": full, "CapacityUnits": 0.5}]
