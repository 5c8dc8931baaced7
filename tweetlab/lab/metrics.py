"""What the endpoint's tables consumed and refused: second by second, and as CloudWatch would
show it."""

import json
import urllib.request
from typing import Any

import pandas as pd

from tweetlab.capacity.meters import COLUMNS

SECONDS = 60
"""CloudWatch's period for DynamoDB (Developer Guide, "DynamoDB metrics and dimensions")."""


def open_locally(request: str | urllib.request.Request, timeout: float = 5) -> Any:
    """Open a URL of this machine, whatever proxies the environment names; raises OSError."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(request, timeout=timeout)


def page(dynamodb_url: str, name: str, access_key: str | None = None) -> str:
    """The URL of a page of a tweetlab endpoint's own: for one access key, or for everybody."""
    of = f"?access_key={access_key}" if access_key else ""
    return f"{dynamodb_url.rstrip('/')}/tweetlab/{name}{of}"


def fetch(dynamodb_url: str, access_key: str | None = None) -> pd.DataFrame:
    """The metrics of a tweetlab endpoint: a row for each second with traffic of each table, and of
    each global index, named in ``index``. They are of the tables of one access key, or of all.

    ``second`` counts from the endpoint's start. Provisioned and consumed are capacity units;
    throttled counts requests, or items of a batch, ``forced`` those that a drill throttled.
    ``hottest_keys`` are the partition keys asked for most, with the number of times, throttled
    ones included. Raises OSError if nothing answers there.
    """
    with open_locally(page(dynamodb_url, "metrics", access_key)) as response:
        return pd.DataFrame(json.load(response), columns=COLUMNS)


def by_minute(metrics: pd.DataFrame) -> pd.DataFrame:
    """The same by minute, as CloudWatch shows it: consumption is the average per second over the
    whole minute, throttles are summed, and which second was the bad one is lost.

    Columns: table, index, minute and those of ``fetch`` but for second and hottest_keys.
    """
    counts = [name for name in COLUMNS if name not in ("table", "index", "second", "hottest_keys")]
    how = dict.fromkeys(counts, "sum") | {"read_provisioned": "last", "write_provisioned": "last"}
    minutes = metrics.assign(minute=metrics["second"] // SECONDS)
    folded = minutes.groupby(["table", "index", "minute"]).agg(how).reset_index()
    folded[["read_consumed", "write_consumed"]] /= SECONDS
    return folded
