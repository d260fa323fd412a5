"""The pytest plugin beside others: found without a word among all that are installed, pytest-xdist's workers, Allure."""

from __future__ import annotations

import json
import re

import pytest

from .plugged import NODES, PLUGIN, SSE, Run, items, serving

pytest_plugins = "pytester"
pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "words", [(), ("-p", PLUGIN), ("--noconftest", "-c", "other.ini")], ids=["alone", "named", "apart"]
)
def test_installed_it_needs_no_word(words: tuple[str, ...], pytester: pytest.Pytester) -> None:
    """Among all other plugins that are installed here, warnings made errors; and named beside that, it is there once."""
    pytester.makefile(".ini", other="[pytest]\naddopts = --strict-markers\n")
    pytester.makepyfile(test_own="def test_own(): pass")
    with serving() as (url, log):
        target = ("--chatproof-url", url, "--chatproof-dialect", "guide", "--chatproof-agent", "default")
        asked = (*target, "--chatproof-api-key", "key-valid")
        result = pytester.runpytest_subprocess(*words, *asked, *SSE, "-W", "error", "-v")
        assert (result.ret, items(result)) == (0, NODES)
        sent = len(log)
        pytester.runpytest_subprocess(*words, "-W", "error").assert_outcomes(passed=1)
        assert len(log) == sent > 0


@pytest.mark.parametrize("how", ["load", "loadgroup"])
def test_workers_share_one_run(run: Run, pytester: pytest.Pytester, how: str) -> None:
    """Two workers send no request more than none: one of them verifies, as slowly as ever, and the other waits."""
    with serving("no-blank-line") as (url, log):
        alone = run(url, *SSE)
        sent = len(log)
        result = run(url, *SSE, "-p", "xdist", "-n", "2", "--dist", how, "--junitxml=junit.xml")
    assert (result.ret, len(log)) == (1, 2 * sent)
    assert result.parseoutcomes() == alone.parseoutcomes()
    assert "chatproof.outcome" in (pytester.path / "junit.xml").read_text()
    result.stdout.fnmatch_lines(["expected a blank line after every event, got *"])


def test_allure_gets_labels_a_step_per_exchange_and_the_bytes(run: Run, pytester: pytest.Pytester) -> None:
    with serving("no-blank-line") as (url, _):
        run(url, *SSE, "-p", "allure_pytest", "--alluredir=allure", "-k", "blank-line or charset")
    labels = {
        "epic": "guide",
        "feature": "sse",
        "requirement": "sse/blank-line",
        "level": "MUST",
        "severity": "critical",
    }
    folder = pytester.path / "allure"
    cases = {case["name"]: case for case in (json.loads(path.read_text()) for path in folder.glob("*-result.json"))}
    case, good = cases["sse/blank-line"], cases["sse/charset"]
    assert (case["status"], good["status"], "steps" in good) == ("failed", "passed", False)
    assert {(label["name"], label["value"]) for label in case["labels"]} >= set(labels.items())
    assert case["description"].startswith("Every event")
    assert {label["value"] for label in case["labels"] if label["name"] == "tag"} >= {"MUST", "fail"}
    assert {step["status"] for step in case["steps"]} == {"failed"}
    assert re.match(r"ex-\d{4} ", case["steps"][0]["name"])
    assert case["steps"][0]["name"].endswith(": POST /chat → 200")
    assert {found["status"] for step in case["steps"] for found in step["steps"]} == {"failed"}
    assert case["steps"][0]["steps"][0]["name"].startswith("expected a blank line after every event, got ")
    request, response, arrivals = ((folder / kept["source"]).read_bytes() for kept in case["steps"][0]["attachments"])
    assert request.startswith(b"POST /chat HTTP/1.1\r\n")
    assert (b"\r\nAuthorization: Bearer *" in request, b"key-valid" in request) == (True, False)
    assert response.startswith(b"HTTP/1.1 200 ")
    assert arrivals.endswith(b"\nended: complete")
    known = {name: case["historyId"] for name, case in cases.items()}
    with serving() as (url, _):
        run(url, *SSE, "-p", "allure_pytest", "--alluredir=again", "-k", "blank-line or charset")
    again = (json.loads(path.read_text()) for path in (pytester.path / "again").glob("*-result.json"))
    assert {case["name"]: case["historyId"] for case in again} == known
    assert len(set(known.values())) == len(known)
