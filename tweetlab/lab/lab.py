"""The lab: finds or starts the servers, and gives clients of them."""

from __future__ import annotations

import json
import math
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pandas as pd
import redis

from tweetlab import cache
from tweetlab.capacity import TableCapacity
from tweetlab.errors import LabError, public_url
from tweetlab.lab import metrics
from tweetlab.lab.clients import access_key_of, aws_client, local_client
from tweetlab.lab.closing import Closing
from tweetlab.lab.servers import LabServers

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DYNAMODB_VARIABLE = "AWS_ENDPOINT_URL_DYNAMODB"
REDIS_VARIABLE = "REDIS_URL"
REDIS_SECONDS = 0.25
"""Patience with Redis: more than a cache of production has, as a laptop may be busy."""
_AWS_DOMAINS = ("amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn")
_PROBE_SECONDS = 5


@dataclass(eq=False, repr=False)
class Lab(Closing):
    """Clients of the lab's DynamoDB and Redis, and where the two listen.

    ``dynamodb`` is a boto3 low-level client, ``redis`` a redis.Redis that gives up soon, or a
    redis.RedisCluster. ``dynamodb_url`` and ``redis_url`` are for the AWS CLI, another SDK or
    redis-cli; ``access_key``, with any secret, shows those the lab's tables, in us-east-1.
    """

    dynamodb: DynamoDBClient
    dynamodb_url: str
    redis: cache.Client
    redis_url: str
    """With its password, which nothing here shows: one of its own for each lab."""
    _servers: LabServers | None
    _aws: bool = False
    access_key: str = ""

    @property
    def owns_redis(self) -> bool:
        """Whether the lab started its Redis itself. Another one may hold data that others need."""
        return self._servers is not None and "redis" in self._servers.urls

    def client(self) -> DynamoDBClient:
        """Another boto3 client of the lab's DynamoDB, as another program would have: botocore's
        retry quota belongs to a client, and a run that was throttled leaves it spent.
        """
        if self._aws:
            return aws_client()
        return local_client(self.dynamodb_url, self.access_key, self._servers)

    def metrics(self) -> pd.DataFrame:
        """What each of the lab's tables and indexes consumed and refused, second by second.

        See ``tweetlab.lab.metrics.fetch`` for the columns and ``by_minute`` for CloudWatch's view.
        """
        return metrics.fetch(self._endpoint(), self.access_key)

    def drill(
        self, calls: int, *, operation: str | None = None, partition_key: str | None = None
    ) -> None:
        """Have the endpoint throttle the lab's next ``calls`` calls of an operation, such as
        "GetItem", or of a partition key, to see how your code copes. The answers carry the header
        ``x-tweetlab-drill: forced``. Raises ValueError unless just one of the two is named, and is
        one that can be throttled.
        """
        if calls < 1 or (operation is None) == (partition_key is None):
            raise ValueError("Drill at least 1 call of either an operation or a partition key.")
        drill = {"calls": calls, "operation": operation, "partition_key": partition_key}
        request = urllib.request.Request(
            metrics.page(self._endpoint(), "drill", self.access_key),
            data=json.dumps(drill).encode(),
        )
        try:
            metrics.open_locally(request).close()
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error)["message"]) from None

    def _endpoint(self) -> str:
        if self._aws:
            raise LabError("The real DynamoDB has no endpoint of ours: CloudWatch has its metrics.")
        return self.dynamodb_url

    def close(self) -> None:
        """Stop the servers that the lab started, with all they hold; twice is fine."""
        self.dynamodb.close()
        self.redis.close()
        if self._servers:
            self._servers.close()

    def __repr__(self) -> str:
        return f"<Lab: DynamoDB at {self.dynamodb_url}, Redis at {public_url(self.redis_url)}>"


