"""Cache-aside: look in Redis first, and read the table only on a miss.

``aside.py`` tells the way of a read, hit or miss, and of a write, from top to bottom. Each strategy
that it calls has a file of its own, which can be read without the others:

- ``flight.py``: of the threads that miss the same tweet, one reads the table for all
- ``leases.py``: of the processes too; and no slow reader can undo an edit
- ``fill.py``: from a miss to a filled cache, under a lease
- ``refresh.py``: a popular tweet is read again before it expires
- ``local.py``: a first level in the process, for the hottest tweets
- ``table.py``: the table behind the cache, which is not overrun when the cache is lost
- ``breaker.py``: a Redis that fails costs no time

and what they stand on one as well:

- ``store.py``: Redis, which may fail, and the writes that it could not be told of
- ``client.py`` makes a client; ``connections.py``: which of its connections are to be trusted
- ``values.py``: the keys, the JSON and how long it is kept
- ``stats.py``: the counts; ``prometheus.py`` exports them (``pip install tweetlab[prometheus]``)
- ``forks.py``: what threads share is made anew in a forked process

To add a strategy: a file of its own, its call in ``aside.py``, and a count in ``stats.py``. A lock,
a thread or a connection of its own is made in a method that ``forks.py`` calls.
"""

from tweetlab.cache.aside import CachedTweets
from tweetlab.cache.breaker import CircuitBreaker
from tweetlab.cache.client import TIMEOUT, Client, connect
from tweetlab.cache.stats import CacheStats, Event
from tweetlab.cache.table import BackingTable
from tweetlab.cache.values import decode, encode, key

__all__ = [
    "TIMEOUT",
    "BackingTable",
    "CacheStats",
    "CachedTweets",
    "CircuitBreaker",
    "Client",
    "Event",
    "connect",
    "decode",
    "encode",
    "key",
]
