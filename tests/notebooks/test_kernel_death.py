"""A kernel that is killed leaves no server behind."""

from __future__ import annotations

import ast
from typing import Any
from urllib.parse import urlsplit

from jupyter_client.manager import KernelManager

from tests.conftest import listening
from tests.support.processes import gone

START = """
import psutil, tweetlab
lab = tweetlab.start()
servers = [child.pid for child in psutil.Process().children(recursive=True)]
"""


def evaluate(client: Any, expression: str) -> Any:
    """The value of an expression in the kernel, by its repr."""
    reply = client.execute_interactive(
        "", user_expressions={"it": expression}, timeout=300, output_hook=lambda _: None
    )
    return ast.literal_eval(reply["content"]["user_expressions"]["it"]["data"]["text/plain"])


def test_sigkill_of_a_kernel_ends_the_servers_of_its_lab():
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=300)
        client.execute_interactive(START, timeout=300, output_hook=lambda _: None)
        servers = evaluate(client, "servers")
        urls = evaluate(client, "[lab.dynamodb_url, lab.redis_url]")
        ports = [urlsplit(url).port for url in urls]
        assert len(servers) >= 2  # the supervisor with the endpoint in it, and Valkey
        assert all(map(listening, ports))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)  # SIGKILL
    assert gone(servers)
    assert not any(map(listening, ports))
