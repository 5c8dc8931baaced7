"""DynamoDB's words on the wire: what comes in, what goes out, and its errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Protocol

import orjson

from tweetlab.capacity import Kind, ThrottlingReason

TARGET = "DynamoDB_20120810."
STREAMS_TARGET = "DynamoDBStreams_20120810."
STREAMS = frozenset(("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"))
"""The operations of DynamoDB Streams, a service of its own that is reached in the same place."""
DRILL_HEADER = "x-tweetlab-drill"
_DYNAMODB = "com.amazonaws.dynamodb.v20120810#"
_CORAL = "com.amazon.coral."

PROVISIONED_EXCEEDED = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)
INDEX_EXCEEDED = (
    "The level of configured provisioned throughput for one or more global secondary indexes of "
    "the table was exceeded. Consider increasing your provisioning level for the "
    "under-provisioned global secondary indexes with the UpdateTable API."
)
ON_DEMAND_EXCEEDED = (
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically "
    "scaling your table or index so please try again shortly. If exceptions persist, check if you "
    "have a hot key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
    "bp-partition-key-design.html"
)
MAX_ON_DEMAND_EXCEEDED = (
    "Throughput exceeds the maximum OnDemandThroughput configured on table or index"
)


@dataclass(eq=False)
class Call:
    """One request: the operation and what it takes of a table's throughput (None: nothing), its
    JSON as DynamoDB understands it, and the headers, with names in lower case."""

    operation: str
    kind: Kind | None
    request: dict[str, Any]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """An HTTP status, a JSON body, and headers beside the usual ones."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/x-amz-json-1.0"

    @cached_property
    def json(self) -> dict[str, Any]:
        """The body, parsed; treat it as read-only. That of TagResource, say, is empty on AWS. An
        upstream may have stored half of a surrogate, and may say null for what is not there."""
        body = self.body or b"{}"
        try:
            parsed = orjson.loads(body)
        except ValueError:
            parsed = json.loads(body)
        return {name: value for name, value in parsed.items() if value is not None}

    @property
    def ok(self) -> bool:
        return self.status == 200

    @property
    def error(self) -> str:
        """The short name of the error, such as ConditionalCheckFailedException; "" if it is ok, or
        has none."""
        return "" if self.ok else str(self.json.get("__type", "")).rpartition("#")[2]

    def with_members(self, **members: Any) -> Answer:
        """This answer with those members in its JSON; those that are None are taken out. An error
        stays as it is."""
        if not self.ok:
            return self
        changed = {**self.json, **members}
        present = {name: value for name, value in changed.items() if value is not None}
        if present == self.json:
            return self
        return Answer(self.status, dump(present), self.headers)


class DynamoDBError(Exception):
    """An error in the shape DynamoDB sends; the server turns it into the answer."""

    def __init__(self, kind: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(message)
        self.answer = Answer(status, dump({"__type": kind, "message": message, **members}))


class Throttled(DynamoDBError):
    """The 400 of a throttled request, byte for byte as AWS sends it, with ThrottlingReasons.

    DynamoDB spells that member differently in the two exceptions (its service model). ``forced``
    tells that a drill asked for it.
    """

    def __init__(
        self, reason: ThrottlingReason, arn: str, on_demand: bool = False, forced: bool = False
    ) -> None:
        reasons = [{"reason": reason.value, "resource": arn}]
        if on_demand:
            limited = "MaxOnDemand" in reason
            message = MAX_ON_DEMAND_EXCEEDED if limited else ON_DEMAND_EXCEEDED
            super().__init__(_DYNAMODB + "ThrottlingException", message, throttlingReasons=reasons)
        else:
            super().__init__(
                _DYNAMODB + "ProvisionedThroughputExceededException",
                INDEX_EXCEEDED if reason.startswith("Index") else PROVISIONED_EXCEEDED,
                ThrottlingReasons=reasons,
            )
        self.cancellation_code = "ThrottlingError" if on_demand else "ProvisionedThroughputExceeded"
        if forced:
            self.answer = replace(self.answer, headers={DRILL_HEADER: "forced"})


class Refusal(Protocol):
    """An error of one item of a transaction."""

    cancellation_code: str
    answer: Answer


def transaction_cancelled(refusals: Sequence[Refusal | None]) -> DynamoDBError:
    """What DynamoDB answers to a transaction with items that are throttled, or have a wrong key: a
    reason for each item, in order (its service model lists codes and messages)."""
    reasons = [
        {"Code": error.cancellation_code, "Message": str(error)} if error else {"Code": "None"}
        for error in refusals
    ]
    codes = ", ".join(reason["Code"] for reason in reasons)
    cancelled = DynamoDBError(
        _DYNAMODB + "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        CancellationReasons=reasons,
    )
    headers = {
        name: text for error in refusals if error for name, text in error.answer.headers.items()
    }
    cancelled.answer = replace(cancelled.answer, headers=headers)
    return cancelled


VALIDATION = _CORAL + "validate#ValidationException"
validation_error = partial(DynamoDBError, VALIDATION)
"""The request is well-formed but not one that DynamoDB takes."""
serialization_error = partial(DynamoDBError, _CORAL + "service#SerializationException")
"""The request is not JSON, or not of the operation's shape."""
unknown_operation = partial(DynamoDBError, _CORAL + "service#UnknownOperationException")
"""There is no such operation."""
idempotent_parameter_mismatch = partial(
    DynamoDBError,
    _DYNAMODB + "IdempotentParameterMismatchException",
    "DynamoDB rejected the request because you retried a request with a different payload but with "
    "an idempotent token that was already used.",
)
"""A client token is another transaction's."""
transaction_in_progress = partial(
    DynamoDBError,
    _DYNAMODB + "TransactionInProgressException",
    "The transaction with the given request token is already in progress.",
)
"""The same transaction is being made; SDKs ask again."""
resource_not_found = partial(
    DynamoDBError, _DYNAMODB + "ResourceNotFoundException", "Requested resource not found"
)
"""There is no such table or index."""
too_large = partial(DynamoDBError, _CORAL + "service#RequestEntityTooLargeException", status=413)
"""The request is larger than DynamoDB takes."""
request_timeout = partial(DynamoDBError, _CORAL + "service#RequestTimeoutException", status=408)
"""The request does not arrive."""
access_denied = partial(DynamoDBError, _CORAL + "service#AccessDeniedException", status=403)
"""Not for who asks."""
internal_error = partial(DynamoDBError, _DYNAMODB + "InternalServerError", status=500)
"""The fault is on this side; SDKs try such a call again."""


def dump(value: Any) -> bytes:
    """JSON as DynamoDB writes it: without spaces."""
    try:
        return orjson.dumps(value)
    except TypeError:  # half of a surrogate, which is no UTF-8
        return json.dumps(value, separators=(",", ":")).encode()


def parse_request(body: bytes) -> dict[str, Any]:
    """The JSON object in a request's body; raises the error DynamoDB answers if it is none."""
    try:
        request = orjson.loads(body)
    except ValueError:
        raise serialization_error("The body is not JSON in UTF-8.") from None
    if not isinstance(request, dict):
        raise serialization_error("Start of structure or map found where not expected.")
    return request
