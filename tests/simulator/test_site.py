"""The pages for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chatproof.simulator.plan import Plan
from chatproof.simulator.request import HttpRequest
from chatproof.simulator.routes import Routes
from chatproof.simulator.site import PAGES, page
from chatproof.spec import dialect, names

ALL = Routes([dialect(name) for name in names()])


def _get(target: str, routes: Routes = ALL, method: str = "GET") -> tuple[str, bytes]:
    plan = page(HttpRequest(method, target, {}), routes, 0.0)
    assert isinstance(plan, Plan)
    head, _, body = b"".join(write.data for write in plan.writes).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    return head.decode(), body


def test_the_index_leads_to_the_docs_and_names_every_operation() -> None:
    _, body = _get("/")
    assert b'href="/docs"' in body
    assert all(dialect(name).mount.encode() in body for name in names())


@pytest.mark.slow
def test_openapi_has_every_operation_where_it_is_served() -> None:
    document = json.loads(_get("/openapi.json")[1])
    assert document["servers"] == [{"url": "/"}]
    assert {path.split("/")[1] for path in document["paths"]} == set(names())
    alone = json.loads(_get("/openapi.json", Routes([dialect("guide")]))[1])
    assert list(alone["paths"]) == ["/chat"]


@pytest.mark.slow
def test_the_docs_need_no_network_and_have_a_key() -> None:
    _, body = _get("/docs")
    assert b"://" not in body
    assert b"key-valid" in body
    head, script = _get("/docs/api-reference.js")
    assert "Content-Type: text/javascript" in head
    assert b"createApiReference" in script


@pytest.mark.parametrize("target", PAGES)
def test_head_is_a_get_without_its_body(target: str) -> None:
    head, body = _get(target, method="HEAD")
    assert body == b""
    assert int(head.partition("Content-Length: ")[2].partition("\r\n")[0]) > 0


def test_other_paths_and_methods_are_none_of_its_business() -> None:
    assert page(HttpRequest("POST", "/docs", {}), ALL, 0.0) is None
    assert page(HttpRequest("GET", "/guide/chat", {}), ALL, 0.0) is None


def test_no_dialect_is_named_in_the_code(desk_of: Callable[..., Any]) -> None:
    """DESIGN, 1: whatever is special about a dialect stands in its tables."""
    from pathlib import Path

    code = Path(__file__).parents[2] / "simulator"
    for file in code.glob("*.py"):
        text = file.read_text("utf-8").replace(">>> from", "").replace('dialect("guide")', "")
        assert not [name for name in names() if f'"{name}"' in text or f"/{name}" in text], file
