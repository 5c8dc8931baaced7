"""What the explorer draws: SVG, with its numbers as texts."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from tests.support.explorer_fakes import QUIET, point
from tweetlab.explore import Settings, figure
from tweetlab.explore.series import STEP, Point

SVG = "{http://www.w3.org/2000/svg}"


def parse(picture: str) -> tuple[ElementTree.Element, list[str]]:
    """The picture, and the texts in it."""
    root = ElementTree.fromstring(picture)
    return root, [element.text or "" for element in root.iter(f"{SVG}text")]


def some_points(seconds: int, settings: Settings = QUIET.settings) -> list[Point]:
    return [
        point(settings, cache=90.0, table=6.0, late=3.0, failed=1.0, consumed=4.5, hit_ratio=0.9,
              p50=0.8, p99=250.0)._replace(at=STEP * n)
        for n in range(1, int(seconds / STEP) + 1)
    ]  # fmt: skip


def test_the_picture_has_the_numbers_and_a_description():
    root, texts = parse(figure.live(some_points(5), [], QUIET.settings, "All <is> “well” & good."))
    assert root.get("role") == "img"
    assert root.get("aria-label") == "All <is> “well” & good."
    for number, name in pairwise(texts):
        expected = {
            "offered": "100", "cache, or shared": "90", "table": "6", "after throttle": "3",
            "failed": "1", "provisioned": "10", "needed": "1.5", "consumed": "4.5",
            "when warm": "97", "now": "90", "99th percentile": "250", "median": "0.8",
        }  # fmt: skip
        assert number == expected.get(name, number), name
        expected.pop(name, None)
    assert "seconds since the start" in texts


def test_without_a_run_the_picture_shows_what_to_expect():
    _, texts = parse(figure.live([], [], Settings(rate=200, cache=False), ""))
    numbers = dict(zip(texts[1:], texts, strict=False))
    assert numbers["offered"] == "200" and numbers["needed"] == "100"
    assert numbers["consumed"] == numbers["median"] == numbers["when warm"] == "-"


def test_the_last_run_is_grey_and_behind():
    alone = figure.live(some_points(5), [], QUIET.settings, "")
    compared = figure.live(some_points(5), some_points(9), QUIET.settings, "")
    assert "last run" not in alone and figure.LAST.color not in alone
    _, texts = parse(compared)
    assert [text for text in texts if "last run" in text] == [
        "throttled, last run", "consumed, last run", "last run", "last run"
    ]  # fmt: skip
    consumed = compared[compared.index("Read capacity units") :]
    assert consumed.index(figure.LAST.color) < consumed.index(figure.CONSUMED.color)


@pytest.mark.parametrize(
    ("seconds", "first"), [(0, "0"), (30, "0"), (31, "10"), (40, "10"), (41, "20"), (200, "170")]
)
def test_the_time_axis_turns_pages(seconds, first):
    """It stands still for ten seconds, so that the eye can follow."""
    _, texts = parse(figure.live(some_points(seconds), [], QUIET.settings, ""))
    ticks = texts[texts.index("seconds since the start") - 7 : -1]
    assert ticks[0] == first
    assert [int(b) - int(a) for a, b in pairwise(ticks)] == [5] * 6


def test_no_line_leaves_its_panel():
    """Not even when a value has no place on the axis, as a latency of 0 on a logarithmic one."""
    made = [each._replace(p50=0.0, p99=1e7, cache=1e6) for each in some_points(5)]
    root, _ = parse(figure.live(made, [], QUIET.settings, ""))
    _, _, width, height = map(float, root.get("viewBox", "").split())
    for path in root.iter(f"{SVG}path"):
        numbers = [float(n) for n in re.findall(r"[-\d.]+", path.get("d", ""))]
        assert all(0 <= n <= max(width, height) for n in numbers)


def test_nothing_differs_by_its_colour_alone():
    for panel in (
        [style for _, style in figure.AREAS.values()],
        [figure.LIMIT, figure.EXPECTED, figure.CONSUMED, figure.LAST],
        [figure.EXPECTED, figure.HITS, figure.LAST],
        [figure.TAIL, figure.MEDIAN, figure.LAST, figure.LAST_TAIL],
        [figure.WITHOUT, figure.WITH],
        [figure.MOST, figure.REST],
    ):
        looks = [(style.dash, style.width, style.hatch) for style in panel]
        assert len(set(looks)) == len(looks)


def test_the_preview_says_what_is_needed_and_who_is_read():
    settings = Settings(rate=200, skew=0.0, tweets=50, read_capacity=30)
    root, texts = parse(figure.preview(settings, "In words."))
    assert root.get("aria-label") == "In words."
    assert "100 without a cache" in texts and "30 provisioned" in texts
    assert "10% for the tenth of the" in texts
