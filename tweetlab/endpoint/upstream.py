"""Where admitted requests go: moto in this process, or another DynamoDB over HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import aiohttp

from tweetlab.endpoint.wire import TARGET, Answer, internal_error, unknown_operation

_log = logging.getLogger(__name__)
_PASSED_ON = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token", "User-Agent")


class Upstream(Protocol):
    """A DynamoDB that enforces no throughput."""

    async def send(self, operation: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Its answer to a request; raises DynamoDBError if it gives none."""
        ...

    async def close(self) -> None: ...


class Moto:
    """moto, called in this process. One thread runs it: moto is not safe in several."""

    def __init__(self) -> None:
        # Slow to import, and a proxy does without it.
        from moto.moto_server.werkzeug_app import create_backend_app
        from werkzeug.test import Client

        self._client = Client(create_backend_app("dynamodb"))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="moto")

    async def send(self, operation: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._call, operation, body, _request_headers(operation, headers)
        )

    def _call(self, operation: str, body: bytes, headers: dict[str, str]) -> Answer:
        try:
            response = self._client.post("/", data=body, headers=headers)
        except NotImplementedError:
            raise unknown_operation(f"moto does not implement {operation}.") from None
        except Exception as error:
            _log.exception("moto failed on %s", operation)
            raise internal_error(f"moto failed on {operation}: {error!r}") from error
        return _checked(operation, response.status_code, response.data)

    async def close(self) -> None:
        self._thread.shutdown()


class Proxy:
    """Another server that speaks DynamoDB, over kept-alive connections."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=30),
            # The answer is handed on as bytes; no proxy variable may carry loopback traffic away.
            trust_env=False,
        )

    async def send(self, operation: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            async with self._session.post(
                self.url, data=body, headers=_request_headers(operation, headers)
            ) as response:
                return _checked(operation, response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise internal_error(f"The DynamoDB at {self.url} does not answer: {error}") from error

    async def close(self) -> None:
        await self._session.close()


def _request_headers(operation: str, headers: Mapping[str, str]) -> dict[str, str]:
    passed_on = {name: headers[name] for name in _PASSED_ON if name in headers}
    return {
        **passed_on,
        "X-Amz-Target": TARGET + operation,
        "Content-Type": "application/x-amz-json-1.0",
    }


def _checked(operation: str, status: int, body: bytes) -> Answer:
    """The answer, if it is JSON: what crashed upstream may have sent a page instead."""
    if not body.startswith(b"{"):
        raise internal_error(f"The upstream answered {operation} with {status} and no JSON.")
    return Answer(status, body)
