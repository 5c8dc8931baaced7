"""Calls that are sent to an upstream plainly and through the endpoint, and what their answers are
when all is left out that differs by nature: times, ids, and what a call consumed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from tests.support.serving import TARGET

THROUGHPUT = {"ReadCapacityUnits": 4000, "WriteCapacityUnits": 4000}
"""More than the calls need: nothing is throttled."""
REGION = "eu-central-1"
"""Whose tables those of the calls are, together with the access key: all in it are deleted."""
SIGNED = {
    "Authorization": f"AWS4-HMAC-SHA256 Credential=calls/20260101/{REGION}/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0",
    "X-Amz-Date": "20260101T000000Z",
    "Content-Type": "application/x-amz-json-1.0",
}


@dataclass(frozen=True)
class Call:
    """An HTTP request. In its body ``$name`` stands for what an answer before it had there: see
    ``keep``, which tells where in this answer such values are."""

    name: str
    target: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    keep: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What is compared of an answer: its status, the short name of the error ("" for none), and the
    JSON in the body, or the text if it is none."""

    status: int
    error: str
    content: Any


def api(
    operation: str,
    detail: str,
    request: Any,
    service: str = TARGET,
    keep: Mapping[str, tuple[str | int, ...]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Call:
    """A call by its operation, what is special about it, and its request."""
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return Call(f"{operation}: {detail}", service + operation, body, headers or {}, keep=keep or {})


def s(text: str) -> dict[str, str]:
    return {"S": text}


def key(name: str) -> dict[str, Any]:
    return {"id": s(name)}


def delete_table(name: str, detail: str) -> Call:
    return api("DeleteTable", f"{name}, {detail}", {"TableName": name})


CLEAN = Call("clean", "", b"")
"""Not a call: all tables are deleted here."""


def play(
    url: str, calls: Iterable[Call], before_each: Callable[[], object] = lambda: None
) -> dict[str, Outcome]:
    """Make the calls in their order, and leave nothing: what came of each, by its name."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    kept = {"run": uuid4().hex[:8]}
    outcomes: dict[str, Outcome] = {}
    for call in (*calls, CLEAN):
        before_each()
        if call is CLEAN:
            _clean(connection)
            continue
        status, body = _send(connection, call, kept)
        for name, path in call.keep.items():
            kept[name] = _found(body, path)
        assert call.name not in outcomes, call.name
        outcomes[call.name] = _outcome(status, body, kept)
    _delete_backups(connection)
    connection.close()
    return outcomes


def _clean(connection: HTTPConnection) -> None:
    _, body = _send(connection, api("ListTables", "to delete them", {}))
    for name in json.loads(body)["TableNames"]:
        delete = delete_table(name, "to be rid of it")
        status, _ = _send(connection, delete)
        if status != 200:
            unprotect = {"TableName": name, "DeletionProtectionEnabled": False}
            _send(connection, api("UpdateTable", "to delete it", unprotect))
            status, _ = _send(connection, delete)
        assert status == 200, name


def _delete_backups(connection: HTTPConnection) -> None:
    _, body = _send(connection, api("ListBackups", "to delete them", {}))
    for backup in json.loads(body).get("BackupSummaries", ()):
        _send(connection, api("DeleteBackup", "it", {"BackupArn": backup["BackupArn"]}))


def _send(
    connection: HTTPConnection, call: Call, kept: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    body = call.body
    for name, value in (kept or {}).items():
        body = body.replace(b"$" + name.encode(), value.encode())
    headers = {**SIGNED, "X-Amz-Target": call.target, **call.headers}
    try:
        connection.request(call.method, "/", body, {k: v for k, v in headers.items() if v})
        response = connection.getresponse()
        return response.status, response.read()
    except (HTTPException, OSError) as error:
        connection.close()
        return 0, f"no answer: {type(error).__name__}".encode()


def _found(body: bytes, path: tuple[str | int, ...]) -> str:
    """What stands there in an answer; "nothing" if it is not there."""
    try:
        value = json.loads(body)
        for step in path:
            value = value[step]
    except (ValueError, LookupError, TypeError):
        return "nothing"
    return str(value)


_BY_NATURE = re.compile(
    r".*DateTime$|TableId|.*StreamLabel|.*SequenceNumber|eventID|ShardId|ParentShardId|"
    r"(Next)?ShardIterator|Backup.*Arn|TableCreation.*|(Export|Import)?(Start|End)Time|ExportTime|"
    r".*ManifestFile.*|RequestId|ClientRequestToken|RevisionId|ExportArn|ImportArn|ClientToken|NextToken|ImportStatus|KMSMasterKeyArn|SizeBytes"
)
"""Members that are never twice the same."""
_RANDOM = (
    (re.compile(r"arn:aws:dynamodb:[\w-]+:\d+:"), "arn:"),
    (re.compile(r"/(stream|backup|export|import)/[\w:.-]+"), r"/\1/…"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "…"),
    (re.compile(r"@[0-9a-f]{5,8}\b"), "@…"),
    (re.compile(r"Request ID: \S+"), "Request ID: …"),
)
"""Parts of texts that are never twice the same."""


def _outcome(status: int, body: bytes, kept: Mapping[str, str]) -> Outcome:
    try:
        content = json.loads(body)
    except ValueError:
        return Outcome(status, "", _text(body.decode("utf-8", "replace"), kept))
    content = _comparable(content, kept)
    if not isinstance(content, dict):
        return Outcome(status, "", content)
    content.pop("ConsumedCapacity", None)
    kind = content.pop("__type", "").rpartition("#")[2]
    if "Message" in content:
        content["message"] = content.pop("Message")
    return Outcome(status, kind, content)


def _comparable(value: Any, kept: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            _text(name, kept): "…"
            if _BY_NATURE.fullmatch(name) and each
            else _comparable(each, kept)
            for name, each in value.items()
            if not name.startswith("Failure")  # moto's imports fail when they come to it
        }
    if isinstance(value, list):
        return [_comparable(each, kept) for each in value]
    return _text(value, kept) if isinstance(value, str) else value


def _text(text: str, kept: Mapping[str, str]) -> str:
    for name, value in kept.items():
        text = text.replace(value, "$" + name)
    for pattern, by in _RANDOM:
        text = pattern.sub(by, text)
    return text
