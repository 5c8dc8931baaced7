"""Serve a DynamoDB that throttles, until interrupted."""

import asyncio
import signal
from typing import Any

from tweetlab import endpoint
from tweetlab.errors import TweetlabError


def main(port: int, upstream: str | None, shared_tables: bool, **limits: Any) -> int:
    """Serve on that port of 127.0.0.1, or on a free one if it is 0, and print the URL.

    ``upstream`` is the URL of the DynamoDB to stand in front of, or None for moto;
    ``shared_tables`` says that it has one set of tables for all; ``limits`` are those of
    ``endpoint.Limits``. Raises OSError if the port is taken, and TweetlabError for moto with
    shared tables.
    """
    if shared_tables and upstream is None:
        raise TweetlabError("moto shares no tables: --shared-tables goes with --upstream.")
    asyncio.run(_serve(port, upstream, shared_tables, endpoint.Limits(**limits)))
    return 0


async def _serve(
    port: int, upstream: str | None, shared_tables: bool, limits: endpoint.Limits
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    behind = endpoint.Proxy(upstream) if upstream else endpoint.Moto()
    served = endpoint.Endpoint(behind, limits, shared_tables)
    runner, address = await endpoint.start(served, port)
    print(address, flush=True)
    await stop.wait()
    await runner.cleanup()
