"""While the machine of a lesson's tests stands still, nothing comes into a table's bucket."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import psutil

from tests.support.busy_machine import PREPARE

STANDS_STILL = f"""
{PREPARE}
import os, signal, time, tweetlab
from tests.support.asking import served_until_throttled
from tests.support.serving import client
with tweetlab.start() as lab:
    tweets = tweetlab.TweetTable(client(lab.dynamodb_url), read_capacity=10)
    tweets.create_table()
    tweet = tweets.create("Time goes by.")
    served_until_throttled(lambda: tweets.get(tweet.tweet_id))
    before = time.monotonic()
    os.kill(os.getpid(), signal.SIGSTOP)
    served, _ = served_until_throttled(lambda: tweets.get(tweet.tweet_id))
    came_in = 20 * (time.monotonic() - before)
    time.sleep(0.5)
    later, _ = served_until_throttled(lambda: tweets.get(tweet.tweet_id))
print(served, came_in, later)
"""
SECONDS = 3
"""In which 60 reads come in."""


def test_time_stands_still_with_the_process_that_reads():
    process = subprocess.Popen(
        [sys.executable, "-c", STANDS_STILL], stdout=subprocess.PIPE, text=True
    )
    while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(SECONDS)
    process.send_signal(signal.SIGCONT)
    output, _ = process.communicate(timeout=120)
    served, came_in, later = map(float, output.split())
    assert served <= came_in + 3 < 20 * SECONDS / 2
    assert later >= 9  # half a second of sleep is half a second of the table's
