"""Whether the tests notice: make small changes to the code, one at a time, and run the tests that
come by each.

What is known to change nothing stands in ``changes_nothing.toml``, with a word why. Exits with 1 if
fewer than 95 of 100 of the others are noticed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.mutants.changes import Change
from tests.mutants.rooms import ROOMS, changes_of, files_of, known_to_change_nothing
from tests.mutants.trials import Room, Tree, warm_up

ENOUGH = 0.95


def tried(picked: list[Change], room: Room, trees: list[Tree]) -> Iterator[tuple[Change, str]]:
    """Each change, and the test that noticed it, in any order; one in each tree at a time."""
    waiting, free, running = list(picked), list(trees), dict[int, tuple[Tree, Change]]()
    while waiting or running:
        while waiting and free:
            tree, change = free.pop(), waiting.pop(0)
            running[tree.start(change, room)] = tree, change
        process, status = os.wait()
        tree, change = running.pop(process)
        yield change, tree.ended(process, status)
        free.append(tree)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"of {', '.join(ROOMS)}")
    parser.add_argument("--changes", type=int, default=300, help="how many; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="at a time")
    parser.add_argument("--only", default="", help="changes whose file has this in its name")
    parser.add_argument("--show", action="store_true", help="name the test that noticed, too")
    chosen = parser.parse_args()
    rooms = chosen.rooms or list(ROOMS)
    possible = [
        (room, change)
        for room in rooms
        for change in changes_of(room)
        if chosen.only in change.file
    ]
    count = min(chosen.changes, len(possible)) or len(possible)
    picked = random.Random(chosen.seed).sample(possible, count)
    known = known_to_change_nothing()
    idle = [change for _, change in picked if change.key in known]
    missed: list[Change] = []
    warm_up([ROOMS[room][1][0] for room in rooms])
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        first = Tree(Path(folder) / "0")
        tests = {name: Room(ROOMS[name][1], files_of(name), first) for name in rooms}
        others = range(1, chosen.jobs)
        trees = [first, *(Tree(Path(folder) / str(one), first.folder) for one in others)]
        for name, room in tests.items():
            mine = [change for of, change in picked if of == name and change.key not in known]
            print(f"{name}: {len(mine)} changes, {len(room.seconds)} tests", flush=True)
            for number, (change, noticed) in enumerate(tried(mine, room, trees), 1):
                if not noticed:
                    missed.append(change)
                    print(f"{number} not noticed: {change}", flush=True)
                elif chosen.show:
                    print(f"{number} noticed: {change}\n    {noticed}", flush=True)
                elif number % 25 == 0:
                    print(f"{number} of {len(mine)}", flush=True)
    for change in idle:
        print(f"changes nothing: {change}\n    {known[change.key]}")
    total = len(picked) - len(idle)
    share = 1 - len(missed) / total if total else 1
    print(f"{total - len(missed)} of {total} noticed: {share:.1%}; {len(idle)} change nothing.")
    return share < ENOUGH


if __name__ == "__main__":
    sys.exit(main())