def start(
    *,
    aws: bool = False,
    burst_seconds: float | None = None,
    initial_burst_seconds: float | None = None,
    partitions: int | None = None,
    adaptive: bool | None = None,
    redis_timeout: float | None = None,
    learner: str | None = None,
) -> Lab:
    """Start the lab: a DynamoDB that throttles and a Redis, on free ports of 127.0.0.1.

    They end with this process, however it ends. Each call starts servers of its own.

    ``REDIS_URL`` names a Redis to use instead. ``AWS_ENDPOINT_URL_DYNAMODB`` names a DynamoDB, such
    as DynamoDB Local, to put the throttling endpoint in front of; or an endpoint of tweetlab, which
    is used as it is. ``aws=True`` uses the real DynamoDB of your account, which costs money;
    nothing else can reach AWS.

    Each lab has an access key of its own, and with it tables, metrics and drills of its own, also
    where several use one endpoint. There, labs of the same ``learner`` have the same ones: that
    name, of letters and digits, is the access key, in small letters.

    ``redis_timeout`` is how many seconds ``lab.redis`` waits for an answer, 0.25 if not given. The
    other arguments are those of ``tweetlab.capacity.TableCapacity``, for every table.
    Raises ValueError for arguments that make no sense, and LabError, which says what to do, when a
    server cannot be started or reached.
    """
    limits: dict[str, Any] = {
        "burst_seconds": burst_seconds,
        "initial_burst_seconds": initial_burst_seconds,
        "partitions": partitions,
        "adaptive": adaptive,
    }
    limits = {name: value for name, value in limits.items() if value is not None}
    TableCapacity(1, 1, **limits)
    redis_timeout = REDIS_SECONDS if redis_timeout is None else redis_timeout
    if not 0 < redis_timeout < math.inf:
        raise ValueError(f"redis_timeout must be a number above 0, not {redis_timeout!r}.")
    if aws and limits:
        raise LabError(f"The real DynamoDB has its own limits: leave out {', '.join(limits)}.")
    if aws and learner is not None:
        raise LabError("The real DynamoDB has the tables of your account: leave out learner.")
    access_key = "" if aws else access_key_of(learner)
    client = aws_client() if aws else None
    redis_url = os.environ.get(REDIS_VARIABLE)
    dynamodb_url = None if aws else os.environ.get(DYNAMODB_VARIABLE)
    if redis_url:
        _check_redis(redis_url)
    upstream = None
    if dynamodb_url:
        if not _throttles_already(dynamodb_url):
            dynamodb_url, upstream = None, dynamodb_url
        elif limits:
            raise LabError(
                f"The endpoint at {dynamodb_url} is shared and keeps its own settings: "
                f"call tweetlab.start() without {', '.join(limits)}, or unset {DYNAMODB_VARIABLE}."
            )

    servers = None
    own_dynamodb = not aws and not dynamodb_url
    if own_dynamodb or not redis_url:
        servers = LabServers(
            redis=not redis_url, dynamodb=own_dynamodb, upstream=upstream, limits=limits
        )
        redis_url = redis_url or servers.urls["redis"]
        dynamodb_url = dynamodb_url or servers.urls.get("dynamodb")
    client = client or local_client(str(dynamodb_url), access_key, servers)
    lab_redis = cache.connect(redis_url, redis_timeout)
    url = client.meta.endpoint_url
    return Lab(client, url, lab_redis, redis_url, servers, aws, access_key)


def _throttles_already(url: str) -> bool:
    """Whether a tweetlab endpoint answers there; raises LabError for nothing, or for AWS."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("http", "https") or not host or "@" in url:
        raise LabError(
            f"{DYNAMODB_VARIABLE} is not a URL such as http://127.0.0.1:8010, without user and "
            f"password: {public_url(url)!r}"
        )
    if any(host == domain or host.endswith("." + domain) for domain in _AWS_DOMAINS):
        raise LabError(
            f"{DYNAMODB_VARIABLE} points at AWS ({url}). To use your account, which costs money, "
            "say so: tweetlab.start(aws=True)."
        )
    try:
        with metrics.open_locally(url.rstrip("/") + "/tweetlab", _PROBE_SECONDS) as response:
            return "tweetlab" in json.load(response)
    except (urllib.error.HTTPError, TypeError, ValueError):
        return False  # a DynamoDB, which knows no such path
    except (OSError, HTTPException) as error:
        raise LabError(
            f"No DynamoDB answers at {url} ({error}). Start it, or unset {DYNAMODB_VARIABLE} "
            "to let the lab start its own."
        ) from error


def _check_redis(url: str) -> None:
    try:
        parts = urlsplit(url)
        if "@" in parts.path + parts.query + parts.fragment:  # what is left of it is no user
            raise ValueError
        with cache.connect(url, timeout=_PROBE_SECONDS) as client:
            client.ping()
    except (TypeError, ValueError):  # whose words may show the password
        raise LabError(
            f"{REDIS_VARIABLE} is not a URL such as redis://127.0.0.1:6379/0: {public_url(url)!r}. "
            "In a password write %25 for %, %2F for /, %3F for ?, %23 for # and %40 for @."
        ) from None
    except (redis.RedisError, OSError) as error:
        raise LabError(
            f"No Redis answers at {public_url(url)} ({error}). Start it, or unset {REDIS_VARIABLE} "
            "to let the lab start its own."
        ) from error
