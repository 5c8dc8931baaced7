"""The explorer without a browser: what its controls do, and what it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.explorer_fakes import FakeLab, until
from tests.support.lessons import OTHERS, kernel_for
from tests.support.processes import children, gone
from tweetlab.explore import SCENARIOS, Explorer, Scenario, ScenarioEvent, Settings, figure, words
from tweetlab.explore.controls import LABELS


@pytest.fixture
def explorer(lab: FakeLab) -> Iterator[Explorer]:
    with Explorer(lab) as made:
        yield made
        for reader in lab.readers:
            reader.may_answer.set()
    assert lab.calls[-1] == "close"


def sentence(explorer: Explorer) -> str:
    return str(explorer.words.value)


def test_idle_it_shows_what_the_settings_ask_for(explorer):
    before = explorer.chart.value, explorer.preview.value, sentence(explorer)
    explorer.controls["rate"].value = 200
    after = explorer.chart.value, explorer.preview.value, sentence(explorer)
    assert all(a != b for a, b in zip(after, before, strict=True))
    assert sentence(explorer).startswith("200 reads a second take")
    assert explorer.settings == replace(SCENARIOS[0].settings, rate=200)


@pytest.mark.parametrize("name", LABELS)
def test_each_control_changes_what_is_seen_or_run(explorer, lab, name):
    slider = explorer.controls[name]
    moved = not slider.value if isinstance(slider.value, bool) else slider.min
    explorer.run.click()
    until(lambda: lab.readers and lab.readers[-1].reads, "reading")
    slider.value = moved
    until(lambda: ("change", replace(SCENARIOS[0].settings, **{name: moved})) in lab.calls, name)


def test_run_moves_the_chart_and_stop_tells_the_result(explorer, lab):
    idle = explorer.chart.value
    seen: list[str] = []
    explorer.chart.observe(lambda change: seen.append(change["new"]), "value")
    explorer.run.click()
    until(lambda: len(seen) > 10, "frames")
    until(lambda: "of the answers come from the cache" in sentence(explorer), "words")
    assert idle not in seen[5:]
    explorer.stop.click()
    assert sentence(explorer).startswith("Stopped. Of ")
    frames = len(seen)
    until(lambda: lab.calls[-1] == "clear", "the clearing up")
    assert len(seen) <= frames + 1
    assert "Stopped. Of " in explorer.chart.value  # the chart's description


def test_compare_keeps_the_last_run(explorer):
    for _ in range(2):
        explorer.run.click()
        until(lambda: "of the answers come from the cache" in sentence(explorer), "words")
        explorer.stop.click()
    assert "last run" not in explorer.chart.value
    explorer.compare.value = True
    assert "last run" in explorer.chart.value
    explorer.reset.click()
    assert "last run" not in explorer.chart.value


def test_reset_puts_the_scenario_back(explorer):
    explorer.scenario.value = scenario = SCENARIOS[2]
    assert explorer.settings == scenario.settings
    explorer.controls["ttl"].value = 7
    explorer.run.click()
    until(lambda: "of the answers" in sentence(explorer), "words")
    explorer.reset.click()
    assert explorer.settings == scenario.settings
    assert sentence(explorer) == words.preview(scenario.settings)
    assert explorer.chart.value == figure.live(
        [], [], scenario.settings, words.preview(scenario.settings)
    )


def test_an_event_moves_the_sliders(explorer, lab):
    events = (ScenarioEvent(0.0, "All at once.", {"rate": 300, "viral": 0.5}),)
    scenario = Scenario("Sudden", "", Settings(rate=20), events=events)
    explorer.scenario.options = [("Sudden", scenario)]
    explorer.run.click()
    moved = Settings(rate=300, viral=0.5)
    preview = figure.preview(moved, words.preview(moved))
    until(lambda: explorer.preview.value == preview, "the event")  # the last thing that it moves
    explorer.controls["ttl"].value = 9  # the learner's change keeps what the event began
    expected = replace(moved, ttl=9)
    until(lambda: lab.calls[-1] == ("change", expected), "the change")
    explorer.stop.click()
    explorer.run.click()
    until(lambda: len(lab.prepared) == 2, "the next run")  # its event may be over by now
    assert lab.prepared[1] == replace(expected, viral=0)


def test_another_run_takes_the_place_of_the_first(explorer, lab):
    explorer.run.click()
    until(lambda: lab.readers and lab.readers[0].reads, "reading")
    explorer.run.click()
    until(lambda: len(lab.readers) == 2 and lab.readers[1].reads, "reading anew")
    assert lab.calls == [("prepare", True), "clear", ("prepare", True)]


def test_close_stops_all_and_says_so(lab):
    explorer = Explorer(lab)
    explorer.run.click()
    until(lambda: lab.readers and lab.readers[0].reads, "reading")
    explorer.close()
    explorer.close()
    assert lab.calls == [("prepare", True), "clear", "close", "close"]
    assert "closed" in sentence(explorer)
    assert explorer.run.disabled and explorer.controls["rate"].disabled


# --- on real servers ----------------------------------------------------------------------------


def test_a_live_run_throttles_without_the_cache_and_not_with_it():
    """Real readers on real servers; the cache is switched on while they read."""
    before = children()
    with Explorer() as explorer:
        servers = children() - before
        explorer.controls["cache"].value = False
        explorer.controls["rate"].value = 20  # which a slow machine can make, too
        explorer.controls["read_capacity"].value = 2
        explorer.run.click()
        until(lambda: "reads were throttled" in sentence(explorer), "throttling")
        explorer.controls["cache"].value = True
        explorer.controls["read_capacity"].value = 150
        calm = re.compile("of the answers come from the cache.*No read is throttled")
        until(lambda: calm.search(sentence(explorer)), "the end of it")
        explorer.stop.click()
        assert re.match(r"Stopped\. Of [\d,]+ reads", sentence(explorer))
    assert len(servers) >= 2
    assert gone(servers)


def test_the_notebook_runs_and_cleans_up():
    """As by "Run all", and then by the buttons."""
    [path] = OTHERS
    before = children()
    with kernel_for(path) as book:
        book.execute()
        started = children() - before
        book.inject("explorer.run.click()")
        book.inject(
            "import time\n"
            "while 'of the answers' not in explorer.words.value: time.sleep(0.1)\n"
            "explorer.stop.click()"
        )
        assert book.value("explorer.words.value").startswith("Stopped. Of ")
    assert len(started) >= 3  # the kernel, the endpoint, and Valkey
    assert gone(started)
