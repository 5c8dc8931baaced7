"""The slides: a file for each lesson, with everything in it and without the answers."""

from __future__ import annotations

import re
import runpy
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.publish.conftest import LESSONS, PUBLISH, Publish
from tweetlab.charts.drawing import READABLE, contrast


@pytest.fixture(scope="module")
def decks(publish: Publish, executed, tmp_path_factory) -> dict[str, BeautifulSoup]:
    folder = tmp_path_factory.mktemp("slides")
    (folder / "98_a_lesson_that_was.html").touch()
    made = publish("slides.py", folder, *executed)
    assert made.returncode == 0, made.stderr
    return {
        path.stem: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in folder.iterdir()
    }


@pytest.fixture(scope="module")
def lessons(decks) -> dict[str, BeautifulSoup]:
    return {name: deck for name, deck in decks.items() if name != "index"}


def slides(deck: BeautifulSoup) -> list[Tag]:
    return deck.select(".slides > section > section")


def test_every_lesson_has_slides_and_the_front_page_links_them(decks):
    assert set(decks) == {"index", *(path.stem for path in LESSONS)}
    links = [link["href"] for link in decks["index"].select("li a")]
    assert links == [f"{path.stem}.html" for path in LESSONS]


def test_a_deck_has_everything_in_its_one_file(lessons):
    for name, deck in lessons.items():
        assert not deck.find_all("script", src=True), name
        assert not deck.find_all("link", href=True), name
        styles = " ".join(style.get_text() for style in deck.find_all("style"))
        assert not re.search(r"@import|url\(\s*[\"']?https?:", styles), name
        for image in deck.select(".slides img"):
            assert image["src"].startswith("data:image/"), name
        scripts = [script.get_text() for script in deck.find_all("script")]
        assert any("reveal.js 5" in script for script in scripts), name
        assert "Reveal.initialize" in scripts[-1], name


def test_a_deck_has_one_h1_and_a_heading_on_every_slide(lessons):
    for name, deck in lessons.items():
        assert deck.html["lang"] == "en" and deck.title.string.endswith(": slides")
        assert len(deck.find_all("h1")) == 1, name
        assert len(slides(deck)) > 3, name
        for slide in slides(deck):
            headings = [h.name for h in slide.find_all(re.compile("^h[1-6]$"))]
            assert headings[0] in ("h1", "h2") and set(headings[1:]) <= {"h3"}, (name, headings)


def test_every_picture_has_words(lessons):
    images = [image for deck in lessons.values() for image in deck.select(".slides img")]
    assert len(images) >= 2  # the drawing of the lab, a chart
    for image in images:
        alt = image["alt"]
        assert len(alt.split()) > 3 and not alt.startswith("No description"), alt


def test_words_can_be_read_on_every_ground(script):
    css = (PUBLISH / "deck" / "deck.css").read_text()
    colors = set(re.findall(r"(?<!-)color: (#\w+)", css))
    grounds = {"white", script["ASKING"], *re.findall(r"background: (#\w+)", css)}
    assert len(colors) >= 4 and len(grounds) >= 4
    for color in colors:
        for ground in grounds:
            assert contrast(color, ground) >= READABLE, (color, ground)


def test_a_chart_stands_alone_and_the_speaker_is_told_what_it_says(lessons):
    charts = [s for deck in lessons.values() for s in slides(deck) if s.select(".jp-CodeCell img")]
    assert charts
    for slide in charts:
        [image] = slide.find_all("img")
        [notes] = slide.select("aside.notes")
        assert notes.get_text().strip().startswith(str(image["alt"]))
        notes.extract()
        [heading] = slide.select("h1, h2")
        assert slide.get_text().strip() == heading.get_text().strip()


def test_answers_checks_and_housekeeping_are_left_out(lessons):
    deck = lessons[LESSONS[0].stem].select_one(".slides").get_text()
    assert "# Your code here." in deck
    for left_out in ("lab.redis.set(", "check_hello", "lab.close()", "tweetlab.start()"):
        assert left_out not in deck.replace("lab.redis.set(name, value, ex=seconds)", "")


def test_a_slide_that_asks_something_looks_different(lessons):
    for deck in lessons.values():
        for slide in slides(deck):
            asks = slide.h2 and slide.h2.get_text().startswith(("Predict", "Your turn"))
            assert slide.has_attr("data-background-color") == bool(asks)


