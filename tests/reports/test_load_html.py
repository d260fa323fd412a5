"""The page of a load run: what the JSON says is on it, what is not there is said to be missing, and nothing that a target sent runs."""

from __future__ import annotations

import itertools
import json
import random
import re
from typing import Any

import pytest

from chatproof.load.histogram import Histogram, coarse
from chatproof.reports import load_charts, load_curves, load_gaps
from chatproof.reports.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Chart
from chatproof.reports.load_counts import Counts
from chatproof.reports.load_faces import problems
from chatproof.reports.load_html import drawn, render, share

from .load_results import HOSTILE, a_load, a_sign, an_exhibit, nothing_good
from .test_html import Page

Json = dict[str, Any]
CAPACITY = {
    "objective": "ttft p95 < 150ms",
    "unit": "turns a second",
    "holds": 40.0,
    "breaks": 50.0,
    "found": True,
    "words": "holds 40 turns a second, breaks at 50",
    "steps": [
        {"load": 40.0, "kept": True, "got": "120.0 ms", "achieved_per_s": 40.0, "errors": 0, "valid": True, "note": ""},
        {
            "load": 50.0,
            "kept": False,
            "got": "1.20 s",
            "achieved_per_s": 49.0,
            "errors": 3,
            "valid": True,
            "note": " (x)",
        },
    ],
}


@pytest.fixture(scope="module")
def result() -> Json:
    return a_load(exhibits=[an_exhibit()])


def charts(result: Json) -> dict[str, Chart]:
    return {chart.id: chart for chart in drawn(result)}


@pytest.mark.slow
def test_the_results_of_these_tests_are_valid(result: Json) -> None:
    for one in (result, nothing_good(), a_load(capacity=CAPACITY)):
        assert list(problems(json.loads(json.dumps(one)))) == []


@pytest.mark.slow
def test_the_page_says_what_the_json_says(result: Json) -> None:
    text = render(result)
    page = Page(text)
    assert page.open == []
    assert [chart.title for chart in drawn(result)] == [
        title for title in page.text["h2"] if title in {chart.title for chart in drawn(result)}
    ]
    for words in ("Kept", "Valid: this generator kept time", "400 of 400 turns", "send lag p99", "status 429"):
        assert words in text
    assert f"{result['metrics']['ttft']['p95']:.0f} ms" in text


def test_whether_it_is_valid_comes_before_any_number() -> None:
    bad = a_load(
        validity={"valid": False, "signs": [a_sign(False), a_sign()], "cpu_s": [1.0], "processes": 1}, verdict="invalid"
    )
    text = render(bad)
    assert text.index("this generator did not keep time") < text.index('class="numbers"') < text.index("<svg")
    assert re.search(r"<b>send lag p99 99.0 ms</b>, at most 50.0 ms: turns were begun late", text)
    assert "did not keep time" not in render(a_load())


def test_every_drawing_has_a_title_a_description_and_its_numbers(result: Json) -> None:
    page = Page(render(result))
    images = [attrs for name, attrs in page.elements if name == "svg" and attrs.get("role") == "img"]
    assert len(images) == len([chart for chart in drawn(result) if not chart.absent]) == 9
    ids = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    for image in images:
        assert set((image["aria-labelledby"] or "").split()) <= ids
    assert page.names.count("desc") == len(images)
    for chart in drawn(result):
        assert chart.table.rows
        assert {len(row) for row in chart.table.rows} == {len(chart.table.head)}


def test_nothing_is_drawn_outside_its_frame(result: Json) -> None:
    for chart in (*drawn(result), load_curves.capacity(a_load(capacity=CAPACITY))):
        assert chart.boxes or chart.lines
        for box in chart.boxes:
            assert box.x >= LEFT
            assert box.x + box.width <= WIDTH - RIGHT + 1
            assert box.y >= TOP - 2
            assert box.y + box.height <= chart.height - BOTTOM + 1
        for line in chart.lines:
            assert not re.search(r"nan|inf|None", line.path)


