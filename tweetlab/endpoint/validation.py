"""Whether a request is one that DynamoDB takes, by its own model as botocore ships it.

One pass checks the types, what must be there, and that attribute values are such; the errors say
what DynamoDB says. (botocore's validator does a part of this, and takes a quarter of the time that
the endpoint has for a GetItem.)
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from tweetlab.capacity import value_size
from tweetlab.endpoint.wire import DynamoDBError, serialization_error, validation_error

MAX_NESTING = 32
"""Levels of an attribute value, counted as DynamoDB Local does (Developer Guide: "32 levels")."""

Check = Callable[[Any], None]
"""Raises DynamoDBError for a value that is not of a shape."""

_SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "float": (int, float),
    "timestamp": (int, float, str),
}
_NAMES = {str: "STRING", int: "NUMBER", float: "DECIMAL", bool: "BOOLEAN", type(None): "NULL"}
_SETS = ("SS", "NS", "BS")
_CONTENTS: dict[str, type] = {
    **dict.fromkeys(("S", "N", "B"), str),
    **dict.fromkeys(("BOOL", "NULL"), bool),
    **dict.fromkeys((*_SETS, "L"), list),
    "M": dict,
}


@cache
def request_checks() -> Mapping[str, Check]:
    """DynamoDB's operations by name: each checks a request, and raises the error that DynamoDB
    answers to one that is not of the operation's shape; it drops what the shape knows nothing of,
    which DynamoDB ignores."""
    shapes: dict[str, Any] = {
        name: _model().operation_model(name).input_shape for name in _model().operation_names
    }
    return {name: _check_of(shape.name) for name, shape in shapes.items()}


@cache
def _model() -> ServiceModel:
    # Not by a session of botocore's: that fails where AWS_PROFILE names no profile.
    return ServiceModel(Loader().load_service_model("dynamodb", "service-2"), "dynamodb")


@cache
def _check_of(shape_name: str) -> Check:
    if shape_name == "AttributeValue":
        return _check_value
    shape: Any = _model().shape_for(shape_name)
    if shape.type_name == "structure":
        return _structure(shape)
    if shape.type_name == "list":
        return _collection(shape, list, _check_of(shape.member.name))
    if shape.type_name == "map":
        return _collection(shape, dict, _check_of(shape.value.name))
    return _scalar(shape)


def _structure(shape: Any) -> Check:
    checks = {name: _check_of(member.name) for name, member in shape.members.items()}
    required = shape.required_members

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise _misplaced(value, "structure")
        for name in required:
            if name not in value:
                raise _constraint("null", name, "Member must not be null")
        for name in list(value):
            if name in checks:
                checks[name](value[name])
            else:
                del value[name]

    return check


def _collection(shape: Any, kind: type, check_member: Check) -> Check:
    least = shape.metadata.get("min", 0)

    def check(value: Any) -> None:
        if type(value) not in (kind,):
            raise _misplaced(value, shape.type_name)
        if len(value) < least:
            limit = f"Member must have length greater than or equal to {least}"
            raise _constraint(f"'{value}'", shape.name, limit)
        for member in value.values() if kind is dict else value:
            check_member(member)

    return check


def _scalar(shape: Any) -> Check:
    kinds = _SCALARS[shape.type_name]
    least = shape.metadata.get("min", 0)
    has_length = str in kinds

    def check(value: Any) -> None:
        if type(value) not in kinds:
            raise _misplaced(value, shape.type_name)
        if least and (len(value) if has_length else value) < least:
            length = "have length" if has_length else "have value"
            limit = f"Member must {length} greater than or equal to {least}"
            raise _constraint(f"'{value}'", shape.name, limit)

    return check


def _check_value(value: Any, level: int = 1) -> None:
    """An attribute value; what the upstream might store, and then be unable to read, is none."""
    if level > MAX_NESTING:
        raise validation_error("Nesting Levels have exceeded supported limits")
    if not isinstance(value, dict):
        raise _misplaced(value, "structure")
    if len(value) != 1:
        wrong = "has more than one datatypes set" if value else "is empty"
        raise validation_error(
            f"Supplied AttributeValue {wrong}, must contain exactly one of the supported datatypes"
        )
    ((kind, content),) = value.items()
    if type(content) not in (_CONTENTS.get(kind, type(content)),):
        raise _misplaced(content, "list" if _CONTENTS[kind] is list else "string")
    if kind == "L" or kind == "M":
        for inner in content if kind == "L" else content.values():
            _check_value(inner, level + 1)
    elif kind != "S":
        _check_content(kind, content)


def _check_content(kind: str, content: Any) -> None:
    if kind in _SETS:
        for element in content:
            if type(element) is not str:
                raise _misplaced(element, "string")
    try:
        value_size({kind: content})
    except ValueError as error:
        raise validation_error(f"One or more parameter values were invalid: {error}") from None


def _misplaced(value: Any, expected: str) -> DynamoDBError:
    """The error for a value that is not of the type that stands there."""
    if isinstance(value, dict):
        return serialization_error("Start of structure or map found where not expected.")
    if isinstance(value, list):
        return serialization_error("Start of list found where not expected")
    if expected in ("structure", "list", "map"):
        return serialization_error("Unexpected value type in payload")
    given = _NAMES[type(value)]
    return serialization_error(f"{given}_VALUE cannot be converted to {expected.capitalize()}")


def _constraint(value: str, name: str, limit: str) -> DynamoDBError:
    member = name[:1].lower() + name[1:]
    return validation_error(
        f"1 validation error detected: Value {value[:100]} at '{member}' failed to satisfy "
        f"constraint: {limit}"
    )
