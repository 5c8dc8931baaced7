"""Tables made, changed, listed, tagged, saved and gone, and their streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.calls import CLEAN, THROUGHPUT, Call, api, delete_table, key, s
from tests.support.tables_of_calls import attributes, index, n, schema, table

STREAMS = "DynamoDBStreams_20120810."


def control() -> Iterator[Call]:
    """Tables made, changed, listed and gone."""
    yield CLEAN

    def create(detail: str, **request: Any) -> Iterator[Call]:
        yield api("CreateTable", detail, {**table("made", "id:S", "id"), **request})
        yield api("DescribeTable", f"created, {detail}", {"TableName": "made"})
        item = {"TableName": "made", "Item": {**key("a"), "tag": s("x"), "day": s("d")}}
        yield api("PutItem", f"created, {detail}", item)
        yield api("GetItem", f"created, {detail}", {"TableName": "made", "Key": key("a")})
        yield CLEAN

    two = attributes("id:S tag:S")
    global_ = index("by-tag", "tag", ProvisionedThroughput=THROUGHPUT)

    def with_index(changed: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        changed = {**global_, **more} if changed is None else changed
        return {"AttributeDefinitions": two, "GlobalSecondaryIndexes": [changed]}

    on_demand = {"BillingMode": "PAY_PER_REQUEST"}
    yield from create("on demand", **on_demand, ProvisionedThroughput=None)
    yield from create("on demand with throughput", **on_demand)
    yield from create("provisioned without throughput", ProvisionedThroughput=None)
    yield from create("a bad mode", BillingMode="BOGUS")
    yield from create(
        "no throughput of 0",
        ProvisionedThroughput={"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
    )
    yield from create("an index", **with_index())
    yield from create("an index without projection", **with_index(Projection=None))
    yield from create("an index with an empty projection", **with_index(Projection={}))
    yield from create(
        "an index with a bad projection", **with_index(Projection={"ProjectionType": "BOGUS"})
    )
    yield from create(
        "an index that includes nothing", **with_index(Projection={"ProjectionType": "INCLUDE"})
    )
    yield from create(
        "an index without a hash key",
        **with_index(KeySchema=[{"AttributeName": "tag", "KeyType": "RANGE"}]),
    )
    yield from create("an index without keys", **with_index(KeySchema=[]))
    yield from create("an index without a schema", **with_index(KeySchema=None))
    yield from create("an index without a name", **with_index(IndexName=None))
    yield from create("an index with a short name", **with_index(IndexName="ab"))
    yield from create("an index of an undefined attribute", **with_index(KeySchema=schema("day")))
    yield from create("an index without throughput", **with_index(ProvisionedThroughput=None))
    yield from create("no indexes in the list", GlobalSecondaryIndexes=[])
    yield from create("a null index", AttributeDefinitions=two, GlobalSecondaryIndexes=[None])
    twice = {"AttributeDefinitions": two, "GlobalSecondaryIndexes": [global_, global_]}
    yield from create("twice the same index", **twice)
    local = {"AttributeDefinitions": two, "LocalSecondaryIndexes": [index("local", "id tag")]}
    yield from create("a local index without range key", **local)
    ranged = table("made", "id:S tag:S day:S", "id tag")
    yield from create(
        "a local index", **{**ranged, "LocalSecondaryIndexes": [index("local", "id day")]}
    )
    yield from create(
        "a local index of another hash key",
        **{**ranged, "LocalSecondaryIndexes": [index("local", "tag day")]},
    )
    several = [{"AttributeName": name, "KeyType": "HASH"} for name in ("tag", "day")]
    yield from create(
        "an index of several attributes",
        AttributeDefinitions=attributes("id:S tag:S day:S"),
        GlobalSecondaryIndexes=[{**global_, "KeySchema": several}],
    )
    yield from create(
        "two hash keys",
        AttributeDefinitions=two,
        KeySchema=[{"AttributeName": name, "KeyType": "HASH"} for name in ("id", "tag")],
    )
    yield from create("only a range key", KeySchema=[{"AttributeName": "id", "KeyType": "RANGE"}])
    yield from create("an undefined key", KeySchema=schema("other"))
    yield from create("an unused definition", AttributeDefinitions=two)
    yield from create("a bad type", AttributeDefinitions=attributes("id:BOOL"))
    yield from create("a bad kind of key", KeySchema=[{"AttributeName": "id", "KeyType": "BOGUS"}])
    yield from create("tags", Tags=[{"Key": "room", "Value": "7"}])
    yield from create(
        "a bad stream", StreamSpecification={"StreamEnabled": True, "StreamViewType": "BOGUS"}
    )
    yield from create(
        "a maximum",
        **on_demand,
        ProvisionedThroughput=None,
        OnDemandThroughput={"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 100},
    )
    yield from create(
        "warm", WarmThroughput={"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000}
    )
    yield api(
        "CreateTable", "protected", table("made", "id:S", "id", DeletionProtectionEnabled=True)
    )
    yield delete_table("made", "protected")
    unprotect = {"TableName": "made", "DeletionProtectionEnabled": False}
    yield api("UpdateTable", "unprotected", unprotect)
    yield delete_table("made", "unprotected")
    nulls = (
        "LocalSecondaryIndexes",
        "GlobalSecondaryIndexes",
        "BillingMode",
        "StreamSpecification",
        "SSESpecification",
        "Tags",
        "TableClass",
        "DeletionProtectionEnabled",
        "WarmThroughput",
        "ResourcePolicy",
        "OnDemandThroughput",
    )
    yield from create("nulls", **dict.fromkeys(nulls))
    yield from create("encrypted", SSESpecification={"Enabled": True})
    yield from create("infrequent", TableClass="STANDARD_INFREQUENT_ACCESS")

    def update(detail: str, **request: Any) -> Call:
        return api("UpdateTable", detail, {"TableName": "made", **request})

    more = {"ReadCapacityUnits": 5000, "WriteCapacityUnits": 5000}
    yield api("CreateTable", "to be changed for the worse", table("made", "id:S", "id"))
    yield update("throughput 0", ProvisionedThroughput={**more, "ReadCapacityUnits": 0})
    bad = [{"Create": {**global_, "Projection": {}}}]
    unprojected = {"AttributeDefinitions": two, "GlobalSecondaryIndexUpdates": bad}
    yield update("an index without a projection", **unprojected)
    # Local makes and deletes indexes in its own time: each of these finds a table of its own.
    of_index = {"IndexName": "by-tag", "ProvisionedThroughput": more}
    for detail, changes in (
        ("a new index", [{"Create": global_}]),
        ("an index's throughput", [{"Update": of_index}]),
        ("an index away", [{"Delete": {"IndexName": "by-tag"}}]),
        ("no index away", [{"Delete": {"IndexName": "none"}}]),
        ("an index, nulls", [{"Create": None, "Delete": None}]),
    ):
        indexed = {} if detail == "a new index" else with_index()
        yield CLEAN
        yield api("CreateTable", f"for {detail}", {**table("made", "id:S", "id"), **indexed})
        yield update(detail, AttributeDefinitions=two, GlobalSecondaryIndexUpdates=changes)
    yield CLEAN
    yield api("CreateTable", "to be changed", table("made", "id:S", "id"))
    yield api("CreateTable", "again", table("made", "id:S", "id"))

    yield update("throughput", ProvisionedThroughput=more)
    yield update("the same throughput", ProvisionedThroughput=more)
    yield update("nothing")
    yield api("DescribeTable", "after the updates", {"TableName": "made"})
    yield api("PutItem", "after the updates", {"TableName": "made", "Item": key("a")})
    yield update("on demand", **on_demand)
    yield update("provisioned", BillingMode="PROVISIONED", ProvisionedThroughput=more)
    yield api("UpdateTable", "of none", {"TableName": "none", "ProvisionedThroughput": more})
    for name in ("ab", "none", "made"):
        yield api("DescribeTable", name, {"TableName": name})
    for detail, request in (
        ("all", {}),
        ("one", {"Limit": 1}),
        ("limit 10.0", {"Limit": 10.0}),
        ("limit 0", {"Limit": 0}),
        ("limit 101", {"Limit": 101}),
        ("limit null", {"Limit": None}),
        ("from a name of two letters", {"ExclusiveStartTableName": "ma"}),
        ("from a name of one letter", {"ExclusiveStartTableName": "m"}),
        ("from a name that is none", {"ExclusiveStartTableName": "a b"}),
        ("from an empty name", {"ExclusiveStartTableName": ""}),
        ("from a name", {"ExclusiveStartTableName": "made"}),
        ("from after all", {"ExclusiveStartTableName": "zzz"}),
    ):
        yield api("ListTables", detail, request)
    keep = {"made": ("Table", "TableArn")}
    yield api("DescribeTable", "for tags", {"TableName": "made"}, keep=keep)
    tags = {"ResourceArn": "$made", "Tags": [{"Key": "room", "Value": "7"}]}
    yield api("TagResource", "a table", tags)
    yield api("ListTagsOfResource", "a table", {"ResourceArn": "$made"})
    yield api("UntagResource", "a table", {"ResourceArn": "$made", "TagKeys": ["room"]})
    yield api("ListTagsOfResource", "none left", {"ResourceArn": "$made"})
    yield api("TagResource", "what is none", {**tags, "ResourceArn": "$made-none"})
    yield api("TagResource", "no ARN", {**tags, "ResourceArn": "made"})
    for detail, on in (("on", True), ("on again", True), ("off", False), ("off again", False)):
        until = {"TimeToLiveSpecification": {"AttributeName": "until", "Enabled": on}}
        yield api("UpdateTimeToLive", detail, {"TableName": "made", **until})
    yield api("DescribeTimeToLive", "a table", {"TableName": "made"})
    yield api("DescribeTimeToLive", "no table", {"TableName": "none"})
    keep = {"backup": ("BackupDetails", "BackupArn")}
    yield api("CreateBackup", "a table", {"TableName": "made", "BackupName": "copy"}, keep=keep)
    yield api("ListBackups", "one", {"TableName": "made"})
    yield api("DescribeBackup", "it", {"BackupArn": "$backup"})
    restore = {"TargetTableName": "restored", "BackupArn": "$backup"}
    yield api("RestoreTableFromBackup", "it", restore)
    yield api("GetItem", "restored", {"TableName": "restored", "Key": key("a")})
    yield api("PutItem", "restored", {"TableName": "restored", "Item": key("b")})
    yield delete_table("restored", "at the end")
    yield api("DeleteBackup", "it", {"BackupArn": "$backup"})
    yield api("DescribeContinuousBackups", "a table", {"TableName": "made"})
    yield delete_table("made", "at the end")
    yield delete_table("made", "again")
    yield api("GetItem", "of a table that is gone", {"TableName": "made", "Key": key("a")})


def streams() -> Iterator[Call]:
    spec = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    keep: dict[str, tuple[str | int, ...]]
    keep = {"stream": ("TableDescription", "LatestStreamArn")}
    made = {**table("streamed-$run", "id:S", "id"), "StreamSpecification": spec}
    yield api("CreateTable", "with a stream", made, keep=keep)
    name = {"TableName": "streamed-$run"}
    yield api("PutItem", "into the stream", {**name, "Item": {**key("a"), "n": n(1)}})
    yield api("PutItem", "into the stream again", {**name, "Item": {**key("a"), "n": n(2)}})
    yield api("DeleteItem", "into the stream", {**name, "Key": key("a")})
    yield api("ListStreams", "of the table", name, STREAMS)
    keep = {"shard": ("StreamDescription", "Shards", 0, "ShardId")}
    yield api("DescribeStream", "it", {"StreamArn": "$stream"}, STREAMS, keep=keep)
    yield api("DescribeStream", "none", {"StreamArn": "$stream-none"}, STREAMS)
    shard = {"StreamArn": "$stream", "ShardId": "$shard"}
    keep = {"iterator": ("ShardIterator",)}
    trim = {**shard, "ShardIteratorType": "TRIM_HORIZON"}
    yield api("GetShardIterator", "from the start", trim, STREAMS, keep=keep)
    bad = {**shard, "ShardIteratorType": "BOGUS"}
    yield api("GetShardIterator", "of a bad type", bad, STREAMS)
    yield api("GetRecords", "all", {"ShardIterator": "$iterator"}, STREAMS)
    yield api("GetRecords", "two", {"ShardIterator": "$iterator", "Limit": 2}, STREAMS)
    yield api("GetRecords", "from nowhere", {"ShardIterator": "nowhere"}, STREAMS)
    yield api("Bogus", "of Streams", {}, STREAMS)
    yield delete_table("streamed-$run", "at the end")
