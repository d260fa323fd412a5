"""From what the judge means to the bytes that say so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from chatproof.conformance.ask import Ask, CannotAsk, Via, compose, operation_for
from chatproof.conformance.exchange import Request
from chatproof.spec import dialect

from .recorded import known

GUIDE, REFERENCE, REST, SLUG = map(dialect, ("guide", "reference", "rest", "slug"))


def request(ask: Ask, one: Any = GUIDE, via: Via = "body", **more: Any) -> Request:
    return compose(ask, one, known(one.name, **more), via)[0]


def body(ask: Ask, one: Any = GUIDE, via: Via = "body") -> Any:
    return json.loads(request(ask, one, via).body)


def test_an_ordinary_request() -> None:
    made = request(Ask("a"))
    assert (made.method, made.target) == ("POST", "/chat")
    assert made.headers == (
        ("Authorization", "Bearer secret-key"),
        ("Content-Type", "application/json"),
        ("Accept", "*/*"),
    )
    assert json.loads(made.body) == {"agent_id": "agent_1", "message": "Hello", "stream": False}


@pytest.mark.parametrize(
    ("one", "stream", "wanted"),
    [(GUIDE, None, "chat"), (REFERENCE, True, "stream"), (REFERENCE, False, "send"), (REFERENCE, None, "send"), (REST, True, "chat")],
)  # fmt: skip
def test_the_operation_that_answers_so(one: Any, stream: bool | None, wanted: str) -> None:
    assert operation_for(Ask("a", stream=stream), one).id == wanted


def test_a_dialect_without_streams_cannot_be_asked_for_one() -> None:
    plain = replace(GUIDE, operations=(replace(GUIDE.operations[0], mode="json"),))
    with pytest.raises(CannotAsk):
        operation_for(Ask("a", stream=True), plain)


@pytest.mark.parametrize(
    ("one", "via", "stream", "switch", "accept"),
    [
        (GUIDE, "body", True, True, "*/*"),
        (GUIDE, "body", None, None, "*/*"),
        (REST, "body", True, True, "*/*"),
        (REST, "body", False, None, "*/*"),
        (REST, "accept", True, None, "text/event-stream"),
        (REST, "accept", False, None, "*/*"),
        (REFERENCE, "body", True, None, "*/*"),
    ],
)
def test_how_a_stream_is_asked_for(one: Any, via: Via, stream: bool | None, switch: bool | None, accept: str) -> None:
    """Where no document names the switch (AMB-03) nothing is sent for no stream; a stream's own endpoint needs none."""
    made = request(Ask("a", stream=stream), one, via)
    assert json.loads(made.body).get("stream") == switch
    assert made.header("accept") == accept


def test_an_agent_in_the_path_is_escaped() -> None:
    made = request(Ask("a", agent="odd"), SLUG, agents={"odd": "a/b c?d%"})
    assert made.target == "/v1/api/chat/a%2Fb%20c%3Fd%25"


@pytest.mark.parametrize(
    ("ask", "credential"),
    [
        (Ask("a"), "Bearer secret-key"),
        (Ask("a", key=None), None),
        (Ask("a", authorization="Basic eA=="), "Basic eA=="),
        (Ask("a", authorization=""), None),
        (Ask("a", key=None, headers=(("authorization", "Bearer x"),)), "Bearer x"),
    ],
)
def test_credentials(ask: Ask, credential: str | None) -> None:
    assert request(ask).header("authorization") == credential


def test_a_key_that_the_profile_lacks_is_our_mistake() -> None:
    with pytest.raises(KeyError, match="limited"):
        request(Ask("a", key="limited"))


def test_roles_set_left_out_and_put_elsewhere() -> None:
    ask = Ask("a", session="s", stream=None, set={"metadata": {"n": 1}, "message": 7}, omit=("agent",), at={"session": "/x/y~1z"}, extra={"e": None})  # fmt: skip
    assert body(ask) == {"message": 7, "metadata": {"n": 1}, "x": {"y/z": "s"}, "e": None}


def test_keys_are_made_with_a_name() -> None:
    made = request(Ask("a", message="mine", operation="create_key"), REST)
    assert (made.target, json.loads(made.body)) == ("/agents/agent_1/api-keys", {"name": "mine"})


def test_headers_given_replace_ours_and_empty_ones_are_not_sent() -> None:
    made = request(Ask("a", headers=(("content-type", ""), ("Accept", "x/y"), ("X-More", "1"))))
    assert made.header("content-type") is None
    assert [value for name, value in made.headers if name.lower() == "accept"] == ["x/y"]
    assert made.header("x-more") == "1"


def test_every_way_of_writing_means_the_same() -> None:
    ways = [
        request(Ask("a", message="é\u4f60", written=written)).body
        for written in ("plain", "raw", "spaced", "reordered")
    ]
    assert len(set(ways)) == 4
    assert all(json.loads(way) == json.loads(ways[0]) for way in ways)
    assert ways[0].isascii()
    assert "é".encode() in ways[1]
    assert list(json.loads(ways[3])) == list(reversed(list(json.loads(ways[0]))))


def test_a_body_in_chunks_is_the_same_body() -> None:
    plain, made = request(Ask("a")), request(Ask("a", chunked=True))
    head, _, rest = made.body.partition(b"\r\n")
    assert int(head, 16) == 9
    assert rest[:9] == plain.body[:9]
    assert made.body.endswith(b"\r\n0\r\n\r\n")
    assert made.header("transfer-encoding") == "chunked"


def test_what_was_meant_goes_into_the_transcript_as_plain_data() -> None:
    asked = compose(Ask("a", session="s", key="valid", body=b"x"), GUIDE, known())[1]
    assert json.loads(json.dumps(asked)) == {
        "step": "a", "message": "Hello", "stream": False, "session": "s", "agent": "default", "key": "valid",
        "valid": True, "omit": [], "operation": "chat", "via": "body",
    }  # fmt: skip
    assert "secret-key" not in str(asked)
