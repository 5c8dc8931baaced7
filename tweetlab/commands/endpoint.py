"""Serve a DynamoDB that throttles, until interrupted."""

import asyncio
import signal
from typing import Any
from urllib.parse import urlsplit

from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from botocore.session import Session

from tweetlab import endpoint
from tweetlab.errors import TweetlabError


def main(
    port: int,
    upstream: str | None = None,
    upstream_profile: str | None = None,
    shared_tables: bool = False,
    **limits: Any,
) -> int:
    """Serve on that port of this machine, or on a free one if it is 0, and print the URL.

    ``upstream`` is the URL of the DynamoDB to stand in front of, or None for moto, and
    ``upstream_profile`` names the profile of AWS' configuration whose keys sign what is sent there;
    ``shared_tables`` says that it has one set of tables for all, as it has for a profile;
    ``limits`` are those of ``endpoint.Limits``. Raises OSError if the port is taken, and
    TweetlabError for an upstream that is AWS, a profile without keys, or moto with shared tables.
    """
    if shared_tables and upstream is None:
        raise TweetlabError("moto shares no tables: --shared-tables goes with --upstream.")
    credentials = _credentials(upstream, upstream_profile)
    behind = endpoint.Proxy(upstream, credentials) if upstream else endpoint.Moto()
    shared = shared_tables or credentials is not None
    asyncio.run(_serve(port, endpoint.Endpoint(behind, endpoint.Limits(**limits), shared)))
    return 0


def _credentials(upstream: str | None, profile: str | None) -> Credentials | None:
    if upstream and _is_aws(upstream):
        raise TweetlabError(
            f"{upstream} is AWS itself, which throttles without an endpoint in front, and costs "
            "money. Name a DynamoDB of your own."
        )
    if profile is None:
        return None
    if upstream is None:
        raise TweetlabError("--upstream-profile signs what is sent to an --upstream: name one.")
    try:
        credentials: Credentials | None = Session(profile=profile).get_credentials()
    except BotoCoreError as error:
        raise TweetlabError(f"The profile {profile!r} cannot be used: {error}.") from error
    if credentials is None:
        raise TweetlabError(
            f"The profile {profile!r} has no keys: `aws configure --profile {profile}` asks for "
            "them."
        )
    return credentials


def _is_aws(url: str) -> bool:
    """Whether that is a host of AWS, in any of its partitions."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    outputs = [each["outputs"] for each in Loader().load_data("partitions")["partitions"]]
    domains = {output[name] for output in outputs for name in ("dnsSuffix", "dualStackDnsSuffix")}
    return any(f".{host}".endswith(f".{domain}") for domain in domains)


async def _serve(port: int, served: endpoint.Endpoint) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    runner, address = await endpoint.start(served, port)
    print(address, flush=True)
    await stop.wait()
    await runner.cleanup()
