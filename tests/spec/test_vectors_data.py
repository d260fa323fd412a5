"""The golden bytes: every example of the documents is there, as printed, and means what the dialect's table reads in it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonpointer import JsonPointerException, resolve_pointer

from chatproof import spec
from chatproof.spec.files import read
from chatproof.spec.load import ROOT

DIALECTS = spec.names()
SOURCES = (*DIALECTS, "web")
DOCUMENTS = Path(__file__).parents[2] / "../shared/documents"
EXAMPLES = {"guide.txt": 7, "reference-send.txt": 5, "reference-stream.txt": 4, "rest.txt": 6, "slug.txt": 11}
"""JSON objects printed in each document outside its streams, repetitions counted."""
EVENTS = {"guide.txt": 5, "reference-send.txt": 0, "reference-stream.txt": 7, "rest.txt": 4, "slug.txt": 8}
"""Stream events printed in each document."""
SAMPLES = ("guide-javascript-request", "guide-python-request", "reference-javascript-request", "reference-python-request",
           "rest-python-request", "rest-node-request", "rest-node-streaming-request")  # fmt: skip
"""Bodies that the documents print as program text, not as JSON."""
COUNT = {"guide": 10, "reference": 8, "rest": 10, "slug": 12, "web": 79}
"""Vectors of each folder. Examples that say the same twice would otherwise cover each other's loss."""

PRINTED = [v for name in DIALECTS for v in spec.vectors(name) if v.kind != "stream"]
STREAMS = [(name, v) for name in DIALECTS for v in spec.vectors(name) if v.kind == "stream"]
SSE = list(spec.vectors("web"))


def named(vector: Any) -> str:
    return vector.id if isinstance(vector, spec.Vector) else str(vector)


def text_of(name: str) -> str:
    path = DOCUMENTS / name
    if not path.is_file():
        pytest.skip(f"the document {name} is not beside this repository")
    return path.read_text("utf-8")


def payloads(vector: spec.Vector) -> list[str]:
    """The data of each event; the test of the layout has proved that the events are cut so."""
    return [event.removeprefix("data: ") for event in vector.data.decode().split("\n\n")[:-1]]


def printed_events(text: str) -> list[str]:
    """What follows ``data: `` at the beginning of a line: a JSON object, or a literal to the line's end."""
    found = []
    for match in re.finditer(r"(?m)^data: (?=[{\[])", text):
        at = match.end()
        length = json.JSONDecoder().raw_decode(text[at:])[1] if text[at] == "{" else text[at:].index("\n")
        found.append(text[at : at + length])
    return found


def printed_objects(text: str) -> Iterator[Any]:
    """Every outermost ``{…}`` that is JSON and neither an event nor a table of headers in a sample."""
    at = text.find("{")
    while at >= 0:
        try:
            value, length = json.JSONDecoder().raw_decode(text[at:])
        except json.JSONDecodeError:
            length = 1
        else:
            if not text[:at].endswith("data: ") and "Authorization" not in value:
                yield value
        at = text.find("{", at + length)


