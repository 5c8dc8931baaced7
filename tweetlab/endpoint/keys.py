"""The keys of tables and indexes, and whether a request's keys are such."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tweetlab.endpoint.stored import Item, plain_value
from tweetlab.endpoint.wire import VALIDATION, DynamoDBError, dump, validation_error

_ASSIGNED = re.compile(r"(\.?)\s*(#?\w+)(?:\s*=\s*|\s+)(:\w+)")
"""What an update expression sets to, or adds, a value of the request's: behind a dot it is no
attribute of the item, but one further down."""
_INVALID = "One or more parameter values were invalid: "
_NOT_VALID = "One or more parameter values are not valid. "
_EMPTY = "The AttributeValue for a key attribute cannot contain an empty {} value."
_EMPTY_KINDS = {"S": "string", "B": "binary"}


class WrongKey(DynamoDBError):
    """A key that is none of the table's: a ValidationException, or in a transaction the reason for
    which it is cancelled."""

    cancellation_code = "ValidationError"

    def __init__(self, message: str) -> None:
        super().__init__(VALIDATION, message)


@dataclass(frozen=True)
class Key:
    """The names of a key's attributes: one for the partition and none or one to sort by; of a
    global index up to four of each (Developer Guide, "Multi-attribute keys")."""

    partition: tuple[str, ...]
    sort: tuple[str, ...] = ()
    types: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    """What each attribute may be, where that is known: S, N or B."""

    @classmethod
    def from_schema(
        cls, schema: Iterable[Mapping[str, str]], types: Mapping[str, str] | None = None
    ) -> Key:
        """The key in a ``KeySchema``; raises ValueError for one without a partition key."""
        kinds: dict[str, list[str]] = {"HASH": [], "RANGE": []}
        for element in schema:
            kinds[element["KeyType"]].append(element["AttributeName"])
        if not kinds["HASH"]:
            raise ValueError("a key has no HASH attribute")
        names = (*kinds["HASH"], *kinds["RANGE"])
        known = {name: (types[name],) for name in names if types and name in types}
        return cls(tuple(kinds["HASH"]), tuple(kinds["RANGE"]), known)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return self.partition + self.sort

    def within(self, item: Item | None) -> bool:
        """Whether the item has all the key's attributes; an index holds no other items."""
        return item is not None and all(
            name in item and self.wrong_type(name, item[name]) is None for name in self.names
        )

    def of(self, item: Item) -> dict[str, Any]:
        """The key of an item that has one."""
        return {name: item[name] for name in self.names}

    def partition_of(self, item: Item) -> str:
        """The value of the item's partition key, as text: all of its attributes are one key."""
        return self.partition_text([item[name] for name in self.partition])

    @staticmethod
    def partition_text(values: Iterable[Mapping[str, Any]]) -> str:
        """The text for the values of a partition key's attributes."""
        texts = [plain_value(value) for value in values]
        return texts[0] if len(texts) == 1 else dump(texts).decode()

    def identity(self, item: Item) -> tuple[str, ...]:
        """What tells two keys apart: their values as text."""
        return tuple(plain_value(item[name]) for name in self.names)

    def check(self, key: Item) -> None:
        """Raise what DynamoDB answers to a request whose ``Key`` is not one of this table's."""
        if len(key) != len(self.names) or not self.within(key):
            raise WrongKey("The provided key element does not match the schema")
        self._check_not_empty(key)

    def check_kept(self, updated: Container[str]) -> None:
        """Raise what DynamoDB answers to ``AttributeUpdates`` of a key: moto would move the item,
        as it does by no expression."""
        for name in self.names:
            if name in updated:
                raise validation_error(
                    f"{_INVALID}Cannot update attribute {name}. This attribute is part of the key"
                )

    def check_item(self, item: Item) -> None:
        """Raise what DynamoDB answers to a put of an item that has no key of this table's."""
        for name in self.names:
            if name not in item:
                raise WrongKey(f"{_INVALID}Missing the key {name} in the item")
            if actual := self.wrong_type(name, item[name]):
                expected = " ".join(self.types.get(name, ()))
                raise WrongKey(
                    f"{_INVALID}Type mismatch for key {name} expected: {expected} actual: {actual}"
                )
        self._check_not_empty(item)

    def _check_not_empty(self, item: Item) -> None:
        for name in self.names:
            if empty := _empty(item[name]):
                raise validation_error(f"{_NOT_VALID}{_EMPTY.format(empty)} Key: {name}")

    def check_index(self, index: str, values: Item, update: bool = False) -> None:
        """Raise what DynamoDB answers to a write that puts those values into attributes of which
        some are this key's of an index, and cannot be."""
        for name in self.names:
            value = values.get(name)
            if value is None:
                continue
            if actual := self.wrong_type(name, value):
                expected = " ".join(self.types.get(name, ()))
                raise WrongKey(
                    f"{_INVALID}Type mismatch for Index Key {name} "
                    f"Expected: {expected} Actual: {actual} IndexName: {index}"
                )
            if empty := _empty(value):
                empty = _EMPTY.format(empty)
                if update:
                    raise validation_error(
                        f"{_NOT_VALID}The update expression attempted to update a secondary index "
                        f"key to a value that is not supported. {empty}"
                    )
                raise validation_error(
                    f"{_NOT_VALID}A value specified for a secondary index key is not supported. "
                    f"{empty} IndexName: {index}, IndexKey: {name}"
                )

    def wrong_type(self, name: str, value: Mapping[str, Any]) -> str | None:
        """The type of a value that cannot be the key's attribute of that name; None if it can."""
        kind = next(iter(value), "none")
        return None if kind in self.types.get(name, ("S", "N", "B")) else kind


def _empty(value: Mapping[str, Any]) -> str | None:
    """What is empty about a key's value: a string or a binary."""
    ((kind, content),) = value.items()
    return _EMPTY_KINDS.get(kind) if content == "" else None


def values_set(request: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The attributes that an Update gives a value of the request's, and the values."""
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    for dot, name, value in _ASSIGNED.findall(request.get("UpdateExpression", "")):
        if not dot and value in values:
            yield names.get(name, name), values[value]
    for name, update in request.get("AttributeUpdates", {}).items():
        if "Value" in update and update.get("Action") != "DELETE":
            yield name, update["Value"]
