"""A load result as a file: written with its footer, read again, turned into every face, and refused where it was edited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chatproof.cli import cli
from chatproof.reports import load_charts, load_csv
from chatproof.reports.load_faces import RENDERERS
from chatproof.reports.write import BadReport, load, write

from .load_results import a_load
from .test_load_html import CAPACITY

Json = dict[str, Any]


@pytest.fixture(scope="module")
def result() -> Json:
    return a_load(seconds=4)


@pytest.mark.slow
def test_a_result_is_read_again_and_shown_as_every_face(tmp_path: Path, result: Json) -> None:
    path = tmp_path / "load.json"
    write(result, path)
    assert load(path) == json.loads(json.dumps(result))
    for suffix in RENDERERS:
        write(load(path), tmp_path / f"again{suffix}")
        assert (tmp_path / f"again{suffix}").stat().st_size > 100
    with pytest.raises(BadReport, match=r"ends in \.html, \.json, \.csv, \.xml, \.md, \.txt"):
        write(result, tmp_path / "x.svg")


def test_a_result_that_was_edited_is_refused(tmp_path: Path, result: Json) -> None:
    path = tmp_path / "load.json"
    write(result, path)
    path.write_text(path.read_text().replace('"verdict": "kept"', '"verdict": "broken"'))
    with pytest.raises(BadReport, match="edited after it was written"):
        load(path)


def test_a_result_without_a_footer_is_read_since_locust_writes_none(tmp_path: Path, result: Json) -> None:
    path = tmp_path / "locust.json"
    path.write_text(json.dumps(result))
    assert load(path) == json.loads(json.dumps(result))
    path.write_text(json.dumps({**result, "verdict": "fine"}))
    with pytest.raises(BadReport, match="verdict: 'fine' is not one of"):
        load(path)


@pytest.mark.slow
@pytest.mark.parametrize("pair", [[], [7], [7, 1, 1]])
def test_buckets_without_a_count_are_refused(pair: list[int], tmp_path: Path, result: Json) -> None:
    """A result without a footer may be anything: what no face could draw is said before one is made."""
    name = next(name for name, found in result["histograms"].items() if found["counts"])
    for broken in (
        {**result, "series": [{**result["series"][0], "gaps": [pair]}]},
        {**result, "histograms": {**result["histograms"], name: {**result["histograms"][name], "counts": [pair]}}},
    ):
        (tmp_path / "x.json").write_text(json.dumps(broken), "utf-8")
        with pytest.raises(BadReport, match=r"is too short|is too long|non-empty"):
            load(tmp_path / "x.json")


def test_report_shows_it_and_makes_a_page_of_it(tmp_path: Path, result: Json) -> None:
    path, page = tmp_path / "load.json", tmp_path / "load.html"
    write(result, path)
    shown = CliRunner().invoke(cli, ["report", str(path)])
    assert (shown.exit_code, "\n✓ kept" in shown.output) == (0, True)
    assert CliRunner().invoke(cli, ["report", str(path), "--to", str(page)]).exit_code == 0
    assert "Valid: this generator kept time" in page.read_text()
    several = CliRunner().invoke(cli, ["report", str(path), str(path)])
    assert (several.exit_code, "chatproof compare" in several.output) == (2, True)
    badge = CliRunner().invoke(cli, ["report", str(path), "--to", str(tmp_path / "x.svg")])
    assert (badge.exit_code, "expected a file name that ends in" in badge.output) == (2, True)


def test_what_a_search_found_is_in_every_face_that_is_read_first() -> None:
    found = a_load(seconds=4, capacity=CAPACITY)
    words = "holds 40 turns a second, breaks at 50"
    assert f"\n✓ kept: {words}" in RENDERERS[".txt"](found)
    assert f"`ttft p95 < 150ms`: {words}" in RENDERERS[".md"](found)
    assert f'<property name="capacity" value="{words}" />' in RENDERERS[".xml"](found)
    page = RENDERERS[".html"](found)
    assert page.index("this generator kept time") < page.index(words) < page.index('id="objectives"')
    assert page.index("capacity-title") < page.index("rate-title")


def test_a_run_of_which_nothing_was_asked_says_how_many_turns_ended_badly() -> None:
    bare = a_load(seconds=4, objectives=[])
    one = {**bare, "summary": {**bare["summary"], "errors": 1}}
    said = " ".join(RENDERERS[".txt"](one).split())
    assert "nothing was asked of times and errors, and 1 turn ended badly)" in said
    assert "ended badly" not in RENDERERS[".txt"](bare)


def test_units_stand_beside_their_metrics_and_columns_apart(result: Json) -> None:
    row = {**result["metrics"]["gap"], "unit": "1/s", **dict.fromkeys(("p50", "p90", "p95", "p99", "max"), 7497318.4)}
    fast = {**result, "metrics": {"ttft": result["metrics"]["ttft"], "text-rate": row}}
    assert "| text-rate, 1/s | 7497318.4 |" in RENDERERS[".md"](fast)
    assert "| ttft, ms |" in RENDERERS[".md"](fast)
    line = next(line for line in RENDERERS[".txt"](fast).splitlines() if line.startswith("text-rate"))
    assert line.split()[1:6] == ["7497318"] * 5


def test_the_table_has_a_column_for_what_came_in_the_warm_up_alone() -> None:
    told = a_load(seconds=3)
    told["series"][0]["outcomes"] = {"http_error": 8}
    head, first, second, _ = load_csv.render(told).splitlines()
    assert head.endswith(",ok,http_error")
    assert first.endswith(",0,8")
    assert second.endswith(",20,0")


def test_a_point_is_as_long_as_the_json_says() -> None:
    """Few turns far apart are no points of many seconds."""
    told = a_load(seconds=9)
    told["series"] = [told["series"][at] for at in (0, 3, 5, 8)]
    series = load_charts.Series(told)
    assert (series.bin_s, len(series.points)) == (1, 9)
    del told["bin_s"]
    assert load_charts.Series(told).bin_s == 2, "an older result does not say it"
