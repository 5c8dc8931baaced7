"""moto, in the endpoint's process."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults

from tweetlab.endpoint.owners import Owner
from tweetlab.endpoint.upstream import json_answer, upstream_headers
from tweetlab.endpoint.wire import STREAMS, Answer, internal_error, unknown_operation

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

_log = logging.getLogger(__name__)


class Moto:
    """moto, called as the WSGI applications that it is: one for each service, of the same tables.
    One thread runs it: moto is not safe in several.

    Each access key has an account of its own there, and a region may have any name.
    """

    def __init__(self) -> None:
        # Slow to import, and a proxy does without it.
        from moto.moto_server.werkzeug_app import create_backend_app

        os.environ.setdefault("MOTO_ALLOW_NONEXISTENT_REGION", "true")
        with _without_aws_settings():
            self._dynamodb: WSGIApplication = create_backend_app("dynamodb")
            self._streams: WSGIApplication = create_backend_app("dynamodbstreams")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="moto")

    async def send(self, operation: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        theirs = {**upstream_headers(operation, {}), **_ownership(Owner.of(headers))}
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._call, operation, body, theirs
        )

    def _call(self, operation: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        statuses: list[str] = []
        application = self._streams if operation in STREAMS else self._dynamodb

        def start_response(status: str, *_: Any) -> Any:
            statuses.append(status)

        try:
            content = b"".join(application(_environ(body, headers), start_response))
        except NotImplementedError:
            raise unknown_operation(f"moto does not implement {operation}.") from None
        except Exception as error:
            _log.exception("moto failed on %s", operation)
            raise internal_error(f"moto failed on {operation}: {error!r}") from error
        return json_answer(operation, int(statuses[-1].partition(" ")[0]), content)

    async def close(self) -> None:
        self._thread.shutdown()


@lru_cache(maxsize=1024)
def _ownership(owner: Owner) -> dict[str, str]:
    """What tells moto whose tables are meant. It takes the region from the Authorization header,
    which may be an odd one or none, and an account from a header of its own (its documentation,
    "Multi-Account support")."""
    scope = f"{owner.access_key}/20260101/{owner.region}/dynamodb/aws4_request"
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}",
        "X-Moto-Account-Id": owner.account,
    }


def _environ(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """A request as WSGI wants it (PEP 3333); werkzeug's test client takes as long over it as moto
    over the answer."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": headers["Content-Type"],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    for name, value in headers.items():
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    setup_testing_defaults(environ)
    return environ


@contextmanager
def _without_aws_settings() -> Iterator[None]:
    """moto asks a session of boto3's for its regions, once; and that fails where AWS_PROFILE names
    no profile, or a file of AWS' is broken.
    """
    files = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_")}
    os.environ.update(dict.fromkeys(files, os.devnull))
    try:
        yield
    finally:
        for name in files:
            del os.environ[name]
        os.environ.update(hidden)
