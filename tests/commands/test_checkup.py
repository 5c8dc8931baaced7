"""The doctor's checks name each thing that can be wrong with a machine, and say what to do."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import contextmanager
from importlib import metadata
from types import ModuleType
from typing import Any

import pytest

import tweetlab
from tweetlab.commands import checkup as checks
from tweetlab.commands.checkup import FIX, NOTE, OK, Finding
from tweetlab.errors import LabError


def only(findings) -> Finding:
    [finding] = findings
    return finding


# Python


def test_a_python_that_is_too_old_is_named_with_the_one_to_install():
    finding = only(checks.python((3, 10, 4), "/usr/bin/python3"))
    assert finding.kind == FIX
    assert "Python is too old: /usr/bin/python3 is Python 3.10.4" in finding.what
    assert "3.11 or newer" in finding.what
    assert "PYTHON=python3.11" in finding.todo


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 1), (4, 0, 0)])
def test_a_newer_python_will_do(version):
    assert only(checks.python(version, "python")).kind == OK


def test_the_oldest_python_is_that_of_the_package():
    needed = metadata.metadata("tweetlab")["Requires-Python"]
    assert needed == f">={checks.PYTHON[0]}.{checks.PYTHON[1]}"


# Packages


def packages(
    *requirements: str, installed: dict[str, str], load: Callable[[str], Any] = ModuleType
) -> list[Finding]:
    def version(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    return list(checks.packages(lambda: requirements, version, load))


def test_each_missing_package_is_named():
    found = packages("boto3>=1.44,<2", "redis>=8,<9", "tqdm>=4", installed={"tqdm": "4.70"})
    assert [finding.kind for finding in found] == [FIX, FIX]
    assert "boto3 is missing" in found[0].what
    assert "redis is missing" in found[1].what
    assert f"{sys.executable} -m pip install" in found[0].todo


def test_a_package_of_another_version_is_named():
    finding = only(packages("boto3>=1.44,<2", installed={"boto3": "1.38.2"}))
    assert finding.kind == FIX
    assert "boto3 is 1.38.2" in finding.what and ">=1.44" in finding.what


def test_a_package_that_cannot_be_imported_is_named():
    def load(name: str) -> ModuleType:
        raise OSError(f"cannot load lib{name}.so")

    finding = only(packages("flask-cors>=6,<7", installed={"flask-cors": "6.0"}, load=load))
    assert finding.kind == FIX
    assert "flask-cors is there but broken: OSError: cannot load libflask_cors.so" in finding.what


def test_packages_of_another_system_and_of_extras_are_not_missed():
    elsewhere = "linux" if sys.platform == "win32" else "win32"
    finding = only(
        packages(
            f"fakeredis>=2; sys_platform == '{elsewhere}'",
            "pytest>=9; extra == 'test'",
            "moto[dynamodb]>=5.2,<6",
            installed={"moto": "5.2.5"},
        )
    )
    assert finding == Finding(OK, "The packages are there, all 1 of them.")


def test_a_python_without_tweetlab_is_named_since_it_is_the_wrong_one():
    def requirements() -> list[str]:
        raise metadata.PackageNotFoundError("tweetlab")

    finding = only(checks.packages(requirements, metadata.version))
    assert finding.kind == FIX
    assert f"tweetlab is missing from this Python, {sys.executable}" in finding.what
    assert "make lab" in finding.todo


def test_all_packages_are_there_where_the_tests_run():
    assert only(checks.packages(checks.requirements, metadata.version)).kind == OK


# Proxies


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("no_proxy", [None, "", "example.com", "127.0.0.1"])
def test_a_proxy_that_swallows_loopback_is_named(name, no_proxy):
    env = {name: "http://proxy.example:3128"}
    if no_proxy is not None:
        env["NO_PROXY"] = no_proxy
    finding = only(checks.proxies(env))
    assert finding.kind == FIX
    assert name in finding.what and "127.0.0.1" in finding.what
    assert "NO_PROXY=127.0.0.1,localhost" in finding.todo


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"HTTP_PROXY": ""},
        {"HTTPS_PROXY": "http://proxy.example:3128"},
        {"HTTP_PROXY": "http://proxy.example:3128", "NO_PROXY": "localhost, 127.0.0.1"},
        {"http_proxy": "http://proxy.example:3128", "no_proxy": "*"},
    ],
)
def test_a_proxy_that_leaves_this_machine_alone_is_fine(env):
    assert only(checks.proxies(env)).kind == OK


# Servers of one's own


def test_variables_that_name_other_servers_are_noted_without_their_passwords():
    env = {"REDIS_URL": "redis://:secret@127.0.0.1:6379", "AWS_ENDPOINT_URL_DYNAMODB": ""}
    finding = only(checks.own_servers(env))
    assert finding.kind == NOTE
    assert "REDIS_URL" in finding.what and "unset REDIS_URL" in finding.todo
    assert "secret" not in str(finding)


# Ports


def test_a_port_to_serve_on_must_be_free():
    finding = only(checks.ports([8010], {}, lambda port: port == 8010))
    assert finding.kind == FIX
    assert "Port 8010 is in use" in finding.what
    assert "another port" in finding.todo


@pytest.mark.parametrize("port", checks.PORTS)
def test_a_usual_port_in_use_is_noted_only(port):
    finding = only(checks.ports([], {}, lambda number: number == port))
    assert finding.kind == NOTE
    assert f"Port {port} is in use" in finding.what


def test_the_port_of_a_server_that_is_meant_is_no_news():
    env = {"REDIS_URL": "redis://127.0.0.1:6379", "AWS_ENDPOINT_URL_DYNAMODB": "http://[broken"}
    assert list(checks.ports([], env, lambda port: port == 6379)) == []


def test_free_ports_are_fine():
    assert only(checks.ports([9000], {}, lambda port: False)).kind == OK


def test_in_use_is_what_a_server_would_find():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert checks.in_use(port)
    assert not checks.in_use(port)


# Clock


class Clocks:
    """A wall clock and a monotonic one; the wall clock is set by ``jump`` after half a second."""

    def __init__(self, jump: float, started: float = checks.WRITTEN + 1e6) -> None:
        self.jump, self.started, self.passed = jump, started, 0.0

    def sleep(self, seconds: float) -> None:
        self.passed += seconds

    def monotonic(self) -> float:
        return self.passed + 77

    def wall(self) -> float:
        return self.started + self.passed + (self.jump if self.passed > 0.5 else 0)

    def finding(self) -> Finding:
        return only(checks.clock(self.wall, self.monotonic, self.sleep))


@pytest.mark.parametrize(("jump", "way"), [(-3600, "3600.0 s back"), (0.5, "0.5 s forward")])
def test_a_clock_that_jumps_is_named(jump, way):
    finding = Clocks(jump).finding()
    assert finding.kind == FIX
    assert "The clock jumps" in finding.what and way in finding.what
    assert finding.todo


def test_a_clock_that_is_corrected_a_little_is_fine():
    clocks = Clocks(jump=0.01)
    assert clocks.finding().kind == OK
    assert clocks.passed == pytest.approx(1)


def test_a_clock_that_is_years_behind_is_named():
    finding = Clocks(jump=0, started=0).finding()
    assert finding.kind == FIX
    assert "01 January 1970" in finding.what


# Room


def test_a_full_disk_is_named_and_little_memory_noted():
    memory, disk = checks.room(disk=3_000_000, ram=1_000_000_000)
    assert disk.kind == FIX and "disk is full: 3 MB" in disk.what
    assert memory.kind == NOTE and "1.0 GB of memory" in memory.what


@pytest.mark.parametrize("ram", [None, 8_000_000_000])
def test_enough_room_is_fine(ram):
    assert only(checks.room(disk=10**9, ram=ram)).kind == OK


# Servers


def refusing(error: Exception) -> Finding:
    @contextmanager
    def start():
        raise error
        yield

    return only(checks.servers(start, lambda: 0))


def test_a_server_that_cannot_start_is_named_with_what_it_said():
    finding = refusing(LabError("Valkey did not start. It said:\n\nno room"))
    assert finding.kind == FIX
    assert finding.what.endswith("does not answer. Valkey did not start. It said:\n\nno room")
    assert finding.todo == "what the message says."


def test_a_virus_scanner_is_only_suspected_where_nothing_was_said():
    finding = refusing(PermissionError("not allowed"))
    assert finding.kind == FIX
    assert "cannot start" in finding.what and finding.what.endswith("PermissionError: not allowed")
    assert "virus scanner" in finding.todo


def test_a_server_that_starts_but_does_not_answer_is_named():
    @contextmanager
    def start():
        with tweetlab.start() as lab:
            assert lab._servers
            lab._servers.close()
            yield lab

    finding = only(checks.servers(start, lambda: 0))
    assert finding.kind == FIX
    assert "does not answer" in finding.what


# Shadows


def test_a_file_that_hides_a_module_is_named(tmp_path):
    for name in ("queue.py", "redis.py", "mine.py", "token.txt"):
        (tmp_path / name).touch()
    (tmp_path / "email.py").mkdir()
    finding = only(checks.shadows(str(tmp_path), ["token", "redis", "queue", "email"]))
    assert finding.kind == NOTE and finding.what.startswith("queue.py, redis.py: a notebook in")
    assert "rename" in finding.todo


def test_a_folder_without_such_a_file_is_fine(tmp_path):
    (tmp_path / "mine.py").touch()
    assert not list(checks.shadows(str(tmp_path), ["token", "redis", "queue", "email"]))
