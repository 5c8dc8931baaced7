"""The HTTP server: one event loop, so that admission needs no locks."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

import botocore.session
from aiohttp import web
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

import tweetlab
from tweetlab.endpoint import batches, partiql, reads, transactions, writes
from tweetlab.endpoint.backend import Backend, UpstreamRefused
from tweetlab.endpoint.drills import Drill
from tweetlab.endpoint.tables import Limits
from tweetlab.endpoint.upstream import Upstream
from tweetlab.endpoint.wire import (
    TARGET,
    Answer,
    Call,
    DynamoDBError,
    internal_error,
    parse_request,
    response,
    serialization_error,
    too_large,
    unknown_operation,
    validation_error,
)

MAX_BODY = 16 * 1024 * 1024
"""Bytes of the largest request: a BatchWriteItem's limit (API reference)."""
ABOUT_PATH = "/tweetlab"
"""A path no DynamoDB call uses: tells that this endpoint throttles already. Below it are
``/metrics`` and ``/drill``."""

Operation = Callable[[Backend, Call], Awaitable[Answer]]

_log = logging.getLogger(__name__)


async def _control_plane(backend: Backend, call: Call) -> Answer:
    """Never throttled; what it says of a table is taken in."""
    answer = await backend.forward(call)
    if answer.ok and call.operation == "DeleteTable":
        backend.tables.forget(call.region, call.request["TableName"])
    elif answer.ok and call.operation in ("CreateTable", "UpdateTable"):
        backend.tables.learn(call.region, answer.json["TableDescription"])
    return answer


OPERATIONS: Mapping[str, Operation] = {
    "GetItem": reads.get_item,
    "Query": reads.query,
    "Scan": reads.scan,
    "PutItem": writes.write_item,
    "UpdateItem": writes.write_item,
    "DeleteItem": writes.write_item,
    "BatchGetItem": batches.batch_get_item,
    "BatchWriteItem": batches.batch_write_item,
    "TransactGetItems": transactions.transact_get_items,
    "TransactWriteItems": transactions.transact_write_items,
    "ExecuteStatement": partiql.execute_statement,
    "BatchExecuteStatement": partiql.batch_execute_statement,
    "ExecuteTransaction": partiql.execute_transaction,
}


class Endpoint:
    """A DynamoDB that throttles, in front of an upstream that does not."""

    def __init__(self, upstream: Upstream, limits: Limits) -> None:
        self._backend = Backend(upstream, limits)
        self._upstream = upstream

    async def answer(self, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to a request; whatever goes wrong, it is one that DynamoDB could give."""
        try:
            operation = target.removeprefix(TARGET)
            if not target.startswith(TARGET) or operation not in _model().operation_names:
                raise unknown_operation(f"There is no operation {target[:100]!r}.")
            request = parse_request(body)
            _validate(operation, request)
            call = Call(operation, request, body, headers)
            return await OPERATIONS.get(operation, _control_plane)(self._backend, call)
        except DynamoDBError as error:
            return error.answer
        except UpstreamRefused as refused:
            return refused.answer
        except Exception as error:
            _log.exception("%s failed", target)
            return internal_error(f"tweetlab failed: {error!r}").answer

    def application(self) -> web.Application:
        """The aiohttp application to serve."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_get(ABOUT_PATH, _about)
        app.router.add_get(ABOUT_PATH + "/metrics", self._metrics)
        app.router.add_post(ABOUT_PATH + "/drill", self._drill)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_cleanup.append(self._close)
        return app

    async def _handle(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            answer = too_large(f"A request has at most {MAX_BODY:,} bytes.").answer
        else:
            target = request.headers.get("X-Amz-Target", "")
            answer = await self.answer(target, body, request.headers)
        return response(answer)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.json_response(list(self._backend.tables.metrics.rows()))

    async def _drill(self, request: web.Request) -> web.Response:
        try:
            drill = Drill.from_request(parse_request(await request.read()))
        except DynamoDBError as error:
            return response(error.answer)
        self._backend.tables.drills.add(drill)
        return web.json_response(asdict(drill))

    async def _close(self, _: web.Application) -> None:
        await self._upstream.close()


async def start(endpoint: Endpoint, port: int = 0) -> tuple[web.AppRunner, str]:
    """Serve on a port of 127.0.0.1 (0: a free one): the runner, to clean up, and the URL.

    Raises OSError if the port is in use.
    """
    runner = web.AppRunner(endpoint.application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError:
        await runner.cleanup()
        raise
    _, port = runner.addresses[0][:2]
    return runner, f"http://127.0.0.1:{port}"


async def _about(_: web.Request) -> web.Response:
    return web.json_response({"tweetlab": tweetlab.__version__})


@cache
def _model() -> ServiceModel:
    """DynamoDB's own model of its operations, as botocore ships it."""
    return botocore.session.Session().get_service_model("dynamodb")


def _validate(operation: str, request: dict[str, Any]) -> None:
    """Raise the error DynamoDB answers for a request that is not of the operation's shape."""
    shape: Any = _model().operation_model(operation).input_shape
    known = {name: value for name, value in request.items() if name in shape.members}
    try:
        errors = ParamValidator().validate(known, shape)
    except RecursionError:
        raise validation_error("Nesting Levels have exceeded supported limits") from None
    if errors.has_errors():
        report = errors.generate_report()
        make = serialization_error if "Invalid type" in report else validation_error
        raise make(report)
