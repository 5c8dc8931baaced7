"""Attribute values, such as ``{"S": "text"}``: whether a value is one that DynamoDB takes.

What the upstream might store, and then be unable to read, is none. DynamoDB's JSON parser is
lenient in a few things, and what it takes for the same is made the same here: a member that is null
is absent, and "true" is true (dynalite's tests, which record AWS).
"""

from collections.abc import Container
from typing import Any

from tweetlab.capacity import value_size
from tweetlab.endpoint.wire import DynamoDBError, serialization_error, validation_error

MAX_NESTING = 32
"""Levels of an attribute value, counted as DynamoDB Local does (Developer Guide: "32 levels")."""

_SETS = {"SS": "string", "NS": "number", "BS": "binary"}
_CONTENTS: dict[str, type] = {
    **dict.fromkeys(("S", "N", "B"), str),
    **dict.fromkeys(("BOOL", "NULL"), bool),
    **dict.fromkeys((*_SETS, "L"), list),
    "M": dict,
}
_BOOLEANS = {"TRUE": True, "1": True, "YES": True, "FALSE": False, "0": False, "NO": False}


def check_value(value: Any, level: int = 1) -> None:
    """Raise the error that DynamoDB answers to a value that is none; drop of it what is null, and
    what is of no type that there is."""
    if level > MAX_NESTING:
        raise validation_error(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
            "levels beyond supported limit"
        )
    if value is None:
        value = {}
    if type(value) is not dict:
        raise misplaced(value, "structure")
    kind: str = next(iter(value), "")
    content: Any = value.get(kind)
    if len(value) != 1 or type(content) is not _CONTENTS.get(kind):
        kind, content = _only_member(value)
    if kind == "M":
        check_names(content)
    if kind == "L" or kind == "M":
        for inner in content if kind == "L" else content.values():
            check_value(inner, level + 1)
    elif kind != "S":
        _check_content(kind, content)


def check_names(names: Container[str]) -> None:
    """Raise the error that DynamoDB answers to an attribute whose name is empty."""
    if "" in names:
        raise validation_error("Empty attribute name")


def _only_member(value: dict[str, Any]) -> tuple[str, Any]:
    """The one type that a value has, and its content, when all that counts for nothing is gone."""
    for kind, content in list(value.items()):
        expected = _CONTENTS.get(kind)
        if content is None or expected is None:
            del value[kind]
        elif expected is bool:
            value[kind] = boolean(content)
        elif type(content) is not expected:
            raise misplaced(content, "list" if expected is list else "string")
    if len(value) != 1:
        wrong = "has more than one datatypes set" if value else "is empty"
        raise validation_error(
            f"Supplied AttributeValue {wrong}, must contain exactly one of the supported datatypes"
        )
    ((kind, content),) = value.items()
    return kind, content


def _check_content(kind: str, content: Any) -> None:
    if kind in _SETS:
        for element in content:
            if element is None:
                raise _invalid(
                    f"An {_SETS[kind]} set may not have a null {_SETS[kind]} as a member"
                )
            if type(element) is not str:
                raise misplaced(element, "string")
    try:
        value_size({kind: content})
    except ValueError as error:
        if kind not in ("N", "NS"):
            raise _invalid(str(error)) from None
        wrong = next(
            each for each in (content if kind == "NS" else [content]) if not _is_number(each)
        )
        raise validation_error(
            f"The parameter cannot be converted to a numeric value: {wrong[:100]}"
        ) from None


def _is_number(content: str) -> bool:
    try:
        return bool(value_size({"N": content}))
    except ValueError:
        return False


def _invalid(why: str) -> DynamoDBError:
    return validation_error(f"One or more parameter values were invalid: {why}")


def boolean(value: Any) -> bool:
    """A boolean, or a text that stands for one; raises the error that DynamoDB answers to none."""
    if type(value) is bool:
        return value
    if type(value) is not str:
        raise misplaced(value, "boolean")
    if (meant := _BOOLEANS.get(value.upper())) is None:
        raise serialization_error("Unexpected token received from parser")
    return meant


_NAMES = {str: "STRING", int: "NUMBER", float: "DECIMAL"}


def misplaced(value: Any, expected: str) -> DynamoDBError:
    """The error for a value that is not of the type that stands there."""
    if isinstance(value, dict):
        return serialization_error("Start of structure or map found where not expected.")
    if isinstance(value, list):
        return serialization_error("Start of list found where not expected")
    if expected in ("structure", "list", "map"):
        return serialization_error("Unexpected value type in payload")
    given = str(value).upper() if isinstance(value, bool) else _NAMES[type(value)]
    return serialization_error(f"{given}_VALUE cannot be converted to {expected.capitalize()}")
