"""What is around the operations: bodies, headers, targets and methods."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

from tests.support.calls import Call, api, key
from tests.support.tables_of_calls import PLAIN


def http() -> Iterator[Call]:
    """Around the operations."""
    body = json.dumps({**PLAIN, "Key": key("rich")}).encode()
    upgrade = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAMAAABkAARAAAAAAAIAAAAA",
    }
    yield api("GetItem", "an upgrade to HTTP/2 offered", body, headers=upgrade)
    packed = gzip.compress(body, mtime=0)
    yield api("GetItem", "a body in gzip", packed, headers={"Content-Encoding": "gzip"})
    bad = {"Content-Encoding": "gzip"}
    yield api("GetItem", "no gzip in spite of its header", body, headers=bad)
    yield api("GetItem", "an unknown encoding", body, headers={"Content-Encoding": "br"})
    for kind in ("application/x-amz-json-1.1", "application/json", "text/plain", "text/html", ""):
        yield api("GetItem", f"content type {kind!r}", body, headers={"Content-Type": kind})
    yield api("GetItem", "a client that takes gzip", body, headers={"Accept-Encoding": "gzip"})
    yield api(
        "GetItem",
        "a charset",
        body,
        headers={"Content-Type": "application/x-amz-json-1.0; charset=utf-8"},
    )
    yield api("GetItem", "unsigned", body, headers={"Authorization": ""})
    yield api("GetItem", "signed by nonsense", body, headers={"Authorization": "nonsense"})
    yield api("GetItem", "the wrong checksum", body, headers={"x-amz-content-sha256": "0" * 64})
    for detail, broken in (
        ("no body", b""),
        ("no JSON", b"{"),
        ("a list", b"[]"),
        ("a string", b'"x"'),
        ("null", b"null"),
        ("an array of bytes", b"\xff\xfe"),
        ("a duplicate member", b'{"TableName":"plain","TableName":"pairs","Key":{}}'),
        ("a byte order mark", b"\xef\xbb\xbf" + body),
        ("white space around", b" \n" + body + b"\n "),
        ("something behind", body + b"x"),
        ("NaN", body[:-1] + b', "Limit": NaN}'),
    ):
        yield api("GetItem", f"a body of {detail}", broken)
    for target in (
        "DynamoDB_20120810.Bogus",
        "DynamoDB_20120810.getItem",
        "DynamoDB_20120810.",
        "DynamoDB_20111205.GetItem",
        "DynamoDB_20990101.GetItem",
        "GetItem",
        "Logs_20140328.DescribeLogGroups",
        "DynamoDBStreams_20120810.GetItem",
        "DynamoDB_20120810.ListStreams",
    ):
        yield Call(f"target: {target}", target, body)
    yield Call("target: none", "", body)
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
        yield Call(f"method: {method}", "", b"", {"Authorization": ""}, method)
    cross = {"Origin": "http://127.0.0.1:9", "Access-Control-Request-Method": "POST"}
    yield Call("method: OPTIONS of a browser", "", b"", cross, "OPTIONS")
    yield Call("method: HEAD of GetItem", "DynamoDB_20120810.GetItem", body, {}, "HEAD")
    yield Call("method: GET of GetItem", "DynamoDB_20120810.GetItem", body, {}, "GET")
