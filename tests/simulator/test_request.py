"""Bodies and credentials as they come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatproof.simulator.request import Asked, Mistake, bearer, is_json, parse_json, read_body, wants_stream
from chatproof.spec import Dialect, Operation, dialect, names


@pytest.mark.parametrize(
    ("header", "key"),
    [("Bearer abc", "abc"), ("bearer abc", "abc"), ("BEARER   abc ", "abc"), ("Bearer", None), ("Bearer ", None), ("Basic abc", None), ("abc", None), ("", None)],
)  # fmt: skip
def test_bearer(header: str, key: str | None) -> None:
    assert bearer({"authorization": header}) == key


@pytest.mark.parametrize(
    ("media", "taken"),
    [("application/json", True), ("Application/JSON; charset=utf-8", True), ("application/x+json", True), ("", True), ("text/plain", False)],
)  # fmt: skip
def test_media_types(media: str, taken: bool) -> None:
    assert is_json({"content-type": media}) is taken


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1, "a": 2}', b'\xef\xbb\xbf{}', b'{"a": "\xff"}', b"[" * 200_000, b'{"a": "\n"}', b"1" * 5000],
)  # fmt: skip
def test_what_is_not_json_is_refused_and_never_crashes(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_json(body)


def test_a_lone_surrogate_is_taken() -> None:
    assert parse_json(b'{"a": "\\ud800"}') == {"a": "\ud800"}


def _chat(name: str) -> Operation:
    return _chat_of(dialect(name))


def _chat_of(api: Dialect) -> Operation:
    operation = api.operation("switched", "stream", "json")
    assert operation is not None
    return operation


def _body(name: str, **roles: Any) -> bytes:
    api = dialect(name)
    said = {"agent": "a", "message": "m", **roles}
    return json.dumps({at[0][1:]: said[role] for role, at in api.request.chat.items() if role in said}).encode()


@pytest.mark.parametrize("name", names())
def test_each_role_has_its_type(name: str) -> None:
    api = dialect(name)
    for role, at in api.request.chat.items():
        found = read_body(api, _chat(name), _body(name, **{role: 12}))
        assert isinstance(found, Mistake)
        assert found.field == at[0][1:]
        assert found.problem.startswith("must be ")
        assert found.location == ("body", at[0][1:])


@pytest.mark.parametrize("name", names())
def test_required_and_nullable_are_the_tables(name: str) -> None:
    api = dialect(name)
    for role in api.request.chat:
        null = read_body(api, _chat(name), _body(name, **{role: None}))
        if role in api.request.nullable:
            assert isinstance(null, Asked)
            assert role not in null.roles
        else:
            assert isinstance(null, Mistake)
    missing = read_body(api, _chat(name), b"{}")
    assert isinstance(missing, Mistake)
    assert (missing.problem, missing.kind) == ("is required", "missing")


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize(("body", "problem"), [(b"{", "is not valid JSON"), (b"[]", "must be an object")])
def test_a_body_that_is_no_object(name: str, body: bytes, problem: str) -> None:
    found = read_body(dialect(name), _chat(name), body)
    assert isinstance(found, Mistake)
    assert found.problem == problem


@pytest.mark.parametrize("parent", ["x", 7, False, [], None])
def test_what_stands_where_an_object_should_hold_a_role_is_a_mistake(parent: Any) -> None:
    """Of an optional role too: it is not simply absent."""
    api = dialect(Path(__file__).parents[1] / "dialects" / "echo")
    for body, field in (({"say": {"text": "x"}, "thread": parent}, "thread"), ({"say": parent}, "say")):
        found = read_body(api, _chat_of(api), json.dumps(body).encode())
        assert found == Mistake(field, "must be an object", "dict_type", ("body", field))
    without = read_body(api, _chat_of(api), b'{"say": {"text": "x"}, "thread": {}}')
    assert isinstance(without, Asked)
    assert without.roles == {"message": "x"}


@pytest.mark.parametrize("name", names())
def test_any_pointer_of_a_role_is_read(name: str) -> None:
    api = dialect(name)
    for role in ("message", "agent"):
        for pointer in api.request.chat.get(role, ()):
            body = json.loads(_body(name))
            body.pop(api.request.chat[role][0][1:])
            body[pointer[1:]] = "here"
            found = read_body(api, _chat(name), json.dumps(body).encode())
            assert isinstance(found, Asked)
            assert found.roles[role] == "here"


@pytest.mark.parametrize("name", names())
def test_who_asks_for_a_stream(name: str) -> None:
    api, operation = dialect(name), _chat(name)
    sse = {"accept": "application/json, text/event-stream"}
    assert wants_stream(api, operation, Asked({"stream": True}), {}) is True
    assert wants_stream(api, operation, Asked({"stream": False}), sse) is False
    assert wants_stream(api, operation, Asked({}), {}) is None
    assert wants_stream(api, operation, Asked({}), sse) is (True if api.request.switch.accept else None)
