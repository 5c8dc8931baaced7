"""The devcontainer installs what `make lab` does, into the place where it looks."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import json5
import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def container() -> dict[str, Any]:
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text()
    settings = json5.loads(text)
    # JSON with comments is all that the specification allows; json5 reads more.
    assert not re.search(r",\s*[}\]]", text)
    return settings


def test_its_image_is_pinned_to_a_python_that_the_package_allows(container):
    version = re.fullmatch(r"python:(\d+\.\d+\.\d+)-[a-z]+", container["image"])
    assert version
    needed = re.search(r'requires-python = "(.*)"', (ROOT / "pyproject.toml").read_text())
    assert needed and version[1] in SpecifierSet(needed[1])


def test_it_installs_by_make_into_the_environment_that_the_editor_is_told(container):
    command = container["postCreateCommand"].split()
    plan = subprocess.run(
        [command[0], "--dry-run", "--always-make", *command[1:]],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert ".venv/bin/python -m pip" in plan and "--editable ." in plan
    python = container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python == "${containerWorkspaceFolder}/.venv/bin/python"
    assert container["postStartCommand"] == ".venv/bin/tweetlab doctor"


def test_it_forwards_the_port_of_jupyterlab_only(container):
    assert container["forwardPorts"] == [8888]


def test_it_uses_no_setting_that_the_specification_does_not_know(container):
    assert set(container) <= {
        "name",
        "image",
        "postCreateCommand",
        "postStartCommand",
        "forwardPorts",
        "portsAttributes",
        "hostRequirements",
        "customizations",
    }
