"""Every sample of the documents, run against the simulator: at the shared root, at its dialect's mount, and alone."""

from __future__ import annotations

import http.client
import json
import re
from collections import Counter
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonpointer import resolve_pointer

from chatproof import spec

from .claims import BODIES, CHANGED, CLIENTS, CONTINUED, CURLS, HEADERS, REFUSED, RETRY, Body, Reply, claimed
from .stage import DEADLINE_S, DIALECT, PLACES, Answer, Stage, printed, sample, stage

GAP = "...\n"
MINUTE_S = 60
VECTORS = {vector.id: vector for name in spec.names() for vector in spec.vectors(name)}
VALID_KEY = "key-valid"
LIMITED_KEY = "YOUR_API_KEY"

everywhere = pytest.mark.parametrize("place", PLACES)


def golden(code: str) -> bytes:
    """A printed stream with the empty lines that AMB-12 rules; a printed gap stays as it is."""
    return "".join(line if line == GAP else f"{line.rstrip()}\n\n" for line in code.splitlines(keepends=True)).encode()


def skeleton(value: Any) -> Any:
    """A JSON value as the documents print a shape: a text as ``<string>``, a list by its first member."""
    if isinstance(value, dict):
        return {name: skeleton(member) for name, member in value.items()}
    if isinstance(value, list):
        return [skeleton(member) for member in value[:1]]
    return "<string>" if isinstance(value, str) else value


def final(answer: Answer, dialect: spec.Dialect) -> Any:
    """The last JSON event of a stream; the last event of all must be the dialect's own, which may be a literal."""
    (row,) = (row for row in dialect.stream if row.event == "done")
    if row.literal is not None:
        assert answer.events[-1] == row.literal
        return json.loads(answer.events[-2])
    event = json.loads(answer.events[-1])
    assert {place: resolve_pointer(event, place) for place in row.shape.constants} == row.shape.constants
    return event


def text_of(answer: Answer, dialect: spec.Dialect, streamed: bool) -> str:
    """What the agent says, whole."""
    if not streamed:
        return str(resolve_pointer(answer.json, dialect.reply.roles["text"][0]))
    (row,) = (row for row in dialect.stream if row.event == "delta")
    said = (json.loads(data) for data in answer.events if data.startswith("{"))
    return "".join(resolve_pointer(event, row.shape.roles["text"][0], "") for event in said)


def same(answer: Answer, like: str, streamed: bool) -> None:
    """The printed reply: JSON by value or by shape, a stream byte for byte."""
    if streamed:
        head, gap, tail = golden(like).partition(GAP.encode())
        assert (answer.body.startswith(head) and answer.body.endswith(tail)) if gap else answer.body == head
    elif "<string>" in like:
        assert skeleton(answer.json) == json.loads(like)
    else:
        assert answer.json == json.loads(like)


def check(answer: Answer, reply: Reply, dialect: spec.Dialect, old: str = "", new: str = "") -> None:
    """Everything that ``reply`` asks of an answer; ``old`` stands as ``new`` in the printed reply."""
    media = "text/event-stream" if reply.streamed else "application/json"
    assert (answer.status, answer.headers["Content-Type"]) == (reply.status, media)
    if reply.like is not None:
        like = sample(reply.like).code
        same(answer, like.replace(old, new) if old else like, reply.streamed)
    if reply.status != 200:
        return
    value = final(answer, dialect) if reply.streamed else answer.json
    assert {place: resolve_pointer(value, place) for place in reply.holds} == reply.holds
    if reply.like is None or reply.says is not None:
        said = text_of(answer, dialect, reply.streamed)
        assert said.strip()
        assert reply.says in (None, said)
        assert [part for part in reply.tells if part not in said] == []


def message_of(code: str) -> str:
    found = re.search(r'"message": "(.+?)"', code)
    assert found is not None
    return found[1]


def exhaust(on: Stage) -> int:
    """Use up what the documented key may ask in this minute, and say how many requests that took."""
    address = urlsplit(on.url)
    headers = {"Authorization": f"Bearer {LIMITED_KEY}", "Content-Type": "application/json"}
    sent, left = 0, 1
    with closing(http.client.HTTPConnection(address.netloc, timeout=DEADLINE_S)) as line:
        while left:
            line.request("POST", f"{address.path}/chat", VECTORS["guide-return-policy-request"].data, headers)
            response = line.getresponse()
            response.read()
            assert response.status == 200
            sent, left = sent + 1, int(response.headers["X-RateLimit-Remaining"])
    return sent


def test_every_sample_is_claimed() -> None:
    assert {one.id for document in DIALECT for one in printed(document)} == claimed()


def test_the_golden_streams_are_the_printed_ones() -> None:
    events = [one.code for document in DIALECT for one in printed(document) if one.language == "events"]
    vectors = [vector.data for vector in VECTORS.values() if vector.kind == "stream"]
    assert sorted(golden(code.replace(GAP, "")) for code in events) == sorted(vectors)


@everywhere
@pytest.mark.parametrize("id", CURLS)
def test_curl(id: str, place: str) -> None:
    one = sample(id)
    with stage(one.document, place) as on:
        check(on.curl(on.at(one.code)), CURLS[id], on.dialect)


