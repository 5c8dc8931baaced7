"""Tables and indexes that DynamoDB would not make are not made: no call to one could be charged."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.serving import Server, serving
from tweetlab.endpoint import Limits, Moto
from tweetlab.endpoint.drills import Drills
from tweetlab.endpoint.known_tables import KnownTables
from tweetlab.endpoint.wire import Answer, DynamoDBError, dump

INVALID = "One or more parameter values were invalid: "
ONE = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}


def schema(*names: str) -> list[dict[str, str]]:
    """A key: of names with a star the kind is RANGE."""
    return [
        {"AttributeName": name.rstrip("*"), "KeyType": "RANGE" if name.endswith("*") else "HASH"}
        for name in names
    ]


def defined(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


def index(name: str = "gsi", *keys: str, **more: Any) -> dict[str, Any]:
    """With what is given of it, or without what is given as None."""
    whole = {
        "IndexName": name,
        "KeySchema": schema(*keys or ("g",)),
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": ONE,
        **more,
    }
    return {member: value for member, value in whole.items() if value is not None}


def local(name: str = "lsi", *keys: str, **more: Any) -> dict[str, Any]:
    return index(name, *keys or ("id", "l*"), ProvisionedThroughput=None, **more)


def table(**more: Any) -> dict[str, Any]:
    whole = {
        "TableName": "broken",
        "KeySchema": schema("id", "s*"),
        "AttributeDefinitions": defined("id", "s"),
        "ProvisionedThroughput": ONE,
        **more,
    }
    return {member: value for member, value in whole.items() if value is not None}


def with_index(*indexes: Mapping[str, Any], attributes: str = "g", **more: Any) -> dict[str, Any]:
    return table(
        AttributeDefinitions=defined("id", "s", *attributes.split()),
        GlobalSecondaryIndexes=list(indexes),
        **more,
    )


def with_local(*indexes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    request = table(
        AttributeDefinitions=defined("id", "s", "l"), LocalSecondaryIndexes=list(indexes)
    )
    return {**request, **more}


ON_DEMAND: dict[str, Any] = {"BillingMode": "PAY_PER_REQUEST", "ProvisionedThroughput": None}
KEYS_ONLY, INCLUDE = {"ProjectionType": "KEYS_ONLY"}, {"ProjectionType": "INCLUDE"}
NOT_DEFINED = (
    INVALID + "Some index key attributes are not defined in AttributeDefinitions. "
    "Keys: [{}], AttributeDefinitions: [{}]"
)
FIRST = "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
SECOND = "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"
SAME = "Both the Hash Key and the Range Key element in the KeySchema have the same name"
UNUSED = (
    INVALID + "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]"
)
NO_PROJECTION = INVALID + "Unknown ProjectionType: null"

BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("index without a projection type", with_index(index(Projection={})), NO_PROJECTION),
    ("local index without a projection type", with_local(local(Projection={})), NO_PROJECTION),
    ("index without a HASH key", with_index(index("gsi", "g*")), FIRST),
    ("local index without one", with_local(local("lsi", "id*", "l*")), FIRST),
    (
        "INCLUDE of nothing",
        with_index(index(Projection=INCLUDE)),
        INVALID + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
    ),
    (
        "KEYS_ONLY of more",
        with_index(index(Projection={**KEYS_ONLY, "NonKeyAttributes": ["x"]})),
        INVALID + "ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified",
    ),
    (
        "index key that is not defined",
        with_index(index("gsi", "other"), attributes="g"),
        NOT_DEFINED.format("other", "id, s, g"),
    ),
    (
        "key that is not defined",
        table(AttributeDefinitions=defined("id", "x")),
        NOT_DEFINED.format("id, s", "id, x"),
    ),
    (
        "fewer definitions than keys",
        table(AttributeDefinitions=defined("id")),
        "Invalid KeySchema: Some index key attribute have no definition",
    ),
    (
        "definition that is not used",
        table(AttributeDefinitions=defined("id", "s", "x")),
        INVALID + "Number of attributes in KeySchema does not exactly match number of attributes "
        "defined in AttributeDefinitions",
    ),
    (
        "definition that no index uses",
        with_index(index(), attributes="g x"),
        UNUSED.format("g, id, s, x", "g, id, s"),
    ),
    (
        "attribute defined twice",
        table(AttributeDefinitions=defined("id", "s", "s")),
        "Attribute Name is duplicated: s",
    ),
    ("table without a HASH key", table(KeySchema=schema("id*", "s*")), FIRST),
    ("table with two HASH keys", table(KeySchema=schema("id", "s")), SECOND),
    ("one attribute twice", table(KeySchema=schema("id", "id*")), SAME),
    ("one attribute twice in an index", with_index(index("gsi", "g", "g*")), SAME),
    (
        "one attribute twice among several",
        with_index(index("gsi", "g", "s*", "g*")),
        "The KeySchema contains multiple key attributes with the same name",
    ),
    (
        "HASH after RANGE",
        with_index(index("gsi", "g", "s*", "id")),
        INVALID + "All HASH key attributes must precede RANGE key attributes in the KeySchema",
    ),
    (
        "five HASH attributes",
        with_index(index("gsi", *"abcde"), attributes="a b c d e"),
        INVALID + "The KeySchema exceeds the maximum allowed number of HASH key attributes",
    ),
    (
        "two indexes of one name",
        with_index(index(), index()),
        INVALID + "Duplicate index name: gsi",
    ),
    (
        "a local and a global index of one name",
        {**with_index(index("both"), attributes="g l"), "LocalSecondaryIndexes": [local("both")]},
        INVALID + "Duplicate index name: both",
    ),
    (
        "no list of indexes",
        table(GlobalSecondaryIndexes=[]),
        INVALID + "List of GlobalSecondaryIndexes is empty",
    ),
    (
        "no list of local indexes",
        table(LocalSecondaryIndexes=[]),
        INVALID + "List of LocalSecondaryIndexes is empty",
    ),
    (
        "local index of a table without RANGE",
        with_local(local(), KeySchema=schema("id"), AttributeDefinitions=defined("id", "l")),
        INVALID + "Table KeySchema does not have a range key, which is required when specifying a "
        "LocalSecondaryIndex",
    ),
    (
        "local index without RANGE",
        with_local(local("lsi", "id"), AttributeDefinitions=defined("id", "s")),
        INVALID + "Index KeySchema does not have a range key for index: lsi",
    ),
    (
        "local index of another HASH",
        with_local(local("lsi", "s", "l*")),
        INVALID + "Index KeySchema does not have the same leading hash key as table KeySchema for "
        "index: lsi. index hash key: s, table hash key: id",
    ),
    (
        "no throughput",
        table(ProvisionedThroughput=None),
        INVALID
        + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode "
        "is PROVISIONED",
    ),
    (
        "throughput on demand",
        table(BillingMode="PAY_PER_REQUEST"),
        INVALID + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
        "BillingMode is PAY_PER_REQUEST",
    ),
    (
        "index without throughput",
        with_index(index(ProvisionedThroughput=None)),
        INVALID + "ProvisionedThroughput is not specified for index: gsi",
    ),
    (
        "index with throughput on demand",
        with_index(index(), **ON_DEMAND),
        INVALID
        + "ProvisionedThroughput should not be specified for index: gsi when BillingMode is "
        "PAY_PER_REQUEST",
    ),
]


@pytest.mark.parametrize(
    ("request_", "message"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_a_table_that_dynamodb_would_not_make(server, request_, message):
    reply = server.post("CreateTable", request_)
    assert (reply.status, reply.json.get("message")) == (400, message)
    assert reply.json["__type"].endswith("#ValidationException")
    assert "broken" not in server.around("ListTables")["TableNames"]


@pytest.mark.parametrize("member", ["KeySchema", "AttributeDefinitions"])
def test_a_table_without_a_key(server, member):
    reply = server.post("CreateTable", table(**{member: None}))
    assert reply.status == 400 and b"Member must not be null" in reply.body
    reply = server.post("CreateTable", table(KeySchema=[]))
    assert reply.status == 400


def test_a_table_has_at_most_two_attributes_in_its_key(server):
    request = table(
        KeySchema=schema("id", "s*", "x*"), AttributeDefinitions=defined("id", "s", "x")
    )
    reply = server.post("CreateTable", request)
    assert reply.status == 400
    assert reply.json["message"].endswith("Member must have length less than or equal to 2")


CREATE = {"Create": index()}
BROKEN_UPDATES: list[tuple[str, dict[str, Any], str]] = [
    (
        "index without a projection type",
        {"AttributeDefinitions": defined("g"), "Changes": [{"Create": index(Projection={})}]},
        NO_PROJECTION,
    ),
    (
        "index without a HASH key",
        {"AttributeDefinitions": defined("g"), "Changes": [{"Create": index("gsi", "g*")}]},
        FIRST,
    ),
    (
        "index key that is not defined",
        {"Changes": [CREATE]},
        NOT_DEFINED.format("g", "id, a"),
    ),
    (
        "index without throughput",
        {
            "AttributeDefinitions": defined("g"),
            "Changes": [{"Create": index(ProvisionedThroughput=None)}],
        },
        INVALID + "ProvisionedThroughput must be specified for index: gsi",
    ),
    (
        "index that is there",
        {"AttributeDefinitions": defined("g"), "Changes": [{"Create": index("here")}]},
        "Attempting to create an index which already exists",
    ),
    ("index that is not there", {"Changes": [{"Delete": {"IndexName": "gone"}}]}, "Requested"),
    (
        "throughput of one that is not there",
        {"Changes": [{"Update": {"IndexName": "gone", "ProvisionedThroughput": ONE}}]},
        "Requested resource not found",
    ),
    ("no change", {"Changes": [{}]}, INVALID + "One of GlobalSecondaryIndexUpdate.Update"),
    (
        "two changes in one",
        {"Changes": [{**CREATE, "Delete": {"IndexName": "here"}}]},
        INVALID + "Only one global secondary index action is allowed",
    ),
    (
        "two changes of one index",
        {"Changes": [{"Delete": {"IndexName": "here"}}] * 2},
        INVALID + "Only one global secondary index update per index is allowed",
    ),
]


@pytest.mark.parametrize(
    ("request_", "message"),
    [case[1:] for case in BROKEN_UPDATES],
    ids=[case[0] for case in BROKEN_UPDATES],
)
def test_an_update_that_dynamodb_would_not_make(server, request_, message):
    here = index("here", "a")
    name = server.create_table(
        AttributeDefinitions=defined("id", "a"), GlobalSecondaryIndexes=[here]
    )
    server.dynamodb.put_item(TableName=name, Item={"id": {"S": "a"}})
    request = copy.deepcopy(request_)
    request["GlobalSecondaryIndexUpdates"] = request.pop("Changes")
    if "AttributeDefinitions" in request:
        request["AttributeDefinitions"] += defined("id", "a")
    reply = server.post("UpdateTable", {"TableName": name, **request})
    assert reply.status == 400 and reply.json["message"].startswith(message), reply.body
    described = server.around("DescribeTable", TableName=name)["Table"]
    assert [each["IndexName"] for each in described["GlobalSecondaryIndexes"]] == ["here"]
    # It is known as it was.
    with server.charged(name, "here") as in_index:
        server.dynamodb.put_item(TableName=name, Item={"id": {"S": "a"}, "a": {"S": "a"}})
    assert in_index.writes == 1


def test_a_local_index_is_not_changed(server):
    name = server.create_table(
        **{
            key: value
            for key, value in with_local(local()).items()
            if key not in ("TableName", "ProvisionedThroughput")
        }
    )
    change = {"Delete": {"IndexName": "lsi"}}
    reply = server.post("UpdateTable", {"TableName": name, "GlobalSecondaryIndexUpdates": [change]})
    assert reply.json["message"] == (
        "Cannot delete an index that is not a GlobalSecondaryIndex: lsi"
    )


def test_a_table_is_not_provisioned_without_throughput_for_its_indexes(server):
    name = server.create_table()
    server.dynamodb.delete_table(TableName=name)
    request = {**with_index(index(ProvisionedThroughput=None), **ON_DEMAND), "TableName": name}
    server.dynamodb.create_table(**request)
    change = {"TableName": name, "BillingMode": "PROVISIONED"}
    reply = server.post("UpdateTable", change)
    assert b"ProvisionedThroughput must be specified when BillingMode is PROVISIONED" in reply.body
    reply = server.post("UpdateTable", {**change, "ProvisionedThroughput": ONE})
    assert b"ProvisionedThroughput must be specified for index: gsi" in reply.body
    updates = [{"Update": {"IndexName": "gsi", "ProvisionedThroughput": ONE}}]
    request = {**change, "ProvisionedThroughput": ONE, "GlobalSecondaryIndexUpdates": updates}
    assert server.post("UpdateTable", request).status == 200


# What an upstream may say of a table


GOOD: dict[str, Any] = {
    "TableName": "told",
    "TableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/told",
    "KeySchema": schema("id"),
    "AttributeDefinitions": defined("id", "g"),
    "ProvisionedThroughput": ONE,
    "GlobalSecondaryIndexes": [index()],
}
NOT_UNDERSTOOD: list[dict[str, Any]] = [
    {"KeySchema": None},
    {"KeySchema": []},
    {"KeySchema": schema("id*")},
    {"KeySchema": [{"AttributeName": "id", "KeyType": "VECTOR"}]},
    {"KeySchema": "id"},
    {"TableArn": None},
    {"ProvisionedThroughput": {**ONE, "WriteCapacityUnits": 0}},
    {"ProvisionedThroughput": {"ReadCapacityUnits": "many", "WriteCapacityUnits": 1}},
    {"AttributeDefinitions": ["id"]},
    {"GlobalSecondaryIndexes": [index(Projection={})]},
    {"GlobalSecondaryIndexes": [index("gsi", "g*")]},
    {"GlobalSecondaryIndexes": [index(ProvisionedThroughput=None)]},
    {"GlobalSecondaryIndexes": [index(ProvisionedThroughput={})]},
    {"GlobalSecondaryIndexes": ["gsi"]},
    {"LocalSecondaryIndexes": [local("lsi", "l*")]},
]


@pytest.mark.parametrize("change", NOT_UNDERSTOOD, ids=repr)
def test_a_description_that_is_not_understood_is_an_error_that_says_so(change):
    tables = KnownTables(Limits(), Drills(), 0)
    description = {k: v for k, v in {**GOOD, **change}.items() if v is not None}
    for known in (False, True):
        if known:
            tables.learn(GOOD)
        with pytest.raises(DynamoDBError, match="cannot tell what calls to the table told cost"):
            tables.learn(description)
        # Never half known: what it was is forgotten as well.
        assert tables.get("told") is None


def test_a_table_that_says_nothing_of_its_throughput_is_taken_for_on_demand():
    description = {k: v for k, v in GOOD.items() if k != "ProvisionedThroughput"}
    zero = {**ONE, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    for told in (description, {**description, "ProvisionedThroughput": zero}):
        table = KnownTables(Limits(), Drills(), 0).learn(told)
        assert table.capacity.on_demand


class Vague(Moto):
    """Says less of a table than there is to know."""

    async def send(self, operation: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        answer = await super().send(operation, body, headers)
        if operation == "DescribeTable" and answer.ok:
            described = {**answer.json["Table"], "KeySchema": []}
            return Answer(200, dump({"Table": described}))
        return answer


def test_calls_to_a_table_that_is_not_understood_are_refused():
    with serving(Vague) as server:
        server.around("CreateTable", **table(TableName="vague"))
        for operation, request in (
            ("PutItem", {"Item": {"id": {"S": "a"}, "s": {"S": "a"}}}),
            ("GetItem", {"Key": {"id": {"S": "a"}, "s": {"S": "a"}}}),
            ("Scan", {}),
        ):
            reply = server.post(operation, {"TableName": "vague", **request})
            assert reply.status == 400 and b"cannot tell what calls" in reply.body
        assert server.around("Scan", TableName="vague")["Count"] == 0
        assert server.post("DeleteTable", {"TableName": "vague"}).status == 200


@pytest.fixture(autouse=True)
def no_table_is_left(request: pytest.FixtureRequest):
    yield
    if "any_server" in request.fixturenames:
        server: Server = request.getfixturevalue("any_server")
        server.post("DeleteTable", {"TableName": "broken"})
