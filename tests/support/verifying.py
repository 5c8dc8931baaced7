"""A server that checks signatures, as Alternator and ExtendDB do, in front of one that does not."""

from __future__ import annotations

import hmac
import http.client
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([\w-]+)/dynamodb/aws4_request, ?"
    r"SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]+)"
)
_CORAL = "com.amazon.coral.service#"


class VerifyingServer(ThreadingHTTPServer):
    """Passes on what one of its ``keys`` has signed (secrets by access key)."""

    daemon_threads = True

    def __init__(self, upstream: str, keys: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.keys = keys
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.served: list[str] = []
        """The access key and the region of each request that was passed on."""
        self.refused: list[str] = []
        """Why others were not."""

    def checks(self, key: str) -> bool:
        """Whether it looks at the signatures of an access key."""
        return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: VerifyingServer

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        who, problem = self.verify(body)
        if problem:
            self.server.refused.append(problem)
            self.answer(400, json.dumps({"__type": _CORAL + problem, "message": problem}).encode())
            return
        self.server.served.append(who)
        connection = http.client.HTTPConnection(self.server.upstream)
        connection.request("POST", "/", body, dict(self.headers))
        response = connection.getresponse()
        self.answer(response.status, response.read())
        connection.close()

    def verify(self, body: bytes) -> tuple[str, str]:
        """Who has signed it; and what is wrong with it: "" for nothing."""
        if not (found := _AUTHORIZATION.fullmatch(self.headers.get("Authorization", ""))):
            return "", "MissingAuthenticationTokenException"
        key, _, region, names, signature = found.groups()
        if not self.server.checks(key):
            return f"{key} {region}", ""
        if key not in self.server.keys:
            return "", "UnrecognizedClientException"
        signed = {name: self.headers[name] for name in names.split(";")}
        if "host" not in signed or "x-amz-date" not in signed:
            return "", "InvalidSignatureException"
        url = f"http://{self.headers['Host']}{self.path}"
        request = AWSRequest("POST", url, signed, body)
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        auth = SigV4Auth(Credentials(key, self.server.keys[key]), "dynamodb", region)
        text = auth.string_to_sign(request, auth.canonical_request(request))
        if not hmac.compare_digest(auth.signature(text, request), signature):
            return "", "InvalidSignatureException"
        return f"{key} {region}", ""

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def verifying(upstream: str, keys: Mapping[str, str]) -> Iterator[VerifyingServer]:
    """Serve until the block ends."""
    server = VerifyingServer(upstream, keys)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
