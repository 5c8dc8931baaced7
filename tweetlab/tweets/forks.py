"""A forked process has its parent's memory, and none of its threads: what they shared is made anew.

A lock that another thread of the parent held at the fork is never released in the child; work that
one had under way never ends there; a connection would be read by two. Servers that fork their
workers (gunicorn, uWSGI) and ``multiprocessing`` do so with whatever was made before.
"""

import os
import weakref
from collections.abc import Callable

_begins: dict[int, weakref.WeakMethod[Callable[[], None]]] = {}
"""By what no two have in common, so that any thread can take one out in a single step."""


def begin_in_each_process(begin: Callable[[], None]) -> None:
    """Call a method that makes locks, threads or connections: now, and again in each child."""
    begin()
    begin_in_each_child(begin)


def begin_in_each_child(begin: Callable[[], None]) -> None:
    """Call a method in each process that is forked while its object lives, before all else."""
    reference = weakref.WeakMethod(begin, _forget)
    _begins[id(reference)] = reference


def _forget(reference: weakref.ref[Callable[[], None]]) -> None:
    del _begins[id(reference)]


def _begin_all() -> None:
    for reference in list(_begins.values()):
        if begin := reference():
            begin()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_begin_all)
