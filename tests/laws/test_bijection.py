"""Law 6: requirements, checks, scenarios and rulings name each other, and nothing hangs loose."""

from __future__ import annotations

import pytest

from chatproof.conformance import checks, scenarios
from chatproof.conformance.check import CHECKS
from chatproof.conformance.scenario import SCENARIOS
from chatproof.spec import Dialect, ambiguities, requirements

from .memory import all_dialects

assert checks
assert scenarios.ORDER
DIALECTS = all_dialects()
ROWS = [(dialect, row) for dialect in DIALECTS for row in requirements(dialect)]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_each_requirement_names_an_existing_check_or_says_why_not(dialect: Dialect) -> None:
    for row in requirements(dialect):
        given = [way for way in (row.check, row.untestable) if way is not None]
        assert len(given) == 1, row.id
        assert row.check is None or row.check in CHECKS, f"{row.id} names {row.check}, which is no check"


def test_each_check_is_named_by_a_requirement() -> None:
    assert set(CHECKS) - {row.check for _, row in ROWS} == set()


def test_each_check_looks_at_a_scenario_or_at_every_exchange() -> None:
    for check in CHECKS.values():
        assert (check.scenario is None) != (check.over is None), check.id
        assert check.scenario is None or check.scenario in SCENARIOS, check.id
        assert check.statement, check.id


def test_each_scenario_is_looked_at_by_a_check_of_its_own_or_plays_ordinary_exchanges() -> None:
    looked_at = {check.scenario for check in CHECKS.values()}
    assert set(SCENARIOS) - looked_at == {"unicode", "long"}
    assert {scenario.play.__module__ for scenario in SCENARIOS.values()} == set(scenarios.ORDER)


def test_each_ruling_that_a_requirement_rests_on_is_in_the_register() -> None:
    register = {row.id: row for row in ambiguities()}
    for dialect, row in ROWS:
        if row.ambiguity is not None:
            assert row.ambiguity in register, f"{dialect.name} {row.id}"


def test_ids_are_unique_within_a_run() -> None:
    for dialect in DIALECTS:
        ids = [row.id for row in requirements(dialect)]
        assert len(ids) == len(set(ids)), dialect.name
