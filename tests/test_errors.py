"""The errors of tweetlab say the same in another process."""

from __future__ import annotations

from multiprocessing.reduction import ForkingPickler
from uuid import UUID

import pytest

from tweetlab import errors

TWEET_ID = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
ERRORS = [
    errors.InvalidTweet("No."),
    errors.TweetNotFound(TWEET_ID),
    errors.UnreadableTweet(TWEET_ID, "text", "is missing"),
    errors.TableNotFound("tweet"),
    errors.TableUnavailable("http://ana:secret@127.0.0.1:8000/?token=secret"),
    errors.TableBusy(64),
    errors.LabError("No."),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_that_another_process_raised(error: errors.TweetlabError) -> None:
    copy = ForkingPickler.loads(ForkingPickler.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
    assert "secret" not in repr(copy) + repr(error)
