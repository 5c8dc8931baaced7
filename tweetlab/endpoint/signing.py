"""Signatures for an upstream that checks them.

A client signs what it sends to the endpoint, for the endpoint's Host, and perhaps compressed: what
is sent on cannot carry the same signature.
"""

import os
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tweetlab.endpoint.owners import Owner

LAB_SECRET = "tweetlab"
"""The secret key of every client of a lab, whatever its access key."""
REFUSALS = frozenset(
    (
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    )
)
"""What is answered to a signature that is not right."""

_ENVIRONMENT = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_FIELDS = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")

Sign = Callable[[str, bytes, Mapping[str, str], Owner], dict[str, str]]
"""The fields of a request's head, signed anew: of its URL, its body, the fields that it has, and
who signed it before."""


def sign_with(credentials: Credentials) -> Sign:
    """Sign everything with those keys."""
    return lambda url, body, fields, owner: _signed(credentials, url, body, fields, owner)


def sign_as_known(url: str, body: bytes, fields: Mapping[str, str], owner: Owner) -> dict[str, str]:
    """Sign with the keys of the environment; where it has none, with the client's access key and
    the secret key of a lab: that of any other client is nobody's to know."""
    access_key, secret_key, token = map(os.environ.get, _ENVIRONMENT)
    if access_key and secret_key:
        credentials = Credentials(access_key, secret_key, token)
    else:
        credentials = Credentials(owner.access_key, LAB_SECRET)
    return _signed(credentials, url, body, fields, owner)


def _signed(
    credentials: Credentials, url: str, body: bytes, fields: Mapping[str, str], owner: Owner
) -> dict[str, str]:
    kept = {name: value for name, value in fields.items() if name not in _FIELDS}
    request = AWSRequest("POST", url, {"Host": host_of(url), **kept}, body)
    SigV4Auth(credentials, "dynamodb", owner.region).add_auth(request)
    return {name: value for name, value in request.headers.items() if name != "Host"}


def host_of(url: str) -> str:
    """The Host of a request to that URL."""
    return urlsplit(url).netloc.rpartition("@")[2]
