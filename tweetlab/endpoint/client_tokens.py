"""The client tokens of transactions: one that is sent twice is made once, whatever is upstream.

An SDK gives each TransactWriteItems a token, and keeps it when it tries again because the answer
was lost. DynamoDB Local knows tokens and moto does not; so they are kept here, and what goes
upstream has a token of ours.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import uuid4

import orjson

from tweetlab.endpoint.wire import (
    Answer,
    idempotent_parameter_mismatch,
    transaction_in_progress,
    validation_error,
)

SECONDS = 600
"""A token names its transaction for ten minutes from when that was done (API reference)."""
LONGEST = 36
"""Characters of a token."""
MOST = 100_000
"""Tokens that are kept; of more, the oldest are forgotten sooner (model choice: some 50 MB)."""


@dataclass(eq=False)
class Transaction:
    """What is known of the transaction that a token names."""

    digest: bytes
    """Of what is to be done."""
    upstream_token: str = field(default_factory=lambda: str(uuid4()))
    """The token of all its attempts upstream. One that failed there may yet have been made: an
    upstream that knows tokens does not make it again."""
    running: bool = True
    done_at: float = 0
    answer: Answer | None = None
    """What was answered when it was made; None until then."""
    units_again: Sequence[float] = ()
    """The read units that each of its actions costs when it is sent again."""


class ClientTokens:
    """The tokens of one owner's transactions."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: OrderedDict[str, Transaction] = OrderedDict()
        """Those that are done in the order in which they were."""

    @contextmanager
    def transaction(
        self, token: str, actions: Sequence[Mapping[str, Any]]
    ) -> Iterator[Transaction]:
        """The transaction of that token, for the time of a call. Without an ``answer``, it is to be
        made; it is not kept as made unless the call gives it one: what was throttled or cancelled
        runs when it is sent again.

        Raises the error that DynamoDB answers where the token is another transaction's, or this one
        is being made by another call.
        """
        if len(token) > LONGEST:
            raise validation_error(
                f"1 validation error detected: Value '{token[:100]}' at 'clientRequestToken' "
                "failed to satisfy constraint: Member must have length less than or equal to "
                f"{LONGEST}"
            )
        digest = sha256(orjson.dumps(actions, option=orjson.OPT_SORT_KEYS)).digest()
        self._forget_the_old()
        known = self._known.get(token)
        if known and known.digest != digest and (known.running or known.answer):
            raise idempotent_parameter_mismatch()
        if known and known.running:
            raise transaction_in_progress()
        if known and known.answer:
            yield known
            return
        known = self._known[token] = known or Transaction(digest)
        known.digest, known.running = digest, True
        try:
            yield known
        finally:
            known.running, known.done_at = False, self._clock()
            self._known.move_to_end(token)

    def _forget_the_old(self) -> None:
        since = self._clock() - SECONDS
        while self._known:
            oldest = next(iter(self._known.values()))
            if oldest.running or (oldest.done_at > since and len(self._known) < MOST):
                return
            self._known.popitem(last=False)
