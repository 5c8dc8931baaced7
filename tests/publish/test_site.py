"""The site: every lesson can be read there without a network, and without seeing the pictures."""

from __future__ import annotations

import base64
import re
import runpy
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.publish.conftest import LESSONS, PUBLISH, Publish
from tweetlab.charts.drawing import READABLE, contrast


@pytest.fixture(scope="module")
def site(publish: Publish, executed, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = publish("pages.py", folder, *executed)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site) -> dict[str, BeautifulSoup]:
    return {path.name: parsed(path) for path in sorted(site.glob("*.html"))}


@pytest.fixture(scope="module")
def written(pages) -> dict[str, BeautifulSoup]:
    """The pages with something of ours on them."""
    return {name: page for name, page in pages.items() if name != "search.html"}


def parsed(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_every_lesson_is_a_page_that_the_front_page_links_with_its_minutes(pages):
    front = pages["index.html"].find("article")
    for path in [*LESSONS, Path("instructors_guide.md")]:
        assert front.find("a", href=f"{path.stem}.html"), path.name
    assert "(25 minutes): the same reads" in front.get_text()


def test_the_front_page_shows_a_lesson_s_main_chart_under_its_name(pages, site):
    [chart] = pages["index.html"].find_all("img", src=re.compile("01_create_the_table"))
    assert "two a second" in chart["alt"]
    assert (site / chart["src"]).read_bytes().startswith(b"\x89PNG")
    assert chart.find_previous("a")["href"] == "01_create_the_table.html"


def test_the_front_page_opens_with_the_words_of_the_readme(pages):
    assert "no AWS account, no Docker, no Java" in " ".join(pages["index.html"].get_text().split())


def test_a_page_has_one_h1_and_no_gap_in_its_headings(written):
    for name, page in written.items():
        levels = [int(heading.name[1]) for heading in page.find_all(re.compile(r"^h[1-6]$"))]
        assert levels[0] == 1 and levels.count(1) == 1, name
        assert all(below - above <= 1 for above, below in pairwise(levels)), name


def test_every_page_says_its_language_and_title(pages):
    for name, page in pages.items():
        assert page.html["lang"] == "en", name
        assert page.title.string.strip(), name


def test_every_picture_has_words_and_is_there(written, site):
    pictures = [(name, image) for name, page in written.items() for image in page.find_all("img")]
    assert len(pictures) >= 3  # the headline, the drawing of the lab, a chart
    for name, image in pictures:
        assert image["src"].startswith("data:image/") or (site / image["src"]).is_file(), name
        alt = image.get("alt", "")
        assert len(alt.split()) > 3 and Path(image["src"]).name not in alt, (name, alt)


def test_links_can_be_read_in_both_themes(site):
    options = runpy.run_path(str(PUBLISH / "conf.py"))["html_theme_options"]
    [furo] = (site / "_static" / "styles").glob("furo.css")
    dark = re.search(r"--color-background-primary: ?(#1\w+)", furo.read_text())
    assert dark
    for theme, ground in (("light", "#fff"), ("dark", dark[1])):
        for name, color in options[f"{theme}_css_variables"].items():
            assert contrast(color, ground) >= READABLE, (theme, name)


def test_a_chart_has_its_caption_in_text(written):
    charts = [
        (page, image)
        for page in written.values()
        for image in page.select(".cell_output img")
        if "two a second" in image["alt"]
    ]
    assert charts
    for page, image in charts:
        captions = [p.get_text() for p in page.find_all("p")]
        assert any(text.startswith(image["alt"]) and len(text) > 100 for text in captions)


def test_every_link_within_the_site_leads_somewhere(pages, site):
    checked = 0
    for name, page in pages.items():
        for link in page.find_all("a", href=True):
            url = urlsplit(link["href"])
            if url.scheme:
                continue
            target = unquote(url.path) or name
            assert (site / target).is_file(), (name, link["href"])
            if url.fragment and target.endswith(".html"):
                assert pages[target].find(id=unquote(url.fragment)), (name, link["href"])
            checked += 1
    assert checked > 50


def test_nothing_is_fetched_from_elsewhere(pages, site):
    for name, page in pages.items():
        for tag, attribute in (("script", "src"), ("img", "src"), ("link", "href")):
            for element in page.find_all(tag, **{attribute: True}):
                url = urlsplit(element[attribute])
                assert not url.netloc and url.scheme in ("", "data"), (name, element)
                if url.path and not url.scheme and element.get("rel") != ["search"]:
                    assert (site / url.path).is_file(), (name, element)
        for script in page.find_all("script", src=False):
            assert not re.search(r"import .*https?:|\.src *=", script.get_text()), name
    for path in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()[\s\"']*(https?:)?//", path.read_text()), path


def test_a_solution_is_folded_and_what_the_learner_starts_from_is_not(pages):
    page = pages[f"{LESSONS[0].stem}.html"]
    [folded] = [d for d in page.find_all("details") if "lab.redis.set" in d.get_text()]
    assert "Show the solution" in folded.summary.get_text()
    assert not folded.has_attr("open")
    assert "# Your code here." in page.get_text()
    assert not any("# Your code here." in d.get_text() for d in page.find_all("details"))
    assert "Right!" in page.get_text()


def test_a_page_of_a_run_says_so(pages):
    assert "You are reading a run of this lesson" in pages[f"{LESSONS[0].stem}.html"].get_text()
    assert "You are reading a run" not in pages["instructors_guide.html"].get_text()


def test_progress_bars_and_controls_leave_no_script_behind(pages):
    for page in pages.values():
        assert "%|" not in page.get_text()
        assert not page.find("script", type=re.compile("jupyter.widget"))


def test_in_place_of_the_explorer_there_is_a_picture_with_words():
    execute = runpy.run_path(str(PUBLISH / "execute.py"))
    widget = new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}})
    cell = new_code_cell("explorer", outputs=[widget])
    picture, words = (
        execute["readable"](new_notebook(cells=[new_markdown_cell(), cell])).cells[1].outputs
    )
    [image] = BeautifulSoup(picture.data["text/html"], "html.parser").find_all("img")
    assert base64.b64decode(picture.data["image/png"]).startswith(b"\x89PNG")
    assert image["alt"] == picture.metadata["image/png"]["alt"]
    assert words.data["text/markdown"].startswith(image["alt"])


