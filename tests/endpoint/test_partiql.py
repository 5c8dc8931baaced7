"""PartiQL is charged and throttled as the calls that do the same; test_oracle has what it costs.

In front of DynamoDB Local: moto's PartiQL knows no conditions on sort keys, no indexes, no pages.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.asking import throttled
from tests.support.serving import Server, item

KB = 1024
EXCEEDED = "ProvisionedThroughputExceeded"


@pytest.fixture
def proxy(proxy_server):
    yield proxy_server
    proxy_server.delete_tables()


def create(server: Server, **request: Any) -> str:
    return server.create_table(
        KeySchema=[
            {"AttributeName": "author", "KeyType": "HASH"},
            {"AttributeName": "id", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("author", "id")
        ],
        **request,
    )


def tweets(server: Server, table: str, count: int, size: int, author: str = "ann") -> None:
    for number in range(count):
        tweet = item(f"{number:02}", size, author={"S": author})
        server.around("PutItem", TableName=table, Item=tweet)


def run(server: Server, statement: str, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = server.dynamodb.execute_statement(
        Statement=statement, ReturnConsumedCapacity="TOTAL", **request
    )
    return answer


@pytest.mark.parametrize("where", ["WHERE author = 'ann'", "WHERE author IN ['ann', 'bob']", ""])
@pytest.mark.parametrize("limit", [None, 1, 3, 7])
def test_the_pages_of_a_select_cost_what_each_reads(proxy, where, limit):
    table = create(proxy, read=5000)
    tweets(proxy, table, 6, 5 * KB)
    tweets(proxy, table, 2, 5 * KB, author="bob")
    expected = 6 if "=" in where else 8
    request: dict[str, Any] = {} if limit is None else {"Limit": limit}
    found, units, pages = 0, [], 0
    with proxy.charged(table) as charged:
        while True:
            answer = run(proxy, f'SELECT * FROM "{table}" {where}', ConsistentRead=True, **request)
            pages += 1
            found += len(answer["Items"])
            units.append(answer["ConsumedCapacity"]["CapacityUnits"])
            if "NextToken" not in answer:
                break
            request["NextToken"] = answer["NextToken"]
    assert found == expected
    assert charged.reads == sum(units)
    # 5 KB are 1.25 units, rounded up for each page, or each partition key of it.
    assert expected * 1.25 <= sum(units) <= expected * 1.25 + pages + 1
    if limit:
        assert all(unit <= limit * 1.25 + 2 for unit in units)


def test_a_filter_and_a_projection_make_no_page_cheaper(proxy):
    table = create(proxy)
    tweets(proxy, table, 4, 5 * KB)
    statement = f"SELECT id FROM \"{table}\" WHERE author = 'ann' AND text = 'none'"
    first = run(proxy, statement, Limit=3, ConsistentRead=True)
    assert first["Items"] == []
    assert first["ConsumedCapacity"]["CapacityUnits"] == 4
    second = run(proxy, statement, Limit=3, ConsistentRead=True, NextToken=first["NextToken"])
    assert second["ConsumedCapacity"]["CapacityUnits"] == 2


def test_more_than_a_megabyte_comes_and_costs_in_pages(proxy):
    table = create(proxy, read=5000)
    tweets(proxy, table, 5, 300 * KB)
    statement = f"SELECT * FROM \"{table}\" WHERE author = 'ann'"
    first = run(proxy, statement, ConsistentRead=True)
    second = run(proxy, statement, ConsistentRead=True, NextToken=first["NextToken"])
    assert [len(answer["Items"]) for answer in (first, second)] == [4, 1]
    units = [answer["ConsumedCapacity"]["CapacityUnits"] for answer in (first, second)]
    assert units == [300, 75]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("SELECT * FROM {} WHERE author = 'ann' AND id = '00'", "Read"),
        ("SELECT * FROM {} WHERE author = 'ann'", "Read"),
        ("SELECT * FROM {} WHERE author IN ['ann', 'bob']", "Read"),
        ("SELECT * FROM {}", "Read"),
        ("INSERT INTO {} VALUE {{'author': 'ann', 'id': 'new'}}", "Write"),
        ("UPDATE {} SET n = 1 WHERE author = 'ann' AND id = '00'", "Write"),
        ("DELETE FROM {} WHERE author = 'ann' AND id = '00'", "Write"),
    ],
)
def test_a_throttled_statement_is_not_executed(proxy, statement, reason):
    table = create(proxy, read=1, write=1)
    tweets(proxy, table, 1, 100)
    stored = proxy.around("Scan", TableName=table)["Items"]
    while throttled(proxy.dynamodb.scan, TableName=table) is None:
        pass
    while throttled(proxy.dynamodb.delete_item, TableName=table, Key=key("x")) is None:
        pass
    with proxy.charged(table) as charged:
        found = throttled(
            proxy.dynamodb.execute_statement, Statement=statement.format(f'"{table}"')
        )
    assert found and found["reason"] == f"Table{reason}ProvisionedThroughputExceeded"
    assert (charged.reads, charged.writes) == (0, 0)
    assert proxy.around("Scan", TableName=table)["Items"] == stored


def key(name: str) -> dict[str, Any]:
    return {"author": {"S": "ann"}, "id": {"S": name}}


@pytest.mark.parametrize(
    ("statement", "code", "units"),
    [
        ("INSERT INTO {} VALUE {{'author': 'ann', 'id': '00'}}", "DuplicateItem", 3),
        ("UPDATE {} SET n = 1 WHERE author = 'ann' AND id = 'no'", "ConditionalCheckFailed", 1),
        (
            "DELETE FROM {} WHERE author = 'ann' AND id = '00' AND text = 'no'",
            "ConditionalCheckFailed",
            3,
        ),
    ],
)
def test_a_statement_whose_condition_fails_costs_what_is_there(proxy, statement, code, units):
    table = create(proxy)
    tweets(proxy, table, 1, 3 * KB)
    with proxy.charged(table) as charged, pytest.raises(ClientError, match=code):
        run(proxy, statement.format(f'"{table}"'))
    assert charged.writes == units


def test_in_a_batch_each_statement_is_throttled_by_itself(proxy):
    empty, full = create(proxy, write=1), create(proxy)
    tweets(proxy, full, 1, 2500)
    throttled(proxy.dynamodb.delete_item, TableName=empty, Key=key("x"))
    statements = [
        f"INSERT INTO \"{full}\" VALUE {{'author': 'ann', 'id': 'new'}}",
        f"INSERT INTO \"{empty}\" VALUE {{'author': 'ann', 'id': 'new'}}",
        f"UPDATE \"{full}\" SET n = 1 WHERE author = 'ann' AND id = '00'",
        f"UPDATE \"{full}\" SET n = 1 WHERE author = 'ann' AND id = 'no'",
    ]
    with proxy.charged(full) as charged:
        answer = proxy.dynamodb.batch_execute_statement(
            Statements=[{"Statement": statement} for statement in statements],
            ReturnConsumedCapacity="TOTAL",
        )
    codes = [response.get("Error", {}).get("Code") for response in answer["Responses"]]
    assert codes == [None, EXCEEDED, None, "ConditionalCheckFailed"]
    assert [response["TableName"] for response in answer["Responses"][:3]] == [full, empty, full]
    assert answer["ConsumedCapacity"] == [
        {"TableName": full, "CapacityUnits": 1},
        {"TableName": full, "CapacityUnits": 3},
    ]
    assert charged.writes == 1 + 3 + 1
    assert proxy.around("Scan", TableName=empty)["Count"] == 0


def test_a_batch_of_selects_reads_what_the_table_has_left(proxy):
    table = create(proxy, read=2)
    tweets(proxy, table, 3, 100)
    answer = proxy.dynamodb.batch_execute_statement(
        Statements=[
            {
                "Statement": f'SELECT id FROM "{table}" WHERE author = ? AND id = ?',
                "Parameters": [{"S": "ann"}, {"S": f"0{number}"}],
                "ConsistentRead": True,
            }
            for number in range(3)
        ]
    )
    items = [response.get("Item") for response in answer["Responses"]]
    assert items == [{"id": {"S": "00"}}, {"id": {"S": "01"}}, None]
    assert answer["Responses"][2]["Error"]["Code"] == EXCEEDED
    # All of it throttled is no error either.
    answer = proxy.dynamodb.batch_execute_statement(
        Statements=[{"Statement": f"SELECT * FROM \"{table}\" WHERE author = 'ann' AND id = '00'"}]
    )
    assert answer["Responses"][0]["Error"]["Code"] == EXCEEDED


def test_a_batch_that_dynamodb_does_not_take_is_refused_by_it(proxy):
    table = create(proxy)
    with pytest.raises(ClientError, match="ValidationException"):
        proxy.dynamodb.batch_execute_statement(
            Statements=[
                {"Statement": f"INSERT INTO \"{table}\" VALUE {{'author': 'x', 'id': '1'}}"},
                {"Statement": f"SELECT * FROM \"{table}\" WHERE author = 'ann' AND id = '1'"},
            ]
        )
    answer = proxy.dynamodb.batch_execute_statement(
        Statements=[{"Statement": "NONSENSE"}, {"Statement": 'SELECT * FROM "none" WHERE a = 1'}]
    )
    codes = [response["Error"]["Code"] for response in answer["Responses"]]
    assert codes == ["ValidationError", "ResourceNotFound"]


def test_a_transaction_of_statements_costs_double_and_is_all_or_nothing(proxy):
    empty, full = create(proxy, write=2), create(proxy)
    tweets(proxy, full, 1, 2500)

    def transaction(*statements: str) -> Any:
        return proxy.dynamodb.execute_transaction(
            TransactStatements=[{"Statement": statement} for statement in statements],
            ReturnConsumedCapacity="TOTAL",
        )["ConsumedCapacity"]

    update = f"UPDATE \"{full}\" SET n = 1 WHERE author = 'ann' AND id = '00'"
    insert = f"INSERT INTO \"{empty}\" VALUE {{'author': 'ann', 'id': 'new'}}"
    other = f"INSERT INTO \"{empty}\" VALUE {{'author': 'ann', 'id': 'other'}}"
    assert transaction(update, insert) == [
        {"TableName": full, "CapacityUnits": 6, "WriteCapacityUnits": 6},
        {"TableName": empty, "CapacityUnits": 2, "WriteCapacityUnits": 2},
    ]
    select = f"SELECT * FROM \"{full}\" WHERE author = 'ann' AND id = '00'"
    assert transaction(select) == [{"TableName": full, "CapacityUnits": 2, "ReadCapacityUnits": 2}]
    with (
        proxy.charged(full) as charged,
        pytest.raises(proxy.dynamodb.exceptions.TransactionCanceledException) as raised,
    ):
        transaction(update, other)
    codes = [reason["Code"] for reason in raised.value.response["CancellationReasons"]]
    assert codes == ["None", EXCEEDED]
    assert charged.writes == 0
    assert proxy.around("Scan", TableName=empty)["Count"] == 1


def test_a_transaction_cancelled_by_a_condition_costs_all_the_same(proxy):
    table = create(proxy)
    tweets(proxy, table, 1, 3 * KB)
    statements = [
        f"INSERT INTO \"{table}\" VALUE {{'author': 'ann', 'id': '00'}}",
        f"INSERT INTO \"{table}\" VALUE {{'author': 'ann', 'id': 'new'}}",
    ]
    with (
        proxy.charged(table) as charged,
        pytest.raises(ClientError, match="TransactionCanceledException"),
    ):
        proxy.dynamodb.execute_transaction(
            TransactStatements=[{"Statement": statement} for statement in statements]
        )
    assert charged.writes == 2 * 3 + 2


def test_moto_is_charged_for_the_partiql_that_it_knows(moto_server):
    table = moto_server.create_table(read=1, write=3)
    statement = f"SELECT * FROM \"{table}\" WHERE id = 'a'"
    moto_server.around("PutItem", TableName=table, Item=item("a", 5 * KB))
    answer = run(moto_server, statement, ConsistentRead=True)
    assert len(answer["Items"]) == 1
    assert answer["ConsumedCapacity"] == {"TableName": table, "CapacityUnits": 2}
    assert throttled(moto_server.dynamodb.execute_statement, Statement=statement)
    insert = f"INSERT INTO \"{table}\" VALUE {{'id': 'b', 'text': '{'x' * 3000}'}}"
    answer = run(moto_server, insert)
    assert answer["ConsumedCapacity"] == {"TableName": table, "CapacityUnits": 3}
    assert throttled(moto_server.dynamodb.execute_statement, Statement=insert)
    moto_server.delete_tables()
