"""The quick reader says what the judge's reader says: on golden bytes, on every legal variant, in every dialect, or leaves it to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatproof.conformance.profile import Profile, profile
from chatproof.load.glance import glance, thorough
from chatproof.load.turn import Line, Maker
from chatproof.simulator.app import running
from chatproof.simulator.population import profile as population
from chatproof.simulator.variants import VARIANTS
from chatproof.spec import Dialect, dialect, names

pytestmark = pytest.mark.slow
QUICK = 0.3
"""Of ordinary answers at least this share is read quickly, or the quick reader is of no use."""


def targets(variant: str | None) -> Iterator[tuple[Dialect, Profile]]:
    with running(variant=variant) as server:
        for name in names():
            one = dialect(name)
            told = {**population(one), "base_url": server.url(name), "dialect": name}
            yield one, profile(told)


def agents(one: Profile) -> Iterator[tuple[Profile, str]]:
    for agent in ("default", "tools", "unicode", "failing", "unknown"):
        yield Profile(one.base_url, one.dialect, one.credentials, {"default": one.agents[agent]}), agent


@pytest.mark.parametrize("variant", [None, *VARIANTS])
def test_both_readers_say_the_same(variant: str | None) -> None:
    quick = read = 0
    for one, told in targets(variant):
        for who, agent in agents(told):
            for stream in (True, False):
                line = Line(who)
                exchange, _ = line.send(Maker(one, who, stream).request("What is it?", None))
                line.close()
                found = glance(exchange, one)
                read += 1
                if found is not None:
                    quick += 1
                    assert found == thorough(exchange, one, who), (one.name, agent, stream)
    assert variant is not None or quick / read > QUICK
