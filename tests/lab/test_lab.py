"""The lab: its servers, and those of one's own."""

from __future__ import annotations

import gc
import os
import re
import socket
from urllib.parse import quote
from uuid import uuid4

import psutil
import pytest
import redis

import tweetlab
from tests.conftest import free_port, listening
from tests.support.asking import served_until_throttled
from tests.support.processes import children, gone, listening_at
from tests.support.serving import client
from tweetlab import LabError, TableUnavailable, TweetTable
from tweetlab.lab.lab import DYNAMODB_VARIABLE, REDIS_SECONDS, REDIS_VARIABLE


def port(url: str) -> int:
    found = re.fullmatch(r"(?:http://|redis://:[0-9a-f]{32}@)127\.0\.0\.1:(\d+)(?:/0)?", url)
    assert found, url
    return int(found[1])


@pytest.fixture(scope="module")
def lab():
    with tweetlab.start() as lab:
        yield lab


# --- its own servers --------------------------------------------------------------------------


def test_its_clients_work_and_listen_on_this_machine_only(lab):
    tweets = TweetTable(lab.dynamodb, read_capacity=100, write_capacity=100)
    tweets.create_table()
    tweet = tweets.create("Example tweet.")
    assert tweets.get(tweet.tweet_id) == tweet
    assert lab.redis.set("key", "value")
    assert lab.redis.get("key") == b"value"
    ours = {port(lab.dynamodb_url), port(lab.redis_url)}
    listening = listening_at(os.getpid())
    addresses = {address for address, number in listening if number in ours}
    assert {"127.0.0.1"} <= addresses <= {"127.0.0.1", "::1"}
    place = f"redis://127.0.0.1:{port(lab.redis_url)}/0"
    assert repr(lab) == f"<Lab: DynamoDB at {lab.dynamodb_url}, Redis at {place}>"


@pytest.mark.parametrize("password", ["", ":guess@"])
def test_its_redis_is_for_those_who_have_its_url(lab, password):
    """Another user of the machine finds the port, and sees the arguments of each process."""
    url = f"redis://{password}127.0.0.1:{port(lab.redis_url)}"
    secret = lab.redis_url.partition("@")[0].removeprefix("redis://:")
    with redis.Redis.from_url(url, retry=None, protocol=2) as stranger:
        for call in (stranger.ping, stranger.flushall):
            with pytest.raises(redis.AuthenticationError):
                call()
    with redis.Redis.from_url(lab.redis_url, decode_responses=True) as own:
        assert own.ping()
    processes = psutil.Process().children(recursive=True)
    assert len(processes) >= 2
    assert not any(secret in " ".join(process.cmdline()) for process in processes)
    assert secret not in repr(lab) + repr(lab.redis)


@pytest.mark.usefixtures("leaves_no_process")
def test_each_lab_has_a_password_of_its_own(lab):
    with tweetlab.start() as second:
        assert second.redis_url.partition("@")[0] != lab.redis_url.partition("@")[0]


def test_its_dynamodb_throttles(lab):
    tweets = TweetTable(client(lab.dynamodb_url), name="throttled")
    tweets.create_table()
    tweet = tweets.create("hot")
    _, reason = served_until_throttled(lambda: tweets.get(tweet.tweet_id))
    assert reason == "TableReadProvisionedThroughputExceeded"


def test_it_retries_in_the_mode_that_the_lessons_explain(lab):
    settings = lab.dynamodb.meta.config.retries
    assert (settings["mode"], settings["total_max_attempts"]) == ("standard", 3)


@pytest.mark.usefixtures("leaves_no_process")
def test_a_second_lab_is_another_one(lab):
    with tweetlab.start() as second:
        assert second.dynamodb_url != lab.dynamodb_url
        assert second.redis_url != lab.redis_url
        second.redis.set("only here", 1)
        assert lab.redis.get("only here") is None
        lab.redis.ping()
        assert second.dynamodb.list_tables()["TableNames"] == []


@pytest.mark.usefixtures("leaves_no_process")
def test_closing_it_stops_its_servers_and_twice_is_fine():
    lab = tweetlab.start()
    tweets = TweetTable(lab.dynamodb)
    lab.close()
    lab.close()
    assert not listening(port(lab.dynamodb_url))
    assert not listening(port(lab.redis_url))
    with pytest.raises(TableUnavailable, match=r"start a new one with tweetlab.start\(\)"):
        tweets.get(uuid4())


