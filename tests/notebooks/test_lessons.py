"""Every lesson runs clean, what it claims is so, and its checks tell an answer from none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.lessons import (
    BOTH,
    LESSONS,
    NOTEBOOKS,
    SOLUTIONS,
    holds,
    index,
    kernel_for,
    name,
    run_until,
    tags,
)


class Claim(NamedTuple):
    """What is true once the cell with that tag was run: an expression for the kernel."""

    tag: str
    expression: str


class Mutation(NamedTuple):
    """What to run after the cell with that tag, so that a claim is no longer true."""

    after: str
    code: str
    claim: Claim


FIRST_REFUSAL = Claim(
    "first-refusal",
    "error.response['Error']['Code'] == 'ProvisionedThroughputExceededException' if error else 0",
)
SLOW = Claim("slow", "posted <= elapsed + 2")
POPULAR = Claim("ratios", "ratio_skewed > ratio_alike + 0.05")
MOSTLY_THROTTLED = Claim("without", "without_cache['throttled'].mean() > 0.5")
HOT = Claim(
    "run-2015",
    "in_2015['throttled'].sum() > 10"
    " and set(in_2015.loc[in_2015['throttled'], 'partition']) == {where[viral]}"
    " and set(reasons) == {'TableReadKeyRangeThroughputExceeded'}",
)
TRAMPLED = Claim(
    "stampede", "(stampede['source'] != 'cache').sum() >= 8 and stampede['throttled'].sum() >= 4"
)
DEFENCELESS = Claim("board", "board.loc['no cache', 'throttled'] > 0.4")
BREAKER = Claim("with", "asked_in_vain < with_breaker['down'].sum() / 2")

CLAIMS = {
    "00_start_here": [
        Claim("check-up", "report.ready"),
        Claim("ping", "pong is True"),
        Claim("tables", "tables == []"),
        Claim("start", "'//127.0.0.1:' in lab.dynamodb_url and '@127.0.0.1:' in lab.redis_url"),
    ],
    "01_create_the_table": [
        FIRST_REFUSAL,
        Claim(
            "refusal",
            "[reason['reason'] for reason in error.response['ThrottlingReasons']]"
            " == ['TableReadProvisionedThroughputExceeded']",
        ),
        # 2 s of rest and 2.5 s of reading at 2 reads a second, and more on a slow machine.
        Claim("rest", "6 <= came <= 15 and came < len(reads) / 2"),
        Claim("patient-reads", "patient['retries'].sum() > 0"),
    ],
    "02_post_tweets": [
        Claim("charges", "(charges['charged'] == charges['by the rules']).all()"),
        Claim("charges", "charges.charged['300 owls'] > charges.charged['300 letters']"),
        SLOW,
        Claim("read-back", "len(found) == len(posts) == 200"),
    ],
    "03_cache_hits_and_misses": [
        Claim("three-reads", "sources == ['table', 'cache', 'cache']"),
        Claim("expire", "after_expiry == 'table'"),
        Claim("fresh", "'share' in seen and 'sorry' in seen_after"),
        POPULAR,
    ],
    "04_throttled_reads": [
        MOSTLY_THROTTLED,
        Claim("with", "with_cache['throttled'].mean() < 0.25"),
        Claim("with", "not with_cache.loc[with_cache['at'] > 3, 'throttled'].any()"),
        Claim(
            "provisioned",
            "trials[trials.cache & (trials.read_capacity == 1)].throttled.sum() == 0"
            " < trials[~trials.cache & (trials.read_capacity == 10)].throttled.sum()",
        ),
    ],
    "05_hot_tweets": [
        HOT,
        Claim("run-today", "today['throttled'].sum() < in_2015['throttled'].sum() / 10"),
        Claim(
            "compare",
            "abs(first - 10) < 0.01 and abs(late - 100) < 0.5"
            " and with_adaptive['throttled'].sum() == 0",
        ),
        Claim("remedies", "trials['answered'].tolist() == [3000, 3000, 6000, 8000, 8000]"),
    ],
    "06_stampede": [
        TRAMPLED,
        Claim(
            "flight",
            "flight['source'].value_counts().to_dict() == {'cache': readers - 1, 'table': 1}",
        ),
        Claim(
            "ahead-refreshed",
            "(ahead['source'] == 'cache').all() and cached.stats.refreshes == 1"
            " and cached.stats.misses == 0 and seconds_to_live > 3500",
        ),
        Claim("jitter", "max(plain) - min(plain) < 60 < max(jittered) - min(jittered) <= 420"),
    ],
    "07_when_the_cache_dies": [
        Claim("hung", "still_waiting"),
        BREAKER,
        Claim("corrupted", "sources == ['table', 'cache'] * 3"),
        Claim("bounded", "bounded['throttled'].sum() < unbounded['throttled'].sum()"),
    ],
    "11_defend_the_timeline": [
        DEFENCELESS,
        Claim("numbers", "met.loc[list(timeline.REFERENCES)].between(1, 3).all()"),
        Claim(  # of 126 reads, about 20 are throttled in both, and half are hits
            "both",
            "live['throttled'].sum() >= 6"
            " and abs(live['throttled'].mean() - virtual['throttled'].mean()) < 0.15"
            " and abs((live.source == 'cache').mean() - (virtual.source == 'cache').mean()) < 0.15",
        ),
    ],
}
MUTATIONS = {
    "00_start_here": Mutation(
        "start", "tweetlab.TweetTable(lab.dynamodb).create_table()", Claim("tables", "tables == []")
    ),
    "01_create_the_table": Mutation(
        "one-unit",
        "lab.dynamodb.update_table(TableName='tweet', ProvisionedThroughput="
        "{'ReadCapacityUnits': 1000, 'WriteCapacityUnits': 1})",
        FIRST_REFUSAL,
    ),
    "02_post_tweets": Mutation("guess", "write_capacity = 1000", SLOW),
    "03_cache_hits_and_misses": Mutation("skew", "skew = 0", POPULAR),
    "04_throttled_reads": Mutation("settings", "read_capacity = 1000", MOSTLY_THROTTLED),
    "05_hot_tweets": Mutation("settings", "read_capacity = 400", HOT),
    "06_stampede": Mutation("settings", "readers, read_capacity = 32, 1000", TRAMPLED),
    "07_when_the_cache_dies": Mutation("settings", "breaker_failures = None", BREAKER),
    "11_defend_the_timeline": Mutation("load", "timeline.READ_CAPACITY = 100", DEFENCELESS),
}


@pytest.fixture(scope="module", params=BOTH, ids=name)
def run(request: pytest.FixtureRequest) -> Iterator[tuple[Path, Any]]:
    """A notebook that was run from top to bottom, once for all the tests that look at it."""
    path = request.param
    with kernel_for(path) as book:
        book.execute()
        yield path, book


def test_every_lesson_has_claims_and_a_mutation():
    lessons = {path.stem for path in LESSONS}
    assert lessons == set(CLAIMS) == set(MUTATIONS)
    assert all(2 <= len(claims) <= 4 for claims in CLAIMS.values())


def test_claims_hold(run):
    path, book = run
    for claim in CLAIMS[path.stem]:
        assert index(book, claim.tag)
        assert holds(book, claim.expression), claim


def test_checks_say_no_to_the_empty_answer_and_yes_to_the_solution(run):
    path, book = run
    checks = [cell for cell in book.cells if "check" in tags(cell)]
    assert checks
    for cell in checks:
        [output] = cell.outputs
        said = output["data"]["text/plain"]
        if path in SOLUTIONS:
            assert said.startswith("Right!"), said
        else:
            assert said.startswith("Not yet: "), said
            assert "\nHint: " in said


def test_no_cell_complains(run):
    _, book = run
    for cell in book.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text


def test_every_chart_tells_what_it_shows(run):
    _, book = run
    main: list[bool] = []
    for cell in book.cells:
        outputs = cell.get("outputs", [])
        pictures = [output for output in outputs if "image/png" in output.get("data", {})]
        assert len(pictures) <= 1
        main += ["main-chart" in tags(cell)] * len(pictures)
        for picture in pictures:
            assert ' alt="' in picture["data"]["text/html"]
            assert any("text/markdown" in output.get("data", {}) for output in outputs)
    assert main.count(True) == bool(main)  # the one for the site's front page


def test_the_last_cell_may_be_run_again(run):
    _, book = run
    book.execute_cell("close")


@pytest.mark.parametrize("lesson", MUTATIONS)
def test_a_mutation_makes_the_claim_fail(lesson):
    mutation = MUTATIONS[lesson]
    with kernel_for(NOTEBOOKS / f"{lesson}.ipynb") as book:
        run_until(book, mutation.after)
        book.inject(mutation.code, pop=True)
        run_until(book, mutation.claim.tag, after=mutation.after)
        assert not holds(book, mutation.claim.expression)
