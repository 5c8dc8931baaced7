"""DynamoDB Streams: passed on to the upstream, which keeps them, and free."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.serving import SIGNED, Server, item

TARGET = "DynamoDBStreams_20120810."


@pytest.fixture
def streams(server: Server) -> Iterator[Any]:
    """boto3's own client of the service."""
    client = boto3.client(
        "dynamodbstreams",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()


@pytest.fixture
def table(server: Server) -> str:
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    return server.create_table(StreamSpecification=stream)


def shard_of(server: Server, streams: Any, table: str) -> tuple[str, str]:
    arn = server.dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    described = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert (described["StreamStatus"], described["TableName"]) == ("ENABLED", table)
    return arn, described["Shards"][0]["ShardId"]


def test_a_table_s_stream_tells_what_was_written_to_it(server, streams, table):
    arn, shard = shard_of(server, streams, table)
    assert arn in [each["StreamArn"] for each in streams.list_streams(TableName=table)["Streams"]]
    for size in (20, 30):
        server.dynamodb.put_item(TableName=table, Item=item("a", size))
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    with server.charged(table) as charged:
        records = streams.get_records(ShardIterator=iterator)["Records"]
    assert (charged.reads, charged.writes) == (0, 0)
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY"]
    assert records[1]["dynamodb"]["NewImage"] == item("a", 30)
    # As the upstream numbers them: moto's numbers are shorter than AWS' model says.
    again = streams.get_shard_iterator(
        StreamArn=arn,
        ShardId=shard,
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=records[1]["dynamodb"]["SequenceNumber"],
    )["ShardIterator"]
    assert len(streams.get_records(ShardIterator=again, Limit=10)["Records"]) == 1


def test_an_exhausted_table_s_stream_is_read_all_the_same(server, streams):
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    table = server.create_table(read=1, write=1, StreamSpecification=stream)
    arn, shard = shard_of(server, streams, table)
    server.dynamodb.put_item(TableName=table, Item=item("a", 900))
    with pytest.raises(ClientError):
        server.dynamodb.put_item(TableName=table, Item=item("a", 900))
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert len(streams.get_records(ShardIterator=iterator)["Records"]) == 1


def test_the_upstream_s_errors_are_told(streams):
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/none/stream/2026-01-01T00:00:00.000"
    with pytest.raises(ClientError) as raised:
        streams.describe_stream(StreamArn=arn)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 500)


@pytest.mark.parametrize(
    ("operation", "request_", "kind"),
    [
        ("ListStreams", {"TableName": None, "Limit": None}, None),
        ("ListStreams", {"Limit": 5.0, "Nonsense": 1}, None),
        ("ListStreams", {"Limit": "5"}, "SerializationException"),
        ("GetShardIterator", {}, "ValidationException"),
        ("PutRecord", {}, "UnknownOperationException"),
        ("GetItem", {}, "UnknownOperationException"),
    ],
)
def test_its_requests_are_looked_at_as_others_are(server, operation, request_, kind):
    headers = {"X-Amz-Target": TARGET + operation, **SIGNED}
    reply = server.request("POST", json.dumps(request_).encode(), headers)
    assert reply.status == (400 if kind else 200), reply.body
    if kind:
        assert reply.json["__type"].endswith("#" + kind)
