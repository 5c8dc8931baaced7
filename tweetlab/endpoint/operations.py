"""DynamoDB's operations: who answers each. One that is added has its line here."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from tweetlab.capacity import Kind
from tweetlab.endpoint import reads, searches, writes
from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.control import control_plane
from tweetlab.endpoint.wire import STREAMS, Answer, Call, validation_error


class Operation(NamedTuple):
    """What an operation takes of a table's throughput (None: nothing), and who answers it."""

    kind: Kind | None
    answer: Callable[[Backend, Call], Awaitable[Answer]]


OPERATIONS: Mapping[str, Operation] = {
    "GetItem": Operation("read", reads.get_item),
    "Query": Operation("read", searches.search),
    "Scan": Operation("read", searches.search),
    "BatchGetItem": Operation("read", reads.batch_get_item),
    "TransactGetItems": Operation("read", reads.transact_get_items),
    "PutItem": Operation("write", writes.write_item),
    "UpdateItem": Operation("write", writes.write_item),
    "DeleteItem": Operation("write", writes.write_item),
    "BatchWriteItem": Operation("write", writes.batch_write_item),
    "TransactWriteItems": Operation("write", writes.transact_write_items),
}
"""The data plane: every operation that is ever throttled."""
_USE_INSTEAD = {
    "ExecuteStatement": "GetItem, Query, Scan, PutItem, UpdateItem or DeleteItem",
    "BatchExecuteStatement": "BatchGetItem or BatchWriteItem",
    "ExecuteTransaction": "TransactGetItems or TransactWriteItems",
}
"""PartiQL: to charge a statement, the endpoint would have to understand it as DynamoDB does."""
_CONTROL_PLANE = Operation(None, control_plane)
_STREAMS = Operation(None, Backend.forward)
"""DynamoDB Streams: what is read of them takes nothing of a table's throughput, as on AWS."""


def operation_of(name: str) -> Operation:
    """The operation of that name; raises a ValidationException for one of PartiQL's."""
    if instead := _USE_INSTEAD.get(name):
        raise validation_error(
            f"tweetlab's endpoint runs no PartiQL ({name}), since it could not tell what a "
            f"statement consumes. Use {instead} instead."
        )
    return _STREAMS if name in STREAMS else OPERATIONS.get(name, _CONTROL_PLANE)
