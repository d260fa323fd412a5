"""The examples in the OpenAPI documents are the printed ones; their schemas tell good bodies and events from broken."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chatproof import spec
from chatproof.spec import Dialect, openapi

DOCUMENTS = Path(__file__).parents[3] / "shared" / "documents"
DIALECTS = [spec.dialect(name) for name in spec.names()]
OPEN_FIELDS = ("args", "result", "tool_calls")

each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


def holds(schema: Any, value: Any) -> bool:
    assert schema is not None
    return Draft202012Validator(schema).is_valid(value)


def responses(doc: openapi.Document, operation_id: str) -> dict[int, openapi.Document]:
    answers = openapi.operation(doc, operation_id)["responses"]
    return {int(status): openapi.follow(doc, node) for status, node in answers.items()}


def data_lines(stream: str) -> list[str]:
    return [line.removeprefix("data: ") for line in stream.split("\n") if line.startswith("data: ")]


def json_examples(dialect: Dialect, requests: bool = True) -> Iterator[tuple[Any, Any]]:
    """(schema, value) of every JSON example of replies, errors and, unless told otherwise, requests."""
    doc = openapi.document(dialect)
    for name in openapi.operation_ids(doc):
        body = openapi.follow(doc, openapi.operation(doc, name)["requestBody"])["content"][openapi.JSON]
        if requests:
            yield from ((openapi.request_schema(doc, name), one["value"]) for one in body["examples"].values())
        for status, response in responses(doc, name).items():
            media = response["content"].get(openapi.JSON, {})
            schema = openapi.schema_for(doc, name, status, openapi.JSON)
            yield from ((schema, one["value"]) for one in media.get("examples", {}).values())


def stream_examples(dialect: Dialect) -> Iterator[tuple[str, str]]:
    """(operationId, text) of every streamed example."""
    doc = openapi.document(dialect)
    for name in openapi.operation_ids(doc):
        media = responses(doc, name)[200]["content"].get(openapi.EVENT_STREAM, {})
        yield from ((name, one["serializedValue"]) for one in media.get("examples", {}).values())


def events(dialect: Dialect) -> list[Any]:
    """The documented JSON events, without the literal lines, and one of the kind that is described but not printed."""
    literals = [row.literal for row in dialect.stream if row.literal]
    lines = [line for _, text in stream_examples(dialect) for line in data_lines(text)]
    unprinted = [{"type": "error", "message": "The model broke off"}] if dialect.name == "reference" else []
    return [json.loads(line) for line in lines if line not in literals] + unprinted


def printed(dialect: Dialect) -> str:
    if not DOCUMENTS.is_dir():
        pytest.skip(f"the documents are not at {DOCUMENTS}")
    return "\n".join((DOCUMENTS / name).read_text("utf-8") for name in dialect.documents)


@each_dialect
def test_every_example_is_valid(dialect: Dialect) -> None:
    doc = openapi.document(dialect)
    pairs = list(json_examples(dialect))
    assert len(pairs) > 3
    for schema, value in pairs:
        Draft202012Validator(schema).validate(value)
    for name, text in stream_examples(dialect):
        assert text.endswith("\n\n")
        frame = openapi.frame_schema(doc, name) or False
        for block in text.removesuffix("\n\n").split("\n\n"):
            [line] = data_lines(block)
            assert block == f"data: {line}", "one line an event, each closed by a blank line"
            Draft202012Validator(frame).validate({"data": line})


@each_dialect
def test_every_printed_json_is_an_example(dialect: Dialect) -> None:
    """Whatever JSON object the document prints, in curl commands and listings, stands among the examples unchanged."""
    text, start, found = printed(dialect), 0, []
    while (start := text.find("{", start)) >= 0:
        try:
            value, start = json.JSONDecoder().raw_decode(text, start)
        except json.JSONDecodeError:
            start += 1
            continue
        found.append(value)
    known = [value for _, value in json_examples(dialect)] + events(dialect)
    assert len(found) > 8
    bodies = [value for value in found if value and "Authorization" not in value]
    assert [value for value in bodies if value not in known] == []


@each_dialect
def test_the_streams_are_the_printed_ones(dialect: Dialect) -> None:
    examples = dict.fromkeys(text for _, text in stream_examples(dialect))  # an alias repeats its original's
    lines = [line for text in examples for line in data_lines(text)]
    for theirs, ours in zip(data_lines(printed(dialect)), lines, strict=True):
        assert theirs.startswith(ours), "the document may run on into its next heading"


@each_dialect
def test_events_may_say_more_than_documented_but_not_less(dialect: Dialect) -> None:
    doc = openapi.document(dialect)
    whole = openapi.bundle([dialect])
    names = [name for name, _ in stream_examples(dialect)]
    schemas = [openapi.event_schema(doc, name) for name in names]
    schemas += [openapi.event_schema(whole, f"{dialect.name}_{name}") for name in names]
    for schema in schemas:
        Draft202012Validator.check_schema(schema or {})
        for event in events(dialect):
            refuses_what_is_broken(schema, event)


@each_dialect
def test_bodies_may_say_more_than_documented_but_not_less(dialect: Dialect) -> None:
    for schema, value in json_examples(dialect, requests=False):
        Draft202012Validator.check_schema(schema)
        refuses_what_is_broken(schema, value)


def refuses_what_is_broken(schema: Any, value: dict[str, Any]) -> None:
    assert holds(schema, value), value
    assert holds(schema, {**value, "trace_id": "a field no document knows"})
    assert [broken for broken in breakages(value) if holds(schema, broken)] == []


def breakages(value: dict[str, Any]) -> Iterator[Any]:
    """``value`` with one member left out, of another type or out of range, at any depth that the documents describe."""
    for key, member in value.items():
        yield {other: kept for other, kept in value.items() if other != key}
        if key != "result":
            yield {**value, key: 5 if isinstance(member, str) else "5"}
        if key == "type" and "loc" not in value:
            yield {**value, key: f"{member}s"}
        if key in ("session_id", "conversationId", "key", "agent_id"):
            yield {**value, key: ""}
        if isinstance(member, int) and key != "id":
            yield {**value, key: -1}
        if isinstance(member, dict) and key not in OPEN_FIELDS:
            yield from ({**value, key: broken} for broken in breakages(member))
        if isinstance(member, list) and key not in OPEN_FIELDS:
            yield from (
                {**value, key: [broken]} for one in member if isinstance(one, dict) for broken in breakages(one)
            )


def test_what_is_not_documented_has_no_schema() -> None:
    doc = openapi.document(spec.dialect("rest"))
    assert openapi.schema_for(doc, "chat", 418, openapi.JSON) is None
    assert openapi.schema_for(doc, "chat", 200, "text/html") is None
    assert openapi.schema_for(doc, "chat", 200, openapi.EVENT_STREAM) is None
    assert openapi.event_schema(doc, "create_key") is None
    with pytest.raises(openapi.UnknownOperation, match="create_key"):
        openapi.schema_for(doc, "chit", 200, openapi.JSON)


def test_status_ranges_and_defaults_are_followed() -> None:
    doc = deepcopy(openapi.document(spec.dialect("guide")))
    answers = openapi.operation(doc, "chat")["responses"]
    answers["5XX"], answers["default"] = answers.pop("500"), answers.pop("429")
    assert openapi.schema_for(doc, "chat", 502, openapi.JSON) == openapi.schema_for(doc, "chat", 503, openapi.JSON)
    assert "retry_after" in str(openapi.schema_for(doc, "chat", 418, openapi.JSON))


def load_in_schemathesis(doc: openapi.Document) -> Any:
    import schemathesis

    settings = {"base-url": "http://127.0.0.1:1", "cache": {"enabled": False}}
    return schemathesis.openapi.from_dict(doc, config=schemathesis.Config.from_dict(settings))


@pytest.mark.slow
@each_dialect
def test_schemathesis_holds_streams_against_the_events(dialect: Dialect) -> None:
    import httpx

    def judge(operation: Any, stream: str) -> None:
        request = httpx.Request("POST", f"http://127.0.0.1:1{operation.path}", json={})
        headers = {"content-type": openapi.EVENT_STREAM}
        response = httpx.Response(200, headers=headers, content=stream.encode(), request=request)
        response.elapsed = timedelta(seconds=0.1)
        response.extensions["http_version"] = b"HTTP/1.1"
        operation.validate_response(response)

    doc = openapi.document(dialect)
    for version in (doc, openapi.twin_31(doc)):
        schema = load_in_schemathesis(version)
        for name, text in stream_examples(dialect):
            method, path = openapi.operation_ids(doc)[name]
            operation = schema[path][method]
            judge(operation, text)
            with pytest.raises(Exception, match="violates"):
                judge(operation, re.sub(r'"(content|chunk)": "[^"]*"', r'"\1": 5', text, count=1))
