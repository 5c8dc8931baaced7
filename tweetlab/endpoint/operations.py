"""DynamoDB's operations: who answers each. One that is added has its line here."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import NamedTuple

from tweetlab.capacity import Kind
from tweetlab.endpoint import reads, searches, writes
from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.control import control_plane
from tweetlab.endpoint.members import check_members
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
CONTROL_PLANE = frozenset(
    [
        "CancelBulkOperation",
        "CreateBackup",
        "CreateGlobalTable",
        "CreateTable",
        "DeleteBackup",
        "DeleteResourcePolicy",
        "DeleteTable",
        "DescribeBackup",
        "DescribeBulkOperation",
        "DescribeContinuousBackups",
        "DescribeContributorInsights",
        "DescribeEndpoints",
        "DescribeExport",
        "DescribeGlobalTable",
        "DescribeGlobalTableSettings",
        "DescribeImport",
        "DescribeKinesisStreamingDestination",
        "DescribeLimits",
        "DescribeTable",
        "DescribeTableReplicaAutoScaling",
        "DescribeTimeToLive",
        "DisableKinesisStreamingDestination",
        "EnableKinesisStreamingDestination",
        "ExportTableToPointInTime",
        "GetResourcePolicy",
        "ImportTable",
        "ListBackups",
        "ListBulkOperations",
        "ListContributorInsights",
        "ListExports",
        "ListGlobalTables",
        "ListImports",
        "ListTables",
        "ListTagsOfResource",
        "PutResourcePolicy",
        "RestoreTableFromBackup",
        "RestoreTableToPointInTime",
        "TagResource",
        "UntagResource",
        "UpdateContinuousBackups",
        "UpdateContributorInsights",
        "UpdateGlobalTable",
        "UpdateGlobalTableSettings",
        "UpdateKinesisStreamingDestination",
        "UpdateTable",
        "UpdateTableReplicaAutoScaling",
        "UpdateTimeToLive",
    ]
)
"""The operations that take nothing of a table's throughput. What an upstream then does by itself is
no call and free, as on AWS: deleting what has expired, importing, exporting, restoring."""
_USE_INSTEAD = {
    "ExecuteStatement": "GetItem, Query, Scan, PutItem, UpdateItem or DeleteItem",
    "BatchExecuteStatement": "BatchGetItem or BatchWriteItem",
    "ExecuteTransaction": "TransactGetItems or TransactWriteItems",
}
"""PartiQL: to charge a statement, the endpoint would have to understand it as DynamoDB does."""
_STREAMS = Operation(None, Backend.forward)
"""DynamoDB Streams: what is read of them takes nothing of a table's throughput, as on AWS."""


def operation_of(name: str) -> Operation:
    """The operation of that name; raises a ValidationException for one of PartiQL's, and for one
    whose cost nobody here knows, such as one that botocore's model has grown since."""
    if instead := _USE_INSTEAD.get(name):
        raise validation_error(
            f"tweetlab's endpoint runs no PartiQL ({name}), since it could not tell what a "
            f"statement consumes. Use {instead} instead."
        )
    if name in STREAMS:
        return _STREAMS
    if name in CONTROL_PLANE:
        return _understood(name, Operation(None, control_plane))
    if name not in OPERATIONS:
        raise validation_error(
            f"tweetlab's endpoint does not run {name}, since it could not tell what it consumes."
        )
    return _understood(name, OPERATIONS[name])


@cache
def _understood(name: str, operation: Operation) -> Operation:
    """The operation, for requests all of whose members are understood."""

    async def answer(backend: Backend, call: Call) -> Answer:
        check_members(name, call.request)
        return await operation.answer(backend, call)

    return operation._replace(answer=answer)
