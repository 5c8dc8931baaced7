"""The cache's counts for a Prometheus scrape; needs ``pip install tweetlab[prometheus]``."""

from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tweetlab.cache.stats import CacheStats


class CacheCollector(Collector):
    """Reads the counts when Prometheus asks, so that counting itself costs no more than before."""

    def __init__(self, stats: CacheStats, cache: str) -> None:
        self._stats = stats
        self._cache = cache

    def collect(self) -> Iterator[Metric]:
        for name, help_text in self._stats.counts().items():
            counter = CounterMetricFamily(f"tweetlab_cache_{name}", help_text, labels=["cache"])
            counter.add_metric([self._cache], getattr(self._stats, name))
            yield counter
        breaker = GaugeMetricFamily(
            "tweetlab_cache_breaker_open", "1 while Redis is not asked", labels=["cache"]
        )
        breaker.add_metric([self._cache], float(self._stats.breaker != "closed"))
        yield breaker


def export(
    stats: CacheStats, cache: str = "tweet", registry: CollectorRegistry = REGISTRY
) -> CacheCollector:
    """Let a registry collect these counts under the label ``cache``; returns the collector.

    ``export(cached.stats)``, then ``prometheus_client.start_http_server(8000, "127.0.0.1")``. The
    names begin with ``tweetlab_cache_``: ``tweetlab_cache_hits_total`` and so on.
    """
    collector = CacheCollector(stats, cache)
    registry.register(collector)
    return collector
