"""Which requests are answered at all: those of programs on this machine, not those of web pages.

A page that is open in a browser of this machine can send requests to it too: blindly, to another
origin; or as if it were of the same origin, by a name of its own that it has had resolved to
127.0.0.1 (DNS rebinding). Whatever a browser sends of a page's own making tells by Host or Origin.
"""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from tweetlab.endpoint.wire import access_denied

HEADERS = ("Host", "Origin")
"""What is looked at."""
_NAMES = frozenset(("localhost", "host.docker.internal", "host.containers.internal"))
"""Names of this machine. Containers reach it by the latter two, which no stranger can register:
``.internal`` is reserved (ICANN, 2024)."""


def check(headers: Mapping[str, str]) -> None:
    """Raise AccessDeniedException for a request, by its headers, that names another machine, or
    that a page of another origin sends."""
    host = headers.get("host")
    if host is not None and not _is_this_machine(host):
        raise access_denied(
            f"This endpoint is reached as 127.0.0.1, localhost or [::1], and not as {host[:100]!r}:"
            " use one of those in your endpoint URL."
        )
    origin = headers.get("origin")
    if origin is not None and (host is None or origin != f"http://{host}"):
        raise access_denied(
            f"This endpoint answers no web pages of other origins, such as {origin[:100]!r}: let a"
            " server of yours ask it."
        )


@lru_cache(maxsize=64)
def _is_this_machine(host: str) -> bool:
    try:
        name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
        if name in _NAMES:
            return True
        address = ip_address(name)
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    except ValueError:
        return False
