"""The constraints of DynamoDB's service model, and its words for requests that break them."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from tweetlab.endpoint.wire import DynamoDBError, validation_error

MAX_VIOLATIONS = 10
"""So many are named in one message (dynalite, which records AWS)."""
MAX_SHOWN = 100
"""Characters of a wrong value that a message shows."""

_GIVEN_OUT = re.compile(r"^ExclusiveStart|(Arn|NextToken|SequenceNumber|ShardId)$")
"""Members that hold what the upstream gave out itself: it knows best what they look like. (moto's
sequence numbers are shorter than AWS', and a listing may go on from the name "ab".)"""
_AS_AWS_LISTS_THEM = (
    "ALL_NEW UPDATED_OLD ALL_OLD NONE UPDATED_NEW",
    "SPECIFIC_ATTRIBUTES COUNT ALL_ATTRIBUTES ALL_PROJECTED_ATTRIBUTES",
    "IN NULL BETWEEN LT NOT_CONTAINS EQ GT NOT_NULL NE LE BEGINS_WITH GE CONTAINS",
    "OR AND",
    "ALL INCLUDE KEYS_ONLY",
    "ADD DELETE PUT",
    "B N S",
)
_ORDERS = {frozenset(names.split()): names.split() for names in _AS_AWS_LISTS_THEM}
"""Where AWS lists the values of an enumeration in another order than its model."""


def constraint_of(shape: Any, member: str) -> Callable[[Any], str | None] | None:
    """What DynamoDB says of a value of that shape in that member, if it breaks the constraint that
    the shape has; or None, for a shape that has none."""
    if values := getattr(shape, "enum", None):
        listed = _ORDERS.get(frozenset(values), values)
        said = f"Member must satisfy enum value set: [{', '.join(listed)}]"
        allowed = frozenset(values)
        return lambda value: None if value in allowed else said
    least = shape.metadata.get("min")
    # Of a blank attribute name DynamoDB says something else.
    if least is None or _GIVEN_OUT.search(member):
        return None
    if shape.type_name in ("integer", "long"):
        said = f"Member must have value greater than or equal to {least}"
        return lambda value: said if value < least else None
    said = f"Member must have length greater than or equal to {least}"
    return lambda value: said if len(value) < least else None


def broken_constraints(shape: Any, request: Any) -> DynamoDBError:
    """The error for a request of that shape, whose types are right, and which breaks some."""
    found = list(islice(_violations(shape, request, "", ""), MAX_VIOLATIONS))
    errors = "error" if len(found) == 1 else "errors"
    return validation_error(f"{len(found)} validation {errors} detected: {'; '.join(found)}")


def _violations(shape: Any, value: Any, member: str, path: str) -> Iterator[str]:
    """All of a value, which the message finds by its ``path``: ``transactItems.1.member.put``."""
    if value is None:
        yield _violation("null", path, "Member must not be null")
        return
    constraint = constraint_of(shape, member)
    if constraint and (said := constraint(value)):
        yield _violation(f"'{value}'", path, said)
    if shape.type_name == "structure" and shape.name != "AttributeValue":
        for name, inner in shape.members.items():
            if name in value or name in shape.required_members:
                below = f"{path}.{_lower(name)}" if path else _lower(name)
                yield from _violations(inner, value.get(name), name, below)
    elif shape.type_name == "list":
        for number, element in enumerate(value, 1):
            yield from _violations(shape.member, element, "", f"{path}.{number}.member")
    elif shape.type_name == "map":
        for key, element in value.items():
            yield from _violations(shape.value, element, "", f"{path}.{key}.member")


def _violation(value: str, path: str, said: str) -> str:
    return f"Value {value[:MAX_SHOWN]} at '{path}' failed to satisfy constraint: {said}"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
