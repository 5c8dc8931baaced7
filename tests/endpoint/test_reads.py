"""What reads are charged, and what they say they were charged, on each upstream."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from tests.support.serving import Server, item

KB = 1024
AUTHOR_AND_TIME = [
    {"AttributeName": "author", "KeyType": "HASH"},
    {"AttributeName": "posted", "KeyType": "RANGE"},
]
TIMELINE = {
    "KeySchema": [
        {"AttributeName": "author", "KeyType": "HASH"},
        {"AttributeName": "id", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"} for name in ("author", "id", "posted")
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "local",
            "KeySchema": AUTHOR_AND_TIME,
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "global",
            "KeySchema": AUTHOR_AND_TIME,
            "Projection": {"ProjectionType": "KEYS_ONLY"},
            "ProvisionedThroughput": {"ReadCapacityUnits": 500, "WriteCapacityUnits": 500},
        }
    ],
}


def put(server: Server, table: str, *items) -> None:
    for start in range(0, len(items), 25):
        requests = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        server.around("BatchWriteItem", RequestItems={table: requests})


@contextmanager
def charges(server: Server, table: str, units: float, index: str | None = None):
    """Check what the block takes from the read bucket; and that it takes nothing to write."""
    with server.charged(table, index) as charged:
        yield
    assert (charged.reads, charged.writes) == (units, 0)


@pytest.mark.parametrize(
    ("size", "units"),
    [
        pytest.param(100, 1, id="small"),
        pytest.param(3_500, 1, id="E5, 3.5 KB"),
        pytest.param(4 * KB, 1, id="exactly 4 KB"),
        pytest.param(4 * KB + 1, 2, id="a byte more"),
        pytest.param(10 * KB, 3, id="E5, 10 KB"),
    ],
)
def test_get_item_costs_the_size_of_the_item(server, size, units):
    table = server.create_table()
    put(server, table, item("a", size))
    for consistent, expected in ((True, units), (False, units / 2)):
        with charges(server, table, expected):
            answer = server.dynamodb.get_item(
                TableName=table,
                Key={"id": {"S": "a"}},
                ConsistentRead=consistent,
                ReturnConsumedCapacity="TOTAL",
            )
        assert answer["ConsumedCapacity"] == {"TableName": table, "CapacityUnits": expected}
        assert answer["Item"] == item("a", size)


def test_a_missing_item_costs_as_much_as_the_smallest(server):
    table = server.create_table()
    for consistent, expected in ((True, 1), (False, 0.5)):
        with charges(server, table, expected):
            answer = server.dynamodb.get_item(
                TableName=table, Key={"id": {"S": "none"}}, ConsistentRead=consistent
            )
        assert "Item" not in answer


@pytest.mark.parametrize(
    "part",
    [{"ProjectionExpression": "id"}, {"AttributesToGet": ["id"]}, {"ProjectionExpression": "x"}],
    ids=repr,
)
def test_a_projection_makes_get_item_no_cheaper(server, part):
    table = server.create_table()
    put(server, table, item("a", 10 * KB))
    with charges(server, table, 3):
        server.dynamodb.get_item(
            TableName=table, Key={"id": {"S": "a"}}, ConsistentRead=True, **part
        )


@pytest.mark.parametrize("detail", ["NONE", "TOTAL", "INDEXES"])
def test_consumed_capacity_has_the_detail_that_was_asked_for(server, detail):
    table = server.create_table()
    answer = server.dynamodb.get_item(
        TableName=table, Key={"id": {"S": "a"}}, ReturnConsumedCapacity=detail
    )
    expected = {
        "NONE": None,
        "TOTAL": {"TableName": table, "CapacityUnits": 0.5},
        "INDEXES": {"TableName": table, "CapacityUnits": 0.5, "Table": {"CapacityUnits": 0.5}},
    }
    assert answer.get("ConsumedCapacity") == expected[detail]


# --- BatchGetItem -----------------------------------------------------------------------------


def batch(server: Server, table: str, *keys: str, **request):
    entry = {"Keys": [{"id": {"S": key}} for key in keys], **request}
    return server.dynamodb.batch_get_item(
        RequestItems={table: entry}, ReturnConsumedCapacity="TOTAL"
    )


@pytest.mark.parametrize("part", [{}, {"ProjectionExpression": "id"}], ids=["all", "projected"])
def test_batch_get_item_rounds_each_item_up(server, part):
    """E6: 1.5 KB and 6.5 KB are 3 units."""
    table = server.create_table()
    put(server, table, item("a", int(1.5 * KB)), item("b", int(6.5 * KB)))
    with charges(server, table, 3):
        answer = batch(server, table, "a", "b", ConsistentRead=True, **part)
    assert answer["ConsumedCapacity"] == [{"TableName": table, "CapacityUnits": 3}]
    assert len(answer["Responses"][table]) == 2


def test_each_missing_key_of_a_batch_costs_the_minimum(server):
    table = server.create_table()
    put(server, table, item("a", 5 * KB))
    with charges(server, table, 1 + 2 * 0.5):
        answer = batch(server, table, "a", "b", "c")
    assert [found["id"]["S"] for found in answer["Responses"][table]] == ["a"]
    assert answer["UnprocessedKeys"] == {}


def test_a_batch_over_two_tables_charges_each_its_own(server):
    first, second = server.create_table(), server.create_table()
    put(server, second, item("a", 5 * KB))
    keys = {"Keys": [{"id": {"S": "a"}}]}
    with charges(server, first, 0.5), charges(server, second, 2):
        answer = server.dynamodb.batch_get_item(
            RequestItems={first: keys, second: {**keys, "ConsistentRead": True}},
            ReturnConsumedCapacity="TOTAL",
        )
    consumed = {
        report["TableName"]: report["CapacityUnits"] for report in answer["ConsumedCapacity"]
    }
    assert consumed == {first: 0.5, second: 2}


# --- Query and Scan ---------------------------------------------------------------------------


@pytest.fixture
def timeline(server):
    """A table with ten tweets of Ann's, 40.8 KB together, and one of Bob's, of 100 bytes."""
    table = server.create_table(**TIMELINE)
    each = int(4.08 * KB)
    sizes = [each] * 9 + [int(40.8 * KB) - 9 * each]
    tweets = [
        item(str(number), size, author={"S": "ann"}, posted={"S": f"day {number}"})
        for number, size in enumerate(sizes)
    ]
    put(server, table, *tweets, item("x", 100, author={"S": "bob"}, posted={"S": "day 0"}))
    return table


def anns(**request):
    """A strongly consistent query for Ann's tweets."""
    values = {":author": {"S": "ann"}} | request.pop("values", {})
    return {
        "KeyConditionExpression": "author = :author",
        "ExpressionAttributeValues": values,
        "ConsistentRead": True,
    } | request


