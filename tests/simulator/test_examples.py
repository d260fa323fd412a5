"""Every request the documents print gets the reply they print, at the shared root and at the dialect's mount."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chatproof.simulator.examples import examples
from chatproof.spec import dialect, names
from chatproof.spec.files import read

HOURS = "What are your business hours?"
GUIDE = {"agent_id": "agent_abc123"}
REFERENCE = {"agent_id": "ag_c47e7c97_b2f2", "session_id": "sess_customer_001"}

JSON_REPLIES: dict[str, tuple[str, str, str, dict[str, Any], Any]] = {
    "guide policy": (
        "/guide", "/chat", "YOUR_API_KEY",
        {**GUIDE, "message": "Tell me about your return policy", "session_id": "session_xyz789", "stream": False},
        {"response": "Our return policy allows returns within 30 days of purchase...", "session_id": "session_xyz789",
         "usage": {"input_tokens": 45, "output_tokens": 128, "total_tokens": 173}},
    ),
    "reference hours": (
        "/reference", "/chat", "YOUR_TOKEN", {**REFERENCE, "message": HOURS},
        {"response": "Our business hours are Monday through Friday, 9 AM to 6 PM EST. "
         "We're also available on Saturdays from 10 AM to 2 PM.", "session_id": "sess_customer_001",
         "usage": {"input_tokens": 45, "output_tokens": 32, "total_tokens": 77}, "tool_calls": []},
    ),
    "rest hours": (
        "/rest", "/v1/agents/AGENT_ID/chat", "ak_abc123xyz", {"message": HOURS, "session_id": "sess_789"},
        {"response": "Our business hours are Monday to Friday, 9am to 5pm EST.", "session_id": "sess_789", "tokens_used": 145},
    ),
    "rest key": (
        "/rest", "/agents/AGENT_ID/api-keys", "YOUR_API_KEY", {"name": "Backend Integration"},
        {"id": 1, "key": "ak_abc123xyz", "agent_id": "agent_abc123", "name": "Backend Integration"},
    ),
    "slug hours": (
        "/slug", "/v1/api/chat/support-agent", "YOUR_API_KEY", {"message": HOURS, "stream": False},
        {"data": {"response": "AI agent's response text", "conversationId": "conv_abc123",
                  "metadata": {"model": "gpt-4", "tokens": 150}}, "error": None},
    ),
    "slug endpoint as in its heading": (
        "/slug", "/chat/support-agent", "YOUR_API_KEY", {"message": "Your message text here", "stream": False},
        {"data": {"response": "AI agent's response text", "conversationId": "conv_abc123",
                  "metadata": {"model": "gpt-4", "tokens": 150}}, "error": None},
    ),
}  # fmt: skip

STREAMS: dict[str, tuple[str, str, str, dict[str, Any], list[str], list[str]]] = {
    "guide policy": (
        "/guide", "/chat", "YOUR_API_KEY",
        {**GUIDE, "message": "Tell me about your return policy", "session_id": "session_xyz789"},
        ['{"type": "token", "content": "Our"}', '{"type": "token", "content": " return"}',
         '{"type": "token", "content": " policy"}', '{"type": "token", "content": " allows"}'],
        ['{"type": "done", "session_id": "session_xyz789", "usage": {"input_tokens": 45, "output_tokens": 128}}'],
    ),
    "reference learning": (
        "/reference", "/chat/stream", "YOUR_TOKEN", {**REFERENCE, "message": "Explain how machine learning works"},
        ['{"type": "text", "content": "Machine learning is"}',
         '{"type": "text", "content": " a subset of artificial intelligence"}',
         '{"type": "text", "content": " that enables systems to learn"}',
         '{"type": "tool_call", "name": "web_search", "args": {"query": "ML applications 2026"}}',
         '{"type": "tool_result", "name": "web_search", "result": "..."}',
         '{"type": "text", "content": " from data without being explicitly programmed."}',
         '{"type": "done", "usage": {"input_tokens": 50, "output_tokens": 120, "total_tokens": 170}}'], [],
    ),
    "rest hours": (
        "/rest", "/v1/agents/agent_abc123/chat", "ak_abc123xyz",
        {"message": HOURS, "session_id": "sess_789", "stream": True},
        ['{"type": "content", "content": "Our business"}', '{"type": "content", "content": " hours are Monday"}',
         '{"type": "content", "content": " to Friday, 9am to 5pm EST."}',
         '{"type": "done", "session_id": "sess_789", "tokens_used": 145}'], [],
    ),
    "slug hello": (
        "/slug", "/v1/api/chat/agent-slug", "YOUR_API_KEY", {"message": "Hello", "stream": True},
        ['{"chunk": "Hello"}', '{"chunk": " there!"}', '{"chunk": " How"}', '{"chunk": " can"}', '{"chunk": " I"}',
         '{"chunk": " help"}', '{"chunk": "?"}', "[DONE]"], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("at_root", [False, True], ids=["mount", "root"])
@pytest.mark.parametrize("case", JSON_REPLIES)
def test_documented_replies(case: str, at_root: bool, desk: Any) -> None:
    mount, path, key, body, reply = JSON_REPLIES[case]
    said = desk.send(path if at_root else mount + path, json.dumps(body).encode(), key)
    assert (said.status, said.json) == (200, reply)
    assert said.headers["content-type"] == "application/json"


@pytest.mark.parametrize("at_root", [False, True], ids=["mount", "root"])
@pytest.mark.parametrize("case", STREAMS)
def test_documented_streams(case: str, at_root: bool, desk: Any) -> None:
    mount, path, key, body, first, last = STREAMS[case]
    said = desk.send(path if at_root else mount + path, json.dumps(body).encode(), key)
    assert said.status == 200
    assert said.headers["content-type"] == "text/event-stream"
    assert said.data[: len(first)] == first
    assert said.data[len(said.data) - len(last) :] == last
    if not last:
        assert len(said.data) == len(first)


@pytest.mark.parametrize(
    ("path", "key", "body"),
    [
        ("/chat", "YOUR_API_KEY", {**GUIDE, "message": HOURS, "session_id": "session_xyz789"}),
        ("/chat", "YOUR_API_KEY", {**GUIDE, "message": HOURS, "stream": True}),
        ("/chat/stream", "YOUR_TOKEN", {"agent_id": "ag_c47e7c97_b2f2", "message": "Hello"}),
        ("/v1/agents/agent_abc123/chat", "ak_abc123xyz", {"message": "Tell me about your products"}),
        ("/v1/api/chat/support-agent", "YOUR_API_KEY", {"message": "Tell me a long story", "stream": True}),
    ],
)
def test_documented_requests_that_stream(path: str, key: str, body: dict[str, Any], desk: Any) -> None:
    said = desk.send(path, json.dumps(body).encode(), key)
    assert said.status == 200
    assert said.headers["content-type"] == "text/event-stream"
    assert len(said.data) > 2


@pytest.mark.parametrize(
    ("path", "key", "body"),
    [
        ("/chat", "YOUR_TOKEN", {**REFERENCE, "message": "I need help with my order", "metadata": {"user_name": "Jane Doe"}}),
        ("/v1/agents/agent_abc123/chat", "ak_abc123xyz", {"message": "Hello!", "session_id": "sess_001"}),
        ("/v1/api/chat/support-agent", "YOUR_API_KEY", {"message": "Can you elaborate on that?", "conversationId": "conv_abc123"}),
        ("/v1/api/chat/support-agent", "YOUR_API_KEY", {"message": "Hello", "conversationId": None}),
        ("/v1/api/chat/support-agent", "YOUR_API_KEY", {"message": "Follow-up question", "conversationId": "conv_abc123"}),
    ],
)  # fmt: skip
def test_documented_requests_for_json(path: str, key: str, body: dict[str, Any], desk: Any) -> None:
    said = desk.send(path, json.dumps(body).encode(), key)
    assert (said.status, said.headers["content-type"]) == (200, "application/json")


def test_the_documented_conversation_is_remembered(desk: Any) -> None:
    first = {**GUIDE, "message": "Hi, I need help with my order", "stream": False}
    reply = desk.send("/chat", json.dumps(first).encode(), "YOUR_API_KEY").json
    assert reply["session_id"] == "session_new123"
    second = {**GUIDE, "message": "The order number is #12345", "session_id": "session_new123", "stream": False}
    assert "need help with my order" in desk.send("/chat", json.dumps(second).encode(), "YOUR_API_KEY").json["response"]
    assert desk.send("/chat", json.dumps(first).encode(), "YOUR_API_KEY").json["session_id"] != "session_new123"


def test_a_follow_up_knows_the_question_before(desk: Any) -> None:
    for message in ("What is your return policy?", "How long does it take?"):
        body = json.dumps({"message": message, "session_id": "sess_001"}).encode()
        reply = desk.send("/v1/agents/AGENT_ID/chat", body, "ak_abc123xyz").json
    assert "What is your return policy?" in reply["response"]


def test_documented_keys_are_on_the_documented_plan(desk: Any) -> None:
    limits = {"guide": "120", "reference": "120", "rest": "60", "slug": "120"}
    for name, limit in limits.items():
        agent = examples(dialect(name)).agents[0]
        assert desk.chat(name, agent=agent, key="YOUR_API_KEY").headers["x-ratelimit-limit"] == limit


def test_the_documented_key_is_created_once(desk: Any) -> None:
    body = json.dumps({"name": "Backend Integration"}).encode()
    first, second = (desk.send("/agents/AGENT_ID/api-keys", body, "YOUR_API_KEY").json for _ in range(2))
    assert (first["id"], second["id"]) == (1, 2)
    assert first["key"] != second["key"]


@pytest.mark.parametrize("name", names())
def test_the_files_are_valid(name: str) -> None:
    assert read(dialect(name).folder / "examples.yaml", "examples")


def test_a_dialect_without_examples_has_none(tmp_path: Any, desk_of: Callable[..., Any]) -> None:
    for name in names():
        text = (dialect(name).folder / "dialect.yaml").read_text("utf-8")
        (tmp_path / "dialect.yaml").write_text(text, "utf-8")
        assert examples(dialect(tmp_path)).agents == ()
        assert desk_of(str(tmp_path)).chat(name).status == 200
