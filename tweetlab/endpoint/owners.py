"""Whose tables a request means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

_CREDENTIAL = re.compile(r"Credential=([^/,\s]*)(?:/[^/,\s]*/([^/,\s]+))?")
"""In the Authorization header: the access key, the day, the region, and more."""
_REGION = "us-east-1"


class Owner(NamedTuple):
    """An access key in a region. Each has tables of its own, whatever their names, as in DynamoDB
    Local without -sharedDb; on AWS it is an account in a region."""

    access_key: str
    region: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Owner:
        """Who signed a request, by its headers (names in lower case): the signature itself is not
        looked at. What nobody signed belongs to the access key "", in us-east-1."""
        match = _CREDENTIAL.search(headers.get("authorization", ""))
        return cls(match[1], match[2] or _REGION) if match else cls("", _REGION)

    @property
    def account(self) -> str:
        """The number of an AWS account for that access key, as ARNs have one: always the same
        twelve digits (model choice)."""
        return str(int(sha256(self.access_key.encode()).hexdigest(), 16) % 10**12).zfill(12)
