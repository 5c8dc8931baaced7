"""A forked process has connections of its own to DynamoDB."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from tests.support.processes import in_child
from tests.support.serving import Server
from tweetlab import TweetTable


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_does_not_read_by_its_parents_connection(server: Server) -> None:
    """Each would get the other's answers."""
    table = TweetTable(server.dynamodb, read_capacity=1000, write_capacity=1000)
    table.create_table()
    tweet = table.create("Example tweet.")
    assert table.get(tweet.tweet_id) == tweet
    connected: list[Any] = []

    def note(event: str, arguments: Any) -> None:
        if event == "socket.connect":
            connected.append(arguments)

    def reads() -> bool:
        sys.addaudithook(note)
        assert table.get(tweet.tweet_id) == table.get(tweet.tweet_id) == tweet
        return len(connected) == 1

    in_child(reads)
    assert table.get(tweet.tweet_id) == tweet
