"""The fixture ``chat_simulator`` for other projects' tests: one fake backend a session, and on it a scope for each test.

Under pytest-xdist each worker has a backend of its own. Nothing of ours is imported until a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .simulator.sim import Sim

NUMBERS = count(1)
ASKED: pytest.StashKey[Any] = pytest.StashKey()
"""Where a test keeps the backend that it asks, for as long as it has it."""


@pytest.fixture(scope="session")
def chat_simulator_options() -> Mapping[str, Any]:
    """Arguments of ``Simulator`` for the whole session; a project overrides this fixture to give some."""
    return {}


@pytest.fixture(scope="session")
def chat_simulator_server(chat_simulator_options: Mapping[str, Any]) -> Iterator[Sim]:
    """The server that all tests of the session share; ``chat_simulator`` is what a test wants."""
    from .simulator.library import Simulator

    with Simulator(**chat_simulator_options) as sim:
        yield sim


@pytest.fixture
def chat_simulator(chat_simulator_server: Sim, request: pytest.FixtureRequest) -> Iterator[Sim]:
    """A fake backend for this test alone: its own keys, sessions, agents, faults, clock and journal."""
    with chat_simulator_server.scope(f"t{next(NUMBERS)}") as sim:
        request.node.stash[ASKED] = sim
        yield sim
        del request.node.stash[ASKED]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails, or a fixture before it, shows what it asked of the fake backend."""
    report = yield
    sim = item.stash.get(ASKED, None)
    if report.failed and sim is not None:
        from .simulator.failure import sections

        report.sections.extend(sections(sim))
    return report
