"""The code that is changed, the tests that should notice, and what is known to change nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.mutants.changes import Change, changes

PACKAGE = Path(__file__).parent.parent.parent / "tweetlab"
CHARGING = "actions charging client_tokens drills keys known_tables reads searches stored table"
SLOW = "accounting clients fuzz http oracle other_sdks owners proxy signing streams wire"
ROOMS: dict[str, tuple[list[str], list[str]]] = {
    "capacity": (["capacity/*.py"], ["tests/capacity"]),
    "cache": (["cache/*.py"], ["tests/cache"]),
    "tweets": (["tweets/*.py"], ["tests/tweets"]),
    "endpoint": (
        [f"endpoint/{name}.py" for name in CHARGING.split()] + ["endpoint/writes.py"],
        ["tests/endpoint"] + [f"--ignore=tests/endpoint/test_{name}.py" for name in SLOW.split()],
    ),
}
"""Of each room its files, in patterns, and what pytest is told to run: what is quick. Of the two
upstreams that many tests have, they run with moto."""


def files_of(room: str) -> list[str]:
    """A room's files, as in ``cache/aside.py``."""
    paths = {path for pattern in ROOMS[room][0] for path in PACKAGE.glob(pattern)}
    return sorted(path.relative_to(PACKAGE).as_posix() for path in paths)


def changes_of(room: str) -> list[Change]:
    """All changes that can be made to a room's code."""
    return [change for path in files_of(room) for change in changes(PACKAGE / path, PACKAGE)]


def known_to_change_nothing() -> dict[tuple[str, str, str, str], str]:
    """Why a change changes nothing, by its file, function, and the code before and after."""
    entries = tomllib.loads(Path(__file__).with_name("changes_nothing.toml").read_text())
    return {
        (file, entry.get("within", ""), entry["before"], entry["after"]): entry["why"]
        for file, listed in entries.items()
        for entry in listed
    }
