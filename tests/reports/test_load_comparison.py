"""Two load runs: what differs is told, what chance did is not, and what cannot be compared is refused with its reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chatproof.cli import cli
from chatproof.reports import load_bootstrap as bootstrap
from chatproof.reports.load_comparison import Row, compare, incomparable
from chatproof.reports.load_comparison_faces import FACES, Compared, between
from chatproof.reports.write import write

from .load_results import HOSTILE, a_load, a_sign
from .test_html import Page

Json = dict[str, Any]
Change = Callable[[Json], Any]


def words(before: Json, after: Json) -> dict[str, str]:
    return {row.name: row.word for row in compare(before, after)}


# -- what differs


@pytest.mark.slow
def test_a_slower_run_is_worse_and_a_faster_one_better() -> None:
    slow, fast = a_load(times=260, seed=2), a_load(times=200)
    assert words(fast, slow)["ttft p50"] == words(fast, slow)["ttft p95"] == "worse"
    assert words(slow, fast)["ttft p50"] == words(slow, fast)["ttft p95"] == "better"
    assert words(fast, slow)["gap p50"] == "no evidence"


@pytest.mark.slow
def test_another_run_of_the_same_is_no_evidence() -> None:
    assert set(words(a_load(seed=1), a_load(seed=2)).values()) == {"no evidence"}


@pytest.mark.slow
def test_a_difference_that_is_real_and_not_worth_telling_is_not_told() -> None:
    near = {row.name: row for row in compare(a_load(rate=400, times=200), a_load(rate=400, times=206, seed=2))}
    found = near["ttft p50"]
    assert found.interval is not None
    assert found.interval.low > 0
    assert found.word == "no evidence"


def test_a_percentile_of_too_few_turns_is_not_judged() -> None:
    row = next(row for row in compare(a_load(), a_load(times=300)) if row.name == "ttft p99")
    assert (row.interval, row.word) == (None, "no evidence")
    assert "fewer than 5 independent turns" in row.why


@pytest.mark.slow
def test_the_same_files_give_the_same_answer() -> None:
    assert compare(a_load(), a_load(seed=2)) == compare(a_load(), a_load(seed=2))


@pytest.mark.slow
def test_turns_that_clump_are_worth_less() -> None:
    """Half of the seconds are slow, all of their turns together: twenty seconds tell of twenty moments, and not of 400 turns."""

    def run(seed: int, clumped: bool) -> Json:
        told = a_load(seed=seed)
        for n, point in enumerate(told["series"]):
            factor = (1.2 if n // 5 % 2 else 0.8) if clumped else 1.0
            point["ttft_ms"] = [value * factor for value in point["ttft_ms"]]
        return told

    even, clumped = (
        next(row for row in compare(run(1, kind), run(2, kind)) if row.name == "ttft p50").interval
        for kind in (False, True)
    )
    assert even is not None
    assert clumped is None or clumped.high - clumped.low > 2 * (even.high - even.low)


@pytest.mark.slow
def test_answers_of_somebody_else_are_worse_however_seldom() -> None:
    good, bad = a_load(), a_load()
    bad["correctness"]["mixups"] = 1
    assert words(good, bad)["mix-ups"] == "worse"
    assert words(bad, good)["mix-ups"] == "better"
    assert words(bad, bad)["mix-ups"] == "no evidence"
    assert "mix-ups" not in words(good, good)


def with_errors(share: float) -> Json:
    told = a_load()
    bad = round(400 * share)
    told["summary"].update(ok=400 - bad, errors=bad, goodput_per_s=(400 - bad) / 20)
    for n, point in enumerate(told["series"]):
        few = bad // 20 + (n < bad % 20)
        point["outcomes"] = {"ok": 20 - few, "malformed": few} if few else {"ok": 20}
        point["good"] = 20 - few
    return told


@pytest.mark.slow
def test_fewer_good_answers_are_worse_also_where_there_were_none_bad() -> None:
    assert words(a_load(), with_errors(0.2))["ok"] == "worse"
    assert words(with_errors(0.2), a_load())["ok"] == "better"
    assert words(a_load(), with_errors(0.2))["goodput"] == "worse"
    assert words(a_load(), with_errors(0.0025))["ok"] == "no evidence"


def with_good(share: float, text: str = "ttft p95 < 200ms") -> Json:
    """All of its turns are ok, and so many of them as good as the objective asks."""
    told = a_load()
    told["objectives"].append({"objective": text, "kept": True, "wanted": "", "got": "", "implied": False})
    told["summary"]["goodput_per_s"] = 20 * share
    for point in told["series"]:
        point["good"] = round(20 * share)
    return told


@pytest.mark.slow
def test_goodput_is_judged_by_good_turns() -> None:
    """Also where as many, or more, were ok."""
    more = with_good(0.2)
    for point in more["series"]:
        point["outcomes"] = {"ok": 40}
    assert words(with_good(0.8), more)["goodput"] == "worse"
    assert words(with_good(0.2), with_good(0.8))["goodput"] == "better"


@pytest.mark.slow
def test_goodput_by_other_objectives_is_another_measure() -> None:
    row = next(row for row in compare(with_good(0.8), with_good(0.2, "ttft p95 < 100ms")) if row.name == "goodput")
    assert (row.word, row.why) == ("no evidence", "the objectives differ, and so does what is good")
    assert words(with_good(0.8, "ok > 99%"), with_good(0.2, "ok > 98%"))["goodput"] == "worse"
    for point in (older := with_good(0.2))["series"]:
        del point["good"]
    del older["series"][1:20:2]
    assert words(with_good(0.8), older)["goodput"] == "no evidence"


# -- what cannot be compared


def plan(name: str, value: object) -> Change:
    return lambda told: told["plan"].update({name: value})


def invalid(told: Json) -> None:
    told["validity"] = {"valid": False, "signs": [a_sign(), a_sign(False)], "cpu_s": [], "processes": 1}


REFUSED: dict[str, Change] = {
    "b: is not valid: its generator did not keep time (send lag p99 99.0 ms, at most 50.0 ms)": invalid,
    "b: is incomplete (interrupted)": lambda told: told.update(verdict="incomplete", reason="interrupted"),
    "b: dialect slug, a: guide": lambda told: told.update(dialect="slug"),
    "b: schedule constant:5, a: constant:20": plan("schedule", "constant:5"),
    "b: streams or JSON replies JSON replies, a: streams": plan("stream", False),
    "b: pacing respect, a: ignore": plan("pacing", "respect"),
    "b: users 5, a: none": plan("users", 5),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_compared_is_refused_with_its_reason(why: str) -> None:
    other = a_load(seconds=2)
    REFUSED[why](other)
    assert incomparable({"a": a_load(seconds=2), "b": other}) == why
    assert incomparable({"a": a_load(seconds=2), "b": other}, anyway=True) is None


def searched(holds: float, breaks: float | None, objective: str = "ttft p95 < 1s") -> Json:
    steps = [
        {"load": holds, "kept": True, "got": "1 ms", "achieved_per_s": 1.0, "errors": 0, "valid": True, "note": ""}
    ]
    told = {
        "objective": objective,
        "unit": "users",
        "holds": holds,
        "breaks": breaks,
        "found": True,
        "words": "",
        "steps": steps,
    }
    return a_load(seconds=2, rate=5, capacity=told)


def test_capacities_differ_where_their_brackets_do_not_meet() -> None:
    def word(one: Json, two: Json) -> str:
        return words(one, two)["capacity, users"]

    assert word(searched(10, 12), searched(20, 23)) == "better"
    assert word(searched(20, 23), searched(10, 12)) == "worse"
    assert word(searched(10, 12), searched(11, 13)) == "no evidence"
    assert word(searched(10, None), searched(20, None)) == "no evidence"
    assert incomparable({"a": searched(10, 12), "b": searched(1, 2, "gap p95 < 1s")}, anyway=True) is not None
    assert incomparable({"a": searched(10, 12), "b": a_load(seconds=2)}, anyway=True) is not None


# -- faces, and the command


@pytest.mark.slow
@pytest.mark.parametrize("face", FACES)
def test_every_face_names_every_metric_and_takes_any_text(face: str) -> None:
    text = FACES[face](Compared({HOSTILE: a_load(), "tue": a_load(seed=2), "wed": a_load(times=300)}))
    text.encode("utf-8")
    for name in ("ttft p50", "ttft p95", "gap p50", "duration p50", "goodput", "worse"):
        assert name in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    if face == ".html":
        assert Page(text).open == []
        assert Page(text).names.count("script") == 1
    if face == ".txt":
        assert max(map(len, text.splitlines())) <= 80


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["compare", *map(str, arguments)])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loads")
    write(a_load(), folder / "one.json")
    write(a_load(seed=2), folder / "two.json")
    write(a_load(times=300), folder / "slow.json")
    other = a_load(seconds=2)
    invalid(other)
    write(other, folder / "late.json")
    return folder


@pytest.mark.slow
def test_the_exit_code_is_that_of_the_last_two(files: Path) -> None:
    assert command(files / "one.json", files / "two.json").exit_code == 0
    worse = command(files / "one.json", files / "slow.json", "--to", files / "c.html", "--to", files / "c.md")
    assert worse.exit_code == 1
    assert "✕ ttft p50" in worse.output
    assert "<h1>one.json to slow.json</h1>" in (files / "c.html").read_text()
    assert "| ✕ | ttft p50 |" in (files / "c.md").read_text()
    assert command(files / "slow.json", files / "one.json", files / "two.json").exit_code == 0


@pytest.mark.slow
def test_what_is_not_comparable_exits_3_and_says_how_to_go_on(files: Path) -> None:
    refused = command(files / "one.json", files / "late.json")
    assert refused.exit_code == 3
    assert "chatproof: not comparable: late.json: is not valid" in refused.output
    assert "--anyway" in refused.output
    told = command(files / "one.json", files / "late.json", "--anyway")
    assert told.exit_code == 0
    assert "late.json is not valid" in told.output
    assert "compared anyway" in " ".join(told.output.split())


@pytest.mark.slow
def test_flags_that_mean_nothing_here_are_refused(files: Path) -> None:
    refused = command(files / "one.json", files / "two.json", "--strict")
    assert (refused.exit_code, "--strict: is for verifications" in refused.output) == (2, True)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-3.3, -0.02, "-3.30 to -0.02 ms"), (-3.3, 0.02, "-3.3 to +0.0 ms"), (58.9, 1069.2, "+0.06 to +1.07 s")],
)
def test_an_interval_that_leaves_out_nought_does_not_look_as_if_it_began_there(
    low: float, high: float, said: str
) -> None:
    assert between(Row("gap p95", "ms", 13.5, 11.9, "better", bootstrap.Interval(low, high))) == said
