"""A table takes its time to come, to change and to go; moto and DynamoDB Local do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.support.serving import Server
from tweetlab import TweetTable

States = Callable[..., list[float]]


@pytest.fixture
def states(moto_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[States]:
    """Have a table be in these states, one after another, whenever it is looked at; None is its
    own. Gives the waits in between."""
    waits: list[float] = []
    monkeypatch.setattr("botocore.waiter.time", SimpleNamespace(sleep=waits.append))
    coming: list[str | None] = []

    def state(**_: Any) -> Any:
        if coming and (status := coming.pop(0)):
            return SimpleNamespace(status_code=200), {"Table": {"TableStatus": status}}
        return None

    events = moto_server.dynamodb.meta.events
    events.register("before-call.dynamodb.DescribeTable", state, unique_id="states")

    def begin(*which: str | None) -> list[float]:
        coming[:] = which
        return waits

    yield begin
    events.unregister("before-call.dynamodb.DescribeTable", unique_id="states")
    moto_server.dynamodb.delete_table(TableName="slow")


def test_a_new_table_is_waited_for(moto_server: Server, states: States) -> None:
    waits = states("CREATING", "CREATING")
    TweetTable(moto_server.dynamodb, name="slow").create_table()
    assert waits == [1, 1]


def test_another_throughput_is_waited_for(moto_server: Server, states: States) -> None:
    TweetTable(moto_server.dynamodb, name="slow").create_table()
    waits = states(None, None, "UPDATING")
    TweetTable(moto_server.dynamodb, 2, 2, name="slow").create_table()
    assert waits == [1]


def test_the_same_throughput_is_not_set_again(
    moto_server: Server, states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB would refuse that."""
    TweetTable(moto_server.dynamodb, 3, 4, name="slow").create_table()
    monkeypatch.setattr(moto_server.dynamodb, "update_table", None)
    TweetTable(moto_server.dynamodb, 3, 4, name="slow").create_table()


def test_the_end_of_a_table_is_waited_for(moto_server: Server, states: States) -> None:
    table = TweetTable(moto_server.dynamodb, name="slow")
    table.create_table()
    waits = states("DELETING", "DELETING", "DELETING")
    table.delete_table()
    assert waits == [1, 1, 1]
    table.create_table()


def test_after_two_minutes_it_is_given_up(moto_server: Server, states: States) -> None:
    waits = states(*["CREATING"] * 1000)
    with pytest.raises(WaiterError):
        TweetTable(moto_server.dynamodb, name="slow").create_table()
    assert waits == [1] * 119
