"""The DynamoDB endpoint that throttles: HTTP in front of moto or of any DynamoDB.

http_server     brings requests, and takes answers back
server          finds who answers them
wire, validation    DynamoDB's requests, answers and errors
reads, writes, batches, transactions, partiql, partiql_batches
                what each call is asked, forwarded and charged
control         the calls that are never throttled
statements      what a PartiQL statement reads or writes
charging        what a call costs, and how that is reported
resources, tables   tables and indexes, their keys and their buckets (tweetlab.capacity)
metrics, drills     what was consumed; throttles on request
backend         what the operations work on
upstream, embedded, proxy   where admitted requests go
"""

from tweetlab.endpoint.embedded import Moto
from tweetlab.endpoint.known_tables import Limits
from tweetlab.endpoint.proxy import Proxy
from tweetlab.endpoint.server import ABOUT_PATH, Endpoint, start

__all__ = ["ABOUT_PATH", "Endpoint", "Limits", "Moto", "Proxy", "start"]