def test_links_to_other_lessons_lead_to_their_slides(lessons):
    links = {
        link["href"]
        for deck in lessons.values()
        for link in deck.select(".slides a[href]")
        if not link["href"].startswith(("#", "https://"))
    }
    assert links
    assert links <= {f"{path.stem}.html" for path in LESSONS}


# How a lesson is cut


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(PUBLISH / "slides.py"))


def cut(script: dict[str, Any], *cells) -> list[list[str]]:
    """Sources of the cells on each slide, without its heading."""
    title = new_markdown_cell("# 99 New\n\nSomething to see.")
    deck = script["deck"](new_notebook(cells=[title, *cells]))
    found: list[list[str]] = []
    for cell in deck.cells:
        if cell.metadata.get("slideshow"):
            found.append([])
        else:
            found[-1].append(cell.source.strip())
    return found[1:]


def test_no_slide_of_ours_is_overfull(script, executed):
    """By the script's own estimate, which is on the safe side."""
    for path in executed:
        lines: list[float] = []
        for cell in script["deck"](nbformat.read(path, as_version=4)).cells:
            if slideshow := cell.metadata.get("slideshow"):
                lines.append(0)
                scale = 0.75 if "tight" in slideshow.get("data", {}) else 1
            else:
                lines[-1] += scale * sum(taken for _, taken in script["blocks"](cell))
        assert max(lines) <= script["LINES"] + 1, path.name


def test_a_table_that_is_too_long_is_set_smaller(script):
    def tight(rows: int) -> list[bool]:
        table = {"text/html": "<table>" + "<tr><td>1</td></tr>" * rows + "</table>"}
        code = new_code_cell("table", outputs=[new_output("display_data", table)])
        section = new_markdown_cell("## Numbers\n\nIn short:")
        cells = script["deck"](new_notebook(cells=[section, code])).cells
        return ["tight" in c.metadata.slideshow.data for c in cells if "slideshow" in c.metadata]

    assert tight(rows=5) == [False]
    assert tight(rows=16) == [False, True]


def test_a_long_section_goes_on_below(script):
    paragraph = "word " * 60
    section = new_markdown_cell("## Long\n\n" + "\n\n".join([paragraph] * 6))
    pieces = cut(script, section)
    assert [len(slide) for slide in pieces] == [2, 2, 2]


def test_words_that_announce_something_stay_with_it(script):
    words = new_markdown_cell("## Long\n\n" + "word " * 130 + "\n\nIn numbers:")
    code = new_code_cell("\n".join(f"line = {number}" for number in range(9)))
    first, second = cut(script, words, code)
    assert "In numbers:" not in first
    assert second == ["In numbers:", code.source]


def test_what_is_announced_by_a_lone_line_may_be_a_little_too_long(script):
    words = new_markdown_cell("## Long\n\nIn numbers:")
    code = new_code_cell("\n".join(f"line = {number}" for number in range(18)))
    assert len(cut(script, words, code)) == 1


def test_a_title_leaves_less_room_and_is_not_repeated_as_one(script):
    title = new_markdown_cell("# 99 New\n\n" + "word " * 60)
    code = new_code_cell("\n".join(f"line = {number}" for number in range(9)))
    headings = [
        cell.source.strip()
        for cell in script["deck"](new_notebook(cells=[title, code])).cells
        if cell.metadata.get("slideshow")
    ]
    assert headings == ["# 99 New", "## 99 New"]


def test_a_comment_in_code_is_no_heading(script):
    words = new_markdown_cell("## Your turn\n\nWrite it.")
    assert cut(script, words, new_code_cell("# Your code here.")) == [
        ["Write it.", "# Your code here."]
    ]


def test_the_section_that_tidies_up_keeps_its_words_only(script):
    words = new_markdown_cell("## Clean up\n\nNext: lesson 100.")
    delete = new_code_cell("tweets.delete_table()")
    close = new_code_cell("lab.close()", metadata={"tags": ["close"]})
    assert cut(script, words, delete, close) == [["Next: lesson 100."]]


def test_code_in_text_is_not_cut(script):
    fenced = "```sh\nfirst\n\nsecond\n```"
    [[piece]] = cut(script, new_markdown_cell(f"## Terminal\n\n{fenced}"))
    assert piece == fenced


def test_slides_of_a_lesson_that_is_gone_are_gone_too(decks):
    assert "98_a_lesson_that_was" not in decks
