"""Why no slow reader can undo an edit in Redis.

A reader that misses takes a *lease* (Facebook's word, NSDI 2013): a token of its own under the key
``tweet:lease:{tweet:ID}``. It may store what it reads from the table only while its token is still
there, which Redis checks and does in one step, as a script. A write deletes the lease with the
tweet, so whoever read the table before the write has lost the right to store what it read,
however late it comes. The write also leaves ``tweet:written:{tweet:ID}`` for two seconds, in which
the table is read consistently: an eventually consistent read may still return the older tweet.

The lease is also the lock that lets one of many processes read the table (``flight.py``).

This file makes the commands; it sends nothing. The braces are Redis Cluster's: the keys of a tweet
live on the same server, since it counts what is in braces, or else the whole key.
"""

import secrets
from typing import Any, NamedTuple

from tweetlab.cache.connections import Command

SETTLING_MS = 2000
"""After a write, DynamoDB's eventually consistent reads agree "usually within one second or less"
(Developer Guide, "Read consistency")."""

# KEYS: tweet, lease, written. ARGV: new token, lease in ms, the value seen.
# A value other than the one seen has come since; a value of another type is none. A client may ask
# twice, if the first answer was lost.
_CLAIM = """
local value = redis.pcall('GET', KEYS[1])
if type(value) == 'string' and value ~= ARGV[3] then return {'value', value, 0} end
redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
local holder = redis.call('GET', KEYS[2])
return {holder == ARGV[1] and 'lease' or 'held', holder, redis.call('EXISTS', KEYS[3])}
"""

# KEYS: tweet, lease. ARGV: token, value, time to live in ms.
_FILL = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""

# KEYS: lease. ARGV: token.
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

# KEYS: tweet, lease, written. ARGV: settling in ms. A Redis that is full still deletes.
_DROP = """
redis.pcall('SET', KEYS[3], '1', 'PX', ARGV[1])
return redis.call('DEL', KEYS[1], KEYS[2])
"""


class Claim(NamedTuple):
    """What a reader that missed may do."""

    value: bytes | None = None
    """A value that has come since: use it."""
    token: bytes | None = None
    """The lease under which to store what the table says; None: do not store it."""
    mine: bool = False
    """Whether this reader has the lease; otherwise another does, and is reading the table."""
    consistent: bool = False
    """Whether the tweet was just written, so that only a consistent read tells."""


def claim(key: str, seen: bytes | None, lease_ms: int) -> Command:
    """Ask for the lease, having found nothing, or nothing of use: the value ``seen``."""
    keys = key, _lease(key), _written(key)
    return "EVAL", _CLAIM, 3, *keys, secrets.token_hex(8), lease_ms, seen or b""


def parse_claim(answer: Any) -> Claim:
    """What Redis answered to that; an empty claim if it was an error."""
    if isinstance(answer, Exception):
        return Claim()
    kind, value, consistent = answer
    if kind == b"value":
        return Claim(value=value)
    return Claim(token=value, mine=kind == b"lease", consistent=bool(consistent))


def fill(key: str, claim: Claim, value: bytes, ttl_ms: int) -> Command:
    """Store a value for that time if the lease is still good; Redis answers 1 if it was."""
    return "EVAL", _FILL, 2, key, _lease(key), claim.token, value, ttl_ms


def release(key: str, claim: Claim) -> Command:
    """Give the lease back, if it is still this reader's."""
    return "EVAL", _RELEASE, 1, _lease(key), claim.token


def drop(key: str) -> Command:
    """The tweet was written: delete it here, and with it all right to store an older one."""
    return "EVAL", _DROP, 3, key, _lease(key), _written(key), SETTLING_MS


def _lease(key: str) -> str:
    return _beside(key, "lease")


def _written(key: str) -> str:
    return _beside(key, "written")


def _beside(key: str, what: str) -> str:
    """A key of the same prefix, on the same server."""
    prefix, _, _ = key.rpartition(":")
    return f"{prefix}:{what}:{{{key}}}"