@pytest.mark.usefixtures("leaves_no_process")
def test_an_error_in_a_with_block_closes_it_too():
    with pytest.raises(RuntimeError, match="in the lesson"), tweetlab.start() as lab:
        raise RuntimeError("in the lesson")
    assert not listening(port(lab.redis_url))


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_a_lab_lives_as_long_as_somebody_holds_it_or_its_client():
    """As when a learner runs the cell that starts it once more."""
    before = children()
    lab = tweetlab.start()
    dynamodb, servers = lab.dynamodb, children() - before
    del lab
    gc.collect()
    dynamodb.list_tables()
    del dynamodb
    gc.collect()
    assert gone(servers)


@pytest.mark.usefixtures("leaves_no_process")
def test_its_settings_are_those_of_every_table():
    with tweetlab.start(initial_burst_seconds=5, partitions=2, adaptive=False) as lab:
        tweets = TweetTable(client(lab.dynamodb_url), read_capacity=10)
        tweets.create_table()
        tweet = tweets.create("hot")
        reads, reason = served_until_throttled(lambda: tweets.get(tweet.tweet_id))
    # Half of 10 RCU for this partition, for 1 + 5 s; more came while it was read.
    assert reads >= 2 * 5 * 6
    assert reason == "TableReadKeyRangeThroughputExceeded"


@pytest.mark.usefixtures("leaves_no_process")
@pytest.mark.parametrize(
    "settings", [{"partitions": 0}, {"burst_seconds": -1}, {"initial_burst_seconds": float("nan")}]
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match=r"partition|burst_seconds"):
        tweetlab.start(**settings)


@pytest.mark.parametrize("own", [False, True])
def test_its_redis_client_waits_as_long_as_it_is_told(request, monkeypatch, own):
    """0.25 s unless told otherwise; also if the Redis is one's own."""
    if own:
        monkeypatch.setenv(REDIS_VARIABLE, request.getfixturevalue("redis_server"))
    monkeypatch.setattr("tweetlab.lab.lab.REDIS_SECONDS", REDIS_SECONDS)
    for given, seconds in ((None, 0.25), (5, 5)):
        with tweetlab.start(redis_timeout=given) as lab:
            assert lab.redis.ping()
            options = lab.redis.get_connection_kwargs()
            assert options["socket_timeout"] == options["socket_connect_timeout"] == seconds


@pytest.mark.usefixtures("leaves_no_process")
@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_redis_timeout_that_makes_no_sense_is_refused(seconds):
    with pytest.raises(ValueError, match="redis_timeout must be a number above 0"):
        tweetlab.start(redis_timeout=seconds)


# --- servers of one's own ---------------------------------------------------------------------


@pytest.mark.usefixtures("leaves_no_process")
def test_a_redis_of_ones_own_is_used_and_left_running(redis_server, monkeypatch):
    monkeypatch.setenv(REDIS_VARIABLE, redis_server)
    with tweetlab.start() as lab:
        assert lab.redis_url == redis_server
        lab.redis.set("from the lab", 1, ex=60)
    with redis.Redis.from_url(redis_server) as theirs:
        assert theirs.get("from the lab") == b"1"


@pytest.mark.usefixtures("leaves_no_process")
def test_a_dynamodb_of_ones_own_gets_the_endpoint_in_front(dynamodb_local, monkeypatch):
    monkeypatch.setenv(DYNAMODB_VARIABLE, dynamodb_local + "/")
    behind = client(dynamodb_local)
    with tweetlab.start() as lab:
        assert lab.dynamodb_url != dynamodb_local
        tweets = TweetTable(client(lab.dynamodb_url), name="of_ones_own")
        tweets.create_table()
        try:
            tweet = tweets.create("hot")
            served_until_throttled(lambda: tweets.get(tweet.tweet_id))
            assert behind.scan(TableName="of_ones_own")["Count"] == 1
        finally:
            tweets.delete_table()
    behind.list_tables()
    behind.close()


