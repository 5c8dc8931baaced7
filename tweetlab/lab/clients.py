"""boto3 clients: of the lab's DynamoDB, which can reach nothing else, and of AWS by name."""

from __future__ import annotations

import os
import re
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, NoCredentialsError

from tweetlab.errors import LabError, public_url
from tweetlab.tweets import ATTEMPTS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REGION = "us-east-1"
SECRET_KEY = "tweetlab"
"""Nobody checks it, unless a DynamoDB of one's own is behind the endpoint."""
_LEARNER = re.compile("[A-Za-z0-9]{1,64}")
CONNECTIONS = 64
"""Open connections of a client at most: as many readers as that need not wait for one."""
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS}, max_pool_connections=CONNECTIONS
)


def access_key_of(learner: str | None) -> str:
    """The access key that has a learner's tables: the name itself in small letters, the same on
    every machine; a random one for None. Raises ValueError for a name that DynamoDB Local takes for
    no access key.
    """
    if learner is None:
        return f"tweetlab{secrets.token_hex(8)}"
    if not isinstance(learner, str) or not _LEARNER.fullmatch(learner):
        raise ValueError(
            f"A learner's name is 1 to 64 letters (a to z, A to Z) and digits, not {learner!r}."
        )
    # DynamoDB Local's HTTP server takes headers that differ in case only for the same.
    return learner.lower()


def local_client(url: str, access_key: str, keep: object = None) -> DynamoDBClient:
    """A boto3 client of the DynamoDB at ``url`` that takes nothing from the environment or from
    AWS' configuration files, and refuses to send to any other host. It keeps ``keep`` alive.
    """
    defaults: dict[str, Any] = {
        name: (None, None, default, convert)
        for name, (_, _, default, convert) in botocore.session.Session.SESSION_VARIABLES.items()
    }
    no_file = (None, None, os.devnull, None)
    session = botocore.session.Session(
        session_vars={**defaults, "config_file": no_file, "credentials_file": no_file}
    )
    # The proxies of the environment would carry loopback traffic away.
    local = Config(connect_timeout=5, read_timeout=30, proxies={})
    client = boto3.session.Session(botocore_session=session).client(
        "dynamodb",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=access_key,
        aws_secret_access_key=SECRET_KEY,
        config=_CONFIG.merge(local),
    )
    host, shown = urlsplit(url).netloc, public_url(url)

    def stay_local(request: AWSPreparedRequest, _kept: object = keep, **_: Any) -> None:
        if urlsplit(request.url).netloc != host:
            asked = public_url(request.url)
            raise LabError(f"Refused to send a request to {asked}: the lab is at {shown}.")

    client.meta.events.register_first("before-send.dynamodb", stay_local)
    return client


def aws_client() -> DynamoDBClient:
    """A boto3 client of the real DynamoDB, with the credentials and the region that the AWS CLI
    would use. Requests cost money. Raises LabError where those are missing.
    """
    session = botocore.session.Session()
    session.set_config_variable("ignore_configured_endpoint_urls", True)
    try:
        client = boto3.session.Session(botocore_session=session).client("dynamodb", config=_CONFIG)
        if session.get_credentials() is None:
            raise NoCredentialsError
    except BotoCoreError as error:
        raise LabError(
            f"The AWS account cannot be used: {error}. `aws configure` asks for what is missing."
        ) from error
    return client
