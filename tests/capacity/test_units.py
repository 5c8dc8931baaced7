"""What items weigh and what they cost.

E4, E5, ... are the worked examples of the Developer Guide (2023), by their numbers in
tests/conformance.md.
"""

from __future__ import annotations

import base64
import math
from decimal import Context, Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tweetlab.capacity import (
    BATCH_KEYS,
    BATCH_WRITES,
    item_size,
    read_units,
    stored_size,
    write_units,
)

KB = 1024


@pytest.mark.parametrize(
    ("value", "size"),
    [
        pytest.param({"S": ""}, 0, id="empty string"),
        pytest.param({"S": "tweet"}, 5, id="ASCII"),
        pytest.param({"S": "é"}, 2, id="two bytes of UTF-8"),
        pytest.param({"S": "🐦"}, 4, id="emoji"),
        pytest.param({"S": "a\0b"}, 3, id="zero byte"),
        pytest.param({"N": "0"}, 1, id="zero"),
        pytest.param({"N": "-0.00"}, 1, id="zero, written long"),
        pytest.param({"N": "7"}, 2, id="one digit"),
        pytest.param({"N": "42"}, 2, id="two digits"),
        pytest.param({"N": "123"}, 3, id="three digits"),
        pytest.param({"N": "-123.0"}, 4, id="sign and trailing zero"),
        pytest.param({"N": "0.00120"}, 2, id="leading and trailing zeros"),
        pytest.param({"N": "1E+125"}, 2, id="exponent"),
        pytest.param({"N": "12345678901234567890123456789012345678"}, 20, id="38 digits"),
        pytest.param({"N": "-12345678901234567890123456789012345678"}, 21, id="and a minus"),
        pytest.param({"N": "1.2345678901234567890123456789012345678"}, 21, id="20 pairs"),
        pytest.param({"N": "-1.2345678901234567890123456789012345678"}, 21, id="20, and a minus"),
        pytest.param({"B": ""}, 0, id="empty binary"),
        pytest.param({"B": base64.b64encode(bytes(100)).decode()}, 100, id="binary in base64"),
        pytest.param({"B": bytes(100)}, 100, id="binary as boto3 gives it"),
        pytest.param({"BOOL": False}, 1, id="boolean"),
        pytest.param({"NULL": True}, 1, id="null"),
        pytest.param({"SS": ["a", "bc"]}, 3, id="string set"),
        pytest.param({"NS": ["1", "100", "123"]}, 2 + 2 + 3, id="number set"),
        pytest.param({"BS": ["AAAA", "AA=="]}, 3 + 1, id="binary set"),
        pytest.param({"L": []}, 3, id="empty list"),
        pytest.param({"M": {}}, 3, id="empty map"),
        pytest.param({"L": [{"S": "ab"}, {"NULL": True}]}, 3 + (1 + 2) + (1 + 1), id="list"),
        pytest.param({"M": {"né": {"S": "ab"}}}, 3 + (1 + 3 + 2), id="map"),
        pytest.param({"L": [{"M": {"k": {"L": []}}}]}, 3 + 1 + (3 + 1 + 1 + 3), id="nested"),
    ],
)
def test_an_item_has_the_bytes_of_its_names_and_values(value, size):
    assert item_size({"né": value}) == 3 + size


AS_MEASURED = {
    "0": 1,
    "1": 2,
    "12": 2,
    "123": 3,
    "1234": 3,
    "12345678901234567890123456789012345678": 20,
    "0042": 2,
    "100": 2,
    "1010": 3,
    "0.0000001": 2,
    "1E125": 2,
    "1E-100": 2,
    "1.5": 3,
    "15": 2,
    "1.2": 3,
    "1.200": 3,
    "1.234": 4,
    "3.14159": 5,
    "123456": 4,
    "100.5": 4,
    "0.15": 2,
    "-42": 3,
    "-0": 1,
}
"""Numbers and their bytes on AWS, each measured at the limit of 400 KB in eu-west-2 on 2026-08-18
(the Parity Suite, github.com/paritysuite/dynamodb-conformance, tier3/limits/numberByteSize)."""


@pytest.mark.parametrize(("number", "size"), AS_MEASURED.items())
def test_a_number_has_the_bytes_that_were_measured_on_aws(number, size):
    assert item_size({"": {"N": number}}) == size


