"""Which tweet is read when: a load as a table, one row for each read."""

import math
from collections.abc import Iterable
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pandas as pd


def popularity(tweets: int, skew: float) -> npt.NDArray[np.float64]:
    """The share of all reads that each tweet gets, the most popular first; their sum is 1.

    The tweet of rank r is read in proportion to r ** -skew. 0 makes all alike, 1 is Zipf's law; the
    median of Twitter's own caches is 1.2 (github.com/twitter/cache-trace, March 2020).
    """
    weights = np.arange(1.0, tweets + 1) ** -skew
    return np.asarray(weights / weights.sum(), dtype=float)


def zipf(
    tweet_ids: Iterable[UUID],
    rate: float = 100,
    seconds: float = 20,
    skew: float = 1.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Reads that come at random, ``rate`` a second on average, most of them of a few tweets.

    The first of ``tweet_ids`` is the most popular; ``popularity`` says by how much. Readers know
    nothing of each other, so arrivals are a Poisson process.

    Returns the columns ``at`` (seconds from the start, ascending, below ``seconds``) and
    ``tweet_id``; the same arguments give the same reads. Raises ValueError for arguments that
    describe no reads.
    """
    ids = list(tweet_ids)
    if not ids:
        raise ValueError("There is no tweet to read: tweet_ids is empty.")
    for name, value in (("rate", rate), ("seconds", seconds)):
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be a number above 0, not {value!r}.")
    if not (skew >= 0 and math.isfinite(skew)):
        raise ValueError(f"skew must be 0 (all tweets alike) or above, not {skew!r}.")

    random = np.random.default_rng(seed)
    # Given how many there are, the arrivals of a Poisson process are uniform in time.
    at = np.sort(random.random(random.poisson(rate * seconds)) * seconds)
    ranks = random.choice(len(ids), size=len(at), p=popularity(len(ids), skew))
    read = pd.Series([ids[rank] for rank in ranks], dtype=object)
    return pd.DataFrame({"at": at, "tweet_id": read})


def times_and_ids(requests: pd.DataFrame) -> tuple[list[float], list[UUID]]:
    """The two columns of ``requests``; raises ValueError unless they say what to read when."""
    missing = {"at", "tweet_id"} - set(requests.columns)
    if missing:
        raise ValueError(
            f"requests lack {sorted(missing)}: make them with workload.zipf(tweet_ids)."
        )
    at = requests["at"].to_numpy(dtype=float)
    if not (np.isfinite(at).all() and (at >= 0).all()):
        raise ValueError("Each request needs a time at which it is due, 0 s or later.")
    return at.tolist(), requests["tweet_id"].tolist()
