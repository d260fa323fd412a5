"""The tables of Locust's page: what stands in them of a run that is under way, over, or has not measured anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatproof.conformance.profile import profile
from chatproof.load.ledger import Ledger
from chatproof.load.limits import Account, Advertised
from chatproof.load.plan import Plan
from chatproof.load.result import as_json, outline
from chatproof.load.schedule import parse_schedule
from chatproof.load.tables import COLUMNS, TIMES, empty, tables
from chatproof.reports.load_faces import problems
from chatproof.spec import dialect

from .test_metrics import turn

GUIDE = dialect("guide")
NOW, RESET = 1_800_000_000.0, 1_800_000_050


def plan(**more: Any) -> Plan:
    made = profile({"base_url": "http://127.0.0.1:1", "dialect": "guide", "credentials": {"valid": "k"}})
    return Plan(**{"profile": made, "schedule": parse_schedule("constant:2", 4.0), "users": 0, "seconds": 4.0, **more})


def ledger(limit: int = 120) -> Ledger:
    """Three good turns, a refusal and a mix-up of a run of four seconds."""
    counted = Ledger(1.0, "response")
    account = counted.accounts.setdefault("valid", Account())
    for number, outcome in enumerate(("ok", "ok", "ok", "refused_429", "mixup")):
        counted.counters["due"] += 1
        counted.begin(float(number), 1)
        counted.add(turn(outcome=outcome), float(number))
        status = 429 if outcome == "refused_429" else 200
        account.hear(status, Advertised(limit, limit - 1 - number, RESET, NOW), number * 10, number * 10 + 5, 4, 0)
    counted.lags["greenlet"].record(80_000)
    counted.sampled, counted.cpu_s, counted.span_s, counted.seconds = 3, [1.0], 4.0, 4.0
    return counted


def found(counted: Ledger, over: bool = True, reason: str = "", **more: Any) -> dict[str, list[dict[str, Any]]]:
    return tables(outline(plan(**more), GUIDE, counted, reason), counted, over)


def rows(table: list[dict[str, Any]], part: str) -> dict[str, tuple[Any, str, str]]:
    return {row["what"]: (row["figure"], row["good"], row["detail"]) for row in table if row["part"] == part}


def test_streaming_tells_milliseconds_on_both_clocks() -> None:
    table = {(row["metric"], row["clock"]): row for row in found(ledger())["streaming"]}
    assert next(iter(table)) == ("TTFB", "service")
    assert len(table) == 8
    assert [table["TTFT", "service"][one] for one in ("count", "p50", "p95", "p99", "max")] == [3, 35, 35, 35, 35]
    assert table["TTFT", "response"]["p50"] == pytest.approx(40, abs=0.1)
    assert table["Duration", "response"]["p99"] == pytest.approx(125, abs=0.1)
    assert (table["Inter-chunk latency", ""]["count"], table["Inter-chunk latency", ""]["max"]) == (6, 50)
    assert table["Longest stall", ""]["p50"] == pytest.approx(50, abs=0.1)


def test_limits_set_the_plan_beside_what_is_advertised() -> None:
    (row,) = found(ledger())["limits"]
    assert [row[one] for one in ("key", "sent", "granted", "limited", "unpaid")] == ["valid", 5, 4, 1, 0]
    assert (row["remaining"], row["unfair"]) == (115, 1), "the last answer said so, and the refusal came with some left"
    assert (row["advertised"], row["plan"]) == ("120", "Pro: as documented")
    (other,) = found(ledger(limit=77))["limits"]
    assert other["plan"] == "not a documented one (Free 20/min, Pro 120/min)"


def test_a_key_without_limit_headers_says_so() -> None:
    counted = Ledger(1.0, "response")
    counted.accounts["valid"] = Account(sent=3, granted=3)
    (row,) = found(counted)["limits"]
    assert (row["remaining"], row["advertised"]) == ("none told", "none told")
    assert row["plan"].startswith("nothing to compare with")


def test_correctness_begins_with_the_verdict_and_leaves_nothing_out() -> None:
    counted = ledger()
    counted.accounts["valid"].breaches["Limit changes"] += 2
    counted.accounts["valid"].first["Limit changes"] = "120, then 60 (turn 3)"
    counted.findings["sse/blank-line"] = {
        "level": "MUST",
        "statement": "…",
        "count": 2,
        "expected": "a blank line",
        "got": "none",
        "exchange": "turn-1",
    }
    table = found(counted, objectives=("ttft p95 < 10ms",))["correctness"]
    assert (table[0]["part"], table[0]["what"], table[0]["good"]) == ("verdict", "broken", "✕")
    assert rows(table, "objective")["ttft p95 < 10ms"] == ("40.0 ms", "✕", "")
    assert rows(table, "outcome")["ok"][:2] == ("3 (60.00 %)", "✓")
    assert rows(table, "outcome")["refused_429"] == ("1 (20.00 %)", "✕", "why")
    assert rows(table, "answers")["mix-ups"][:2] == (1, "✕")
    assert rows(table, "headers")["Limit changes"] == (2, "✕", "120, then 60 (turn 3)")
    assert rows(table, "samples")["MUST sse/blank-line"] == (2, "✕", "expected a blank line, got none")
    assert rows(table, "validity")["greenlet lag p99"] == ("80.0 ms", "✕", "at most 50.0 ms: this process woke late")
    assert rows(table, "validity")["rate achieved of intended"][0] == "1.2 of 1.2/s"


def test_what_is_under_way_is_no_verdict_yet() -> None:
    table = found(ledger(), over=False)["correctness"]
    assert table[0]["part"] == "so far"
    assert rows(table, "samples")["exchanges sampled"] == (3, "", "judged when the run ends")
    over = found(ledger(), reason="1 of 2 workers lost")["correctness"]
    assert rows(over, "samples")["exchanges sampled"][2] == "judged: 0 requirements broken"


def test_every_row_has_every_column_and_none_that_the_page_would_sort_by() -> None:
    for made in (found(ledger()), found(Ledger(1.0, "service"), schedule=None)):
        assert set(made) == set(COLUMNS)
        for name, table in made.items():
            assert all(set(row) == set(COLUMNS[name]) for row in table)
    assert "name" not in {column for columns in COLUMNS.values() for column in columns}
    assert empty() == {name: [] for name in COLUMNS}


def test_nothing_measured_shows_nothing_and_not_zero() -> None:
    table = found(Ledger(1.0, "service"), schedule=None)
    assert {(row["count"], row["p50"], row["max"]) for row in table["streaming"]} == {(0, "", "")}
    assert table["correctness"][0]["what"] == "incomplete"


def test_what_remains_is_told_by_whoever_heard_it_last() -> None:
    early, late = Account(), Account()
    early.hear(200, Advertised(120, 90, RESET, NOW), 0, 1, None, 0)
    late.hear(200, Advertised(120, 119, RESET + 60, NOW + 60), 0, 1, None, 0)
    for first, second in ((early, late), (late, early)):
        total = Account()
        for part in (first, second):
            total.merge(json.loads(json.dumps(part.to_data())))
        assert (total.last_remaining, total.least_remaining) == (119, 90)


def test_the_document_holds_what_the_tables_are_made_of() -> None:
    document = json.loads(json.dumps(as_json(plan(), GUIDE, ledger(), "0", "2026-01-01T00:00:00Z")))
    assert list(problems(document)) == []
    assert document["limits"]["keys"]["valid"]["last_remaining"] == 115
    assert tables(document, ledger(), True) == found(ledger())
    metrics = document["metrics"]
    for row in found(ledger())["streaming"]:
        told = metrics[next(name for name, title in TIMES.items() if title == row["metric"])]
        told = told["clocks"][row["clock"]] if row["clock"] else told
        assert row == {
            **row,
            "count": told["count"],
            **{one: round(told[one], 1) for one in ("p50", "p95", "p99", "max")},
        }


def test_the_turns_under_way_get_their_turn_between_two_rows() -> None:
    rests: list[int] = []
    tables(outline(plan(), GUIDE, ledger()), ledger(), True, lambda: rests.append(1))
    assert len(rests) == 8