@everywhere
@pytest.mark.parametrize("case", CHANGED)
def test_curl_changed(case: str, place: str) -> None:
    changed = CHANGED[case]
    one = sample(changed.id)
    with stage(one.document, place) as on:
        code = on.at(one.code)
        assert changed.old in code
        answer = on.curl((code.replace(changed.old, changed.new) if changed.old else code) + changed.more)
        check(answer, changed.reply, on.dialect, changed.old, changed.new)


@everywhere
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.id)
def test_bodies(body: Body, place: str) -> None:
    one = sample(body.id)
    with stage(one.document, place) as on:
        for path in body.paths:
            check(on.post(path, one.code, body.key), body.reply, on.dialect)


@pytest.mark.slow
@everywhere
@pytest.mark.parametrize("first", CONTINUED)
def test_what_goes_on_remembers_what_began(first: str, place: str) -> None:
    begin, go_on = sample(first), sample(CONTINUED[first])
    with stage(begin.document, place) as on:
        on.curl(on.at(begin.code))
        streamed = CURLS[go_on.id].streamed
        said = text_of(on.curl(on.at(go_on.code)), on.dialect, streamed)
        assert message_of(begin.code) in said
    with stage(begin.document, place) as on:
        assert message_of(begin.code) not in text_of(on.curl(on.at(go_on.code)), on.dialect, streamed)


@everywhere
@pytest.mark.parametrize("id", HEADERS)
def test_limit_headers(id: str, place: str) -> None:
    """The window opened so that it ends when the document says, the printed lines come word for word."""
    lines, (asked, times) = sample(id), HEADERS[id]
    end = int(lines.code.rpartition(" ")[2])
    with stage(lines.document, place, spec.FrozenClock(end - MINUTE_S)) as on:
        answers = [on.curl(on.at(sample(asked).code)) for _ in range(times)]
    names = [line.partition(":")[0] for line in lines.code.splitlines()]
    assert "\n".join(f"{name}: {answers[-1].headers[name]}" for name in names) == lines.code


@pytest.mark.slow
@everywhere
def test_a_refusal_for_too_many_requests(place: str) -> None:
    refused = sample(REFUSED)
    clock = spec.FrozenClock()
    with stage(refused.document, place, clock) as on:
        exhaust(on)
        clock.advance(MINUTE_S - json.loads(refused.code)["retry_after"])
        answer = on.curl(on.at(sample("guide.txt, Quick Start, curl").code))
    assert (answer.status, answer.json) == (429, json.loads(refused.code))
    assert answer.headers["Retry-After"] == str(answer.json["retry_after"])


@pytest.mark.slow
@everywhere
@pytest.mark.parametrize("id", CLIENTS)
def test_clients(id: str, place: str) -> None:
    """A client prints what the agent says to the same question without a stream."""
    one, client = sample(id), CLIENTS[id]
    vector, path = client.asks
    with stage(one.document, place) as on:
        got = on.client(one)
        asked = {**json.loads(VECTORS[vector].data), "stream": False}
        answer = on.post(path, json.dumps(asked), VALID_KEY)
        said = text_of(answer, on.dialect, streamed=False)
    if client.prints == "pieces":
        usage = answer.json["usage"]
        *pieces, done, end = got.split("\n")
        assert (done, end) == (
            f"Done: {{ input_tokens: {usage['input_tokens']}, output_tokens: {usage['output_tokens']} }}",
            "",
        )
        assert len(pieces) > 1
        got = "".join(pieces)
    assert got == (f"{said}\n" if client.prints == "line" else said)


def retried(payload: spec.Vector) -> str:
    """Program lines that call the sample's function and print what came."""
    body = json.dumps({**json.loads(payload.data), "stream": False})
    return f"const reply = await chatWithRetry({body});\nconsole.log(`${{reply.status}} ${{await reply.text()}}`);"


@pytest.mark.slow
@everywhere
def test_the_client_that_retries(place: str) -> None:
    one = sample(RETRY)
    with stage(one.document, place) as on:
        status, _, body = on.client(one, retried(VECTORS["guide-return-policy-request"])).partition(" ")
    assert (status, json.loads(body)) == ("200", json.loads(sample("guide.txt, Non-Streaming Response:, json").code))


@pytest.mark.slow
def test_the_client_that_retries_after_a_refusal() -> None:
    """Refused with a second to wait, it asks again one later by its clock; the log's line moves the simulator's.

    Statuses are counted, and only when the simulator has stopped: a line is logged after its client has been answered.
    """
    one = sample(RETRY)
    clock = spec.FrozenClock()
    statuses: Counter[str] = Counter()

    def log(line: str) -> None:
        status = line.split("  ")[3]
        statuses[status] += 1
        if status == "429":
            clock.advance(1)

    with stage(one.document, "root", clock, log) as on:
        sent = exhaust(on)
        clock.advance(MINUTE_S - 1)
        got = on.client(one, retried(VECTORS["guide-return-policy-request"]))
    assert got.startswith("200 ")
    assert statuses == {"200": sent + 1, "429": 1}