of_dynamodb = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent, Context(prec=38)),
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.integers(-60, 60),
)


@given(of_dynamodb, st.integers(-20, 20))
def test_a_number_keeps_its_size_however_it_is_written(number, shift):
    """And when its decimal point moves by two digits at a time."""
    size = item_size({"": {"N": f"{number}"}})
    assert item_size({"": {"N": f"{number:f}"}}) == size
    assert item_size({"": {"N": f"{number}".replace("E", "e")}}) == size
    padded = f"{number:f}" if "." in f"{number:f}" else f"{number:f}."
    assert item_size({"": {"N": padded + "000"}}) == size
    assert item_size({"": {"N": f"{Context(prec=500).scaleb(number, 2 * shift)}"}}) == size


def test_a_stored_item_has_a_size_whatever_is_in_it():
    """Written to the upstream by another program, or by a newer one."""
    odd: dict[str, Any] = {"X": "no such type"}
    item = {"id": {"S": "abc"}, "": {"N": "5"}, "odd": odd, "list": {"L": [{"S": "ab"}, odd]}}
    assert stored_size(item) == (2 + 3) + (0 + 2) + 3 + (4 + 3 + (1 + 2) + (1 + 0))
    assert stored_size({"m": {"M": {"": odd, "b": {"M": {"c": odd, "d": {"NULL": True}}}}}}) == (
        1 + 3 + (1 + 0) + (1 + 1 + 3 + (1 + 1) + (1 + 1 + 1))
    )
    half = "\ud83d"  # of a surrogate
    assert stored_size({half: {"S": "ab"}, "a": {"S": half}}) == (3 + 2) + (1 + 3)
    assert stored_size({"a": {"S": "one", "N": "2"}, "b": "no value", "c": {"L": "none"}}) == 3
    plain = {"id": {"S": "abc"}, "n": {"N": "-1.5"}}
    assert stored_size(plain) == item_size(plain)


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"S": "one", "N": "2"},
        {"X": "no such type"},
        {"S": 5},
        {"S": "\ud800"},
        {"N": "five"},
        {"N": "Infinity"},
        {"N": "NaN"},
        {"N": "1E+99999999999999999999"},
        {"B": "not base64"},
        {"B": "YWI=!"},
        {"L": {"a": "map"}},
        {"M": ["a list"]},
        {"SS": None},
        "no value at all",
        pytest.param(nested(levels=5000), id="deeply nested"),
    ],
    ids=repr,
)
def test_what_is_no_attribute_value_has_no_size(value):
    with pytest.raises(ValueError, match="not a DynamoDB attribute value"):
        item_size({"name": value})


numbers = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9)) | (
    st.integers(-(10**38) + 1, 10**38 - 1)
)
scalars = st.one_of(
    st.text(max_size=8).map(lambda text: {"S": text}),
    numbers.map(lambda number: {"N": str(number)}),
    st.binary(max_size=8).map(lambda data: {"B": base64.b64encode(data).decode()}),
    st.booleans().map(lambda flag: {"BOOL": flag}),
    st.just({"NULL": True}),
    st.lists(st.text(max_size=4), unique=True, max_size=3).map(lambda texts: {"SS": texts}),
)
values: st.SearchStrategy[dict[str, Any]] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda elements: {"L": elements}),
        st.dictionaries(st.text(max_size=4), inner, max_size=4).map(lambda of: {"M": of}),
    ),
    max_leaves=10,
)
items = st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=6)


def bytes_by_the_guide(value: dict[str, Any]) -> int:
    """The Developer Guide's rules again, written down another way: what is left of the JSON when
    only what counts is kept."""
    ((kind, content),) = value.items()
    match kind:
        case "S" | "B" | "N":
            raw = {
                "S": lambda: content.encode("utf-8"),
                "B": lambda: base64.b64decode(content),
                "N": lambda: b"x" * number_bytes(content),
            }
            return len(raw[kind]())
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return len("".join(content).encode())
        case "L":
            return 3 + len(content) + sum(bytes_by_the_guide(element) for element in content)
        case "M":
            names = len("".join(content).encode())
            inner = sum(bytes_by_the_guide(element) for element in content.values())
            return 3 + len(content) + names + inner
    raise AssertionError(kind)