# Lessons that are not there yet


def test_a_new_lesson_needs_no_entry(publish, executed, tmp_path):
    lesson = new_notebook(
        cells=[
            new_markdown_cell("# 99 A new lesson\n\n**What you will see** (7 minutes): a dot."),
            new_markdown_cell("It was the *butler*.", metadata={"tags": ["solution"]}),
        ]
    )
    nbformat.write(lesson, tmp_path / "99_new.ipynb")
    built = publish("pages.py", tmp_path / "site", *executed, tmp_path / "99_new.ipynb")
    assert built.returncode == 0, built.stderr
    page = parsed(tmp_path / "site" / "99_new.html")
    assert [hidden.get_text() for hidden in page.select("details em")] == ["butler"]
    [front] = parsed(tmp_path / "site" / "index.html").select("article")
    assert "99 A new lesson (7 minutes): a dot." in front.get_text()


def test_a_broken_link_fails_the_build(publish, executed, tmp_path):
    lesson = new_notebook(cells=[new_markdown_cell("# Lost\n\n[Next](98_nowhere.ipynb)")])
    nbformat.write(lesson, tmp_path / "97_lost.ipynb")
    built = publish("pages.py", tmp_path / "site", *executed, tmp_path / "97_lost.ipynb")
    assert built.returncode != 0
    assert "98_nowhere.ipynb" in built.stderr


def test_the_instructors_guide_has_answers_for_every_lesson():
    guide = (PUBLISH.parent / "notebooks" / "instructors_guide.md").read_text()
    for path in LESSONS:
        assert f"]({path.name})" in guide.partition("\n## Discussion")[2], path.name
