"""Well-known clients under everything that is legal: docs/faults.md says how each fares, and that is measured again here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .loops import LEGAL, table

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text("utf-8")
CORRECT = "eventsource-parser"
"""The one among them that claims to follow the standard."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, str]]:
    return table()


def test_the_page_says_what_is_measured(measured: dict[str, dict[str, str]]) -> None:
    """Where node is missing, without its column."""
    (text,) = re.findall(r"<!-- measured by [^>]*-->\n(.*?)<!-- end -->", PAGE, re.DOTALL)
    head, _, *lines = [line.strip("| ").split(" | ") for line in text.split("\n") if line.startswith("|")]
    told = {line[0].strip("`"): dict(zip(head[1:], line[1:], strict=True)) for line in lines}
    calm = set(re.findall(r"`([^`]+)`", text.rpartition("under ")[2]))
    assert told.keys() | calm == set(LEGAL)
    for name, row in measured.items():
        known = told.get(name, dict.fromkeys(row, "ok"))
        assert row == {loop: known[loop] for loop in row}, name


def test_a_correct_client_reads_everything_that_is_legal(measured: dict[str, dict[str, str]]) -> None:
    if CORRECT not in next(iter(measured.values())):
        pytest.skip("node or eventsource-parser is not installed")
    assert {name: row[CORRECT] for name, row in measured.items() if row[CORRECT] != "ok"} == {}
