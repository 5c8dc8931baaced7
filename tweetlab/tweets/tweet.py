"""A tweet, what reading one took, and the item that DynamoDB keeps of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from tweetlab.errors import InvalidTweet

MAX_TEXT = 25_000
"""Characters of a text at most."""


@dataclass(frozen=True)
class Tweet:
    """One tweet. ``created`` is in UTC."""

    tweet_id: UUID
    text: str
    created: datetime

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
        """The tweet that an item of DynamoDB holds."""
        return cls(
            tweet_id=UUID(item["tweet_id"]["S"]),
            text=item["text"]["S"],
            created=datetime.fromisoformat(item["created"]["S"]),
        )


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


def item_key(tweet_id: UUID) -> dict[str, Any]:
    """The key of a tweet's item."""
    return {"tweet_id": {"S": str(tweet_id)}}
