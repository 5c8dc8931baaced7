"""moto's own server of DynamoDB and its streams, as it is, in a process of its own:
``python plain_moto.py PORT``."""

from __future__ import annotations

import sys
from typing import Any

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.serving import run_simple

DYNAMODB, STREAMS = (create_backend_app(name) for name in ("dynamodb", "dynamodbstreams"))


def application(environ: dict[str, Any], start_response: Any) -> Any:
    streams = environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDBStreams_")
    return (STREAMS if streams else DYNAMODB)(environ, start_response)


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True)
