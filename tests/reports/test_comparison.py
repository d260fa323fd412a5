"""What became of each requirement from one report to the next, and what of it is news."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from chatproof.reports.comparison import TITLES, Comparison, compare, incomparable, trend
from chatproof.reports.comparison_faces import FACES, Compared, spark

Json = dict[str, Any]
Make = Callable[..., Json]

BECAME: dict[tuple[str, str], str | None] = {
    ("pass", "fail"): "broken", ("warn", "fail"): "broken", ("not_verified", "fail"): "broken", ("observed", "warn"): "broken",
    ("fail", "fail"): "failing", ("warn", "warn"): "failing", ("fail", "warn"): "failing",
    ("fail", "pass"): "fixed", ("warn", "observed"): "fixed",
    ("fail", "not_verified"): "undecided", ("pass", "inconclusive"): "undecided", ("observed", "error"): "undecided",
    ("skipped", "pass"): "decided", ("not_verified", "observed"): "decided",
    ("pass", "observed"): "changed", ("observed", "pass"): "changed",
    ("pass", "pass"): None, ("observed", "observed"): None, ("skipped", "untestable"): None, ("error", "skipped"): None,
}  # fmt: skip


def changed(comparison: Comparison) -> dict[str, list[str]]:
    return {kind: [f"{one.name}/{one.id}" for one in found] for kind, found in comparison.changes.items() if found}


@pytest.mark.parametrize(("before", "after"), BECAME)
def test_what_became_of_a_requirement(before: str, after: str, run: Make, row: Make) -> None:
    old, new = (run([row(outcome, "a/x", level="MUST"), row("pass", "a/same")]) for outcome in (before, after))
    for one, outcome in ((old, before), (new, after)):
        if outcome == "observed":
            one["requirements"][0].update(findings=[], reason="a reading")
    kind = BECAME[before, after]
    found = compare(old, new)
    assert changed(found) == ({} if kind is None else {kind: ["guide/a/x"]})
    assert found.same == (2 if kind is None else 1)


def test_another_reading_is_a_change(run: Make, row: Make) -> None:
    old, new = (run([row("observed", "a/x", findings=[], reason=reason)]) for reason in ("404", "fresh"))
    assert changed(compare(old, new)) == {"changed": ["guide/a/x"]}


def test_new_and_gone_requirements_are_told_apart_from_changes(run: Make, row: Make) -> None:
    old, new = run([row("pass", "a/old"), row("pass", "a/x")]), run([row("fail", "a/new"), row("pass", "a/x")])
    found = compare(old, new)
    assert changed(found) == {"new": ["guide/a/new"], "gone": ["guide/a/old"]}
    assert not found.breaks()


def test_dialects_are_held_apart(run: Make, row: Make) -> None:
    def report(rest: str, slug: str) -> Json:
        runs = [run([row(rest, "a/x")], dialect="rest"), run([row(slug, "a/x")], dialect="slug")]
        return {"chatproof": "0.1.0", "kind": "verifications", "runs": runs}

    assert changed(compare(report("pass", "fail"), report("fail", "pass"))) == {
        "broken": ["rest/a/x"],
        "fixed": ["slug/a/x"],
    }


def test_a_warning_breaks_only_where_it_is_strict(run: Make, row: Make) -> None:
    found = compare(run([row("pass", "a/x")]), run([row("warn", "a/x")]))
    assert (found.breaks(), found.breaks(strict=True)) == (False, True)
    assert compare(run([row("pass", "a/x")]), run([row("fail", "a/x")])).breaks()
    assert not compare(run([row("fail", "a/x")]), run([row("fail", "a/x")])).breaks(strict=True)


def test_every_pair_of_outcomes_has_a_kind_or_none(run: Make, row: Make) -> None:
    outcomes = run()["summary"]
    kinds: set[str] = set()
    for one, two in itertools.product(outcomes, repeat=2):
        kinds |= changed(compare(run([row(one, "a/x")]), run([row(two, "a/x")]))).keys()
    assert kinds == set(TITLES) - {"new", "gone"}


def test_an_incomplete_run_is_not_compared(run: Make, row: Make) -> None:
    good, cut = run([row("pass")]), run([row("pass")], verdict="incomplete", reason="interrupted")
    assert incomparable({"a": good, "b": good}) is None
    assert "b: guide is incomplete (interrupted)" in (incomparable({"a": good, "b": cut}) or "")
    assert incomparable({"a": good, "b": run([row("pass")], dialect="slug")}) == "no dialect is in all of them"


@pytest.fixture
def three(run: Make, row: Make) -> Compared:
    outcomes = [("fail", "pass"), ("fail", "fail"), ("pass", "fail")]
    reports = [run([row(one, "a/one"), row(two, "a/two"), row("pass", "a/x")]) for one, two in outcomes]
    return Compared({"mon.json": reports[0], "tue.json": reports[1], "wed.json": reports[2]})


def test_a_trend_counts_each_report(three: Compared) -> None:
    assert [(step.label, step.failed, step.kept) for step in trend(three.results)] == [
        ("mon.json", 1, (2, 3)),
        ("tue.json", 2, (1, 3)),
        ("wed.json", 1, (2, 3)),
    ]


def test_the_text_tells_what_changed_last_and_how_it_went(three: Compared) -> None:
    text = FACES[".txt"](three)
    assert "failed: ▅█▅" in text
    assert "✕✕✓  guide/a/one" in text
    assert "✓✕✕  guide/a/two" in text
    assert "Fixed (1)\n  guide/a/one  MUST: fail → pass" in text
    assert "Still failing (1)\n  guide/a/two  MUST: fail\n    expected a blank line" in text
    assert "1 still failing, 1 fixed; 1 as before." in text
    assert "next: chatproof explain a/two" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("face", FACES)
def test_every_face_names_every_change_and_takes_any_text(face: str, run: Make, row: Make, finding: Make) -> None:
    hostile = "</h1><script>x</script> `|` \x1b[2J \ud800 \u202e"
    said = [finding(expected=hostile, got=hostile)]
    old, new = (
        run([row("pass", "a/x"), row("fail", "a/y")]),
        run([row("fail", "a/x", findings=said), row("pass", "a/y")]),
    )
    text = FACES[face](Compared({hostile: old, "after": new}))
    text.encode("utf-8")
    assert "a/x" in text
    assert "a/y" in text
    assert face != ".html" or "<script>x" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_curve_of_blocks() -> None:
    assert spark([0, 1, 4, 8]) == "▁▂▅█"
    assert spark([0, 0]) == "▁▁"
    assert spark([1, 1_000]) == "▂█"
