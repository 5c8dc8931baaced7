"""In front of an upstream that checks who has signed, and in front of one that does not."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import tweetlab
from tests.support.serving import SIGNED, STRING_KEY, Server, client, serving
from tests.support.verifying import VerifyingServer, verifying
from tweetlab.endpoint import Proxy
from tweetlab.lab.lab import DYNAMODB_VARIABLE

KEY = {"id": {"S": "a"}}
THROUGHPUT = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 5}
LAB = {"tweetlab": "tweetlab", "test": "tweetlab"}


@pytest.fixture(scope="module")
def upstream(dynamodb_local: str) -> Iterator[VerifyingServer]:
    with verifying(dynamodb_local, {}) as server:
        yield server


@pytest.fixture(autouse=True)
def as_new(upstream: VerifyingServer) -> None:
    upstream.keys = {"given": "secret", **LAB}
    upstream.served.clear()
    upstream.refused.clear()


def use(server: Server) -> None:
    """Make a table, write and read; the second read is throttled by the endpoint."""
    table = server.create_table(read=1, write=5)
    server.dynamodb.put_item(TableName=table, Item=KEY)
    read = {"TableName": table, "Key": KEY, "ConsistentRead": True}
    assert server.dynamodb.get_item(**read)["Item"] == KEY
    with pytest.raises(server.dynamodb.exceptions.ProvisionedThroughputExceededException):
        server.dynamodb.get_item(**read)
    server.delete_tables()


def test_the_server_of_these_tests_checks_signatures(upstream):
    """It serves boto3's own signatures, and nothing that was changed on its way."""
    for key, secret, error in (
        ("given", "secret", None),
        ("given", "wrong", "InvalidSignatureException"),
        ("other", "secret", "UnrecognizedClientException"),
    ):
        dynamodb = client(upstream.url, access_key=key, secret_key=secret)
        if error:
            with pytest.raises(ClientError, match=error):
                dynamodb.list_tables()
        else:
            dynamodb.list_tables()
        dynamodb.close()


@pytest.mark.parametrize("token", [None, "a-session"])
def test_with_credentials_all_is_signed_with_them(upstream, token):
    with serving(lambda: Proxy(upstream.url, Credentials("given", "secret", token))) as server:
        use(server)
    assert set(upstream.served) == {"given us-east-1"}
    assert not upstream.refused


def test_the_region_stays_the_client_s(upstream):
    with serving(lambda: Proxy(upstream.url, Credentials("given", "secret"))) as server:
        dynamodb = client(server.url, region="eu-west-2")
        dynamodb.list_tables()
        dynamodb.close()
    assert upstream.served == ["given eu-west-2"]


def test_the_path_is_signed_and_whoever_stands_in_the_url_is_not(upstream):
    url = upstream.url.replace("http://", "http://me@") + "/a/path%20of"
    with serving(lambda: Proxy(url, Credentials("given", "secret"))) as server:
        assert server.post("ListTables", {}).status == 200


@pytest.mark.parametrize(
    ("key", "secret", "error"),
    [
        ("given", "wrong", "InvalidSignatureException"),
        ("unknown", "secret", "UnrecognizedClientException"),
    ],
)
def test_wrong_credentials_are_refused_in_the_upstream_s_words(upstream, key, secret, error):
    with serving(lambda: Proxy(upstream.url, Credentials(key, secret))) as server:
        for _ in range(2):
            reply = server.post("ListTables", {})
            assert (reply.status, reply.json["message"]) == (400, error)
    assert not upstream.served


def test_without_credentials_it_signs_as_the_lab_does_once_it_has_to(upstream):
    """The client's access key stays, and with it the tables that belong to it."""
    with serving(lambda: Proxy(upstream.url)) as server:
        use(server)
    assert set(upstream.served) == {"test us-east-1"}
    assert upstream.refused == ["InvalidSignatureException"]


def test_without_credentials_it_signs_with_those_of_the_environment(upstream, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "given")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with serving(lambda: Proxy(upstream.url)) as server:
        use(server)
    assert set(upstream.served) == {"given us-east-1"}
    assert len(upstream.refused) == 1


def test_only_who_was_refused_is_signed_for(upstream, monkeypatch):
    """The tables of others stay those of their own access keys."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "given")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(VerifyingServer, "checks", lambda _, key: key == "test")
    with serving(lambda: Proxy(upstream.url)) as server:
        for key in ("test", "other", "test"):
            dynamodb = client(server.url, access_key=key)
            dynamodb.list_tables()
            dynamodb.close()
    assert upstream.served == ["given us-east-1", "other us-east-1", "given us-east-1"]
    assert len(upstream.refused) == 1


def test_a_client_that_is_nobody_s_to_know_is_refused(upstream):
    upstream.keys = {"test": "another secret"}
    with serving(lambda: Proxy(upstream.url)) as server:
        for _ in range(2):
            reply = server.post("ListTables", {})
            assert (reply.status, reply.json["message"]) == (400, "InvalidSignatureException")
    assert not upstream.served


def test_what_nobody_signed_is_not_signed_for_them(upstream):
    with serving(lambda: Proxy(upstream.url)) as server:
        reply = server.post("ListTables", {}, Authorization="")
        assert reply.status == 400
    assert not upstream.served


def test_where_nobody_checks_the_client_s_signature_is_passed_on(proxy_server, monkeypatch):
    """And costs nothing; the environment's keys, whose tables are others, are not used."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "given")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    signed = []
    monkeypatch.setattr("tweetlab.endpoint.proxy.sign_as_known", lambda *_: signed.append(1))
    table = proxy_server.create_table()
    assert proxy_server.post("GetItem", {"TableName": table, "Key": KEY}, **SIGNED).status == 200
    proxy_server.delete_tables()
    assert not signed


def test_a_body_that_came_compressed_is_signed_as_it_is_sent_on(upstream):
    with serving(lambda: Proxy(upstream.url)) as server:
        body = gzip.compress(b'{"Limit": 1.0, "ExclusiveStartTableName": null}')
        assert server.post("ListTables", body, **{"Content-Encoding": "gzip"}).status == 200


def test_the_lab_in_front_of_one_that_checks(upstream, monkeypatch, redis_server):
    monkeypatch.setenv(DYNAMODB_VARIABLE, upstream.url)
    monkeypatch.setenv("REDIS_URL", redis_server)
    upstream.keys = AnyAccessKey()
    with tweetlab.start() as lab:
        dynamodb: Any = lab.dynamodb
        dynamodb.create_table(TableName="signed", ProvisionedThroughput=THROUGHPUT, **STRING_KEY)
        dynamodb.put_item(TableName="signed", Item=KEY)
        assert dynamodb.get_item(TableName="signed", Key=KEY)["Item"] == KEY
        dynamodb.delete_table(TableName="signed")
    assert len(upstream.refused) == 1


class AnyAccessKey(dict[str, str]):
    """A lab has an access key of its own, and this secret."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, _: str) -> str:
        return "tweetlab"