LEGACY = {
    "KeyConditions": {
        "author": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "ann"}]},
    },
    "ConsistentRead": True,
}
NONE_IS = {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "none"}]}


@pytest.mark.parametrize(
    ("request_", "units", "count"),
    [
        pytest.param(anns(), 11, 10, id="E7"),
        pytest.param(anns(ConsistentRead=False), 5.5, 10, id="E7, eventually consistent"),
        pytest.param(anns(ProjectionExpression="id"), 11, 10, id="projection"),
        pytest.param(anns(Select="COUNT"), 11, 10, id="count"),
        pytest.param(
            anns(FilterExpression="posted = :posted", values={":posted": {"S": "day 3"}}),
            11,
            1,
            id="filter",
        ),
        pytest.param(
            anns(
                FilterExpression="#d = :author",
                KeyConditionExpression="#a = :author",
                ExpressionAttributeNames={"#a": "author", "#d": "posted"},
            ),
            11,
            0,
            id="filter with names, that drops all",
        ),
        pytest.param(anns(Limit=2), 3, 2, id="a page of two"),
        pytest.param(
            anns(Limit=2, FilterExpression="posted = :posted", values={":posted": {"S": "day 1"}}),
            3,
            1,
            id="a page of two, filtered",
        ),
        pytest.param(
            anns(
                KeyConditionExpression="author = :author AND id BETWEEN :from AND :to",
                values={":from": {"S": "3"}, ":to": {"S": "4"}},
                Select="COUNT",
            ),
            3,
            2,
            id="a range",
        ),
        pytest.param(anns(values={":author": {"S": "nobody"}}), 1, 0, id="no data"),
        pytest.param(LEGACY, 11, 10, id="legacy"),
        pytest.param({**LEGACY, "AttributesToGet": ["id"]}, 11, 10, id="legacy projection"),
        pytest.param({**LEGACY, "QueryFilter": {"posted": NONE_IS}}, 11, 0, id="legacy filter"),
    ],
)
def test_a_query_costs_the_sum_of_what_it_read(server, timeline, request_, units, count):
    with charges(server, timeline, units):
        answer = server.dynamodb.query(
            TableName=timeline, ReturnConsumedCapacity="TOTAL", **request_
        )
    assert answer["Count"] == count
    assert answer["ConsumedCapacity"] == {"TableName": timeline, "CapacityUnits": units}


