"""Law 3: cut the bytes of a stream, or of the whole response, anywhere: no event, no time order and no verdict changes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatproof.conformance.ask import Ask, compose
from chatproof.conformance.exchange import Chunk, End, Exchange, Request
from chatproof.conformance.framer import Framer
from chatproof.conformance.seen import ReadEvent, Seen
from chatproof.conformance.sse import Reader, read
from chatproof.simulator.backend import Backend
from chatproof.simulator.request import HttpRequest
from chatproof.simulator.variants import VARIANTS
from chatproof.spec import Dialect, Event, vectors

from .memory import all_dialects, full_profile
from .scripts import scripts, stream

DIALECTS = [pytest.param(dialect, id=dialect.name) for dialect in all_dialects()]
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PLACES = st.lists(st.integers(0, 4000), max_size=30)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_any_cut_of_any_stream(dialect: Dialect) -> None:
    @CALM
    @given(scripts(dialect), PLACES, st.sampled_from([b"\n", b"\r\n", b"\r"]))
    def holds(script: list[Event], places: list[int], line_end: bytes) -> None:
        body = stream(script, dialect).replace(b"\n", line_end)
        reader = Reader()
        events = [event for part in cut(body, places) for event in reader.feed(part)]
        slips = tuple(reader.close())
        assert (tuple(events), slips) == (read(body).events, read(body).slips)

    holds()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_cut_in_two_of_every_golden_stream(dialect: Dialect) -> None:
    for vector in vectors(dialect.folder):
        for at in range(len(vector.data) + 1) if vector.kind == "stream" else ():
            reader = Reader()
            assert (*reader.feed(vector.data[:at]), *reader.feed(vector.data[at:])) == read(vector.data).events


@pytest.mark.slow
@pytest.mark.parametrize("variant", [None, *VARIANTS])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_any_cut_of_a_whole_response(dialect: Dialect, variant: str | None) -> None:
    raw = response(dialect, variant)
    whole = meaning(dialect, [raw])
    assert len(whole) > 3

    @settings(CALM, max_examples=10)
    @given(PLACES)
    def holds(places: list[int]) -> None:
        parts = cut(raw, places)
        assert meaning(dialect, parts) == whole
        framer = Framer("POST")
        ends = [number for number, part in enumerate(parts, 1) if framer.feed(part)]
        assert ends == ([] if variant == "close-delimited" else [len(parts)])

    holds()


def response(dialect: Dialect, variant: str | None) -> bytes:
    """The raw bytes of a stream from the agent that speaks every script, cut nowhere yet."""
    ask = Ask("cut", agent="unicode", stream=True)
    request, _ = compose(ask, dialect, full_profile(dialect, "http://memory"))
    headers = {name.lower(): value for name, value in request.headers}
    plan = Backend([dialect], variant=variant).reply(HttpRequest("POST", request.target, headers, request.body), 0.0)
    return b"".join(write.data for write in plan.writes)


def meaning(dialect: Dialect, parts: list[bytes]) -> tuple[ReadEvent, ...]:
    reads = tuple(Chunk(number, part) for number, part in enumerate(parts))
    exchange = Exchange("ex-1", "cut", Request("POST", "/"), 0.0, 0, reads, End.CLOSED, asked={"stream": True})
    return Seen(exchange, dialect, full_profile(dialect, "http://memory")).events
