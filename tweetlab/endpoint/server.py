"""Finds who answers a request. All runs in one event loop, so that admission needs no locks."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl

import tweetlab
from tweetlab.endpoint import who_may_ask
from tweetlab.endpoint.backend import Backends, UpstreamRefused
from tweetlab.endpoint.drills import Drill
from tweetlab.endpoint.http_connection import HttpRequest
from tweetlab.endpoint.http_server import HttpServer
from tweetlab.endpoint.known_tables import Limits
from tweetlab.endpoint.operations import OPERATIONS, operation_of
from tweetlab.endpoint.owners import Owner
from tweetlab.endpoint.upstream import PASSED_ON, Upstream
from tweetlab.endpoint.validation import request_checks
from tweetlab.endpoint.wire import (
    Answer,
    Call,
    DynamoDBError,
    dump,
    internal_error,
    parse_request,
    unknown_operation,
)

_log = logging.getLogger(__name__)

REQUEST_SECONDS = 30
"""How long a client may take over a request, unless told otherwise."""
ABOUT_PATH = "/tweetlab"
"""A path no DynamoDB call uses: tells that this endpoint throttles already. Below it are
``/metrics`` and ``/drill``, which mean everybody's calls, or with ``?access_key=`` those of one."""


_HEALTHY = Answer(
    200, b"healthy: dynamodb.us-east-1.amazonaws.com ", content_type="text/plain; charset=utf-8"
)
"""What AWS answers to whoever looks whether it is there (dynalite, which records it)."""


class Endpoint:
    """A DynamoDB that throttles, in front of an upstream that does not.

    Each access key has tables of its own in each region, with their throughput; ``shared`` says
    that the upstream has one set of tables for all.
    """

    def __init__(self, upstream: Upstream, limits: Limits, shared: bool = False) -> None:
        self.backends = Backends(upstream, limits, shared)
        self._upstream = upstream
        self._pages: Mapping[tuple[str, str], Callable[[bytes, str | None], Any]] = {
            ("GET", ABOUT_PATH): self._about,
            ("GET", ABOUT_PATH + "/metrics"): self._metrics,
            ("POST", ABOUT_PATH + "/drill"): self._drill,
        }

    async def answer(self, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to a request; whatever goes wrong, it is one that DynamoDB could give."""
        try:
            check = request_checks().get(target)
            if check is None:
                raise unknown_operation(f"There is no operation {target[:100]!r}.")
            name = target.rpartition(".")[2]
            operation = operation_of(name)
            request = parse_request(body)
            check(request)
            call = Call(name, operation.kind, request, headers)
            return await operation.answer(self.backends.of(Owner.of(headers)), call)
        except DynamoDBError as error:
            return error.answer
        except UpstreamRefused as refused:
            return refused.answer
        except Exception as error:
            _log.exception("%s failed", target)
            return internal_error(f"tweetlab failed: {error!r}").answer

    async def handle(self, request: HttpRequest) -> Answer:
        """The answer to an HTTP request: DynamoDB's, or a page of tweetlab's own."""
        try:
            who_may_ask.check(request.headers)
            method = "GET" if request.method == "HEAD" else request.method
            path, _, query = request.path.partition("?")
            page = self._pages.get((method, path))
            if page:
                of = dict(parse_qsl(query, keep_blank_values=True)).get("access_key")
                content = page(request.body, of)
                return Answer(200, dump(content), content_type="application/json")
        except DynamoDBError as error:
            return error.answer
        if (method, path) == ("GET", "/"):
            return _HEALTHY
        target = request.headers.get("x-amz-target", "")
        return await self.answer(target, request.body, request.headers)

    def _about(self, *_: Any) -> dict[str, str]:
        return {"tweetlab": tweetlab.__version__}

    def _metrics(self, _: bytes, access_key: str | None) -> list[dict[str, Any]]:
        return list(self.backends.metrics(access_key))

    def _drill(self, body: bytes, access_key: str | None) -> dict[str, Any]:
        drill = Drill.from_request(parse_request(body), OPERATIONS)
        self.backends.drills(access_key).add(drill)
        return asdict(drill)

    async def close(self) -> None:
        """Close what leads to the upstream."""
        await self._upstream.close()


@dataclass
class Runner:
    """An endpoint that is being served."""

    server: HttpServer
    endpoint: Endpoint

    async def cleanup(self) -> None:
        """Stop serving, and close what leads to the upstream."""
        await self.server.close()
        await self.endpoint.close()


async def start(
    endpoint: Endpoint, port: int = 0, request_seconds: float = REQUEST_SECONDS
) -> tuple[Runner, str]:
    """Serve on a port of 127.0.0.1, and of ::1 where there is one (0: a port that is free in both):
    what is running, to clean up, and the URL.

    A client has ``request_seconds`` to send a request. Raises OSError if the port is in use.
    """
    headers = ("X-Amz-Target", *PASSED_ON, *who_may_ask.HEADERS)
    server = HttpServer(endpoint.handle, headers, request_seconds)
    return Runner(server, endpoint), await server.listen(port)
