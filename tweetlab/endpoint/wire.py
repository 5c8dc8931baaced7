"""DynamoDB's words on the wire: what comes in, what goes out, and its errors."""

from __future__ import annotations

import base64
import json
import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aiohttp import web

from tweetlab.capacity import ThrottlingReason

TARGET = "DynamoDB_20120810."
_DYNAMODB = "com.amazonaws.dynamodb.v20120810#"
_CORAL = "com.amazon.coral."
_REGION = re.compile(r"Credential=[^/]*/\d+/([\w-]+)/dynamodb/")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

PROVISIONED_EXCEEDED = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)


@dataclass(frozen=True)
class Call:
    """One request: the operation, its JSON parsed and as it came, and the headers to pass on."""

    operation: str
    request: dict[str, Any]
    body: bytes
    headers: Mapping[str, str]

    @property
    def region(self) -> str:
        """The region it is signed for; tables of different regions are different tables."""
        match = _REGION.search(self.headers.get("Authorization", ""))
        return match[1] if match else "us-east-1"


@dataclass(frozen=True)
class Answer:
    """An HTTP status and a JSON body."""

    status: int
    body: bytes

    @cached_property
    def json(self) -> dict[str, Any]:
        """The body, parsed; treat it as read-only."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def ok(self) -> bool:
        return self.status == 200

    @property
    def error(self) -> str:
        """The short name of the error, such as ConditionalCheckFailedException; "" if it is ok."""
        return "" if self.ok else str(self.json.get("__type", "")).rpartition("#")[2]

    def including(self, **members: Any) -> Answer:
        """This answer with more members in its JSON; those that are None are left out."""
        more = {name: value for name, value in members.items() if value is not None}
        return Answer(self.status, dump({**self.json, **more})) if more else self


class DynamoDBError(Exception):
    """An error in the shape DynamoDB sends; the server turns it into the answer."""

    def __init__(self, kind: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(message)
        self.answer = Answer(status, dump({"__type": kind, "message": message, **members}))


class Throttled(DynamoDBError):
    """The 400 of a throttled request, byte for byte as AWS sends it, with ThrottlingReasons."""

    def __init__(self, reason: ThrottlingReason, arn: str) -> None:
        super().__init__(
            _DYNAMODB + "ProvisionedThroughputExceededException",
            PROVISIONED_EXCEEDED,
            ThrottlingReasons=[{"reason": reason.value, "resource": arn}],
        )
        self.reason = reason


def validation_error(message: str) -> DynamoDBError:
    """The request is well-formed but not one that DynamoDB takes."""
    return DynamoDBError(_CORAL + "validate#ValidationException", message)


def serialization_error(message: str) -> DynamoDBError:
    """The request is not JSON, or not of the operation's shape."""
    return DynamoDBError(_CORAL + "service#SerializationException", message)


def unknown_operation(message: str) -> DynamoDBError:
    """There is no such operation."""
    return DynamoDBError(_CORAL + "service#UnknownOperationException", message)


def too_large(message: str) -> DynamoDBError:
    """The request is larger than DynamoDB takes."""
    return DynamoDBError(_CORAL + "service#RequestEntityTooLargeException", message, status=413)


def internal_error(message: str) -> DynamoDBError:
    """The fault is on this side; SDKs try such a call again."""
    return DynamoDBError(_DYNAMODB + "InternalServerError", message, status=500)


def dump(value: Any) -> bytes:
    """JSON as DynamoDB writes it: without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


def parse_request(body: bytes) -> dict[str, Any]:
    """The JSON object in a request's body; raises the error DynamoDB answers if it is none."""
    try:
        request = json.loads(body.decode())
        if _SURROGATE.search(body):
            json.dumps(request, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise serialization_error("The body is not JSON in UTF-8.") from None
    if not isinstance(request, dict):
        raise serialization_error("Start of structure or map found where not expected.")
    return request


def response(answer: Answer) -> web.Response:
    """The HTTP response, with the request id and the checksum that SDKs look for."""
    return web.Response(
        status=answer.status,
        body=answer.body,
        content_type="application/x-amz-json-1.0",
        headers={
            "Server": "Server",
            "Connection": "keep-alive",
            "x-amzn-RequestId": base64.b32encode(os.urandom(32)).decode().rstrip("="),
            "x-amz-crc32": str(zlib.crc32(answer.body)),
        },
    )
