"""Each access key has tables, throughput, metrics and drills of its own, in each region."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.asking import served_until_throttled
from tests.support.serving import STRING_KEY, Reply, Server, serving
from tweetlab.endpoint import Proxy
from tweetlab.endpoint.owners import Owner
from tweetlab.lab import metrics

KEY = {"id": {"S": "a"}}


@pytest.fixture
def server(separate_server: Server) -> Server:
    """At a whole second: fractions do not add up exactly."""
    separate_server.clock.now = float(math.ceil(separate_server.clock.now))
    return separate_server


@contextmanager
def signing(server: Server, access_key: str, region: str = "us-east-1") -> Iterator[Any]:
    """A client with that access key, and without retries."""
    dynamodb = boto3.client(
        "dynamodb",
        endpoint_url=server.url,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key="any",
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )
    try:
        yield dynamodb
    finally:
        for name in dynamodb.list_tables()["TableNames"]:
            dynamodb.delete_table(TableName=name)
        dynamodb.close()


def create(dynamodb: Any, read: int) -> str:
    """Create a table ``counts`` of that many RCU; its ARN."""
    throughput = {"ReadCapacityUnits": read, "WriteCapacityUnits": 10}
    created = dynamodb.create_table(
        TableName="counts", ProvisionedThroughput=throughput, **STRING_KEY
    )
    return str(created["TableDescription"]["TableArn"])


def reads_served(dynamodb: Any) -> int:
    """Strongly consistent reads that are served until one is throttled."""
    served, _ = served_until_throttled(
        lambda: dynamodb.get_item(TableName="counts", Key=KEY, ConsistentRead=True)
    )
    return served


def page(server: Server, path: str, body: Any = None) -> Reply:
    method = "GET" if body is None else "POST"
    return server.request(method, b"" if body is None else body, path=path)


@pytest.mark.parametrize(
    "other", [("ben", "us-east-1"), ("anna", "us-east-1"), ("ana", "eu-west-1"), ("ana", "local")]
)
def test_tables_of_one_name_are_as_many_as_there_are_access_keys_and_regions(server, other):
    with signing(server, "ana") as anas, signing(server, *other) as others:
        create(anas, 3)
        assert others.list_tables()["TableNames"] == []
        with pytest.raises(others.exceptions.ResourceNotFoundException):
            others.get_item(TableName="counts", Key=KEY)
        create(others, 7)
        anas.put_item(TableName="counts", Item={**KEY, "of": {"S": "ana"}})
        server.clock.advance(1)
        assert "Item" not in others.get_item(TableName="counts", Key=KEY, ConsistentRead=True)
        assert anas.get_item(TableName="counts", Key=KEY, ConsistentRead=True)["Item"]["of"]
        assert (reads_served(anas), reads_served(others)) == (5, 13)
        others.delete_table(TableName="counts")
        server.clock.advance(1)
        assert reads_served(anas) == 3


def test_on_moto_access_keys_may_differ_in_case_only(moto_server):
    """DynamoDB Local's HTTP server mixes them up, on one connection, within one second."""
    with signing(moto_server, "ana") as anas, signing(moto_server, "Ana") as others:
        create(anas, 1)
        assert others.list_tables()["TableNames"] == []


def test_on_moto_each_access_key_has_an_account_of_its_own(moto_server):
    with signing(moto_server, "ana") as anas, signing(moto_server, "ben") as bens:
        of_ana, of_ben = create(anas, 1), create(bens, 1)
        account = Owner("ana", "us-east-1").account
        assert of_ana == f"arn:aws:dynamodb:us-east-1:{account}:table/counts"
        assert of_ana != of_ben
        assert anas.describe_table(TableName=of_ana)["Table"]["TableArn"] == of_ana
        with pytest.raises(ClientError):
            bens.get_item(TableName=of_ana, Key=KEY)
        with pytest.raises(ClientError):
            bens.put_item(TableName=of_ana, Item=KEY)


def test_an_account_is_always_the_same_twelve_digits():
    accounts = [Owner(key, "us-east-1").account for key in ("ana", "ben", "", "é", "x" * 64)]
    assert all(len(account) == 12 and account.isdecimal() for account in accounts)
    assert len(set(accounts)) == 5
    assert accounts[0] == Owner("ana", "eu-west-1").account == "796239362220"


# --- who signs --------------------------------------------------------------------------------

