"""`tweetlab endpoint` and `tweetlab demo`, as they are typed."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conftest import free_port
from tests.support.asking import served_until_throttled
from tests.support.busy_machine import PREPARE
from tests.support.command_line import BIN, endpoint_process
from tests.support.processes import children
from tests.support.serving import client
from tests.support.verifying import verifying
from tweetlab.commands import demo
from tweetlab.commands.main import main

TABLE = {
    "TableName": "tweet",
    "KeySchema": [{"AttributeName": "tweet_id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "tweet_id", "AttributeType": "S"}],
    "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
}
KEY = {"tweet_id": {"S": "a"}}
SHORT_WAITS = 8916
"""A seed with which botocore's jitter, a random share of 1, 2 and 4 s, is 0.1 s in all."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with endpoint_process() as (_, url):
        yield url


@contextmanager
def exhausted_table(url: str) -> Iterator[str]:
    """A table of 1 RCU that owes a minute and a half: it has just served one item of 400 KB."""
    dynamodb = client(url)
    dynamodb.create_table(**TABLE)
    try:
        dynamodb.put_item(TableName="tweet", Item={**KEY, "text": {"S": "x" * 400_000}})
        dynamodb.get_item(TableName="tweet", Key=KEY, ConsistentRead=True)
        yield "tweet"
    finally:
        dynamodb.delete_table(TableName="tweet")
        dynamodb.close()


# --- endpoint ---------------------------------------------------------------------------------


def test_boto3_needs_nothing_but_its_url_and_shows_its_own_retries(url, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    random.seed(SHORT_WAITS)
    dynamodb = boto3.client("dynamodb", endpoint_url=url)
    with exhausted_table(url) as table, pytest.raises(ClientError) as raised:
        dynamodb.get_item(TableName=table, Key=KEY)
    dynamodb.close()
    response: Any = raised.value.response
    assert response["Error"]["Code"] == "ProvisionedThroughputExceededException"
    [reason] = response["ThrottlingReasons"]
    assert reason["reason"] == "TableReadProvisionedThroughputExceeded"
    assert reason["resource"].endswith(":table/tweet")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RetryAttempts"] == 3  # boto3's default: 4 attempts


def test_the_aws_command_line_creates_a_table_and_is_throttled(url, tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_RETRY_MODE": "standard",
        "AWS_MAX_ATTEMPTS": "2",
    }

    def aws(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [BIN / "aws", "dynamodb", *arguments, "--endpoint-url", url]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    created = aws(
        *("create-table", "--table-name", "from-the-cli"),
        *("--key-schema", "AttributeName=tweet_id,KeyType=HASH"),
        *("--attribute-definitions", "AttributeName=tweet_id,AttributeType=S"),
        *("--provisioned-throughput", "ReadCapacityUnits=1,WriteCapacityUnits=1"),
    )
    assert json.loads(created.stdout)["TableDescription"]["TableName"] == "from-the-cli"
    with exhausted_table(url) as table:
        refused = aws("get-item", "--table-name", table, "--key", json.dumps(KEY))
    assert refused.returncode != 0
    assert "ProvisionedThroughputExceededException" in refused.stderr
    assert "reached max retries: 1" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_when_it_is_told_to(number):
    with endpoint_process() as (process, url):
        dynamodb = client(url)
        dynamodb.list_tables()  # a connection that is still open
        process.send_signal(number)
        output, errors = process.communicate(timeout=120)
        dynamodb.close()
    assert (process.returncode, output, errors) == (0, "", "")


def test_its_settings_are_those_of_every_table():
    settings = ["--initial-burst-seconds", "5", "--partitions", "2", "--no-adaptive"]
    with endpoint_process(*settings, "--burst-seconds", "3") as (_, url):
        dynamodb = client(url)
        throughput = {"ReadCapacityUnits": 20, "WriteCapacityUnits": 1}
        dynamodb.create_table(**{**TABLE, "ProvisionedThroughput": throughput})
        read = partial(dynamodb.get_item, TableName="tweet", Key=KEY, ConsistentRead=True)
        reads, reason = served_until_throttled(read)
        dynamodb.close()
    # Half of 20 RCU for this partition, for the 3 s that are kept; more came while it was read.
    assert reads >= 30
    assert reason == "TableReadKeyRangeThroughputExceeded"


def test_moto_shares_no_tables(capsys):
    assert main(["endpoint", "--port", "0", "--shared-tables"]) == 1
    assert "--shared-tables goes with --upstream" in capsys.readouterr().err


def test_it_stands_in_front_of_another_dynamodb(dynamodb_local):
    with endpoint_process("--upstream", dynamodb_local) as (_, url), exhausted_table(url) as table:
        behind = client(dynamodb_local)
        assert behind.scan(TableName=table)["Count"] == 1
        behind.close()


def test_a_port_in_use_is_an_error_and_nothing_is_left_running(capsys):
    before = children()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert main(["endpoint", "--port", str(taken)]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("tweetlab: ")
    assert f"('127.0.0.1', {taken})" in errors
    assert "address already in use" in errors
    assert children() <= before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: command"),
        (["serve"], "invalid choice: 'serve'"),
        (["endpoint", "--port", "x"], "invalid port value: 'x'"),
        (["endpoint", "--port", "70000"], "70000 is not a port"),
        (["endpoint", "--port", "-1"], "-1 is not a port"),
        (["endpoint", "--burst-seconds", "-1"], "-1 is not a number of seconds"),
        (["endpoint", "--burst-seconds", "nan"], "nan is not a number of seconds"),
        (["endpoint", "--burst-seconds", "long"], "invalid seconds value: 'long'"),
        (["endpoint", "--initial-burst-seconds", "inf"], "inf is not a number of seconds"),
        (["endpoint", "--partitions", "0"], "at least 1 partition"),
        (["endpoint", "--partitions", "1.5"], "invalid partitions value: '1.5'"),
        (["endpoint", "--upstream", "127.0.0.1:8000"], "127.0.0.1:8000 is not a URL"),
        (["endpoint", "--upstream", "http://me:s3@host:8000"], " http://host:8000 is not a URL"),
        (["endpoint", "--upstream", "http://me:s[@host:8000"], " http://host:8000 is not a URL"),
        (["endpoint", "--upstream", "http://[::1"], "http://[::1 is not a URL such as"),
        (["demo", "--out", "figure.txt"], "does not end in .png"),
        (["demo", "--out", "/no/such/directory/figure.png"], "no directory /no/such/directory"),
    ],
)
def test_arguments_that_make_no_sense(capsys, arguments, message):
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    assert message in capsys.readouterr().err


# --- endpoint, in front of one that checks signatures -----------------------------------------

PROFILES = """
[signs]
aws_access_key_id = given
aws_secret_access_key = secret
[wrong]
aws_access_key_id = given
aws_secret_access_key = another
[empty]
region = us-east-1
"""


@pytest.fixture
def profiles(tmp_path, monkeypatch):
    path = tmp_path / "credentials"
    path.write_text(PROFILES)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))


