"""The lab's clients reach this machine only, and AWS only when it is asked for by name."""

from __future__ import annotations

import io
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

import tweetlab
from tests.conftest import free_port
from tweetlab import LabError, TweetTable
from tweetlab.lab.clients import local_client
from tweetlab.lab.lab import DYNAMODB_VARIABLE, REDIS_VARIABLE

# --- never AWS by accident --------------------------------------------------------------------

AWS = "https://dynamodb.us-east-1.amazonaws.com"
HOSTILE = {
    "a profile": {"AWS_PROFILE": "production", "AWS_DEFAULT_PROFILE": "production"},
    "credentials": {
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ACCOUNT_ID": "123456789012",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required",
    },
    "endpoints": {"AWS_ENDPOINT_URL": AWS, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    "other hosts": {
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "AWS_ENDPOINT_DISCOVERY_ENABLED": "true",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    },
    "proxies": dict.fromkeys(
        ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"),
        "http://10.0.0.1:3128",
    ),
    "monitoring": {"AWS_CSM_ENABLED": "true", "AWS_CSM_HOST": "10.0.0.1", "AWS_CSM_PORT": "31000"},
    "retries": {"AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "50"},
    "nonsense": {
        "AWS_RETRY_MODE": "bogus",
        "AWS_MAX_ATTEMPTS": "many",
        "AWS_DEFAULTS_MODE": "bogus",
        "AWS_CA_BUNDLE": "/nonexistent",
        "AWS_DATA_PATH": "/nonexistent",
        "AWS_CSM_PORT": "bogus",
        "AWS_STS_REGIONAL_ENDPOINTS": "bogus",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "bogus",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "bogus",
        "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES": "bogus",
        "AWS_METADATA_SERVICE_TIMEOUT": "bogus",
        "AWS_SDK_UA_APP_ID": "x" * 100,
    },
}
CONFIG_FILE = f"""
[default]
endpoint_url = {AWS}
services = aws
use_fips_endpoint = true
retry_mode = bogus
region = eu-west-1
[services aws]
dynamodb =
  endpoint_url = {AWS}
"""


@pytest.fixture(params=[*HOSTILE, "a file", "all at once"])
def hostile_environment(request, monkeypatch, tmp_path):
    """Settings of a machine whose owner works with AWS every day; some of them are wrong."""
    config = tmp_path / "config"
    config.write_text(CONFIG_FILE)
    chosen = {name: value for settings in HOSTILE.values() for name, value in settings.items()}
    for name, value in HOSTILE.get(request.param, chosen).items():
        monkeypatch.setenv(name, value)
    if request.param in ("a file", "all at once"):
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(config))


@pytest.mark.usefixtures("hostile_environment")
def test_no_setting_makes_a_request_leave(moto_server):
    """Attempts to reach another host fail every test: see conftest.py."""
    dynamodb = local_client(moto_server.url, "ana")
    seen = []
    dynamodb.meta.events.register("before-send", lambda request, **_: seen.append(request))
    dynamodb.list_tables()
    [request] = seen
    assert request.url == moto_server.url + "/"
    assert b"Credential=ana/" in request.headers["Authorization"]
    assert b"/us-east-1/dynamodb/" in request.headers["Authorization"]
    config: Any = dynamodb.meta.config
    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", 3)
    dynamodb.close()


@pytest.mark.usefixtures("hostile_environment", "leaves_no_process")
@pytest.mark.parametrize("hostile_environment", ["a profile", "all at once"], indirect=True)
def test_a_whole_lab_starts_on_such_a_machine():
    with tweetlab.start() as lab:
        tweets = TweetTable(lab.dynamodb)
        tweets.create_table()
        tweet = tweets.create("Example tweet.")
        assert tweets.get(tweet.tweet_id) == tweet


def test_a_request_that_was_turned_to_another_host_is_not_sent(moto_server):
    dynamodb = local_client(moto_server.url, "ana")

    def turn(request, **_):
        request.url = AWS + "/"

    dynamodb.meta.events.register("request-created.dynamodb", turn)
    with pytest.raises(LabError, match=f"Refused to send a request to {AWS}/: the lab is at"):
        dynamodb.list_tables()
    dynamodb.close()


# --- AWS, asked for by name -------------------------------------------------------------------


@pytest.fixture
def aws_account(monkeypatch, redis_server):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "theirs")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "theirs")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv(REDIS_VARIABLE, redis_server)


class Raw(io.BytesIO):
    """A body, as botocore reads one."""

    def stream(self, **_):
        yield self.read()


@pytest.mark.usefixtures("aws_account", "leaves_no_process")
@pytest.mark.parametrize("variable", [DYNAMODB_VARIABLE, "AWS_ENDPOINT_URL"])
def test_aws_by_name_is_aws_itself(monkeypatch, variable):
    """Without a network: the request is caught just before it is sent."""
    monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port()}")
    sent = []

    def catch(request, **_):
        sent.append(request)
        response: Any = AWSResponse
        return response(request.url, 200, {}, Raw(b'{"TableNames":[]}'))

    with tweetlab.start(aws=True) as lab:
        assert lab.dynamodb_url == "https://dynamodb.eu-west-1.amazonaws.com"
        lab.dynamodb.meta.events.register("before-send.dynamodb", catch)
        assert lab.dynamodb.list_tables()["TableNames"] == []
        with pytest.raises(LabError, match="CloudWatch"):
            lab.metrics()
    [request] = sent
    assert request.url == "https://dynamodb.eu-west-1.amazonaws.com/"
    assert b"Credential=theirs/" in request.headers["Authorization"]


@pytest.mark.usefixtures("aws_account")
def test_aws_has_limits_of_its_own():
    with pytest.raises(LabError, match="leave out partitions"):
        tweetlab.start(aws=True, partitions=2)


@pytest.mark.usefixtures("aws_account", "leaves_no_process")
@pytest.mark.parametrize(
    ("missing", "wrong", "message"),
    [
        (["AWS_DEFAULT_REGION"], {}, "region"),
        (["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], {}, "credentials"),
        (["AWS_SECRET_ACCESS_KEY"], {}, "missing: AWS_SECRET_ACCESS_KEY"),
        ([], {"AWS_PROFILE": "production"}, "production"),
    ],
)
def test_an_aws_account_that_cannot_be_used(monkeypatch, missing, wrong, message):
    monkeypatch.delenv(REDIS_VARIABLE)
    for name in missing:
        monkeypatch.delenv(name)
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(LabError, match=rf"{message}.*aws configure"):
        tweetlab.start(aws=True)
