"""The page of the kill matrix is current, and leaves no cell empty."""

from __future__ import annotations

import pytest

from chatproof.simulator.faults import CATALOGUE

from .kill_page import PAGE, breaks, killers, kills, page, rows, why_none


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.laws.kill_matrix --page"


@pytest.mark.parametrize("id", rows())
def test_every_requirement_is_bitten_or_says_why_not(id: str) -> None:
    where = rows()[id]
    assert bool(killers(id, where)) or why_none(where)


@pytest.mark.parametrize("fault", kills())
def test_every_fault_breaks_something_or_says_why_not(fault: str) -> None:
    assert breaks(fault, kills()[fault]) or CATALOGUE[fault].kind == "legal"
