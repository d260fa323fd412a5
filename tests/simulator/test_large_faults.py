"""Faults on large answers: the work stays in proportion, and parts are no more than a server can write beside others."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chatproof.simulator import chunks, layers
from chatproof.simulator.faults_bytes import streams
from chatproof.simulator.faults_writes import sized
from chatproof.simulator.plan import Plan, Write
from chatproof.simulator.worded import armament

TEXT = "äb " * 600
CUT = ("one-byte-writes", "n-byte-writes;bytes=1", "random-writes;bytes=1", "torn-writes;at=character")


@pytest.mark.parametrize("told", CUT)
def test_there_are_only_so_many_parts(told: str, desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "MOST_PARTS", 1_000)
    whole = desk.chat("guide", TEXT, agent="echo", session="s")
    assert len(whole.raw) > 10_000
    desk.backend.armoury.add(told)
    said = desk.chat("guide", TEXT, agent="echo", session="s")
    assert 10 < len(said.plan.writes) < 2_500
    assert said.body == whole.body


def test_a_character_is_an_event_while_there_are_not_too_many(desk: Any) -> None:
    desk.backend.armoury.add("delta-per-character")
    assert desk.chat("guide", "x" * 500, agent="echo").body.count(b'"token"') == 500 + len("You said: ")
    large = desk.chat("guide", "x" * 50_000, agent="echo").body
    assert 5_000 < large.count(b'"token"') <= 10_001
    assert large.count(b"x") == 50_000


def test_every_size_is_changed_in_one_pass() -> None:
    """A hundred thousand chunks in one write: as many changes, and each byte of the body where it was."""
    count = 100_000
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    plan = Plan((Write(0.0, head + b"3\r\nabc\r\n" * count), Write(1.0, b"2\r\nde\r\n0\r\n\r\n")), "keep-alive")
    change = streams(sized(lambda size, last: b"00" + size + (b";last" if last else b""))).plan
    assert change is not None
    first, second = change(plan).writes
    assert first == Write(0.0, head + b"003\r\nabc\r\n" * count)
    assert second == Write(1.0, b"002;last\r\nde\r\n0\r\n\r\n")


def test_where_a_body_stands_on_the_wire() -> None:
    wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n"
    places = chunks.places(wire)
    assert places.of(wire) == b"abcde"
    assert [wire[places[number]] for number in range(len(places))] == list(b"abcde")
    with pytest.raises(IndexError):
        places[5]
    assert not chunks.places(b"HTTP/1.1 200 OK\r\n\r\nabc")


def test_what_becomes_a_header_has_no_line_end() -> None:
    says = r"value: expected text without control characters, got 'x\r\nEvil: 1'"
    with pytest.raises(ValueError, match=re.escape(says)):
        armament("limit-headers-garbage;value=x%0d%0aEvil: 1")
    assert armament("limit-headers-garbage;value=%09 -1").values["value"] == "\t -1"
