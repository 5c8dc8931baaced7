"""`make lab`, the learner's first command, for real."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tests.support.notebook_servers import made
from tests.support.processes import listening_at

LESSON = "notebooks/00_start_here.ipynb"


def test_make_lab_serves_the_lessons_to_this_machine_and_to_its_token_only(tmp_path):
    with made("lab", ".installed", "--no-browser", tmp_path) as served:
        url = urlsplit(served.url)
        assert url.path == f"/lab/tree/{LESSON}"
        [token] = parse_qs(url.query)["token"]
        assert len(token) >= 32
        server = f"http://{url.netloc}"

        assert get(f"{server}/api/status", token)["kernels"] == 0
        assert get(f"{server}/api/contents/{LESSON}?content=0", token)["type"] == "notebook"
        with pytest.raises(HTTPError, match="403"):
            get(f"{server}/api/status", token="")

        assert {address for address, _ in listening_at(served.pid)} == {"127.0.0.1"}


def get(url: str, token: str) -> Any:
    """The JSON at that URL of the server; HTTPError when it refuses. Never through a proxy."""
    request = Request(url, headers={"Authorization": f"token {token}"} if token else {})
    with build_opener(ProxyHandler({})).open(request, timeout=120) as response:
        return json.load(response)
