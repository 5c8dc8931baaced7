"""The DynamoDB endpoint that throttles: HTTP in front of moto or of any DynamoDB.

server     takes requests and finds who answers them
reads, writes   what each call is asked, forwarded and charged
charging   what a call costs and how that is reported
tables     the tables known, their keys and their buckets (``tweetlab.capacity``)
backend, upstream   where admitted requests go
wire       DynamoDB's requests, answers and errors
"""

from tweetlab.endpoint.server import ABOUT_PATH, Endpoint, start
from tweetlab.endpoint.tables import Limits
from tweetlab.endpoint.upstream import Moto, Proxy

__all__ = ["ABOUT_PATH", "Endpoint", "Limits", "Moto", "Proxy", "start"]
