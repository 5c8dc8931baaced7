"""A tweet, what reading one took, and the item that DynamoDB keeps of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Self
from uuid import UUID

from tweetlab.errors import InvalidTweet, UnreadableTweet

MAX_TEXT = 25_000
"""Characters of a text at most."""


@dataclass(frozen=True)
class Tweet:
    """One tweet. ``created`` is in UTC: a date of another zone is converted, and one without a zone
    is taken for UTC.
    """

    tweet_id: UUID
    text: str
    created: datetime

    def __post_init__(self) -> None:
        zone = self.created.tzinfo
        if zone is not UTC:
            created = self.created.astimezone(UTC) if zone else self.created.replace(tzinfo=UTC)
            object.__setattr__(self, "created", created)

    @property
    def item(self) -> dict[str, Any]:
        """The tweet as an item of DynamoDB: its key and its two other attributes, all strings."""
        return {
            **item_key(self.tweet_id),
            "text": {"S": self.text},
            "created": {"S": self.created.isoformat()},
        }

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> Self:
        """The tweet that an item of DynamoDB holds, whichever program wrote it; what else it has is
        left out. Raises UnreadableTweet if there is none in it.
        """
        tweet_id = _string(item, "tweet_id", "of unknown id")
        try:
            key = UUID(tweet_id)
        except ValueError:
            raise UnreadableTweet(tweet_id, "tweet_id", "is not a UUID") from None
        text, created = _string(item, "text", key), _string(item, "created", key)
        try:
            return cls(key, text, datetime.fromisoformat(created))
        except (OverflowError, ValueError):  # a year before 1, or after 9999, is none in UTC
            why = f"is not a date and a time: {created!r:.60}"
            raise UnreadableTweet(key, "created", why) from None


@dataclass(frozen=True)
class Read:
    """A tweet and what reading it took."""

    tweet: Tweet
    source: Literal["cache", "table"]
    seconds: float
    retries: int
    """Attempts after the first, made by botocore."""
    read_units: float
    """Read capacity units that the table charged."""
    throttles: int = 0
    """Attempts that DynamoDB answered with a throttle."""

    @classmethod
    def from_cache(cls, tweet: Tweet) -> Self:
        """A read that the cache answered, which costs no read units; its time is not known yet."""
        return cls(tweet, "cache", seconds=0.0, retries=0, read_units=0.0)


def valid_text(text: str) -> str:
    """``text``, if a tweet may have it; if not, raises InvalidTweet with the reason."""
    if not isinstance(text, str) or not text.strip():
        raise InvalidTweet("A tweet needs a text of at least one character that is not a space.")
    if len(text) > MAX_TEXT:
        raise InvalidTweet(f"A tweet has {MAX_TEXT:,} characters at most; this has {len(text):,}.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidTweet("The text holds half of a surrogate pair: it is not Unicode.") from None
    return text


def valid_id(tweet_id: UUID | str) -> UUID:
    """``tweet_id`` as a UUID; raises InvalidTweet if it is not one."""
    if isinstance(tweet_id, UUID):
        return tweet_id
    try:
        return UUID(tweet_id)
    except (AttributeError, TypeError, ValueError):
        raise InvalidTweet(
            f"{tweet_id!r:.60} is not a tweet's id: an id is a UUID, such as tweet.tweet_id."
        ) from None


def _string(item: Mapping[str, Any], name: str, tweet_id: UUID | str) -> str:
    """An attribute's value; raises UnreadableTweet if it is not a string."""
    if name not in item:
        raise UnreadableTweet(tweet_id, name, "is missing")
    [(kind, value)] = item[name].items()
    if kind != "S":
        raise UnreadableTweet(tweet_id, name, f"is of type {kind}, not S, a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        why = "holds half of a surrogate pair: it is not Unicode"
        raise UnreadableTweet(tweet_id, name, why) from None
    return str(value)


class FoundTweets(dict[UUID, Tweet]):
    """Tweets by their ids. ``unreadable`` are those that were left out, since their items are no
    tweets, each with the error that ``get`` would raise.
    """

    def __init__(
        self,
        tweets: Mapping[UUID, Tweet] | None = None,
        unreadable: Mapping[UUID, UnreadableTweet] | None = None,
    ) -> None:
        super().__init__(tweets or {})
        self.unreadable = dict(unreadable or {})

    def add(self, others: Mapping[UUID, Tweet]) -> Self:
        """Add tweets that were found elsewhere, and those that were left out there; all of them."""
        self.update(others)
        if isinstance(others, FoundTweets):
            self.unreadable.update(others.unreadable)
        return self

    def in_order(self, tweet_ids: Iterable[UUID]) -> Self:
        """The same in the order of those ids."""
        found = {tweet_id: self[tweet_id] for tweet_id in tweet_ids if tweet_id in self}
        return type(self)(found, self.unreadable)


def item_key(tweet_id: UUID) -> dict[str, Any]:
    """The key of a tweet's item."""
    return {"tweet_id": {"S": str(tweet_id)}}