def read_by_table(value: Any, roles: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """The roles that stand in a JSON value, at the first of their places."""
    found = {}
    for role, places in roles.items():
        try:
            found[role] = resolve_pointer(value, places[0])
        except JsonPointerException:
            continue
    return found


@pytest.mark.parametrize("source", SOURCES)
def test_file_is_valid(source: str) -> None:
    read(ROOT / source / "vectors.yaml", "vectors")


def test_ids_are_unique_and_say_where_they_belong() -> None:
    ids = Counter(v.id for source in SOURCES for v in spec.vectors(source))
    assert [id for id, times in ids.items() if times > 1] == []
    assert [v.id for name in DIALECTS for v in spec.vectors(name) if not v.id.startswith(f"{name}-")] == []


@pytest.mark.parametrize("source", SOURCES)
def test_no_vector_has_gone(source: str) -> None:
    ids = [v.id for v in spec.vectors(source)]
    assert len(ids) == COUNT[source]
    assert [id for id in SAMPLES if id.startswith(f"{source}-") and id not in ids] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_printed_object_is_a_vector(name: str) -> None:
    objects = list(printed_objects(text_of(name)))
    known = [json.loads(v.data) for v in PRINTED]
    assert [value for value in objects if value not in known] == []
    assert len(objects) == EXAMPLES[name]


@pytest.mark.parametrize("name", EVENTS)
def test_every_printed_event_is_in_a_vector(name: str) -> None:
    events = printed_events(text_of(name))
    known = [data for _, v in STREAMS if v.source.startswith(name) for data in payloads(v)]
    assert events == known
    assert len(events) == EVENTS[name]


def test_there_are_24_events() -> None:
    assert sum(len(payloads(v)) for _, v in STREAMS) == 24


@pytest.mark.parametrize("vector", [v for v in PRINTED if v.id not in SAMPLES], ids=named)
def test_text_is_as_printed(vector: spec.Vector) -> None:
    assert vector.data.decode() in text_of(vector.source.partition(",")[0])


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_message_of_a_sample_is_sent_by_a_vector(name: str) -> None:
    """Bodies in program text are no JSON; their messages tell whether they were forgotten."""
    said = re.findall(r"""["']?\bmessage["']?: ["']((?:(?<!\\).)+?)["'](?:,?\n| *[,}])""", text_of(name))
    sent = {str(v.means.get("message")) for v in PRINTED}
    assert said != []
    assert set(said) - sent == set()


@pytest.mark.parametrize(("dialect", "vector"), STREAMS, ids=named)
def test_stream_is_laid_out_as_ruled(dialect: str, vector: spec.Vector) -> None:
    """AMB-12: one ``data`` line an event, each followed by a blank line, and nothing else."""
    assert re.fullmatch(rb"(?:data: [^\r\n]+\n\n)+", vector.data)


@pytest.mark.parametrize(("dialect", "vector"), STREAMS, ids=named)
def test_stream_means_what_the_table_reads(dialect: str, vector: spec.Vector) -> None:
    table = spec.dialect(dialect).stream
    for data, meant in zip(payloads(vector), vector.means, strict=True):
        ((kind, roles),) = meant.items()
        assert (kind, {"text": roles} if kind == "delta" else roles) in list(readings(data, table))


def readings(data: str, table: tuple[spec.Row, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the rows of a dialect's table make of an event's data; one reading, unless the table is ambiguous."""
    for row in table:
        if row.literal is not None:
            if data == row.literal:
                yield row.event, {}
        elif data.startswith("{"):
            value = json.loads(data)
            constants = row.shape.constants.items()
            if all(resolve_pointer(value, at, None) == constant for at, constant in constants):
                roles = read_by_table(value, row.shape.roles)
                if roles.keys() == row.shape.roles.keys():
                    yield row.event, roles


@pytest.mark.parametrize("name", DIALECTS)
def test_bodies_mean_what_the_table_reads(name: str) -> None:
    table = spec.dialect(name)
    for vector in spec.vectors(name):
        value, meant = (json.loads(vector.data) if vector.kind != "stream" else None), vector.means
        if vector.kind == "request":
            assert read_by_table(value, {**table.request.keys, **table.request.chat}) == meant, vector.id
        elif vector.kind == "reply":
            shapes = [shape for shape in (table.reply, table.key_reply) if shape]
            assert meant in [read_by_table(value, shape.roles) for shape in shapes], vector.id
            assert sorted(members(value)) == sorted(members(meant)), vector.id
        elif vector.kind == "error":
            row = table.errors[meant["refusal"]]
            assert meant["status"] in row.accept, vector.id
            assert read_by_table(value, row.shape.roles) == {
                k: v for k, v in meant.items() if k not in ("refusal", "status")
            }
            assert meant.get("code") == row.code, vector.id


def members(value: Any) -> Iterator[str]:
    """The scalars of a reply as text: none of them may be left without a meaning (``null`` says nothing)."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from members(inner)
    elif isinstance(value, list):
        yield from (text for inner in value for text in members(inner))
    elif value is not None:
        yield json.dumps(value)


@pytest.mark.parametrize("vector", SSE, ids=named)
def test_sse_row_is_whole(vector: spec.Vector) -> None:
    assert vector.kind == "sse"
    assert vector.means.keys() == {"events", "retry"}
    assert vector.means["retry"] is None or vector.means["retry"] >= 0
    assert [event for event in vector.means["events"] if event.keys() != {"type", "data", "id"}] == []
    assert [text for event in vector.means["events"] for text in event.values() if not isinstance(text, str)] == []
    assert vector.chunks is None or b"".join(vector.chunks) == vector.data


def test_sse_rows_exercise_the_standard() -> None:
    """Every kind of line end, field and trap of WHATWG HTML 9.2.5 and 9.2.6 occurs somewhere, also cut by a read."""
    everything = b"\n\n".join(v.data for v in SSE)
    marks = (
        b"\r\n",
        b"\r\r",
        b"\n\r",
        b"\xef\xbb\xbf",
        b"\0",
        b"event:",
        b"id:",
        b"retry:",
        b"\n:",
        b"\xff",
        b"\xe2\x80\xa8",
    )
    assert [mark for mark in marks if mark not in everything] == []
    cuts = [(a, b) for v in SSE for a, b in zip(v.chunks or (), (v.chunks or ())[1:], strict=False)]
    assert any(a.endswith(b"\r") and b.startswith(b"\n") for a, b in cuts)
    assert any(a[-1] >= 0x80 and b[0] & 0xC0 == 0x80 for a, b in cuts)
