"""The command line: ``tweetlab demo``, ``tweetlab endpoint`` and ``tweetlab doctor``.

Each is a file of that name, whose ``main`` takes the arguments by their names here. It is imported
when it runs: the doctor must run where a package is missing that another command needs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from tweetlab.errors import TweetlabError, public_url


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 if it went well, 1 with a message on standard error if not."""
    options = vars(_parser().parse_args(arguments))
    try:
        command = import_module(f"tweetlab.commands.{options.pop('command')}")
        code: int = command.main(**options)
    except (TweetlabError, OSError) as error:
        print(f"tweetlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tweetlab", description="Throttled reads and caching, on a laptop."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    demo = commands.add_parser(
        "demo", help="read the same tweets without a cache and with one, and compare"
    )
    demo.add_argument("--json", dest="as_json", action="store_true", help="print one JSON object")
    demo.add_argument(
        "--out", type=figure, metavar="FIGURE.png", help="save the chart to this file"
    )

    endpoint = commands.add_parser("endpoint", help="serve a DynamoDB that throttles, until ^C")
    endpoint.add_argument("--port", type=port, default=8010, help="0 for a free one (%(default)s)")
    endpoint.add_argument(
        "--upstream",
        type=url,
        metavar="URL",
        help="the DynamoDB to stand in front of; else moto, built in",
    )
    endpoint.add_argument(
        "--upstream-profile",
        metavar="NAME",
        help="sign what is sent there with the keys of this profile of AWS' configuration; else it "
        "gets the client's own signature, and where that is refused, one with the keys of "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )
    endpoint.add_argument(
        "--shared-tables",
        action="store_true",
        help="the upstream has one set of tables for all access keys and regions, as DynamoDB "
        "Local has with -sharedDb, Alternator, and any that gets the signatures of one profile or "
        "of the environment: so have throughput, metrics and drills. Without it, each access key "
        "has its own in each region",
    )
    endpoint.add_argument(
        "--burst-seconds", type=seconds, default=300, help="unused capacity kept (%(default)s)"
    )
    endpoint.add_argument(
        "--initial-burst-seconds",
        type=seconds,
        default=0,
        help="unused capacity that a new table has already (%(default)s)",
    )
    endpoint.add_argument(
        "--partitions", type=partitions, metavar="N", help="partitions of each new table"
    )
    endpoint.add_argument(
        "--no-adaptive",
        dest="adaptive",
        action="store_false",
        help="each partition has a fixed share of the throughput, as in 2015",
    )

    doctor = commands.add_parser(
        "doctor", help="say whether this machine is ready for the lessons, and what to do if not"
    )
    doctor.add_argument(
        "--port",
        dest="ports",
        type=port,
        action="append",
        default=[],
        help="a port that has to be free, since you are going to serve on it; may be repeated",
    )
    return parser


def seconds(text: str) -> float:
    """A duration, 0 or more."""
    duration = float(text)
    if not 0 <= duration < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds, 0 or more")
    return duration


def partitions(text: str) -> int:
    """A number of partitions."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a table has at least 1 partition")
    return number


def port(text: str) -> int:
    """A TCP port; 0 stands for any that is free."""
    number = int(text)
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError(f"{number} is not a port: those are 0 to 65535")
    return number


def url(text: str) -> str:
    """Where a DynamoDB listens."""
    try:
        parts = urlsplit(text)
    except ValueError:  # argparse would show all of the text
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in text:
        raise argparse.ArgumentTypeError(
            f"{public_url(text)} is not a URL such as http://127.0.0.1:8000, without a password"
        )
    return text


def figure(text: str) -> Path:
    """A file that can be written when the experiment is done."""
    path = Path(text)
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise argparse.ArgumentTypeError(f"{text} does not end in .png, .svg or .pdf")
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no directory {path.parent}")
    return path
