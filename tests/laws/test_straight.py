"""What is written where nothing bends a reply is, byte for byte and write for write, what the layers would have been given."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatproof.simulator import encode, meter
from chatproof.simulator.agents import Answer
from chatproof.simulator.beats import at_once
from chatproof.simulator.plan import About, Layer, build
from chatproof.simulator.reply import Beat, Reply
from chatproof.simulator.request import HttpRequest
from chatproof.simulator.straight import spoken, straight, text_stream
from chatproof.spec import Delta, Dialect, Done, Event, Usage

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


WORDS = st.lists(st.sampled_from(["a", "\u00e9", "\x85", "\x1c", "\u3000", "", " ", "\n", '"']), max_size=9).map(
    " ".join
)
WAITS = st.sampled_from([0.0, 0.0, 0.02, 0.1])
ANSWERS = st.builds(
    lambda steps, end_s, by_word: Answer(
        tuple((wait, Delta(text)) for wait, text in steps), end_s=end_s, by_word=by_word
    ),
    st.lists(st.tuples(WAITS, TEXT | WORDS), max_size=20),
    WAITS,
    st.booleans(),
)


@pytest.mark.slow
def test_an_answer_that_is_given_again() -> None:
    """In several dialects in turn, each time with an end of its own: what is kept of it is nobody's in particular."""

    @CALM
    @given(ANSWERS, st.lists(st.tuples(st.sampled_from(all_dialects()), TEXT), min_size=1, max_size=6))
    def holds(answer: Answer, given: list[tuple[Dialect, str]]) -> None:
        for dialect, session in given:
            end = Done(session, Usage(1, 2, 3))
            reply = Reply(dialect, 200, dialect.reply, {}, at_once(answer, end, True), True)
            plan = build(reply, HttpRequest("POST", "/", {}), 1e9, [PLAIN], 7, About())
            said = spoken(dialect, answer)
            assert said is not None
            assert said.words == meter.measure("", [event for _, event in answer.steps]).output
            spelt = {role: encode.dumps(value) for role, value in encode.event_fields(end).items()}
            assert text_stream(dialect, said.middle, spelt, "", 1e9) == plan.writes

    holds()