def test_names_on_the_page_are_unique(result: Json) -> None:
    ids = [attrs["id"] for _, attrs in Page(render(result)).elements if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_a_run_without_good_turns_says_of_each_chart_why_it_is_not_there() -> None:
    page = render(nothing_good())
    absent = {chart.id: chart.absent for chart in drawn(nothing_good()) if chart.absent}
    assert set(absent) == {"times", "curve-ttft", "curve-duration", "heat", "gaps", "remaining", "slowest"}
    for why in absent.values():
        assert f"Not drawn: {why}." in page
    assert "Nothing was measured" in page


def test_an_empty_series_draws_nothing_and_says_so() -> None:
    empty = a_load(series=[], slowest=[], outcomes={}, metrics={}, histograms={})
    assert all(chart.absent for chart in drawn(empty))
    Page(render(empty))


def test_json_replies_have_no_charts_of_text() -> None:
    told = a_load()
    told["plan"]["stream"] = False
    for point in told["series"]:
        point["ttft_ms"] = [None] * 3
    assert "curve-ttft" not in charts(told)
    assert "heat" not in charts(told)
    assert charts(told)["times"].title == "Duration over time"


def test_an_older_result_without_gaps_over_time_says_so() -> None:
    old = a_load()
    for point in old["series"]:
        del point["gaps"]
    assert charts(old)["heat"].absent == "this result was written without gaps over time"
    assert not charts(old)["gaps"].absent


@pytest.mark.parametrize("late", [1.0, 400.0])
def test_both_clocks_are_drawn_and_coordinated_omission_is_named(late: float) -> None:
    chart = charts(a_load(late=late))["curve-ttft"]
    response, service = (line.path for line in chart.lines)
    assert ("coordinated omission" in chart.says) == (late > 100)
    assert response != service
    p99 = next(row for row in chart.table.rows if row[0] == "99")
    assert p99[3] == "4"


def test_the_percentile_axis_reaches_as_far_as_the_turns_do() -> None:
    assert [tick.label for tick in charts(a_load(rate=2))["curve-ttft"].x.ticks][-1] == "99"
    many = a_load(seconds=2)
    many["histograms"]["response ttft"]["counts"] = many["histograms"]["service ttft"]["counts"] = [[2000, 200_000]]
    assert [tick.label for tick in charts(many)["curve-ttft"].x.ticks][-1] == "99.999"


def test_points_that_the_json_leaves_out_are_put_in() -> None:
    told = a_load(seconds=6)
    del told["series"][2:4]
    series = load_charts.Series(told)
    assert [at for at, _ in series.points] == [0, 1, 2, 3, 4, 5]
    assert [row[2] for row in load_charts.rate(series).table.rows] == ["20", "20", "0", "0", "20", "20"]
    assert load_charts.times(series).lines[0].path.count("M") == 2


def test_warm_up_and_what_came_after_the_end_are_set_apart() -> None:
    told = a_load(seconds=10)
    told["plan"].update(warmup_s=3.0, seconds=8.0)
    first, last = load_charts.Series(told).frame
    assert (first.x, first.label) == (LEFT, "warm-up: sent, not measured")
    assert last.x + last.width == WIDTH - RIGHT
    assert first.width == pytest.approx((WIDTH - LEFT - RIGHT) * 0.3, abs=0.2)


def test_refusals_are_marked_under_what_was_left() -> None:
    told = a_load(seconds=5)
    told["series"][3]["outcomes"] = {"refused_429": 4}
    told["series"][3]["remaining"] = 0
    chart = charts(told)["remaining"]
    assert [box.label for box in chart.boxes] == ["3 s: 4 refused with 429"]
    assert chart.table.rows[3] == ("3", "0", "4")
    assert "From 100 down to 0 left of 100; 4 requests were refused" in chart.says


def test_outcomes_of_one_moment_stand_on_each_other() -> None:
    told = a_load(seconds=3)
    told["series"][1]["outcomes"] = {"ok": 15, "refused_429": 5}
    told["outcomes"]["refused_429"] = {**told["outcomes"]["ok"], "count": 5}
    chart = charts(told)["outcomes"]
    good, refused = (
        next(box for box in chart.boxes if box.label == f"1 s: {words}") for words in ("15 ok", "5 refused_429")
    )
    assert refused.y + refused.height == pytest.approx(good.y, abs=0.2)
    assert good.height == pytest.approx(3 * refused.height, abs=0.3)
    assert [key.text for key in chart.keys] == ["ok 60", "refused_429 5"]


def test_the_slowest_stand_first_and_their_parts_follow_each_other(result: Json) -> None:
    chart = charts(result)["slowest"]
    assert chart.table.rows[0][0] == "0"
    first = [box for box in chart.boxes if box.label.startswith("turn 0,")]
    for one, two in itertools.pairwise(first):
        assert two.x == pytest.approx(one.x + one.width, abs=0.6)
    assert sum(box.tone == "w-piece" for box in chart.boxes) == 30


def test_capacity_is_drawn_where_it_was_looked_for() -> None:
    assert "capacity" not in charts(a_load())
    chart = charts(a_load(capacity=CAPACITY))["capacity"]
    assert [word.text for word in chart.words] == ["✓", "✕"]
    assert chart.lines[-1].tone == "rule"
    assert [box.label for box in chart.boxes] == ["between 40 and 50 turns a second"]
    assert chart.table.rows[1] == ("50", "no", "1.20 s", "49", "3", "(x)")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("1.2 s", (1200.0, "ms")), ("ttft p95 < 800ms", (800.0, "ms")), ("99.50 %", (99.5, "%")), ("none", None)],
)
def test_a_quantity_is_read_from_words(text: str, wanted: Any) -> None:
    assert load_curves.quantity(text) == wanted


