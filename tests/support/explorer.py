"""The explorer as its user sees it, in whatever page it is."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

CHART = ".tweetlab-chart svg"
FRAMES = """
window.frames_seen = 0;
new MutationObserver(() => { window.frames_seen += 1; }).observe(
  document.querySelector(".tweetlab-chart"), {childList: true, subtree: true});
"""
# What WCAG 2 asks of text: a contrast of 4.5 to what is behind it. What a reader asks besides: that
# it is large enough, whole, and under no other text.
ILLEGIBLE = """box => {
  const complaints = [];
  const rgb = color => color.match(/[\\d.]+/g).map(Number);
  const luminance = color => {
    const [r, g, b] = rgb(color).map(
      c => c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = element => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if (!/rgba\\(.*, 0\\)/.test(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const drawn = [];
  for (const element of box.querySelectorAll("*")) {
    const own = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join("");
    const place = element.getBoundingClientRect();
    if (!own.trim() || !place.width || element.tagName === "STYLE") continue;
    const look = getComputedStyle(element);
    const svg = element.closest("svg");
    const [a, b] = [luminance(svg ? look.fill : look.color), luminance(background(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) complaints.push(`${own}: contrast ${contrast.toFixed(1)}`);
    const size = parseFloat(look.fontSize)
      * (svg ? svg.clientWidth / svg.viewBox.baseVal.width : 1);
    if (size < 13) complaints.push(`${own}: ${size.toFixed(1)} pixels`);
    if (element.clientWidth && element.scrollWidth > element.clientWidth + 1)
      complaints.push(`${own}: cut off`);
    if (!svg) continue;
    const all = svg.getBoundingClientRect();
    if (place.left < all.left - 1 || place.right > all.right + 1)
      complaints.push(`${own}: leaves the picture`);
    const letters = place.height / 4;  // a line's box is higher than its letters
    for (const [other, words] of drawn)
      if (place.left < other.right && other.left < place.right
          && place.top + letters < other.bottom - letters
          && other.top + letters < place.bottom - letters)
        complaints.push(`${own}: over ${words}`);
    drawn.push([place, own]);
  }
  return complaints;
}"""


class Face:
    """What can be done with it, and what it shows."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.box = page.locator(".tweetlab-explorer")
        self.words = self.box.get_by_role("status")
        self.box.locator(CHART).wait_for()
        expect(self.box.get_by_role("slider", name=re.compile("."))).to_have_count(5)
        page.evaluate(FRAMES)

    def button(self, name: str) -> Locator:
        return self.box.get_by_role("button", name=name, exact=True)

    def slider(self, name: str) -> Locator:
        return self.box.get_by_role("slider", name=name, exact=True)

    def number(self, name: str) -> Locator:
        """The number beside a slider."""
        return self.box.get_by_role("textbox", name=f"{name}, as a number")

    def switch(self, name: str) -> Locator:
        return self.box.get_by_role("checkbox", name=name, exact=True)

    def says(self, words: str) -> None:
        """Wait until its words match."""
        expect(self.words).to_have_text(re.compile(words))

    def shows(self, name: str, number: str) -> None:
        """Wait until the chart gives that number, by a pattern, for what has that name in it."""
        texts = self.box.locator(f"{CHART} text")
        name_of_it = texts.filter(has_text=re.compile(rf"^{re.escape(name)}$"))
        before = name_of_it.locator("xpath=preceding-sibling::*[local-name()='text'][1]")
        expect(before).to_have_text(re.compile(rf"^({number})$"))

    def moves_on(self, frames: int = 5) -> None:
        """Wait until the chart was drawn so many more times."""
        self.page.wait_for_function(
            "before => window.frames_seen >= before", arg=self.frames + frames
        )

    @property
    def frames(self) -> int:
        """How often the chart was drawn so far."""
        return int(self.page.evaluate("window.frames_seen"))

    @property
    def picture(self) -> str:
        return self.box.locator(CHART).inner_html()

    def illegible(self) -> Any:
        """What is wrong with the texts in it."""
        return self.box.evaluate(ILLEGIBLE)
