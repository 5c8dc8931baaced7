"""The explorer's face: ipywidgets over a live run."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from html import escape

import ipywidgets as ipw
from IPython.display import Javascript, display

from tweetlab.explore import figure, words
from tweetlab.explore.controls import LABELS, LOOK, NAMES, control
from tweetlab.explore.explorer_lab import ExplorerLab
from tweetlab.explore.run import LiveRun
from tweetlab.explore.series import STEP, Point
from tweetlab.explore.settings import SCENARIOS, Scenario, Settings
from tweetlab.lab.closing import Closing

SPEAK = 1.5
"""Seconds at least from one sentence to the next, so that it can be read, or read out."""
CLOSE_SECONDS = 10


class Explorer(Closing):
    """Controls, a live chart, and a line of words. A notebook shows it where it is a cell's last
    line.

    It starts servers of its own, which end with ``close()`` or with the kernel. Raises LabError
    where they cannot be started. Everything in it can be pressed by a program, too:
    ``explorer.run.click()``, ``explorer.controls["rate"].value = 200``.
    """

    def __init__(self, lab: ExplorerLab | None = None) -> None:
        self._lab = lab or ExplorerLab()
        self._lock = threading.RLock()
        self._muted = False
        self._live: LiveRun | None = None
        self._last: Sequence[Point] = ()
        self._spoken = 0.0

        self.scenario = ipw.Dropdown(
            options=[
                (scenario.name, scenario)
                for scenario in SCENARIOS
                if self._lab.owns_redis or not any(event.outage for event in scenario.events)
            ],
            description="Scenario",
            style={"description_width": "initial"},
            layout={"width": "auto"},
        )
        self.about = ipw.HTML()
        self.controls = {name: control(name) for name in LABELS}
        self.compare = ipw.Checkbox(description="Compare", indent=False)
        self.run = ipw.Button(description="Run", button_style="primary")
        self.stop = ipw.Button(description="Stop")
        self.reset = ipw.Button(description="Reset")
        self.words = ipw.HTML()
        self.chart = ipw.HTML()
        self.preview = ipw.HTML()
        self.box = self._lay_out()

        self.scenario.observe(lambda _: self._take_scenario(), "value")
        for each in self.controls.values():
            each.observe(lambda _: self._change(), "value")
        self.compare.observe(lambda _: self._draw(), "value")
        self.run.on_click(lambda _: self._begin())
        self.stop.on_click(lambda _: self._halt())
        self.reset.on_click(lambda _: self._start_over())
        self._take_scenario()

    @property
    def settings(self) -> Settings:
        """What the controls are set to."""
        return Settings(**{name: control.value for name, control in self.controls.items()})

    def close(self) -> None:
        """Stop the run and the servers; twice is fine."""
        self._halt()
        if self._live:
            self._live.join(CLOSE_SECONDS)
        self._lab.close()
        for widget in (*self.controls.values(), self.scenario, self.run, self.stop, self.reset):
            widget.disabled = True
        self._say("The explorer was closed, and its servers stopped.")

    def _ipython_display_(self) -> None:
        display(self.box, Javascript(NAMES))  # type: ignore[no-untyped-call]

    # What the controls do. They may be used from several threads: JupyterLab lets them work while
    # a cell runs, in a thread of its own, and a scenario's events move the sliders.

    def _take_scenario(self) -> None:
        """A scenario was picked: set the controls to it."""
        scenario: Scenario = self.scenario.value
        self.about.value = escape(scenario.about, quote=False)
        self._halt()
        self._show(scenario.settings)
        self._change()

    def _change(self) -> None:
        """A control was moved."""
        with self._lock:
            if self._muted:
                return
            settings = self.settings
            self.preview.value = figure.preview(settings, words.preview(settings))
            if self._live and self._live.going:
                self._live.change(replace(settings, viral=self._live.settings.viral))
            else:
                self._draw()
                self._say(words.preview(settings))

    def _begin(self) -> None:
        with self._lock:
            self._halt()
            if self._live and self._live.series.points:
                self._last = self._live.series.points
            live = self._live = LiveRun(self._lab, self.scenario.value, self.settings, self._show)
            live.start()
            self.stop.button_style = "danger"
            threading.Thread(target=self._draw_frames, args=[live], daemon=True).start()

    def _halt(self) -> None:
        with self._lock:
            if self._live and self._live.going:
                self._live.stop()
                self._end(self._live)

    def _start_over(self) -> None:
        with self._lock:
            self._halt()
            self._live, self._last = None, ()
            self._take_scenario()

    def _show(self, settings: Settings) -> None:
        """Set the controls, as if nobody had moved them."""
        with self._lock:
            self._muted = True
            try:
                for name, control in self.controls.items():
                    control.value = getattr(settings, name)
            finally:
                self._muted = False
            self.preview.value = figure.preview(settings, words.preview(settings))

    # What is seen of a run.

    def _draw_frames(self, live: LiveRun) -> None:
        """Draw frame after frame; where drawing is slow, no more than half of the time."""
        while live.going:
            started = time.monotonic()
            with self._lock:
                if live is not self._live:
                    return
                if live.going:
                    live.advance()
                    self._draw()
                    if started - self._spoken > SPEAK:
                        self._say(words.now(live))
            took = time.monotonic() - started
            live.wait(max(STEP - took, took))
        with self._lock:
            if live is self._live:
                self._end(live)

    def _end(self, live: LiveRun) -> None:
        self.stop.button_style = ""
        self._draw()
        self._say(words.now(live))

    def _draw(self) -> None:
        with self._lock:
            points = self._live.series.points if self._live else ()
            last = self._last if self.compare.value else ()
            settings = self._live.settings if self._live else self.settings
            description = words.now(self._live) if self._live else words.preview(settings)
            self.chart.value = figure.live(points, last, settings, description)

    def _say(self, sentence: str) -> None:
        self._spoken = time.monotonic()
        self.words.value = escape(sentence, quote=False)

    def _lay_out(self) -> ipw.Box:
        switches = [self.controls[name] for name in ("cache", "single_flight", "adaptive")]
        sliders = [control for control in self.controls.values() if control not in switches]
        left = ipw.VBox(
            [
                self.scenario,
                self.about,
                ipw.HBox([self.run, self.stop, self.reset]),
                *sliders,
                ipw.GridBox(
                    [*switches, self.compare], layout={"grid_template_columns": "auto auto"}
                ),
                self.preview,
            ],
            layout={"width": "290px"},
        )
        right = ipw.VBox(
            [self.words, self.chart], layout={"flex": "1 1 480px", "max_width": "720px"}
        )
        self.about.add_class("tweetlab-about")
        self.words.add_class("tweetlab-words")
        self.chart.add_class("tweetlab-chart")
        box = ipw.Box(
            [ipw.HTML(LOOK), left, right],
            layout={"display": "flex", "flex_flow": "row wrap", "grid_gap": "20px"},
        )
        box.add_class("tweetlab-explorer")
        return box
