"""Throttles on request, for testing how a client copes with them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from tweetlab.endpoint.wire import validation_error


@dataclass
class Drill:
    """Throttle the next ``calls`` calls of an operation, or of a partition key."""

    calls: int
    operation: str | None = None
    partition_key: str | None = None

    @classmethod
    def from_request(cls, request: Mapping[str, Any], operations: Container[str]) -> Drill:
        """The drill that a JSON object asks for, of one of those operations; raises a
        ValidationException if it is none."""
        calls, operation, key = (request.get(k) for k in ("calls", "operation", "partition_key"))
        named = [name for name in (operation, key) if name is not None]
        if (
            not isinstance(calls, int)
            or isinstance(calls, bool)
            or calls < 1
            or len(named) != 1
            or not isinstance(named[0], str)
        ):
            raise validation_error(
                "A drill is {'calls': N, 'operation': 'GetItem'} or {'calls': N, 'partition_key': "
                "'...'} with N of at least 1."
            )
        if operation is not None and operation not in operations:
            raise validation_error(f"{operation[:100]!r} is no operation that is ever throttled.")
        return cls(calls, operation, key)


class Drills:
    """The drills of one access key under way, and those of ``everyone``; none unless someone
    asked."""

    def __init__(self, everyone: Drills | None = None) -> None:
        self._drills: list[Drill] = []
        self._everyone = everyone

    def add(self, drill: Drill) -> None:
        """Begin one."""
        self._drills.append(drill)

    def strikes(self, operation: str | None = None, partition_key: str | None = None) -> bool:
        """Whether this call of an operation, or of a key, is to be throttled; counts it if so."""
        for drill in self._drills:
            hit = drill.operation if operation is not None else drill.partition_key
            if hit is not None and hit == (operation if operation is not None else partition_key):
                drill.calls -= 1
                if not drill.calls:
                    self._drills.remove(drill)
                return True
        return self._everyone is not None and self._everyone.strikes(operation, partition_key)
