"""Client tokens, drills and keys as they are told of: in full."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.serving import Clock
from tweetlab.endpoint.client_tokens import LONGEST, MOST, SECONDS, ClientTokens
from tweetlab.endpoint.drills import Drill, Drills
from tweetlab.endpoint.keys import Key, values_set
from tweetlab.endpoint.stored import plain_value
from tweetlab.endpoint.wire import DynamoDBError


def refused(call: Any) -> str:
    with pytest.raises(DynamoDBError) as raised:
        call()
    return str(raised.value)


def test_a_token_has_36_characters_and_lives_for_ten_minutes() -> None:
    assert (LONGEST, SECONDS, MOST) == (36, 600, 100_000)
    tokens = ClientTokens(Clock())

    def begin(token: str) -> None:
        with tokens.transaction(token, []):
            pass

    begin("x" * 36)
    assert refused(lambda: begin("x" * 37)) == (
        f"1 validation error detected: Value '{'x' * 37}' at 'clientRequestToken' failed to "
        "satisfy constraint: Member must have length less than or equal to 36"
    )
    assert f"'{'x' * 100}'" in refused(lambda: begin("x" * 500))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"S": "tweet"}, "tweet"),
        ({"N": "5.0"}, "5"),
        ({"N": "-0.50"}, "-0.5"),
        ({"N": "12345678901234567890123456789012345678"}, "12345678901234567890123456789012345678"),
        ({"B": "YWI="}, "YWI="),
    ],
)
def test_the_text_of_a_key(value: dict[str, str], text: str) -> None:
    """As metrics show it, and as drills are given it."""
    assert plain_value(value) == text


@pytest.mark.parametrize("value", [{"N": "five"}, {"B": "Y"}, {"S": "a", "N": "1"}, {}])
def test_what_has_no_text(value: dict[str, str]) -> None:
    message = "A key's value is a string, a number or a binary."
    assert refused(lambda: plain_value(value)) == message


WRONG_DRILLS = [
    {},
    {"calls": 1},
    {"calls": 0, "operation": "GetItem"},
    {"calls": True, "operation": "GetItem"},
    {"calls": 1.5, "operation": "GetItem"},
    {"calls": 1, "operation": "GetItem", "partition_key": "a"},
    {"calls": 1, "partition_key": 5},
    {"operation": "GetItem"},
]


@pytest.mark.parametrize("request_", WRONG_DRILLS, ids=repr)
def test_a_drill_that_is_none_is_told_what_one_is(request_: dict[str, Any]) -> None:
    assert refused(lambda: Drill.from_request(request_, {"GetItem"})) == (
        "A drill is {'calls': N, 'operation': 'GetItem'} or {'calls': N, 'partition_key': '...'} "
        "with N of at least 1."
    )


def test_a_drill_of_what_is_never_throttled_is_refused() -> None:
    request = {"calls": 1, "operation": "x" * 200}
    message = f"'{'x' * 100}' is no operation that is ever throttled."
    assert refused(lambda: Drill.from_request(request, {"GetItem"})) == message


def test_a_drill_strikes_as_often_as_was_said_and_what_was_said() -> None:
    everyone = Drills()
    drills = Drills(everyone)
    drills.add(Drill.from_request({"calls": 2, "operation": "GetItem"}, {"GetItem"}))
    drills.add(Drill.from_request({"calls": 1, "partition_key": "a"}, {"GetItem"}))
    everyone.add(Drill(1, partition_key="a"))
    strikes = drills.strikes
    assert not strikes(operation="PutItem") and not strikes(partition_key="GetItem")
    assert [strikes(operation="GetItem") for _ in range(3)] == [True, True, False]
    assert [strikes(partition_key="a") for _ in range(3)] == [True, True, False]


SCHEMA = [
    {"AttributeName": "id", "KeyType": "HASH"},
    {"AttributeName": "day", "KeyType": "RANGE"},
]
KEY = Key.from_schema(SCHEMA, {"id": "S", "day": "N"})
WHOLE: dict[str, Any] = {"id": {"S": "a"}, "day": {"N": "1"}}
NOT_VALID = "One or more parameter values are not valid. "
INVALID = "One or more parameter values were invalid: "
EMPTY = "The AttributeValue for a key attribute cannot contain an empty {} value."


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: KEY.check({"id": {"S": "a"}}),
            "The provided key element does not match the schema",
        ),
        (
            lambda: KEY.check({**WHOLE, "more": {"S": "b"}}),
            "The provided key element does not match the schema",
        ),
        (
            lambda: KEY.check({**WHOLE, "day": {"S": "1"}}),
            "The provided key element does not match the schema",
        ),
        (
            lambda: KEY.check({**WHOLE, "id": {"S": ""}}),
            f"{NOT_VALID}{EMPTY.format('string')} Key: id",
        ),
        (
            lambda: KEY.check_item({"id": {"S": "a"}}),
            f"{INVALID}Missing the key day in the item",
        ),
        (
            lambda: KEY.check_item({**WHOLE, "day": {"S": "1"}}),
            f"{INVALID}Type mismatch for key day expected: N actual: S",
        ),
        (
            lambda: KEY.check_index("by-day", {"day": {"B": "YQ=="}}),
            f"{INVALID}Type mismatch for Index Key day Expected: N Actual: B IndexName: by-day",
        ),
        (
            lambda: KEY.check_index("by-id", {"id": {"S": ""}}),
            f"{NOT_VALID}A value specified for a secondary index key is not supported. "
            f"{EMPTY.format('string')} IndexName: by-id, IndexKey: id",
        ),
        (
            lambda: KEY.check_index("by-id", {"id": {"S": ""}}, update=True),
            f"{NOT_VALID}The update expression attempted to update a secondary index key to a "
            f"value that is not supported. {EMPTY.format('string')}",
        ),
        (
            lambda: Key(("raw",)).check_item({"raw": {"B": ""}}),
            f"{NOT_VALID}{EMPTY.format('binary')} Key: raw",
        ),
    ],
    ids=range(10),
)
def test_a_key_that_cannot_be_one_is_told_why(call: Any, message: str) -> None:
    assert refused(call) == message


def test_a_key_that_can_be_one_is_taken() -> None:
    KEY.check(WHOLE)
    KEY.check_item({**WHOLE, "more": {"BOOL": True}})
    KEY.check_index("by-day", {"more": {"BOOL": True}})
    KEY.check_index("by-day", WHOLE)
    assert KEY.of({**WHOLE, "more": {"BOOL": True}}) == WHOLE


def test_what_an_update_sets() -> None:
    one, other, more = {"S": "a"}, {"N": "1"}, {"SS": ["b"]}
    old = {
        "put": {"Value": one, "Action": "PUT"},
        "added": {"Value": other, "Action": "ADD"},
        "by default": {"Value": one},
        "taken out of a set": {"Value": more, "Action": "DELETE"},
        "deleted": {"Action": "DELETE"},
    }
    assert dict(values_set({"AttributeUpdates": old})) == {
        "put": one,
        "added": other,
        "by default": one,
    }
    expression = {
        "UpdateExpression": "SET a = :one, #b=:other REMOVE c ADD d :other, e :unknown",
        "ExpressionAttributeNames": {"#b": "the second"},
        "ExpressionAttributeValues": {":one": one, ":other": other},
    }
    assert dict(values_set(expression)) == {"a": one, "the second": other, "d": other}
