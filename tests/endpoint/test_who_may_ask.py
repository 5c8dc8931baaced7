"""A web page that is open in a browser of the same machine can neither read nor change a thing."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.support.serving import SIGNED, TARGET, Server

KEY = {"id": {"S": "a"}}
DRILL = json.dumps({"calls": 1000, "operation": "GetItem"})


@pytest.fixture
def table(moto_server):
    yield moto_server.create_table()
    moto_server.delete_tables()


def ask(
    server: Server, method: str, path: str, body: str, lines: list[str]
) -> tuple[int, dict[str, str], bytes]:
    """A request with just those lines in its head: the answer's status, headers and body."""
    request = [f"{method} {path} HTTP/1.1", *lines, f"Content-Length: {len(body)}", "", body]
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), 60) as connection:
        connection.sendall("\r\n".join(request).encode())
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            head, _, content = answer.read().partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    headers = dict(field.split(": ", 1) for field in fields)
    return int(first.split()[1]), {name.lower(): text for name, text in headers.items()}, content


def signed(operation: str) -> list[str]:
    return [f"X-Amz-Target: {TARGET}{operation}", *(f"{k}: {v}" for k, v in SIGNED.items())]


def everything(table: str) -> list[tuple[str, str, str, list[str]]]:
    """A request to each part of the endpoint."""
    return [
        ("GET", "/", "", []),
        ("HEAD", "/", "", []),
        ("GET", "/tweetlab", "", []),
        ("GET", "/tweetlab/metrics", "", []),
        ("POST", "/tweetlab/drill", DRILL, ["Content-Type: text/plain"]),
        ("POST", "/", json.dumps({"TableName": table, "Key": KEY}), signed("GetItem")),
        ("POST", "/", json.dumps({"TableName": table}), signed("DeleteTable")),
        ("POST", "/", "{}", signed("NoSuchOperation")),
        ("OPTIONS", "/", "", ["Access-Control-Request-Method: POST"]),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["Host: attacker.example"], id="another name"),
        pytest.param(["Host: attacker.example:{port}"], id="another name, with the port"),
        pytest.param(["Host: 127.0.0.1.attacker.example"], id="a name that begins well"),
        pytest.param(["Host: localhost.attacker.example:{port}"], id="another that does"),
        pytest.param(["Host: attacker@localhost.example"], id="a name with a user"),
        pytest.param(["Host: 192.168.1.2:{port}"], id="an address of the network"),
        pytest.param(["Host: 0.0.0.0:{port}"], id="no address at all"),
        pytest.param(["Host: [2001:db8::1]:{port}"], id="an address of IPv6"),
        pytest.param(["Host: [::1"], id="half an address"),
        pytest.param(["Host: "], id="nothing"),
        pytest.param(["Host: 127.0.0.1:{port}", "Origin: http://attacker.example"], id="a page"),
        pytest.param(["Host: 127.0.0.1:{port}", "Origin: null"], id="a page without a name"),
        pytest.param(["Host: 127.0.0.1:{port}", "Origin: http://127.0.0.1:3000"], id="a neighbour"),
        pytest.param(["Host: 127.0.0.1:{port}", "Origin: https://127.0.0.1:{port}"], id="by TLS"),
        pytest.param(["Origin: http://attacker.example"], id="a page, to no host"),
        pytest.param(["Origin: http://None"], id="a page of that name, to no host"),
        pytest.param(["Host: localhost.attacker.example.:{port}"], id="a name with a dot behind"),
        pytest.param(["Host: [::ffff:192.168.1.2]:{port}"], id="one of the network in IPv6"),
        pytest.param(
            ["Host: attacker.example", "Origin: http://attacker.example"],
            id="a page that seems to be of the endpoint",
        ),
    ],
)
def test_who_is_refused_everywhere(moto_server, table, lines):
    lines = [line.replace("{port}", str(urlsplit(moto_server.url).port)) for line in lines]
    for method, path, body, more in everything(table):
        status, headers, content = ask(moto_server, method, path, body, [*lines, *more])
        assert status == 403, (method, path)
        assert not [name for name in headers if name.startswith("access-control-")]
        if method != "HEAD":
            assert json.loads(content)["__type"].endswith("#AccessDeniedException")
    # It has changed nothing.
    assert moto_server.dynamodb.get_item(TableName=table, Key=KEY)


@pytest.mark.parametrize(
    "lines",
    [
        ["Host: 127.0.0.1:{port}"],
        ["Host: 127.0.0.1"],
        ["Host: 127.1.2.3:80"],
        ["Host: localhost:{port}"],
        ["Host: LocalHost:9999"],
        ["Host: [::1]:{port}"],
        ["Host: [::1]"],
        ["Host: [0:0:0:0:0:0:0:1]:{port}"],
        ["Host: [::ffff:127.0.0.1]:{port}"],
        ["Host: localhost.:{port}"],
        ["Host: host.docker.internal:{port}"],
        ["Host: host.containers.internal:{port}"],
        ["Host: 127.0.0.1:{port}", "Origin: http://127.0.0.1:{port}"],
        [],
    ],
    ids=" ".join,
)
def test_who_is_not(moto_server, table, lines):
    """A port may be another's: that of a tunnel, or of a container."""
    lines = [line.replace("{port}", str(urlsplit(moto_server.url).port)) for line in lines]
    body = json.dumps({"TableName": table, "Key": KEY})
    assert ask(moto_server, "POST", "/", body, [*lines, *signed("GetItem")])[::2] == (200, b"{}")
    assert ask(moto_server, "GET", "/tweetlab", "", lines)[0] == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:{port}", 200), ("LOCALHOST", 200), ("attacker.example", 403), ("[::1", 400)],
)
def test_a_whole_url_means_the_host_in_it(moto_server, table, host, status):
    """As a client sends it that takes the endpoint for a proxy."""
    url = f"http://{host.replace('{port}', str(urlsplit(moto_server.url).port))}"
    lines = ["Host: localhost"]
    body = json.dumps({"TableName": table, "Key": KEY})
    assert ask(moto_server, "POST", f"{url}/", body, [*lines, *signed("GetItem")])[0] == status
    for path in ("/", "", "/tweetlab", "/tweetlab/metrics?access_key=nobody"):
        assert ask(moto_server, "GET", f"{url}{path}", "", lines)[0] == status, path


def test_the_refusal_says_what_to_do(moto_server):
    asked = ask(moto_server, "GET", "/", "", ["Host: my-machine:8010"])
    message = json.loads(asked[2])["message"]
    assert "127.0.0.1" in message and "my-machine" in message and "endpoint URL" in message
    lines = ["Host: localhost", "Origin: http://my-page"]
    message = json.loads(ask(moto_server, "GET", "/", "", lines)[2])["message"]
    assert "http://my-page" in message and "server of yours" in message
