"""Every refusal in every dialect, with the status and body of its table; and which of two wins."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chatproof.simulator.request import BODY_LIMIT
from chatproof.spec import dialect, names

every_dialect = pytest.mark.parametrize("name", names())


def _path(name: str) -> str:
    api = dialect(name)
    operation = api.operation("switched", "stream", "json")
    assert operation is not None
    return api.mount + operation.path.replace("{agent}", "default")


def _scoped(desk: Any, name: str) -> Any:
    return desk.chat(name, key="ak_other_agent") if dialect(name).operation("keys") else None


def _exhausted(desk: Any, name: str) -> Any:
    for _ in range(20):
        desk.chat(name, key="key-limited")
    return desk.chat(name, key="key-limited")


CAUSES: dict[str, Callable[[Any, str], Any]] = {
    "unauthorized": lambda desk, name: desk.chat(name, key="nobody"),
    "invalid_request": lambda desk, name: desk.send(_path(name), b"{}"),
    "agent_not_found": lambda desk, name: desk.chat(name, agent="agent-missing"),
    "wrong_agent": _scoped,
    "rate_limited": _exhausted,
    "insufficient_balance": lambda desk, name: desk.chat(name, key="key-broke"),
    "path_not_found": lambda desk, name: desk.send(dialect(name).mount + "/no/such/path", b"{}"),
    "method_not_allowed": lambda desk, name: desk.send(_path(name), b"", method="GET"),
    "too_large": lambda desk, name: desk.send(_path(name), b" " * (BODY_LIMIT + 1)),
    "unsupported_media": lambda desk, name: desk.send(_path(name), b"a=b", headers={"content-type": "text/plain"}),
    "internal_error": lambda desk, name: desk.chat(name, agent="failing", stream=False),
    "unavailable": lambda desk, name: desk.chat(name, agent="unavailable"),
}


@every_dialect
@pytest.mark.parametrize("refusal", CAUSES)
def test_each_refusal_has_its_tables_status_and_body(
    name: str, refusal: str, desk: Any, at: Callable[[Any, str], Any]
) -> None:
    api, said = dialect(name), CAUSES[refusal](desk, name)
    if said is None:
        pytest.skip("no key of one agent only in this dialect")
    row = api.errors[refusal]
    assert said.status == row.status
    assert said.headers["content-type"] == "application/json"
    for pointer, constant in row.shape.constants.items():
        assert at(said.json, pointer) == constant
    if row.code is not None:
        assert at(said.json, row.shape.roles["code"][0]) == row.code
    assert at(said.json, row.shape.roles["message"][0])
    assert "{" not in at(said.json, row.shape.roles["message"][0])
    assert said.headers[api.limits.limit.lower()]
    assert "date" in said.headers
    needed = {401: "www-authenticate", 405: "allow", 429: "retry-after", 503: "retry-after"}.get(said.status)
    assert needed is None or said.headers[needed]


@every_dialect
@pytest.mark.parametrize("key", [None, "nobody", "key-revoked"])
def test_a_401_names_its_scheme_and_the_limit_of_nobody(name: str, key: str | None, desk: Any) -> None:
    said = desk.chat(name, key=key)
    assert said.status == dialect(name).errors["unauthorized"].status
    assert said.headers["www-authenticate"] == ('Bearer error="invalid_token"' if key else "Bearer")
    assert said.headers["x-ratelimit-limit"] == said.headers["x-ratelimit-remaining"] == "20"


@every_dialect
def test_a_405_lists_what_is_allowed(name: str, desk: Any) -> None:
    assert CAUSES["method_not_allowed"](desk, name).headers["allow"] == "POST"


@every_dialect
def test_refusals_win_in_the_ruled_order(name: str, desk: Any) -> None:
    """AMB-19: each request has two faults; the first of the order answers."""
    errors = dialect(name).errors
    assert desk.send(_path(name), b"{", key="nobody").status == errors["unauthorized"].status
    assert desk.chat(name, 12, agent="agent-missing").status == errors["invalid_request"].status
    assert desk.chat(name, agent="agent-missing", key="key-broke").status == errors["agent_not_found"].status
    _exhausted(desk, name)
    assert desk.chat(name, agent="agent-missing", key="key-limited").status == errors["agent_not_found"].status
    assert desk.chat(name, agent="unavailable", key="key-limited").status == errors["rate_limited"].status
    assert desk.chat(name, agent="unavailable", key="key-broke").status == errors["insufficient_balance"].status


def test_messages_are_the_documented_ones(desk: Any) -> None:
    chat = "/slug/v1/api/chat/support-agent"
    assert desk.send(chat, b"{}").json["error"] == {
        "name": "ValidationError", "message": "Message field is required", "details": {},
    }  # fmt: skip
    missing = desk.send("/slug/v1/api/chat/my-agent", b'{"message": "m"}').json
    assert missing["error"]["message"] == "Agent with slug 'my-agent' not found"
    detail = desk.send("/reference/chat", b'{"agent_id": "ag_echo", "message": 5}').json["detail"]
    assert detail == [{"loc": ["body", "message"], "msg": "must be a string", "type": "string_type"}]
    limited = _exhausted(desk, "guide")
    wait = int(limited.headers["retry-after"])
    assert limited.json == {
        "detail": f"Rate limit exceeded. Please retry after {wait} seconds.",
        "retry_after": wait,
    }


def test_a_failure_in_the_middle_of_a_stream_is_an_event_where_there_is_one(desk: Any) -> None:
    for name in names():
        api = dialect(name)
        row = next((row for row in api.stream if row.event == "failure"), None)
        said = desk.chat(name, agent="failing", stream=True, mode="stream" if api.operation("stream") else "switched")
        if row is None:
            assert said.status == api.errors["internal_error"].status
        else:
            assert said.status == 200
            last = json.loads(said.data[-1])
            assert row.shape.constants.items() <= {f"/{key}": value for key, value in last.items()}.items()


@every_dialect
def test_nasty_bodies_never_crash(name: str, desk: Any) -> None:
    nasty = [
        b"",
        b"[" * 100_000,
        b'{"message": "\\ud800", "agent_id": "\\ud800"}',
        b"\xff",
        b"null",
        b'{"message": ""}',
    ]
    assert all(desk.send(_path(name), body).status < 500 for body in nasty)
    assert desk.chat(name, "\ud800 lone").status == 200
