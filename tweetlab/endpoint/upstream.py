"""Where admitted requests go: ``embedded`` is moto in this process, ``proxy`` another DynamoDB."""

from collections.abc import Mapping
from typing import Protocol

from tweetlab.endpoint.wire import STREAMS, STREAMS_TARGET, TARGET, Answer, internal_error

PASSED_ON = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token", "User-Agent")
"""What the upstream is told of a request's headers; a request has their names in lower case."""
_LOWER = {name: name.lower() for name in PASSED_ON}


class Upstream(Protocol):
    """A DynamoDB that enforces no throughput."""

    async def send(self, operation: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Its answer to a request; raises DynamoDBError if it gives none."""
        ...

    async def close(self) -> None: ...


def upstream_headers(operation: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request to the upstream: the operation, and who asks."""
    target = (STREAMS_TARGET if operation in STREAMS else TARGET) + operation
    chosen = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}
    for name, key in _LOWER.items():
        if key in headers:
            chosen[name] = headers[key]
    return chosen


def json_answer(operation: str, status: int, body: bytes) -> Answer:
    """The upstream's answer: a JSON object, or nothing at all where it says 200. Raises an
    InternalServerError for what is neither: what crashed may have sent a page instead. Where such a
    page says that the request is at fault, its status stays: nobody shall try that again.
    """
    if body.lstrip().startswith(b"{") or (status == 200 and not body):
        return Answer(status, body)
    raise internal_error(
        f"The upstream answered {operation} with {status} and no JSON.",
        status=status if 400 <= status < 500 else 500,
    )