@pytest.mark.parametrize(
    ("request_", "units", "count"),
    [
        pytest.param({}, 11, 11, id="all"),
        pytest.param({"Select": "COUNT"}, 11, 11, id="count"),
        pytest.param({"ProjectionExpression": "id"}, 11, 11, id="projection"),
        pytest.param({"ScanFilter": {"author": NONE_IS}}, 11, 0, id="legacy filter"),
        pytest.param(
            {
                "FilterExpression": "author = :author",
                "ExpressionAttributeValues": {":author": {"S": "bob"}},
            },
            11,
            1,
            id="filter",
        ),
    ],
)
def test_a_scan_costs_the_sum_of_what_it_read(server, timeline, request_, units, count):
    with charges(server, timeline, units):
        answer = server.dynamodb.scan(
            TableName=timeline, ConsistentRead=True, ReturnConsumedCapacity="TOTAL", **request_
        )
    assert answer["Count"] == count
    assert answer["ConsumedCapacity"] == {"TableName": timeline, "CapacityUnits": units}


def test_the_pages_of_a_scan_are_charged_one_by_one(server, timeline):
    pages = server.dynamodb.get_paginator("scan").paginate(
        TableName=timeline, ConsistentRead=True, Limit=5, Select="COUNT"
    )
    charged = []
    for page in pages:
        before, _ = server.held(timeline)
        charged.append((page["Count"], before))
    assert [count for count, _ in charged] == [5, 5, 1]
    held = [before for _, before in charged]
    assert held[0] - held[2] in (6, 7)  # 5 tweets and 1 tweet, one of them Bob's


def test_small_items_are_summed_before_they_are_rounded(server):
    """E8: 1,500 items of 64 bytes are 24 units, and 12 eventually consistent."""
    table = server.create_table(**TIMELINE)
    key = {"author": {"S": "ann"}, "posted": {"S": "day"}}
    put(server, table, *(item(f"{number:04}", 64, **key) for number in range(1500)))
    for consistent, units in ((True, 24), (False, 12)):
        with charges(server, table, units):
            answer = server.dynamodb.query(
                TableName=table, **anns(ConsistentRead=consistent, Select="COUNT")
            )
        assert answer["Count"] == 1500


# --- indexes ----------------------------------------------------------------------------------


def test_a_global_index_is_charged_itself_for_what_it_holds(server, timeline):
    """Its ten entries of 23 bytes: keys only, not the 40 KB of the tweets."""
    query = anns(ConsistentRead=False, IndexName="global", ReturnConsumedCapacity="INDEXES")
    with charges(server, timeline, 0), charges(server, timeline, 0.5, index="global"):
        answer = server.dynamodb.query(TableName=timeline, **query)
    assert answer["Count"] == 10
    assert answer["ConsumedCapacity"] == {
        "TableName": timeline,
        "CapacityUnits": 0.5,
        "Table": {"CapacityUnits": 0},
        "GlobalSecondaryIndexes": {"global": {"CapacityUnits": 0.5}},
    }


def test_a_local_index_takes_from_its_table(server, timeline):
    query = anns(IndexName="local", ReturnConsumedCapacity="INDEXES")
    with charges(server, timeline, 11):
        answer = server.dynamodb.query(TableName=timeline, **query)
    assert answer["ConsumedCapacity"] == {
        "TableName": timeline,
        "CapacityUnits": 11,
        "Table": {"CapacityUnits": 0},
        "LocalSecondaryIndexes": {"local": {"CapacityUnits": 11}},
    }


def test_a_scan_of_a_global_index_with_a_filter_costs_its_entries(server, timeline):
    with charges(server, timeline, 0), charges(server, timeline, 0.5, index="global"):
        answer = server.dynamodb.scan(
            TableName=timeline,
            IndexName="global",
            FilterExpression="author = :author",
            ExpressionAttributeValues={":author": {"S": "bob"}},
        )
    assert answer["Count"] == 1
