"""The quick reader says what the judge's reader says: on golden bytes, on every legal variant, in every dialect, or leaves it to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproof.conformance.exchange import Chunk, End, Request
from chatproof.conformance.framer import Framer
from chatproof.conformance.profile import Profile, profile
from chatproof.load.compiled import Stated
from chatproof.load.glance import Glimpse, glance, thorough
from chatproof.load.heard import Heard
from chatproof.load.line import Line
from chatproof.load.maker import Maker
from chatproof.simulator.app import running
from chatproof.simulator.population import profile as population
from chatproof.simulator.variants import VARIANTS
from chatproof.spec import Dialect, dialect, names

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


@pytest.mark.slow
@pytest.mark.parametrize("variant", [None, *VARIANTS])
def test_both_readers_say_the_same(variant: str | None) -> None:
    quick = read = 0
    for one, told in targets(variant):
        for who, agent in agents(told):
            for stream in (True, False):
                line = Line(who)
                maker = Maker(one, who, stream)
                heard, _ = line.send(maker.base, maker.body("What is it?", None))
                line.close()
                found = glance(heard, one)
                read += 1
                if found is not None:
                    quick += 1
                    assert found == thorough(heard.exchange(maker.base), one, who), (one.name, agent, stream)
    assert variant is not None or quick / read > QUICK


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
TEXTS = [
    b'{"type": "token", "content": "one"}',
    b'{"type": "token", "content": ""}',
    b'{"type": "token", "content": " two"}',
]
DONE = b'{"type": "done", "session_id": "s", "usage": {"input_tokens": 1, "output_tokens": 2}}'


def stream(payloads: list[bytes], cuts: list[int], chunked_by: int = 1) -> Heard:
    """A stream of these events, so many to a chunk, that came in reads cut there, 1,000 ns apart."""
    events = [b"data: %b\n\n" % payload for payload in payloads]
    chunks = [b"".join(events[at : at + chunked_by]) for at in range(0, len(events), chunked_by)]
    raw = HEAD + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    edges = [0, *sorted({cut % len(raw) for cut in cuts} - {0}), len(raw)]
    reads = [Chunk(1000 * at, raw[start:end]) for at, (start, end) in enumerate(pairwise(edges), 1)]
    framer = Framer("POST")
    assert [framer.feed(read.data) for read in reads][-1]
    return Heard(b"", 0, reads, End.COMPLETE, "", framer.chunks)


def read_by_the_judge(heard: Heard, one: Dialect) -> Glimpse:
    exchange = replace(
        heard.exchange(Request("POST", "/chat")), asked={"step": "load", "stream": True, "operation": "chat"}
    )
    return thorough(exchange, one, Profile("http://127.0.0.1:9", one.name, {"valid": "key"}, {"default": "agent"}))


@given(st.lists(st.integers(0, 600), max_size=8), st.integers(1, 4))
def test_each_text_has_the_time_of_the_read_that_brought_its_last_byte(cuts: list[int], chunked_by: int) -> None:
    heard = stream([*TEXTS, DONE], cuts, chunked_by)
    one = dialect("guide")
    found = glance(heard, one)
    assert found is not None
    assert found == read_by_the_judge(heard, one)
    assert len(found.texts) == 2
    assert found.text == "one two"


def test_a_read_that_ends_with_an_event_is_the_one_that_brought_it() -> None:
    end = len(HEAD) + len(b"2b\r\n") + len(b"data: \n\n") + len(TEXTS[0])
    found = glance(stream([TEXTS[0], TEXTS[2], DONE], [end]), dialect("guide"))
    assert found is not None
    assert found.texts == [1000, 2000]


@given(st.lists(st.text(), max_size=4), st.booleans(), st.booleans(), st.lists(st.integers(0, 600), max_size=4))
def test_whatever_characters_a_text_has(texts: list[str], escaped: bool, compact: bool, cuts: list[int]) -> None:
    separators = (",", ":") if compact else None
    events = [json.dumps({"type": "token", "content": t}, ensure_ascii=escaped, separators=separators) for t in texts]
    heard, one = stream([*(event.encode() for event in events), DONE], cuts), dialect("guide")
    found = glance(heard, one)
    assert found is not None
    assert found == read_by_the_judge(heard, one)
    assert found.text == "".join(texts)


@pytest.mark.parametrize("text", [rb"a\x", rb"\u12", b"a\tb", rb'a" "b', b"\xff"], ids=repr)
def test_a_text_that_is_no_json_is_left_to_the_judge(text: bytes) -> None:
    heard, one = stream([TEXTS[0], b'{"type": "token", "content": "%b"}' % text, DONE], []), dialect("guide")
    assert glance(heard, one) is None
    assert read_by_the_judge(heard, one).problem


def test_texts_after_another_event_are_read_in_their_order() -> None:
    payloads = [b'{"type": "text", "content": "a"}', b'{"type": "tool_call", "name": "n", "args": {}}']
    done = b'{"type": "done", "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}}'
    heard, one = stream([*payloads, payloads[0].replace(b"a", b"b"), done], []), dialect("reference")
    found = glance(heard, one)
    assert found is not None
    assert found == read_by_the_judge(heard, one)
    assert (found.text, found.events, found.total_units) == ("ab", 4, 3)


def test_a_header_name_with_a_digit_in_it_is_looked_for_in_the_head() -> None:
    """An outline has no place for it: it cannot be told from its like there."""
    guide = dialect("guide")
    limits = replace(guide.limits, limit="X-Limit-24", remaining="X-Left-24", reset="X-Reset-24")
    one = replace(guide, limits=limits, folder=guide.folder / "elsewhere")
    heard = stream([*TEXTS, DONE], [])
    told = HEAD.replace(b"\r\n\r\n", b"\r\nX-Left-11: 5\r\nX-Left-24: 7\r\n\r\n")
    (read,) = heard.reads
    found = glance(heard._replace(reads=[Chunk(read.at_ns, read.data.replace(HEAD, told))]), one)
    assert found is not None
    assert found.stated == Stated(remaining="7")


@pytest.mark.parametrize(
    "payloads",
    [
        [b'{"x": [{}', b"{}]}", b"%b,%b" % (TEXTS[0], TEXTS[0]), DONE],
        [TEXTS[0], b'{"type": "token"', DONE],
        [DONE, TEXTS[0]],
        [DONE, DONE],
        [b'{"type": "elsewhere"}', DONE],
    ],
    ids=["that lean on each other", "cut off", "after the end", "two ends", "of no kind"],
)
def test_events_that_are_not_plain_are_left_to_the_judge(payloads: list[bytes]) -> None:
    heard, one = stream(payloads, []), dialect("guide")
    assert glance(heard, one) is None
    assert read_by_the_judge(heard, one).problem
