"""Cache-aside: look in Redis first, and read the table only on a miss.

``aside.py`` is the whole of it; each strategy that it calls has a file of its own, which can be
read without the others:

- ``flight.py``: when a popular tweet expires, one reader goes to the table
- ``refresh.py``: a tweet is read anew before it expires, and not all at the same time
- ``leases.py``: no slow reader can undo an edit
- ``breaker.py`` and ``calls.py``: a Redis that fails costs no time, and fails no reader
- ``bound.py``: the table is not run over when the cache is lost
- ``local.py``: a first level in the process, for the hottest tweets
- ``codec.py``, ``stats.py``, ``client.py``: the JSON, the counts, the connection

``prometheus.py`` exports the counts; it needs ``pip install tweetlab[prometheus]``.
"""

from tweetlab.cache.aside import CachedTweets
from tweetlab.cache.bound import Table
from tweetlab.cache.breaker import CircuitBreaker
from tweetlab.cache.client import TIMEOUT, Client, connect
from tweetlab.cache.codec import decode, encode, key
from tweetlab.cache.stats import CacheStats, Event

__all__ = [
    "TIMEOUT",
    "CacheStats",
    "CachedTweets",
    "CircuitBreaker",
    "Client",
    "Event",
    "Table",
    "connect",
    "decode",
    "encode",
    "key",
]