def test_both_sides_of_a_mix_up_are_shown() -> None:
    mixed = an_exhibit(
        outcome="mixup", why="the word of conversation 3", other=an_exhibit(request="the other's request")
    )
    gone = an_exhibit(outcome="mixup", other="the other is not kept")
    page = Page(render(a_load(exhibits=[an_exhibit(), mixed, gone])))
    assert "the other's request" in page.text["pre"]
    assert "Whose word it bears" in page.text["h3"]
    opened = [attrs for name, attrs in page.elements if name == "details" and attrs.get("class") == "exhibit"]
    assert ["open" in attrs for attrs in opened] == [True, False, False]


def test_what_a_target_sent_makes_no_elements() -> None:
    def page(text: str) -> Page:
        said = an_exhibit(why=text, request=text, response=text, curl=text, end=text, detail=text)
        told = a_load(target=text, reason=text, exhibits=[said])
        told["outcomes"]["ok"]["why"] = {text: 1}
        told["correctness"].update(
            breaches=[{"what": text, "count": 1, "first": text}],
            findings=[
                {
                    "id": text,
                    "level": "MUST",
                    "statement": text,
                    "count": 1,
                    "expected": text,
                    "got": text,
                    "exchange": text,
                }
            ],
        )
        told["objectives"][0].update(objective=text, got=text)
        told["slowest"][0]["why"] = text
        return Page(render(told))

    assert page(HOSTILE).names == page("harmless").names
    assert "\x1b" not in render(a_load(reason=HOSTILE))
    assert "{{ 7 * 7 }}" in render(a_load(reason=HOSTILE))


def test_the_page_loads_nothing_and_bears_no_style_of_its_own_elements(result: Json) -> None:
    text = render(result)
    page = Page(text)
    assert not {"link", "img", "iframe", "object"} & set(page.names)
    assert not any(key in ("src", "style") or key.startswith("on") for _, attrs in page.elements for key in attrs)
    assert not re.search(r"@import|url\(|fetch\(", text)


def test_counts_read_as_the_generator_wrote_them() -> None:
    values = [0, 1, 1500, 2047, 2048, 5000, 123_456, 10**7, 3 * 10**9]
    made = Histogram()
    for value in values:
        made.record(value)
    read = Counts.of(json.loads(json.dumps(made.to_data())))
    for number in range(101):
        assert read.quantile(number / 100) == (made.quantile(number / 100) or 0) / 1000
    assert read.share_upto(2.047) == pytest.approx(4 / 9)
    assert Counts.of(None).quantile(0.5) is None


def test_coarse_buckets_hold_what_they_say() -> None:
    chance = random.Random(1)
    for value in [*range(1, 70), *(chance.randrange(1, 10**8) for _ in range(200))]:
        bucket = coarse(value)
        assert load_gaps.edge(bucket) <= value / 1000 < load_gaps.edge(bucket + 1)
    assert load_gaps.edge(coarse(0)) == 0


def test_a_share_is_whole_only_where_nothing_is_missing() -> None:
    assert [share(value) for value in (1.0, 0.999999, 0.5, 0.000001, 0.0)] == [
        "100 %",
        "99.99 %",
        "50.00 %",
        "0.01 %",
        "0 %",
    ]


def test_heights_are_those_that_charts_say(result: Json) -> None:
    boxes = re.findall(r'viewBox="0 0 960 (\d+)"', render(result))
    assert [int(height) for height in boxes].count(HEIGHT) == 8
