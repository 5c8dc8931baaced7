"""The doctor's checks. Each takes what it looks at as arguments, so that a test can make it fail on
a machine that is well, and gives findings.

They must run where little else does: nothing that could be missing is imported at the top, and the
words are those that Python 3.8 knows.
"""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

from tweetlab.errors import LabError

if TYPE_CHECKING:
    from tweetlab.lab.lab import Lab

PYTHON = (3, 11)
"""The oldest Python that the lessons run on."""
PORTS = {8888: "JupyterLab", 8010: "tweetlab endpoint", 6379: "docker compose's Redis"}
"""What asks for these ports when nobody names another one. The lab itself takes free ones."""
OWN_SERVERS = {"AWS_ENDPOINT_URL_DYNAMODB": "DynamoDB", "REDIS_URL": "Redis"}
"""Variables that name a server to use in place of one of the lab's."""
WRITTEN = 1_790_000_000
"""September 2026, in seconds since 1970: a clock that says less is behind."""
JUMP_SECONDS = 0.1
DISK_BYTES = 100_000_000
MEMORY_BYTES = 2_000_000_000
"""JupyterLab, a lesson's kernel and the two servers take about half a gigabyte together."""

OK, NOTE, FIX = "ok", "note", "fix"


@dataclass(frozen=True)
class Finding:
    """What a check found. ``kind`` is "ok", "note" (the lessons run all the same) or "fix"."""

    kind: str
    what: str
    todo: str = ""


ok, note, fix = (partial(Finding, kind) for kind in (OK, NOTE, FIX))


def python(version: tuple[int, ...], executable: str) -> Iterator[Finding]:
    """``version`` as in ``sys.version_info``; ``executable`` is named where it is too old."""
    found, needed = (".".join(map(str, numbers)) for numbers in (version, PYTHON))
    if tuple(version[:2]) >= PYTHON:
        yield ok(f"Python {found}.")
    else:
        yield fix(
            f"Python is too old: {executable} is Python {found}, and the lessons need {needed} or "
            "newer.",
            f"install Python {needed} or newer and name it: make lab PYTHON=python{needed}. With "
            "conda: conda env create -f environment.yml.",
        )


def requirements() -> list[str]:
    """What tweetlab, as it is installed, requires. Raises PackageNotFoundError if it is not."""
    return metadata.requires("tweetlab") or []


def packages(
    required: Callable[[], Sequence[str]],
    version: Callable[[str], str],
    load: Callable[[str], Any] = importlib.import_module,
) -> Iterator[Finding]:
    """Whether each required package is there, in a version that will do, and can be imported.

    ``version`` raises PackageNotFoundError for a package that is missing.
    """
    install = f"{sys.executable} -m pip install -e . in the project's folder."
    try:
        from packaging.requirements import Requirement

        needed = [Requirement(line) for line in required()]
    except ModuleNotFoundError as error:  # PackageNotFoundError is one too
        yield fix(
            f"The package {error.name} is missing from this Python, {sys.executable}.",
            f"start JupyterLab with `make lab`, which uses the right Python. Or: {install}",
        )
        return
    needed = [one for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    troubles = []
    for one in needed:
        try:
            found = version(one.name)
            if one.specifier.contains(found, prereleases=True):
                load(one.name.replace("-", "_"))
            else:
                troubles.append(f"The package {one.name} is {found}, and not {one.specifier}.")
        except metadata.PackageNotFoundError:
            troubles.append(f"The package {one.name} is missing.")
        except Exception as error:  # whatever a broken package raises
            troubles.append(f"The package {one.name} is there but broken: {_error_text(error)}")
    yield from (fix(trouble, install) for trouble in troubles)
    if not troubles:
        yield ok(f"The packages are there, all {len(needed)} of them.")


def proxies(env: Mapping[str, str]) -> Iterator[Finding]:
    """Whether a proxy would be sent what is meant for this machine.

    The lab's own clients ignore proxies. The AWS CLI, another SDK and curl do not.
    """
    urls = {
        name[: -len("_proxy")].lower(): value
        for name, value in env.items()
        if name.lower().endswith("_proxy") and value
    }
    names = sorted(
        name for name in env if name.lower() in ("http_proxy", "all_proxy") and env[name]
    )
    if not names:
        yield ok("No proxy stands between this machine and itself.")
    elif all(proxy_bypass_environment(host, urls) for host in ("127.0.0.1", "localhost")):
        yield ok(f"{' and '.join(names)}: set, but not for this machine (NO_PROXY).")
    else:
        yield fix(
            f"A proxy swallows what is meant for this machine: {' and '.join(names)} is set, and "
            "NO_PROXY does not name 127.0.0.1 and localhost. The lessons' own clients ignore "
            "proxies; the AWS CLI, curl and clients that you make yourself do not.",
            "export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost",
        )


def own_servers(env: Mapping[str, str]) -> Iterator[Finding]:
    """Say which servers the environment sets in place of the lab's; ``servers`` tries them."""
    for name, server in OWN_SERVERS.items():
        if env.get(name):
            yield note(
                f"{name} is set: the lab uses that {server} and starts none of its own.",
                f"nothing, if you mean it. If not: unset {name}",
            )


def ports(
    wanted: Sequence[int], env: Mapping[str, str], in_use: Callable[[int], bool]
) -> Iterator[Finding]:
    """``wanted`` ports must be free. Of ``PORTS`` one in use is noted, unless the environment
    names it as a server to use.
    """
    meant = {_port(env[name]) for name in OWN_SERVERS if env.get(name)}
    taken = [port for port in dict.fromkeys([*wanted, *PORTS]) if in_use(port)]
    for port in taken:
        if port in wanted:
            yield fix(
                f"Port {port} is in use, by another program or by an earlier run of yours.",
                f"end that program (`lsof -i :{port}` names it), or choose another port.",
            )
        elif port == 8888:
            yield note(
                "Port 8888 is in use, as it is while a JupyterLab of yours runs. The next one "
                "takes another port: open the address that it prints.",
            )
        elif port not in meant:
            yield note(
                f"Port {port} is in use. The lessons do not need it; {PORTS[port]} does.",
                "nothing, unless you want that: then name it another port.",
            )
    if not taken:
        yield ok(f"Ports {', '.join(map(str, PORTS))} are free.")


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        return None


def in_use(port: int) -> bool:
    """Whether a server could not listen on that port of 127.0.0.1."""
    with socket.socket() as probe:
        if os.name == "posix":  # as servers do, so that a port left a moment ago counts as free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def clock(
    wall: Callable[[], float], monotonic: Callable[[], float], sleep: Callable[[float], object]
) -> Iterator[Finding]:
    """Whether the two clocks agree on how long a second is, step by step.

    The endpoint's buckets and the latencies are timed by the monotonic clock, which nothing sets;
    a time to live in Redis, and the age of a tweet, by the wall clock.
    """
    if wall() < WRITTEN:
        yield fix(
            f"The clock is behind: it says {time.strftime('%d %B %Y', time.gmtime(wall()))}.",
            "set the date and time, best by switching on the automatic setting (NTP).",
        )
        return
    offset, jump = wall() - monotonic(), 0.0
    for _ in range(20):
        sleep(1 / 20)
        # Between the two looks another program may have run; a jump stays, so look again.
        step = min((wall() - monotonic() - offset for _ in range(3)), key=abs)
        jump = max(jump, step, key=abs)
    if abs(jump) > JUMP_SECONDS:
        yield fix(
            f"The clock jumps: within 1 s it was set {abs(jump):.1f} s "
            f"{'forward' if jump > 0 else 'back'}. What expires after a time to live, or is dated, "
            "comes out wrong.",
            "wait until it is right, and run this again. In WSL, or another virtual machine that "
            "slept: restart it (wsl --shutdown).",
        )
    else:
        yield ok("The clock runs evenly.")