@pytest.mark.usefixtures("leaves_no_process")
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_shared_endpoint_is_used_as_it_is_and_throttles_once(
    moto_server, redis_server, monkeypatch, slash
):
    monkeypatch.setenv(DYNAMODB_VARIABLE, moto_server.url + slash)
    monkeypatch.setenv(REDIS_VARIABLE, redis_server)
    before = children()
    with tweetlab.start(learner="test") as lab:
        assert children() == before
        assert lab.dynamodb_url.rstrip("/") == moto_server.url
        tweets = TweetTable(lab.dynamodb, name="shared")
        tweets.create_table()
        tweet = tweets.create("Example tweet.")
        with moto_server.charged("shared") as charged:
            read = tweets.read(tweet.tweet_id)
        assert charged.reads == read.read_units == 0.5
        tweets.delete_table()


def test_a_shared_endpoint_keeps_its_own_settings(moto_server, monkeypatch):
    monkeypatch.setenv(DYNAMODB_VARIABLE, moto_server.url)
    with pytest.raises(LabError, match=r"shared and keeps its own settings.* without partitions"):
        tweetlab.start(partitions=4)


# --- what goes wrong --------------------------------------------------------------------------


@pytest.mark.usefixtures("leaves_no_process")
@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("http://127.0.0.1:{free}", "No DynamoDB answers at", id="nothing there"),
        pytest.param("http://127.0.0.1:http", "No DynamoDB answers at", id="no port"),
        pytest.param("http://[::1", "is not a URL such as", id="half an address"),
        pytest.param("127.0.0.1:8010", "is not a URL such as", id="no scheme"),
        pytest.param("redis://127.0.0.1:6379", "is not a URL such as", id="another scheme"),
        pytest.param("http://", "is not a URL such as", id="no host"),
        pytest.param("nonsense", "is not a URL such as", id="nonsense"),
    ],
)
def test_a_dynamodb_that_is_not_there(monkeypatch, url, message):
    url = url.format(free=free_port())
    monkeypatch.setenv(DYNAMODB_VARIABLE, url)
    with pytest.raises(LabError, match=message) as raised:
        tweetlab.start()
    assert url in str(raised.value)
    assert DYNAMODB_VARIABLE in str(raised.value)


@pytest.mark.parametrize("secret", ["s3cret", "s3?cret", "s3/cret", "s3#cret", "s3@cret", "s[3"])
def test_a_password_in_a_url_of_dynamodb_is_refused_and_not_shown(monkeypatch, secret):
    """No client of DynamoDB would send it."""
    monkeypatch.setenv(DYNAMODB_VARIABLE, f"http://me:{secret}@127.0.0.1:8010")
    with pytest.raises(LabError, match="without user and password") as raised:
        tweetlab.start()
    assert str(raised.value).endswith(": 'http://127.0.0.1:8010'")
    assert_only_we_speak(raised.value)


def assert_only_we_speak(error: BaseException) -> None:
    """No other error is shown with it, whose words may hold a password."""
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize(
    "host",
    [
        "dynamodb.us-east-1.amazonaws.com",
        "DynamoDB.eu-west-1.AmazonAWS.com",
        "dynamodb.us-east-1.amazonaws.com.",
        "123456789012.ddb.us-east-1.amazonaws.com",
        "vpce-1.dynamodb.us-east-1.vpce.amazonaws.com",
        "dynamodb.cn-north-1.amazonaws.com.cn",
        "dynamodb.us-east-1.api.aws",
    ],
)
def test_aws_is_not_reached_by_a_variable(monkeypatch, host):
    monkeypatch.setenv(DYNAMODB_VARIABLE, f"https://{host}")
    with pytest.raises(LabError, match=r"points at AWS .* say so: tweetlab.start\(aws=True\)"):
        tweetlab.start()


def test_what_is_no_dynamodb_is_not_taken_for_one(redis_server, monkeypatch):
    monkeypatch.setenv(DYNAMODB_VARIABLE, redis_server.replace("redis://", "http://"))
    with pytest.raises(LabError, match="No DynamoDB answers at"):
        tweetlab.start()


