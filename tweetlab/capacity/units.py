"""Bytes of items and the capacity units they cost (DynamoDB Developer Guide), and how many of them
one call may name."""

import base64
import math
import reprlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

KILOBYTE = 1024
_MOST_PAIRS = 20
"""Bytes of a number's digits at most: 38 of them, of which the first and the last may be alone."""
BATCH_KEYS = 100
"""Keys of a BatchGetItem at most (API reference)."""
BATCH_WRITES = 25
"""Writes of a BatchWriteItem at most (API reference)."""


def item_size(item: Mapping[str, Any]) -> int:
    """Bytes of an item in DynamoDB's JSON, such as ``{"tweet_id": {"S": "..."}}``.

    Names and strings count as UTF-8, binaries as raw bytes, a list or map as 3 bytes and 1 for each
    element (Developer Guide, "Item sizes and formats"). A number is a byte, one for each two digits
    from the first to the last that is not zero, and one for a minus; digits are paired from the
    decimal point (as measured on AWS by the Parity Suite; the Guide's rule is "approximate"). With
    20 pairs there is no byte left for the minus (DynamoDB Local). The 100 bytes of overhead that
    storage is billed for do not count. Raises ValueError for a value that is not DynamoDB's.
    """
    return sum(_text_size(name) + value_size(value) for name, value in item.items())


def stored_size(item: Mapping[str, Any]) -> int:
    """Bytes of an item that is stored already, whoever has written it: what is no value of
    DynamoDB's counts nothing, and the rest as in ``item_size``."""
    try:
        return item_size(item)
    except ValueError:
        return sum(
            _stored_text_size(name) + _stored_value_size(value) for name, value in item.items()
        )


def _stored_text_size(text: str) -> int:
    """Also of one that was cut within a surrogate pair, which is no UTF-8."""
    return len(text.encode(errors="surrogatepass"))


def _stored_value_size(value: Any) -> int:
    match value:
        case {"S": str(text)} if len(value) == 1:
            return _stored_text_size(text)
        case {"L": [*values]} if len(value) == 1:
            return 3 + sum(1 + _stored_value_size(inner) for inner in values)
        case {"M": {} as inner} if len(value) == 1:
            return 3 + len(inner) + stored_size(inner)
    try:
        return value_size(value)
    except ValueError:
        return 0


def value_size(value: Mapping[str, Any]) -> int:
    """Bytes of one attribute value, such as ``{"N": "42"}``; raises ValueError if it is not one."""
    try:
        ((kind, content),) = value.items()
        return _SIZES[kind](content)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        # Not repr(): it fails on what is nested a thousand times.
        raise ValueError(f"not a DynamoDB attribute value: {reprlib.repr(value)}") from error


def _text_size(text: str) -> int:
    return len(text.encode())


def _number_size(number: str) -> int:
    value = Decimal(number)
    if not value.is_finite():
        raise ValueError("neither infinity nor NaN is a number of DynamoDB's")
    if not value:
        return 1
    # Exact, unlike normalize(), which rounds to the context's digits.
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    last = exponent
    for digit in reversed(digits):
        if digit:
            break
        last += 1
    pairs = value.adjusted() // 2 - last // 2 + 1
    return 1 + min(pairs + sign, _MOST_PAIRS)


def _binary_size(content: str | bytes) -> int:
    return len(base64.b64decode(content, validate=True) if isinstance(content, str) else content)


def _elements_size(values: Iterable[Mapping[str, Any]]) -> int:
    return sum(1 + value_size(value) for value in values)


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": _text_size,
    "N": _number_size,
    "B": _binary_size,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "SS": lambda texts: sum(map(_text_size, texts)),
    "NS": lambda numbers: sum(map(_number_size, numbers)),
    "BS": lambda binaries: sum(map(_binary_size, binaries)),
    "L": lambda values: 3 + _elements_size(values),
    "M": lambda item: 3 + sum(map(_text_size, item)) + _elements_size(item.values()),
}


def read_units(size: int, consistent: bool = False, transactional: bool = False) -> float:
    """Read units for ``size`` bytes: one for each 4 KB begun, half of that eventually consistent,
    twice in a transaction. A missing item (size 0) costs as much as the smallest one.
    """
    blocks = max(1, math.ceil(size / (4 * KILOBYTE)))
    if transactional:
        return 2.0 * blocks
    return float(blocks) if consistent else blocks / 2


def write_units(size: int, transactional: bool = False) -> float:
    """Write units for ``size`` bytes: one for each KB begun, at least one; twice in a transaction.

    An update or a replacement costs the larger of the item before and after.
    """
    blocks = max(1, math.ceil(size / KILOBYTE))
    return 2.0 * blocks if transactional else float(blocks)
