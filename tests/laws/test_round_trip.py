"""Law 2: whatever an agent says, in any dialect, the judge reads what the simulator wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatproof.conformance import reading, sse
from chatproof.conformance.exchange import parse_json
from chatproof.simulator.encode import dumps
from chatproof.simulator.plan import Layer, spell
from chatproof.simulator.reply import Beat, Reply
from chatproof.spec import Delta, Dialect, Done, Event, Usage

from .memory import all_dialects
from .scripts import JSON, TEXT, normal, scripts, stream, whole

EVERY = all_dialects()
DIALECTS = [pytest.param(dialect, id=dialect.name) for dialect in EVERY]
SLOWLY = Layer(value=lambda value: value)
"""Changes nothing, but takes the way past the template that text is written with."""
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_reads_as_it_was_written(dialect: Dialect) -> None:
    @CALM
    @given(scripts(dialect))
    def holds(script: list[Event]) -> None:
        body = stream(script, dialect)
        found = sse.read(body)
        assert normal((reading.event(event.data, dialect) for event in found.events), dialect) == normal(
            script, dialect
        )
        assert len(found.events) == len(script)
        assert found.slips == ()
        assert stream(script, dialect, [SLOWLY]) == body

    holds()


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_reply_reads_as_it_was_written(dialect: Dialect) -> None:
    @CALM
    @given(scripts(dialect), st.text())
    def holds(script: list[Event], model: str) -> None:
        told = [event for event in script if not isinstance(event, Done)]
        done = next((event for event in script if isinstance(event, Done)), Done())
        beats = tuple(Beat(0.0, event) for event in (*told, done))
        (body,) = spell(Reply(dialect, 200, dialect.reply, {"model": model}, beats), 0.0).pieces
        value, twice = parse_json(body.data)
        found = reading.roles(value, dialect.reply)
        assert found["text"] == whole("".join(event.text for event in script if isinstance(event, Delta)))
        assert reading.usage(found) == told_of(done, dialect)
        assert found.get("session") == whole(done.session)
        assert found.get("model", model) == model
        assert twice == ()

    holds()


@pytest.mark.slow
@CALM
@given(JSON)
def test_json_is_written_for_every_reader(value: Any) -> None:
    text = dumps(value)
    assert parse_json(text.encode())[0] == json.loads(text) == whole(value)
    assert text.splitlines() in ([text], [])


@pytest.mark.slow
@CALM
@given(st.lists(TEXT))
def test_text_is_never_mistaken_for_the_end(texts: list[str]) -> None:
    """A piece of text that reads like a dialect's literal end stays a piece of text."""
    for dialect in EVERY:
        ends = [row.literal for row in dialect.stream if row.literal is not None]
        script: list[Event] = [Delta(text) for text in (*texts, *ends)]
        found = sse.read(stream(script, dialect)).events
        assert all(isinstance(reading.event(event.data, dialect), Delta) for event in found)


def told_of(done: Done, dialect: Dialect) -> Usage:
    """What a reply can tell of an end: the counts that its shape has a place for."""
    usage, places = done.usage, dialect.reply.roles
    counts = {"input_tokens": usage.input, "output_tokens": usage.output, "total_tokens": usage.total}
    return Usage(*(count if role in places else None for role, count in counts.items()))