def test_a_dynamodb_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr("tweetlab.lab.lab._PROBE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv(DYNAMODB_VARIABLE, f"http://{url}")
        with pytest.raises(LabError, match="No DynamoDB answers at"):
            tweetlab.start()


@pytest.mark.usefixtures("leaves_no_process")
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:{free}", "redis://127.0.0.1:{free}"),
        ("redis://:s3cret@127.0.0.1:{free}/0", "redis://127.0.0.1:{free}/0"),
        ("redis://me:s3cret@127.0.0.1:{free}", "redis://127.0.0.1:{free}"),
        ("redis://me:s3cret%40%3F%23%2F@127.0.0.1:{free}", "redis://127.0.0.1:{free}"),
        ("redis://me:s3cret@corp@127.0.0.1:{free}", "redis://127.0.0.1:{free}"),
        ("rediss://:s3cret@127.0.0.1:{free}", "rediss://127.0.0.1:{free}"),
        ("redis://127.0.0.1:{free}?password=s3cret", "redis://127.0.0.1:{free}"),
    ],
)
def test_a_redis_that_is_not_there_and_its_password_is_not_shown(monkeypatch, url, shown):
    free = free_port()
    monkeypatch.setenv(REDIS_VARIABLE, url.format(free=free))
    with pytest.raises(LabError) as raised:
        tweetlab.start()
    message = str(raised.value)
    assert message.startswith(f"No Redis answers at {shown.format(free=free)} (")
    assert message.endswith("unset REDIS_URL to let the lab start its own.")
    assert "s3cret" not in message + str(raised.value.__cause__)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("me:s3cret@127.0.0.1:6379", "127.0.0.1:6379"),
        ("redis://me:s3cret/@127.0.0.1:6379", "redis://127.0.0.1:6379"),
        ("redis://:s3?cret@127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://:12?s3cret@127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://s3/cret:12#?@127.0.0.1:6379", "redis://127.0.0.1:6379"),
        ("redis://s3cret:://@127.0.0.1:6379", "redis://127.0.0.1:6379"),
        ("s3cret://s3cret@127.0.0.1:6379", "127.0.0.1:6379"),
        ("redis://me:[s3cret@127.0.0.1:6379", "redis://127.0.0.1:6379"),
        ("redis://127.0.0.1:6379?password=s3cret@s3cret", "redis://..."),
        ("redis://127.0.0.1:6379?pasword=s3cret", "redis://127.0.0.1:6379"),
        ("redis://127.0.0.1:6379/0?db=s3cret", "redis://127.0.0.1:6379/0"),
        ("redis://127.0.0.1:port", "redis://127.0.0.1:port"),
        ("redis://[::1", "redis://[::1"),
        ("http://127.0.0.1:6379", "http://127.0.0.1:6379"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_redis_url_that_is_none(monkeypatch, url, shown):
    monkeypatch.setenv(REDIS_VARIABLE, url)
    message = re.escape(f"REDIS_URL is not a URL such as redis://127.0.0.1:6379/0: '{shown}'. ")
    with pytest.raises(LabError, match=f"^{message}In a password write %25 for %") as raised:
        tweetlab.start()
    assert_only_we_speak(raised.value)


def test_a_wrong_password_for_redis_is_an_error_that_does_not_show_it(lab, monkeypatch):
    monkeypatch.setenv(REDIS_VARIABLE, f"redis://:wr0ng@127.0.0.1:{port(lab.redis_url)}/0")
    with pytest.raises(LabError, match="No Redis answers at") as raised:
        tweetlab.start()
    assert "wr0ng" not in str(raised.value)


@pytest.mark.parametrize("password", ["right", "r?i#g/h@t%"])
def test_a_redis_of_ones_own_may_have_any_password(lab, monkeypatch, password):
    url = f"redis://:{quote(password, safe='')}@127.0.0.1:{port(lab.redis_url)}/0"
    lab.redis.config_set("requirepass", password)
    try:
        monkeypatch.setenv(REDIS_VARIABLE, url)
        with tweetlab.start() as second:
            assert second.redis.ping()
            assert second.redis_url == url
            assert "r" not in repr(second).partition("Redis at redis://")[2]
    finally:
        lab.redis.config_set("requirepass", lab.redis_url[len("redis://:") :].partition("@")[0])
