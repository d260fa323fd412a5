"""What is written where nothing bends a reply is, byte for byte and write for write, what the layers would have been given."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatproof.simulator.plan import About, Layer, build
from chatproof.simulator.reply import Beat, Reply
from chatproof.simulator.request import HttpRequest
from chatproof.simulator.straight import straight
from chatproof.spec import Dialect, Event

from .memory import all_dialects
from .scripts import JSON, TEXT, scripts

DIALECTS = [pytest.param(dialect, id=dialect.name) for dialect in all_dialects()]
CALM = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
PLAIN = Layer(value=lambda value: value)
"""Changes nothing, but takes the way past every template."""
REQUESTS = st.builds(
    HttpRequest,
    st.sampled_from(["POST", "HEAD"]),
    st.just("/"),
    st.just({}),
    version=st.sampled_from([(1, 1), (1, 0)]),
    keep_alive=st.booleans(),
)
HEADERS = st.lists(st.tuples(st.sampled_from(["X-One", "X-Two"]), st.text("a\u00e9\u4e2d 9")), max_size=2).map(tuple)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_replies_and_streams(dialect: Dialect) -> None:
    @CALM
    @given(scripts(dialect), st.lists(st.sampled_from([0.0, 0.0, 0.02])), st.booleans(), REQUESTS, HEADERS, TEXT)
    def holds(
        script: list[Event],
        waits: list[float],
        streamed: bool,
        request: HttpRequest,
        headers: tuple[tuple[str, str], ...],
        model: str,
    ) -> None:
        waits = [*waits, *[0.0] * len(script)]
        beats = tuple(Beat(sum(waits[: n + 1]), event) for n, event in enumerate(script))
        reply = Reply(dialect, 200, dialect.reply, {"model": model}, beats, streamed, headers, said="json")
        about = About(dialect.name)
        assert straight(reply, request, 1e9, 7, about) == build(reply, request, 1e9, [PLAIN], 7, about)

    holds()


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_refusals(dialect: Dialect) -> None:
    @CALM
    @given(st.sampled_from(list(dialect.errors.values())), TEXT, JSON, REQUESTS)
    def holds(row: object, message: str, value: object, request: HttpRequest) -> None:
        found = dialect.errors[row.refusal]  # type: ignore[attr-defined]
        fields = {"message": message, "code": found.code, "kind": message, "location": [message], "details": value}
        reply = Reply(dialect, found.status, found.shape, {**fields, "retry_after": 3})
        assert straight(reply, request, 1e9, 7, About()) == build(reply, request, 1e9, [PLAIN], 7, About())

    holds()