SIGNED = "AWS4-HMAC-SHA256 Credential={}, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(
    ("header", "owner"),
    [
        (SIGNED.format("ana/20260101/eu-west-1/dynamodb/aws4_request"), ("ana", "eu-west-1")),
        (SIGNED.format("ana/20260101/mars-1/s3/aws4_request"), ("ana", "mars-1")),
        ("AWS4-HMAC-SHA256 Credential=ana/20260101/local", ("ana", "local")),
        (SIGNED.format("ana/us-east-1"), ("ana", "us-east-1")),
        (SIGNED.format("ana"), ("ana", "us-east-1")),
        (SIGNED.format(""), ("", "us-east-1")),
        ("Bearer Credential", ("", "us-east-1")),
        ("", ("", "us-east-1")),
        (None, ("", "us-east-1")),
    ],
)
def test_an_odd_signature_belongs_to_somebody_and_is_no_reason_to_fail(moto_server, header, owner):
    headers = {} if header is None else {"authorization": header}
    assert Owner.of(headers) == owner
    reply = moto_server.request(
        "POST", {}, {"X-Amz-Target": "DynamoDB_20120810.ListTables", **headers}
    )
    assert (reply.status, reply.json) == (200, {"TableNames": []})


# --- metrics and drills -----------------------------------------------------------------------


def test_metrics_are_of_one_access_key_or_of_all(server):
    server.clock.advance(100)
    with (
        signing(server, "ana") as anas,
        signing(server, "ana", "eu-west-1") as far,
        signing(server, "ben") as bens,
    ):
        for dynamodb, reads in ((anas, 1), (far, 2), (bens, 4)):
            create(dynamodb, 10)
            for _ in range(reads):
                dynamodb.get_item(TableName="counts", Key=KEY, ConsistentRead=True)
        now = server._endpoint.backends._started

        def consumed(**of: str) -> list[float]:
            rows = metrics.fetch(server.url, **of)
            rows = rows[(rows["table"] == "counts") & (rows["second"] == server.clock() - now)]
            return sorted(rows["read_consumed"])

        assert consumed(access_key="ana") == [1, 2]
        assert consumed(access_key="ben") == [4]
        assert consumed(access_key="nobody") == []
        assert consumed() == [1, 2, 4]


def test_a_drill_is_of_one_access_key_or_of_all(server):
    with signing(server, "ana") as anas, signing(server, "ben") as bens:
        create(anas, 100)
        create(bens, 100)

        def throttled() -> list[bool]:
            each = []
            for dynamodb in (bens, anas, bens, anas):
                try:
                    dynamodb.get_item(TableName="counts", Key=KEY)
                    each.append(False)
                except ClientError:
                    each.append(True)
            return each

        drill = json.dumps({"calls": 1, "operation": "GetItem"}).encode()
        assert page(server, "/tweetlab/drill?access_key=ana", drill).status == 200
        assert throttled() == [False, True, False, False]
        on_key = json.dumps({"calls": 2, "partition_key": "a"}).encode()
        assert page(server, "/tweetlab/drill?access_key=ben", on_key).status == 200
        assert throttled() == [True, False, True, False]
        three = json.dumps({"calls": 3, "operation": "GetItem"}).encode()
        assert page(server, "/tweetlab/drill", three).status == 200
        assert throttled() == [True, True, True, False]


# --- an upstream that shares its tables --------------------------------------------------------


def test_in_front_of_an_upstream_that_shares_its_tables_all_is_of_all(dynamodb_local):
    with (
        serving(lambda: Proxy(dynamodb_local), shared=True) as server,
        signing(server, "ana") as anas,
        signing(server, "ben", "eu-west-1") as bens,
    ):
        create(anas, 6)
        assert bens.list_tables()["TableNames"] == ["counts"]
        for _ in range(2):
            bens.get_item(TableName="counts", Key=KEY, ConsistentRead=True)
        assert (reads_served(anas), reads_served(bens)) == (4, 0)
        rows = metrics.fetch(server.url, "ana")
        assert rows["read_consumed"].tolist() == [6]
        server.clock.advance(1)
        drill = json.dumps({"calls": 1, "operation": "GetItem"}).encode()
        assert page(server, "/tweetlab/drill?access_key=ana", drill).status == 200
        with pytest.raises(ClientError):
            bens.get_item(TableName="counts", Key=KEY)
        assert "Item" not in anas.get_item(TableName="counts", Key=KEY)
