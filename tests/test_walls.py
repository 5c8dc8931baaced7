"""Which room may know of which: data flows one way, from workload down to capacity."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tweetlab"
MAY_IMPORT = {
    "errors": "",
    "capacity": "",
    "tweets": "capacity errors",
    "cache": "tweets errors",
    "workload": "tweets errors",
    "simulate": "capacity tweets cache workload errors",
    "charts": "simulate",
    "exercises": "capacity tweets cache simulate charts",
    "endpoint": "capacity",
    "lab": "capacity tweets cache endpoint errors",
    "explore": "capacity tweets cache workload charts lab errors",
    "commands": "tweets cache workload charts lab endpoint errors",
    "__main__": "commands",
    "__init__": "",
}
"""Each room, and the rooms that its files may import when they run. None may import a later one."""
SERVERS = {"lab/servers.py", "commands/endpoint.py"}
"""The only files that serve, and so the only ones that import the endpoint."""


def imports(path: Path) -> Iterator[str]:
    """The rooms that a file imports; what only a type checker reads does not count."""
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} names a module by dots"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            project, _, rest = name.partition(".")
            if project == "tweetlab" and rest and not rest.startswith("__"):
                yield rest.partition(".")[0]


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}


def test_the_listing_is_short():
    names = {path.relative_to(PACKAGE).parts[0] for path in FILES.values()}
    assert names == {room if (PACKAGE / room).is_dir() else f"{room}.py" for room in MAY_IMPORT}
    assert len(names | {"py.typed"}) <= 15


@pytest.mark.parametrize("name", FILES)
def test_a_file_can_be_read_in_one_sitting(name):
    assert len(FILES[name].read_text().splitlines()) <= 300


@pytest.mark.parametrize("name", FILES)
def test_a_file_imports_only_what_its_room_may(name):
    room = room_of(FILES[name])
    assert set(imports(FILES[name])) <= {room, *MAY_IMPORT[room].split()}


def test_no_room_imports_a_later_one():
    rooms = list(MAY_IMPORT)
    for room, others in MAY_IMPORT.items():
        assert all(rooms.index(other) < rooms.index(room) for other in others.split()), room


def test_only_those_who_serve_import_the_endpoint():
    outside = {name: path for name, path in FILES.items() if room_of(path) != "endpoint"}
    assert {name for name, path in outside.items() if "endpoint" in imports(path)} == SERVERS


def test_an_import_is_seen_wherever_it_stands(tmp_path):
    path = tmp_path / "file.py"
    path.write_text(
        "import tweetlab.cache\nif TYPE_CHECKING:\n    from tweetlab.lab import Lab\n"
        "def late():\n    from tweetlab import endpoint, __version__\n"
    )
    assert sorted(imports(path)) == ["cache", "endpoint"]
