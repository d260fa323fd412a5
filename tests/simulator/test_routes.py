"""Paths to dialects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatproof.simulator.request import HttpRequest
from chatproof.simulator.routes import Routes
from chatproof.spec import dialect, names

ALL = Routes([dialect(name) for name in names()])


def _found(
    routes: Routes, target: str, body: dict[str, Any] | None = None, method: str = "POST"
) -> tuple[str, str | None, str | None]:
    route = routes.find(HttpRequest(method, target, {}, json.dumps(body or {}).encode()))
    return route.dialect.name, route.operation.id if route.operation else None, route.agent


@pytest.mark.parametrize(
    ("target", "body", "found"),
    [
        ("/guide/chat", {}, ("guide", "chat", None)),
        ("/reference/chat/stream?x=1", {}, ("reference", "stream", None)),
        ("/rest/v1/agents/a%2Fb/chat", {}, ("rest", "chat", "a/b")),
        ("/slug/chat/stream", {}, ("slug", "chat", "stream")),
        ("/slug/chat/", {}, ("slug", None, None)),
        ("/guide/v1/api/chat/x", {}, ("guide", None, None)),
        ("/chat", {"agent_id": "x", "message": "m"}, ("guide", "chat", None)),
        ("/chat", {"agent_id": "ag_x", "message": "m"}, ("reference", "send", None)),
        ("/chat", {"publish_id": "x", "message": "m"}, ("reference", "send", None)),
        ("/chat", {"agent_id": "x", "query": "m"}, ("reference", "send", None)),
        ("/chat", {}, ("guide", "chat", None)),
        ("/chat/stream", {}, ("reference", "stream", None)),
        ("/chat/support", {}, ("slug", "chat", "support")),
        ("/v1/api/chat/support", {}, ("slug", "chat", "support")),
        ("/agents/a/api-keys", {}, ("rest", "create_key", "a")),
        ("http://example.com/guide/chat", {}, ("guide", "chat", None)),
        ("*", {}, ("guide", None, None)),
        ("/", {}, ("guide", None, None)),
    ],
)
def test_where_a_request_goes(target: str, body: dict[str, Any], found: tuple[str, str | None, str | None]) -> None:
    assert _found(ALL, target, body) == found


def test_a_body_that_is_no_json_goes_to_the_first_at_the_root() -> None:
    assert ALL.find(HttpRequest("POST", "/chat", {}, b"{")).dialect.name == "guide"


def test_the_order_of_the_dialects_does_not_decide_between_forms() -> None:
    turned = Routes([dialect(name) for name in reversed(names())])
    assert _found(turned, "/chat", {"agent_id": "x", "message": "m"})[0] == "guide"
    assert _found(turned, "/chat", {"agent_id": "ag_x", "message": "m"})[0] == "reference"


def test_one_dialect_alone_lives_at_the_root_only() -> None:
    alone = Routes([dialect("reference")])
    assert _found(alone, "/chat", {"agent_id": "x"}) == ("reference", "send", None)
    assert _found(alone, "/reference/chat") == ("reference", None, None)
    assert alone.base_path(dialect("reference")) == ""
    assert ALL.base_path(dialect("reference")) == "/reference"


def test_a_wrong_method_lists_the_right_ones() -> None:
    assert ALL.find(HttpRequest("DELETE", "/chat", {})).allow == ("POST",)
    assert ALL.find(HttpRequest("DELETE", "/nothing", {})).allow == ()
