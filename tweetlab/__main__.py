"""The command line: ``tweetlab demo`` and ``tweetlab endpoint``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tweetlab import demo, endpoint
from tweetlab.errors import TweetlabError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 if it went well, 1 with a message on standard error if not."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "demo":
            demo.main(options.json, options.out, sys.stdout)
        else:
            asyncio.run(_serve(options))
    except (TweetlabError, OSError) as error:
        print(f"tweetlab: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tweetlab", description="Throttled reads and caching, on a laptop."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    demo_parser = commands.add_parser(
        "demo", help="read the same tweets without a cache and with one, and compare"
    )
    demo_parser.add_argument("--json", action="store_true", help="print one JSON object")
    demo_parser.add_argument(
        "--out", type=Path, metavar="FIGURE.png", help="save the chart to this file"
    )

    serve = commands.add_parser("endpoint", help="serve a DynamoDB that throttles, until ^C")
    serve.add_argument("--port", type=int, default=8010, help="0 for a free one (%(default)s)")
    serve.add_argument(
        "--upstream", metavar="URL", help="the DynamoDB to stand in front of; else moto, built in"
    )
    serve.add_argument(
        "--burst-seconds", type=_seconds, default=300, help="unused capacity kept (%(default)s)"
    )
    serve.add_argument(
        "--initial-burst-seconds",
        type=_seconds,
        default=0,
        help="unused capacity that a new table has already (%(default)s)",
    )
    serve.add_argument(
        "--partitions", type=_partitions, metavar="N", help="partitions of each new table"
    )
    serve.add_argument(
        "--no-adaptive",
        action="store_true",
        help="each partition has a fixed share of the throughput, as in 2015",
    )
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds, 0 or more")
    return seconds


def _partitions(text: str) -> int:
    partitions = int(text)
    if partitions < 1:
        raise argparse.ArgumentTypeError("a table has at least 1 partition")
    return partitions


async def _serve(options: argparse.Namespace) -> None:
    limits = endpoint.Limits(
        burst_seconds=options.burst_seconds,
        initial_burst_seconds=options.initial_burst_seconds,
        partitions=options.partitions,
        adaptive=not options.no_adaptive,
    )
    upstream = endpoint.Proxy(options.upstream) if options.upstream else endpoint.Moto()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    runner, url = await endpoint.start(endpoint.Endpoint(upstream, limits), options.port)
    print(url, flush=True)
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
