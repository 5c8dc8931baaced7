"""Whether a request is one that DynamoDB takes, by its own model as botocore ships it.

One pass checks the types, what must be there, and that attribute values are such; the errors say
what DynamoDB says. (botocore's validator does a part of this, and takes a quarter of the time that
the endpoint has for a GetItem.) What DynamoDB takes for absent is dropped on the way, so that no
upstream has to: members that are null, and members that the model does not know.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from tweetlab.endpoint.attribute_values import boolean, check_names, check_value, misplaced
from tweetlab.endpoint.constraints import broken_constraints, constraint_of
from tweetlab.endpoint.wire import validation_error

Broken = list[bool]
"""Anything in it: a constraint is broken, and all that are will be told at once."""
Check = Callable[[Any, Broken], Any]
"""Gives a value as DynamoDB understands it; raises DynamoDBError for one of another type."""

_SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "double": (int, float),
    "float": (int, float),
    "timestamp": (int, float, str),
}
_BITS = {"integer": 32, "long": 64}


@cache
def request_checks() -> Mapping[str, Callable[[Any], None]]:
    """The operations of DynamoDB and of its streams, by their ``X-Amz-Target``: each checks a
    request, and raises the error that DynamoDB answers to one that is not of the operation's shape;
    it drops what DynamoDB ignores."""
    return {
        f"{service.metadata['targetPrefix']}.{name}": _request_check(shape)
        for service in (service_model("dynamodb"), service_model("dynamodbstreams"))
        for name in service.operation_names
        if (shape := service.operation_model(name).input_shape)
    }


@cache
def service_model(service: str) -> ServiceModel:
    """The model of an AWS service, as botocore ships it."""
    # Not by a session of botocore's: that fails where AWS_PROFILE names no profile.
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def _request_check(shape: Any) -> Callable[[Any], None]:
    check_shape = _check_of(shape, "")

    def check(request: Any) -> None:
        broken: Broken = []
        check_shape(request, broken)
        if broken:
            raise broken_constraints(shape, request)

    return check


def _check_of(shape: Any, member: str) -> Check:
    """The check of a shape; ``member`` is the name of the structure's member that it stands in."""
    if shape.name == "AttributeValue":
        return _attribute_value
    if shape.name == "AttributeName":
        return _attribute_name
    if shape.type_name == "structure":
        return _structure(shape)
    if shape.type_name in ("list", "map"):
        return _collection(shape, member)
    if shape.type_name == "boolean":
        return lambda value, _: boolean(value)
    if shape.type_name in _BITS:
        return _integer(shape, member)
    return _scalar(shape, member)


def _attribute_value(value: Any, _: Broken) -> Any:
    check_value(value)
    return value


def _attribute_name(value: Any, _: Broken) -> Any:
    if type(value) is not str:
        raise misplaced(value, "string")
    check_names([value])
    return value


def _structure(shape: Any) -> Check:
    checks = {name: _check_of(member, name) for name, member in shape.members.items()}
    required = shape.required_members

    def check(value: Any, broken: Broken) -> Any:
        if type(value) is not dict:
            raise misplaced(value, "structure")
        for name, member in list(value.items()):
            check_member = checks.get(name)
            if member is None or check_member is None:
                del value[name]
            else:
                value[name] = check_member(member, broken)
        for name in required:
            if name not in value:
                broken.append(True)
        return value

    return check


def _collection(shape: Any, member: str) -> Check:
    is_map = shape.type_name == "map"
    kind: type[Any] = dict if is_map else list
    element = shape.value if is_map else shape.member
    check_element = _check_of(element, "")
    holds_values = element.name == "AttributeValue"
    has_names = is_map and shape.key.name == "AttributeName"
    constraint = constraint_of(shape, member)

    def check(value: Any, broken: Broken) -> Any:
        if type(value) is not kind:
            raise misplaced(value, shape.type_name)
        if constraint and constraint(value):
            broken.append(True)
        if has_names:
            check_names(value)
        if holds_values:
            for inner in value.values() if is_map else value:
                check_value(inner)
            return value
        for place, inner in list(value.items() if is_map else enumerate(value)):
            if inner is None:
                broken.append(True)
            else:
                value[place] = check_element(inner, broken)
        return value

    return check


def _integer(shape: Any, member: str) -> Check:
    end = 2 ** (_BITS[shape.type_name] - 1)
    constraint = constraint_of(shape, member)

    def check(value: Any, broken: Broken) -> Any:
        if type(value) not in (int, float):
            raise misplaced(value, shape.type_name)
        if not -end <= value < end:
            raise validation_error(f"{value} is beyond what {shape.type_name} holds")
        # DynamoDB drops a fraction (dynalite's tests, which record AWS).
        number = int(value)
        if constraint and constraint(number):
            broken.append(True)
        return number

    return check


def _scalar(shape: Any, member: str) -> Check:
    kinds = _SCALARS[shape.type_name]
    constraint = constraint_of(shape, member)

    def check(value: Any, broken: Broken) -> Any:
        if type(value) not in kinds:
            raise misplaced(value, shape.type_name)
        if constraint and constraint(value):
            broken.append(True)
        return value

    return check
