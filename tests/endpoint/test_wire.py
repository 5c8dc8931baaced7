"""The bytes on the wire are DynamoDB's own."""

from __future__ import annotations

import http.client
import re
import zlib
from urllib.parse import urlsplit

import pytest

from tests.support.asking import reads_served
from tests.support.serving import SIGNED, TARGET, Reply
from tweetlab.endpoint.wire import dump

KEY = {"id": {"S": "a"}}
AS_AWS_SENDS_IT = (
    b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",'
    b'"message":"The level of configured provisioned throughput for the table was exceeded. '
    b'Consider increasing your provisioning level with the UpdateTable API."}'
)


@pytest.fixture
def throttle(server) -> Reply:
    """The answer to a throttled request."""
    table = server.create_table(read=1)
    reads_served(server, table)
    return server.post("GetItem", {"TableName": table, "Key": KEY})


def test_the_known_body_is_the_one_that_aws_sent():
    """Length and checksum of a real answer: github.com/brendanhay/amazonka/issues/849."""
    assert (len(AS_AWS_SENDS_IT), zlib.crc32(AS_AWS_SENDS_IT)) == (241, 1545824508)


def test_a_throttle_is_a_400_with_the_known_body_and_the_reasons(throttle):
    assert throttle.status == 400
    assert throttle.body.startswith(AS_AWS_SENDS_IT[:-1] + b',"ThrottlingReasons":[{"reason":"')
    body = throttle.json
    [reason] = body.pop("ThrottlingReasons")
    assert dump(body) == AS_AWS_SENDS_IT
    assert reason["reason"] == "TableReadProvisionedThroughputExceeded"
    assert re.fullmatch(r"arn:aws:dynamodb:[\w-]+:\d+:table/table-\d+", reason["resource"])
    assert reason.keys() == {"reason", "resource"}


def test_a_throttle_has_the_headers_that_aws_sent_and_no_others(throttle):
    assert throttle.headers.keys() == {
        "Server",
        "Date",
        "Content-Type",
        "Content-Length",
        "Connection",
        "x-amzn-RequestId",
        "x-amz-crc32",
    }
    assert throttle.headers["Server"] == "Server"
    assert throttle.headers["Content-Type"] == "application/x-amz-json-1.0"
    assert throttle.headers["Content-Length"] == str(len(throttle.body))
    assert throttle.headers["Connection"] == "keep-alive"


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        pytest.param("GetItem", {"Key": KEY}, id="success"),
        pytest.param("DescribeTable", {}, id="control plane"),
        pytest.param("GetItem", {"Key": {"other": {"S": "a"}}}, id="the upstream's error"),
        pytest.param("GetItem", {"Key": 5}, id="the endpoint's error"),
        pytest.param("NoSuchOperation", {}, id="unknown operation"),
    ],
)
def test_every_answer_has_a_right_checksum_and_a_request_id(server, operation, request_):
    table = server.create_table()
    replies = [server.post(operation, {"TableName": table, **request_}) for _ in range(2)]
    for reply in replies:
        assert int(reply.headers["x-amz-crc32"]) == zlib.crc32(reply.body)
        assert reply.headers["Content-Type"] == "application/x-amz-json-1.0"
        # As in 8KRS15P5JUD29RHDVEK26MAU1VVV4KQNSO5AEMVJF66Q9ASUAAJG.
        assert re.fullmatch("[0-9A-V]{52}", reply.headers["x-amzn-RequestId"])
    assert len({reply.headers["x-amzn-RequestId"] for reply in replies}) == 2


def test_answers_keep_the_connection(server):
    table = server.create_table(read=1)
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    headers = {"X-Amz-Target": TARGET + "GetItem", **SIGNED}
    statuses = set()
    for _ in range(5):
        connection.request("POST", "/", dump({"TableName": table, "Key": KEY}), headers)
        sock = connection.sock
        response = connection.getresponse()
        response.read()
        statuses.add(response.status)
        assert connection.sock is sock is not None
    assert statuses == {200, 400}
    connection.close()


def test_answers_of_the_upstream_pass_unchanged(server):
    """What moto or DynamoDB Local says beside ConsumedCapacity is the learner's to see."""
    table = server.create_table()
    server.around("PutItem", TableName=table, Item={**KEY, "likes": {"N": "12"}, "é": {"S": "🐦"}})
    request = {"TableName": table, "Key": KEY}
    through = server.post("GetItem", request).json
    assert through == server.around("GetItem", **request)
    assert through == {"Item": {**KEY, "likes": {"N": "12"}, "é": {"S": "🐦"}}}


def test_it_tells_that_it_throttles_already(server):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    connection.request("GET", "/tweetlab")
    response = connection.getresponse()
    assert (response.status, b"tweetlab" in response.read()) == (200, True)
    connection.close()