def number_bytes(number: str) -> int:
    """A byte, half a byte for each digit left, and right, of the point, and one for a minus; zeros
    at either end are no digits."""
    mantissa, _, exponent = number.upper().partition("E")
    minus = mantissa.startswith("-")
    whole, _, fraction = mantissa.lstrip("+-").partition(".")
    shift = int(exponent or 0)
    whole, fraction = whole + fraction[: max(shift, 0)], fraction[max(shift, 0) :]
    whole += "0" * (shift - len(mantissa.partition(".")[2])) if shift > 0 else ""
    if shift < 0:
        fraction = ("0" * -shift + whole)[len(whole) :] + fraction
        whole = whole[:shift]
    while len(fraction) % 2:
        fraction += "0"
    digits = ("0" * (len(whole) % 2)) + whole + fraction
    pairs = [digits[place : place + 2] for place in range(0, len(digits), 2)]
    left = "".join("." if pair == "00" else "x" for pair in pairs).strip(".")
    return 1 + min(20, len(left) + (minus and bool(left)))


@given(items)
def test_sizes_agree_with_the_rules_written_another_way(item):
    expected = sum(len(name.encode()) + bytes_by_the_guide(value) for name, value in item.items())
    assert item_size(item) == expected


@given(items, items)
def test_the_size_of_two_items_in_one_is_the_sum_of_theirs(first, second):
    assume(not first.keys() & second.keys())
    assert item_size(first | second) == item_size(first) + item_size(second)


@pytest.mark.parametrize(
    ("size", "units"),
    [
        pytest.param(0, 1, id="nothing found"),
        pytest.param(1, 1, id="one byte"),
        pytest.param(3_500, 1, id="E5, 3.5 KB"),
        pytest.param(4 * KB, 1, id="exactly 4 KB"),
        pytest.param(4 * KB + 1, 2, id="a byte more"),
        pytest.param(10 * KB, 3, id="E5, 10 KB"),
        pytest.param(20 * KB, 5, id="E4, 20 KB"),
        pytest.param(3 * KB, 1, id="E17, 3 KB"),
        pytest.param(1500 * 64, 24, id="E8, a query of 1500 items of 64 bytes"),
        pytest.param(math.ceil(40.8 * KB), 11, id="E7, a query of 40.8 KB"),
        pytest.param(80 * KB, 20, id="E9, 80 KB"),
        pytest.param(400 * KB, 100, id="the largest item"),
    ],
)
def test_a_read_costs_a_unit_for_each_4_KB_begun_half_of_it_eventually_consistent(size, units):
    assert read_units(size, consistent=True) == units
    assert read_units(size) == units / 2
    assert read_units(size, transactional=True) == 2 * units


def test_a_batch_rounds_each_item_up_and_a_query_their_sum():
    """E6: 1.5 KB and 6.5 KB are 3 units apart, and 2 together."""
    sizes = [1.5 * KB, 6.5 * KB]
    assert sum(read_units(int(size), consistent=True) for size in sizes) == 3
    assert read_units(int(sum(sizes)), consistent=True) == 2


@pytest.mark.parametrize(
    ("size", "units"),
    [
        pytest.param(0, 1, id="nothing deleted"),
        pytest.param(512, 1, id="E11, 512 bytes"),
        pytest.param(KB, 1, id="exactly 1 KB"),
        pytest.param(int(1.6 * KB), 2, id="E11, 1.6 KB"),
        pytest.param(3 * KB, 3, id="3 KB"),
        pytest.param(400 * KB, 400, id="the largest item"),
    ],
)
def test_a_write_costs_a_unit_for_each_KB_begun(size, units):
    assert write_units(size) == units
    assert write_units(size, transactional=True) == 2 * units


def test_units_are_reported_as_dynamodb_does_with_a_fraction():
    for transactional in (False, True):
        assert isinstance(write_units(1, transactional), float)
        for consistent in (False, True):
            assert isinstance(read_units(1, consistent, transactional), float)


def test_a_batch_reads_100_items_or_writes_25():
    assert (BATCH_KEYS, BATCH_WRITES) == (100, 25)


def test_a_batch_of_writes_rounds_each_item_up():
    """E10: 500 bytes and 3.5 KB."""
    assert write_units(500) + write_units(int(3.5 * KB)) == 5
