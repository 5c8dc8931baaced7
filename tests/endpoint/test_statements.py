"""What is read of a PartiQL statement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tweetlab.endpoint.statements import Condition, Search, parse
from tweetlab.endpoint.table import Key

KEY = Key("pk", "sk")


def s(text: str) -> dict[str, str]:
    return {"S": text}


def searches(where: str, *parameters) -> list[Search]:
    statement = parse(f"SELECT * FROM t {where}", parameters)
    assert statement
    return statement.searches(KEY)


@pytest.mark.parametrize(
    ("text", "verb", "table", "index"),
    [
        ("SELECT * FROM tweet", "SELECT", "tweet", None),
        ("select tweet_id from tweet", "SELECT", "tweet", None),
        ('SELECT * FROM "my-table.of 2026"', "SELECT", "my-table.of 2026", None),
        ('SELECT * FROM "tweet"."by-day" WHERE day = 1', "SELECT", "tweet", "by-day"),
        ("INSERT INTO tweet VALUE {'pk': 'a'}", "INSERT", "tweet", None),
        ("UPDATE tweet SET a = 1 WHERE pk = 'a'", "UPDATE", "tweet", None),
        ('DELETE FROM "tweet" WHERE pk = 1', "DELETE", "tweet", None),
        ("EXISTS(SELECT * FROM tweet WHERE pk = 'a' AND n = 1)", "EXISTS", "tweet", None),
    ],
)
def test_what_it_does_and_to_which_table(text, verb, table, index):
    statement = parse(text)
    assert statement
    assert (statement.verb, statement.table, statement.index) == (verb, table, index)


@pytest.mark.parametrize(
    "text", ["", "  ", "NONSENSE", "SELECT", "SELECT *", "SELECT * FROM", "DROP TABLE t", "'", "("]
)
def test_what_is_no_statement(text):
    assert parse(text) is None


@given(st.text() | st.text(alphabet="SELECT*FROMWHERE ='\"().,?<>[]{}:1ab-", max_size=60))
def test_no_text_breaks_it(text):
    parse(text)
    for prefix in ("SELECT * FROM t WHERE ", "INSERT INTO t VALUE ", "UPDATE t SET ", "EXISTS("):
        statement = parse(prefix + text)
        if statement:
            statement.searches(KEY)
            statement.key_of(KEY)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("WHERE pk = 'a'", [Search(s("a"))]),
        ("WHERE \"pk\"='a' AND other = 1", [Search(s("a"))]),
        ("WHERE pk = 'it''s'", [Search(s("it's"))]),
        ("WHERE pk = -1.5e3", [Search({"N": "-1.5e3"})]),
        ("WHERE pk = 'a' AND sk = 'b'", [Search(s("a"), Condition("=", (s("b"),)))]),
        ("WHERE sk > 5 AND pk = 'a'", [Search(s("a"), Condition(">", ({"N": "5"},)))]),
        (
            "WHERE pk = 'a' AND sk BETWEEN 'b' AND 'c' AND other = 1",
            [Search(s("a"), Condition("BETWEEN", (s("b"), s("c"))))],
        ),
        (
            "WHERE pk = 'a' AND begins_with(sk, 'b')",
            [Search(s("a"), Condition("BEGINS_WITH", (s("b"),)))],
        ),
        ("WHERE pk IN ['a', 'b']", [Search(s("a")), Search(s("b"))]),
        ("WHERE pk IN ('a','b')", [Search(s("a")), Search(s("b"))]),
        ("WHERE pk = 'a' OR pk = 'b'", [Search(s("a")), Search(s("b"))]),
        (
            "WHERE pk = 'a' AND sk IN ['b', 'c']",
            [Search(s("a"), Condition("=", (s(sort),))) for sort in "bc"],
        ),
        ("WHERE pk = 'a' AND (sk = 'b' OR NOT sk = 'c')", [Search(s("a"))]),
        ("WHERE pk = 'a' AND contains(other, 'OR pk')", [Search(s("a"))]),
        ("WHERE pk = 'a' ORDER BY sk DESC", [Search(s("a"))]),
    ],
)
def test_a_select_that_names_partition_keys_reads_those(where, found):
    assert searches(where) == found


@pytest.mark.parametrize(
    "where",
    [
        "",
        "WHERE other = 'a'",
        "WHERE pk > 'a'",
        "WHERE pk <> 'a'",
        "WHERE begins_with(pk, 'a')",
        "WHERE pk = 'a' OR other = 'b'",
        "WHERE (pk = 'a' OR other = 'b')",
        "WHERE NOT pk = 'a'",
        "WHERE info.pk = 'a'",
        'WHERE "info"."pk" = \'a\'',
        "WHERE pk[0] = 'a'",
        "WHERE pk = other",
        "WHERE size(pk) = 1",
    ],
)
def test_a_select_that_names_none_reads_the_whole_table(where):
    assert searches(where) == [Search(None)]


def test_parameters_stand_for_values_in_their_order():
    found = searches("WHERE other = ? AND pk = ? AND sk > ?", {"N": "1"}, s("a"), s("b"))
    assert found == [Search(s("a"), Condition(">", (s("b"),)))]
    assert searches("WHERE pk = ?") == [Search(None)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("UPDATE t SET n = 1 WHERE pk = 'a' AND sk = 2", {"pk": s("a"), "sk": {"N": "2"}}),
        ("UPDATE t SET pk = 'x' WHERE sk = 'b'", None),
        (
            "DELETE FROM t WHERE sk = 'b' AND pk = 'a' RETURNING ALL OLD *",
            {"pk": s("a"), "sk": s("b")},
        ),
        ("DELETE FROM t WHERE pk = 'a' AND sk > 'b'", None),
        ("INSERT INTO t VALUE {'pk': 'a', 'sk': 'b', 'n': 1}", {"pk": s("a"), "sk": s("b")}),
        (
            "INSERT INTO t VALUE {'pk': 'a', 'm': {'pk': 'x'}, 'l': [{'sk': 'y'}], 'sk': 'b'}",
            {"pk": s("a"), "sk": s("b")},
        ),
        ("INSERT INTO t VALUE {'pk': 'a', 'm': {'sk': 'b'}}", None),
    ],
)
def test_a_statement_that_writes_names_the_key_of_one_item(text, key):
    statement = parse(text)
    assert statement and statement.key_of(KEY) == key


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SELECT * FROM t WHERE pk = 'a'", set()),
        ('SELECT a, "b", c.d, e[0] FROM t WHERE pk = 1', {"a", "b", "c", "e"}),
        ("INSERT INTO t VALUE {'pk': 'a', 'n': {'m': 1}}", {"pk", "n"}),
    ],
)
def test_the_attributes_that_are_named(text, names):
    statement = parse(text)
    assert statement and statement.names == names


def test_an_update_names_what_it_changes():
    statement = parse("UPDATE t SET a = 1 REMOVE b.c WHERE pk = 'a'")
    assert statement and {"a", "b"} <= statement.names