def memory() -> int | None:
    """Bytes of memory that this machine has; None where Python cannot tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def free_disk() -> int:
    """Bytes free where temporary files go; 0 where none can be written."""
    try:
        return shutil.disk_usage(tempfile.gettempdir()).free
    except OSError:
        return 0


def room(disk: int, ram: int | None) -> Iterator[Finding]:
    """``disk``: bytes free for temporary files; ``ram``: bytes of memory, or None if unknown."""
    if ram is not None and ram < MEMORY_BYTES:
        yield note(
            f"This machine has {ram / 1e9:.1f} GB of memory, which is little.",
            "shut down the kernels of lessons that you have finished.",
        )
    if disk < DISK_BYTES:
        yield fix(
            f"The disk is full: {disk / 1e6:.0f} MB are left for temporary files.",
            f"free {DISK_BYTES / 1e6:.0f} MB, or name a folder that has them: "
            "export TMPDIR=/some/folder",
        )
    else:
        yield ok("There is room on the disk.")


def shadows(folder: str, names: Iterable[str]) -> Iterator[Finding]:
    """Whether a notebook in that folder would import a file beside it in place of a module."""
    files = sorted(f"{name}.py" for name in names)
    found = [file for file in files if os.path.isfile(os.path.join(folder, file))]
    if found:
        yield note(
            f"{', '.join(found)}: a notebook in this folder may take that for the module so named.",
            "rename it, and restart the kernel.",
        )


def servers(
    start: Callable[[], AbstractContextManager[Lab]], monotonic: Callable[[], float]
) -> Iterator[Finding]:
    """Start the lab as a lesson does, ask both servers something, and stop it again."""
    began = monotonic()
    trouble = "A server of the lab cannot start, or does not answer."
    try:
        with start() as lab:
            lab.redis.ping()
            lab.dynamodb.list_tables()
    except LabError as error:
        yield fix(f"{trouble} {error}", "what the message says.")
    except Exception as error:  # whatever it is, it would end the lesson too
        yield fix(
            f"{trouble} {_error_text(error)}",
            "run this once more; then look whether a virus scanner or firewall forbids programs to "
            f"listen on 127.0.0.1, or to run from {sys.prefix}.",
        )
    else:
        took = monotonic() - began
        yield ok(f"The lab's servers start, answer and stop ({took:.1f} s).")


def _error_text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
