"""What is right upstream does not become wrong through the endpoint: the same calls, sent to an
upstream plainly and through the endpoint, get the same answers, but for what a call consumed. (They
are few enough for the tables' throughput.)

Where they do not, ``known_differences`` says why.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import ROOT, free_port, running
from tests.support.calls import Call, Outcome, play
from tests.support.calls_of_items import by_arn, conditions, gets, keys, puts, updates
from tests.support.calls_of_searches import searches
from tests.support.calls_of_several import batches, partiql, transactions
from tests.support.calls_of_tables import control, streams
from tests.support.calls_over_http import http
from tests.support.known_differences import KNOWN, Known
from tests.support.model_calls import MODEL, model_calls
from tests.support.serving import serving
from tests.support.tables_of_calls import tables
from tweetlab.endpoint import Moto, Proxy

UPSTREAMS = ("moto", "DynamoDB Local")
ONE_ITEM = (gets, keys, by_arn, puts, conditions, updates)
SEVERAL = (searches, batches, transactions, partiql)
OTHERS = (control, streams, http)


@dataclass
class Difference:
    """Two answers to a call, and the entry of the list that says why; None for none."""

    call: str
    plain: Outcome
    ours: Outcome
    known: Known | None

    def __str__(self) -> str:
        return f"{self.call}\n    plain: {self.plain}\n    ours:  {self.ours}"


def scenes() -> Iterator[tuple[str, list[Call]]]:
    """Calls that belong together, by a name; each scene begins without tables."""
    for calls in (*ONE_ITEM, *SEVERAL, *OTHERS):
        yield calls.__name__.replace("_", " "), [*tables(), *calls()]
    for operation in MODEL.operation_names:
        yield operation, list(model_calls(operation))


SCENE_NAMES = [name for name, _ in scenes()]


@pytest.fixture(scope="module")
def plain_moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of moto's own server."""
    port = free_port()
    command = [sys.executable, str(ROOT / "tests" / "support" / "plain_moto.py"), str(port)]
    with running(command, port, tmp_path_factory.mktemp("moto")):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module", params=UPSTREAMS)
def differences(request: pytest.FixtureRequest) -> tuple[str, dict[str, list[Difference]]]:
    """The upstream's name, and the differences of each scene."""
    upstream = request.param
    if upstream == "moto":
        url: str = request.getfixturevalue("plain_moto")
    else:
        url = request.getfixturevalue("separate_dynamodb_local")
    plain = {name: play(url, calls) for name, calls in scenes()}
    with serving(Moto if upstream == "moto" else lambda: Proxy(url)) as server:
        ours = {
            name: play(server.url, calls, before_each=lambda: server.clock.advance(1))
            for name, calls in scenes()
        }
    return upstream, {
        scene: [
            Difference(call, one, other, known_as(upstream, f"{scene} / {call}", one, other))
            for call, one in plain[scene].items()
            if one != (other := ours[scene][call])
        ]
        for scene in plain
    }


def known_as(upstream: str, call: str, plain: Outcome, ours: Outcome) -> Known | None:
    return next((known for known in KNOWN if known.covers(upstream, call, plain, ours)), None)


@pytest.mark.parametrize("scene", SCENE_NAMES)
def test_answers_are_the_upstreams(differences, scene):
    _, found = differences
    unknown = [str(each) for each in found[scene] if not each.known]
    assert not unknown, "\n".join([f"{len(unknown)} answers differ:", *unknown])


def test_what_is_listed_does_differ(differences):
    upstream, found = differences
    met = [each.known for of_scene in found.values() for each in of_scene]
    assert [known for known in KNOWN if upstream in known.upstreams and known not in met] == []