@pytest.mark.parametrize(("profile", "error"), [("signs", None), ("wrong", "InvalidSignature")])
def test_it_signs_with_the_keys_of_a_profile(dynamodb_local, profiles, profile, error):
    with (
        verifying(dynamodb_local, {"given": "secret"}) as upstream,
        endpoint_process("--upstream", upstream.url, "--upstream-profile", profile) as (_, url),
    ):
        dynamodb = client(url)
        if error:
            with pytest.raises(ClientError, match=error):
                dynamodb.list_tables()
        else:
            with exhausted_table(url) as table, pytest.raises(ClientError, match="ThroughputExc"):
                dynamodb.get_item(TableName=table, Key=KEY)
            assert not upstream.refused
        dynamodb.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--upstream-profile", "signs"], "name one"),
        (["--upstream", "http://127.0.0.1:1", "--upstream-profile", "none"], "'none'"),
        (["--upstream", "http://127.0.0.1:1", "--upstream-profile", "empty"], "has no keys"),
        (["--upstream", "https://dynamodb.us-east-1.amazonaws.com"], "is AWS itself"),
        (["--upstream", "https://123.ddb.eu-west-1.amazonaws.com./"], "is AWS itself"),
        (["--upstream", "https://dynamodb.eu-west-1.api.aws"], "is AWS itself"),
        (["--upstream", "https://dynamodb.cn-north-1.amazonaws.com.cn"], "is AWS itself"),
    ],
)
def test_an_upstream_that_it_cannot_or_must_not_sign_for(profiles, capsys, arguments, said):
    assert main(["endpoint", "--port", "0", *arguments]) == 1
    assert said in capsys.readouterr().err


# --- demo -------------------------------------------------------------------------------------

KEYS = {
    *("reads", "failed", "throttled", "p50_ms", "p99_ms"),
    *("table_reads", "consumed_rcu", "hit_ratio"),
}


SHORT_DEMO = """
{prepare}
import psutil
from tweetlab.commands import demo
from tweetlab.commands.main import main
demo.SECONDS, demo.TWEETS = 4, 5
assert main({command}) == 0
assert psutil.Process().children() == []
"""


@pytest.fixture(scope="module")
def short_demo(tmp_path_factory):
    """The headline experiment at the same overload, in a fifth of the time: its rows."""
    directory = tmp_path_factory.mktemp("demo")
    command = ["demo", "--json", "--out", str(directory / "figure.png")]
    program = SHORT_DEMO.format(prepare=PREPARE, command=command)
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout), directory / "figure.png"


def test_without_the_cache_most_reads_are_throttled_at_least_once(short_demo):
    result, _ = short_demo
    without = result["without_cache"]
    assert without.keys() == KEYS
    assert without["throttled"] > without["reads"] / 2
    assert without["hit_ratio"] in (0, None)


def test_with_the_cache_nothing_is_throttled_and_the_table_is_hardly_read(short_demo):
    result, _ = short_demo
    cached = result["with_cache"]
    assert cached.keys() == KEYS
    assert (cached["failed"], cached["throttled"]) == (0, 0)
    assert cached["reads"] == result["without_cache"]["reads"]
    assert cached["table_reads"] <= result["without_cache"]["table_reads"] / 10
    assert cached["hit_ratio"] > 0.9


def test_the_load_is_five_times_what_the_table_can_serve_and_it_says_so(short_demo):
    result, _ = short_demo
    assert result.keys() == {"without_cache", "with_cache", "read_capacity"}
    assert result["read_capacity"] == demo.READ_CAPACITY
    served = 2 * result["read_capacity"]  # eventually consistent reads a second
    assert 5 * served <= demo.RATE
    for run in (result["without_cache"], result["with_cache"]):
        assert run["consumed_rcu"] == 0.5 * run["table_reads"]


def test_the_chart_is_a_picture(short_demo):
    _, figure = short_demo
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_without_json_it_prints_a_table_for_people():
    result = {
        "without_cache": dict.fromkeys(KEYS, 1),
        "with_cache": dict.fromkeys(KEYS, 2),
        "read_capacity": 10,
    }
    text = demo._table(result)
    assert "the table has 10 RCU, enough for 20 a second" in text
    assert "without the cache" in text and "with the cache" in text


def test_the_lab_that_it_cannot_start_is_an_error(monkeypatch, capsys):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
    assert main(["demo"]) == 1
    assert capsys.readouterr().err.startswith("tweetlab: No DynamoDB answers at")
