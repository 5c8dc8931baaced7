"""Running a room's tests on a changed copy of the tree: only those that come by the change."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import coverage
import pytest

from tests.mutants.changes import Change

ROOT = Path(__file__).parent.parent.parent
QUIET = ["-q", "--no-header", "-p", "no:cacheprovider", "--show-capture=no"]
OURS = ("tweetlab", "tests")
SLOW = "DynamoDB Local"
"""What is in the name of a test that runs with an upstream that is slow to start."""


class Baseline:
    """A plugin of pytest that notes which lines each test runs, and how long the test takes."""

    def __init__(self, files: list[Path]) -> None:
        # Not in a file: only what is in memory is asked for.
        self._coverage = coverage.Coverage(
            data_file=None, include=[str(file) for file in files], config_file=False
        )
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []
        self._coverage.start()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if SLOW not in item.nodeid]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._coverage.switch_context(nodeid)

    def pytest_runtest_logfinish(self) -> None:
        self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def result(self, package: Path) -> dict[str, Any]:
        self._coverage.stop()
        data = self._coverage.get_data()
        return {
            "seconds": self.seconds,
            "failed": self.failed,
            "reached": {
                Path(file).relative_to(package).as_posix(): data.contexts_by_lineno(file)
                for file in data.measured_files()
            },
        }


class Trial:
    """A plugin of pytest that runs some tests only, in their order, and notes the first to fail.

    ``tests`` are those, with the seconds that each takes; one that takes far longer has hung.
    """

    def __init__(self, tests: dict[str, float]) -> None:
        self._tests = tests
        self.noticed = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        by_name = {item.nodeid: item for item in items}
        items[:] = [by_name[test] for test in self._tests if test in by_name]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        # By the process's own time, as the machine may be busy; and by the clock, if it waits.
        seconds = self._tests[nodeid]
        signal.setitimer(signal.ITIMER_PROF, 5 + 3 * seconds)
        signal.setitimer(signal.ITIMER_REAL, 60 + 10 * seconds)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.noticed = self.noticed or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.noticed = self.noticed or f"{report.nodeid}, which cannot be imported"


class Room:
    """A room's tests, as they are without a change."""

    def __init__(self, arguments: list[str], files: list[str], tree: Tree) -> None:
        result = tree.baseline(arguments, files)
        self.seconds: dict[str, float] = result["seconds"]
        for test in set(result["failed"]):
            print(f"left out, as it fails without a change, or when it is traced: {test}")
            del self.seconds[test]
        self._reached: dict[str, dict[str, list[str]]] = result["reached"]

    def tests(self, change: Change) -> list[str]:
        """The tests that come by a change, quickest first. All, where none is seen to do so: it may
        run on import, or in another process."""
        lines = self._reached.get(change.file, {})
        names = {name for line in change.lines for name in lines.get(str(line), ())}
        by_time = sorted(self.seconds, key=lambda test: self.seconds[test])
        return [test for test in by_time if test in names or names <= {""}]


class Tree:
    """A copy of the project, in which one change at a time is made and tried."""

    def __init__(self, folder: Path, original: Path = ROOT) -> None:
        self.folder = folder
        self._result = folder / "mutants.json"
        shutil.copytree(original, folder, ignore=shutil.ignore_patterns(".*", "notebooks"))
        for name in (".cache", ".github", "notebooks"):
            if (ROOT / name).exists():
                (folder / name).symlink_to(ROOT / name)

    def baseline(self, arguments: list[str], files: list[str]) -> dict[str, Any]:
        """What ``Baseline`` notes."""
        package = self.folder / "tweetlab"

        def run() -> dict[str, Any]:
            # Each trial reads what is compiled here, and keeps nothing of a change.
            sys.dont_write_bytecode = False
            plugin = Baseline([package / file for file in files])
            pytest.main([*QUIET, *arguments], [plugin])
            return plugin.result(package)

        result = self._ended(*os.waitpid(self._fork(run), 0))
        assert isinstance(result, dict), result
        return result

    def start(self, change: Change, room: Room) -> int:
        """Run the tests that come by a change, in a process whose id is given."""
        tests = room.tests(change)
        path = self.folder / "tweetlab" / change.file
        self._changed = path, path.read_text()
        path.write_text(change.made(self._changed[1]))

        def run() -> str:
            plugin = Trial({test: room.seconds[test] for test in tests})
            files = sorted({test.partition("::")[0] for test in tests})
            code = pytest.main([*QUIET, "-x", *files], [plugin]) if files else 0
            ended_well = code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
            return plugin.noticed or ("" if ended_well else f"pytest's {code!r}")

        return self._fork(run)

    def ended(self, process: int, status: int) -> str:
        """The test that noticed, or none; for the process that has ended."""
        path, text = self._changed
        path.write_text(text)
        return str(self._ended(process, status))

    def _fork(self, run: Callable[[], Any]) -> int:
        self._result.unlink(missing_ok=True)
        if process := os.fork():
            return process
        try:
            os.setsid()
            os.chdir(self.folder)
            sys.path[:0] = [str(self.folder)]
            sys.dont_write_bytecode = True
            os.environ["PYTHONPATH"] = str(self.folder)
            with (self.folder / "mutants.log").open("w") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
                self._result.write_text(json.dumps(run()))
        finally:
            os._exit(0)

    def _ended(self, process: int, status: int) -> Any:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)  # servers that it left behind
        if self._result.exists():
            return json.loads(self._result.read_text())
        if os.WIFSIGNALED(status):
            return f"its end by signal {os.WTERMSIG(status)}: most often, the time was up"
        raise RuntimeError((self.folder / "mutants.log").read_text())


def warm_up(arguments: list[str]) -> None:
    """Import what the tests import, so that no trial needs to; our own code is forgotten."""
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*QUIET, "--collect-only", *arguments])
    for name in list(sys.modules):
        if name.partition(".")[0] in OURS and not name.startswith("tests.mutants"):
            del sys.modules[name]
