"""Checks of lesson 00."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from tweetlab.cache import Client
from tweetlab.exercises.verdict import Remark, check, lifetime


@check("`lab.redis.set(name, value, ex=seconds)`: which name, and how many seconds?")
def check_hello(redis: Client) -> Iterator[Remark]:
    """A key ``hello`` that Redis keeps for 60 seconds."""
    seconds: Any = redis.ttl("hello")
    yield seconds != -2, f"Redis has {'a' if seconds != -2 else 'no'} key `hello`"
    yield 0 <= seconds <= 60, f"it keeps it {lifetime(seconds)}"


@check(
    "`redis.Redis.from_url(lab.redis_url, ...)` is a client. What redis-py gives is `bytes`, "
    "unless you ask for `decode_responses=True`."
)
def check_own_client(mine: Any, redis: Client) -> Iterator[Remark]:
    """A client of the lab's Redis that answers with text."""
    if not hasattr(mine, "get"):
        yield False, f"`mine` is `{mine}`, not a client of Redis"
        return
    name = f"check:{uuid4()}"
    redis.set(name, "soup", ex=60)
    answer = mine.get(name)
    redis.delete(name)
    found = answer in ("soup", b"soup")
    yield found, f"it {'finds' if found else 'does not find'} what the lab's Redis holds"
    yield isinstance(answer, str), f"it answers `{answer!r}`, which is `{type(answer).__name__}`"
