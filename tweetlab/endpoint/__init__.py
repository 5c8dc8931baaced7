"""The DynamoDB endpoint that throttles: HTTP in front of moto or of any DynamoDB.

From a request to its answer:

    http_server     listens
    http_connection brings requests, and takes answers back
    compression     bodies that come compressed
    who_may_ask     programs of this machine, and no web pages
    server          the endpoint: finds who answers, and has the pages that are not DynamoDB's
    wire            DynamoDB's requests, answers and errors
    validation      whether a request is one that DynamoDB takes, by its service model:
    attribute_values    whether a value is one
    constraints     the model's constraints, and what is said to those who break them
    operations      every operation, whether it reads or writes, and the function that answers it
    reads, searches, writes     those functions
    control         the calls that are never throttled

What they work on:

    backend         passes calls on, and asks the upstream what must be known to charge for them
    members         the members of requests that are understood, and so charged for
    actions         one item of a call, and what becomes of a call when some are refused
    charging        what a call costs, and how that is reported
    table           tables and indexes: their buckets (tweetlab.capacity), their meters
    keys            their keys, and whether a request's are such
    stored          items as they are stored: two spellings of one value are one value
    schemas         whether a table or an index is one that DynamoDB would make
    owners          whose tables a request means
    client_tokens   transactions that are sent twice are made once
    known_tables    the tables seen so far, and the limits they are admitted by
    drills          throttles on request

Where admitted requests go:

    upstream        what every upstream does
    embedded        moto, in this process
    proxy           another server that speaks DynamoDB
    signing         signatures for one that checks them
"""

from tweetlab.endpoint.embedded import Moto
from tweetlab.endpoint.known_tables import Limits
from tweetlab.endpoint.proxy import Proxy
from tweetlab.endpoint.server import ABOUT_PATH, Endpoint, start

__all__ = ["ABOUT_PATH", "Endpoint", "Limits", "Moto", "Proxy", "start"]
