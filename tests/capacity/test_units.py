"""What items weigh and what they cost.

E4, E5, ... are the worked examples of the Developer Guide (2023), by their numbers in
tests/conformance.md.
"""

from __future__ import annotations

import base64
import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tweetlab.capacity import item_size, read_units, write_units

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
        pytest.param({"N": "-123.0"}, 3, id="sign and trailing zero"),
        pytest.param({"N": "0.00120"}, 2, id="leading and trailing zeros"),
        pytest.param({"N": "1E+125"}, 2, id="exponent"),
        pytest.param({"N": "12345678901234567890123456789012345678"}, 20, id="38 digits"),
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
                "N": lambda: b"x" * (1 + (significant_digits(content) + 1) // 2),
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


def significant_digits(number: str) -> int:
    mantissa = number.upper().partition("E")[0]
    return len(mantissa.replace(".", "").replace("-", "").strip("0"))


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


def test_a_batch_of_writes_rounds_each_item_up():
    """E10: 500 bytes and 3.5 KB."""
    assert write_units(500) + write_units(int(3.5 * KB)) == 5
