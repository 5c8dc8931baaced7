"""The explorer: live runs on the real servers, with sliders. Nothing in them is simulated.

settings       what can be set, the scenarios, and what a warm cache is expected to do
explorer_lab   the servers, with a new table for each run
run            readers at work until they are stopped
series         what they met, eight times a second
words, figure, svg   that in words, and as a picture
controls, widgets    the sliders and buttons, and what they do
look.css, names.js   how they look, and what they are called
"""

from tweetlab.explore.settings import SCENARIOS, Scenario, ScenarioEvent, Settings
from tweetlab.explore.widgets import Explorer

__all__ = ["SCENARIOS", "Explorer", "Scenario", "ScenarioEvent", "Settings"]
