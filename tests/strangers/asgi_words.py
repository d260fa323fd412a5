"""What the server on Starlette says, as bodies: its agents' words, replies, events and refusals in the four dialects."""

from __future__ import annotations

import json
import re
import time
from typing import Any

PACED_PIECES = 20


class Refused(Exception):
    """A request that is turned away; ``wait`` in seconds where waiting helps."""

    def __init__(self, kind: str, text: str, field: str = "body", wait: int | None = None) -> None:
        super().__init__(text)
        self.kind, self.text, self.field, self.wait = kind, text, field, wait


STATUS = {
    "invalid": 400, "unauthorized": 401, "balance": 402, "scope": 403, "agent": 404, "limited": 429, "media": 415,
    "internal": 500, "unavailable": 503,
}  # fmt: skip
REST_CODES = {
    "invalid": "invalid_request", "unauthorized": "unauthorized", "agent": "agent_not_found", "limited": "rate_limited",
    "internal": "internal_error",
}  # fmt: skip
SLUG_NAMES = {
    "invalid": "ValidationError", "unauthorized": "UnauthorizedError", "agent": "NotFoundError",
    "limited": "TooManyRequestsError", "internal": "ServerError",
}  # fmt: skip


def refusal(dialect: str, why: Refused) -> tuple[int, dict[str, Any]]:
    """Status and body in the dialect's own shape."""
    status = STATUS[why.kind]
    if dialect == "guide":
        body: dict[str, Any] = {"detail": why.text}
        return status, body | ({"retry_after": why.wait} if why.kind == "limited" else {})
    if dialect == "reference":
        if why.kind == "invalid":
            kind = "missing" if "required" in why.text else "value_error"
            return 422, {"detail": [{"type": kind, "loc": ["body", why.field], "msg": why.text, "input": None}]}
        return status, {"detail": why.text}
    if dialect == "rest":
        return status, {"detail": {"message": why.text, "code": REST_CODES.get(why.kind, why.kind)}}
    name = SLUG_NAMES.get(why.kind, "Error")
    return status, {"error": {"details": {"field": why.field}, "message": why.text, "name": name}, "data": None}


def answer(dialect: str, agent: str, message: str, before: list[str]) -> str:
    """The agent's text: it knows which locker it was told of; it repeats in two dialects and has fixed words in the others."""
    told = [found[1] for text in before if (found := re.search(r"locker is number (\w+)", text))]
    if message == "Which locker is mine?":
        return f"It is {told[-1]}." if told else "You have not told me."
    if agent == "walker":
        return " ".join(f"step{n}" for n in range(PACED_PIECES))
    if agent == "toolsmith":
        return "Let me look that up. It is sunny."
    if dialect in ("guide", "rest"):
        return f"I have read: {message}"
    return "Thank you, that is noted; anything else? \u00e9\u4f60\U0001f30d"


def pieces_of(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)


def usage_of(message: str, text: str) -> tuple[int, int]:
    return len(message.split()), len(pieces_of(text))


Reply = dict[str, Any]
TOOL = {"name": "weather", "args": {"city": "Kiel"}}


def reply(dialect: str, session: str, text: str, used: tuple[int, int], *, tools: bool) -> Reply:
    read, written = used
    usage = {"total_tokens": read + written, "output_tokens": written, "input_tokens": read, "cached_tokens": 0}
    if dialect == "guide":
        return {"usage": usage, "session_id": session, "response": text, "created": int(time.time())}
    if dialect == "reference":
        calls = [{**TOOL, "result": "sunny"}] if tools else []
        return {"tool_calls": calls, "usage": usage, "session_id": session, "response": text, "agent": {"v": 2}}
    if dialect == "rest":
        return {"tokens_used": read + written, "response": text, "session_id": session}
    data = {"metadata": {"tokens": read + written, "model": "harbour-1", "ms": 3}, "conversationId": session}
    return {"error": None, "data": {**data, "response": text}}


def events(dialect: str, session: str, text: str, used: tuple[int, int], agent: str) -> list[str]:
    """The data of each event."""
    read, written = used
    kind = {"guide": "token", "reference": "text", "rest": "content"}.get(dialect)
    deltas = [
        {"content": piece, "type": kind, "n": n} if kind else {"chunk": piece, "n": n}
        for n, piece in enumerate(pieces_of(text))
    ]
    if dialect == "reference" and agent == "toolsmith":
        deltas[4:4] = [
            {"type": "tool_call", **TOOL},
            {"type": "tool_result", "name": TOOL["name"], "result": {"sky": "sun"}},
        ]
    if dialect == "reference" and agent == "broken":
        return [*map(json.dumps, deltas[:2]), json.dumps({"message": "the model went away", "type": "error"})]
    usage = {"input_tokens": read, "output_tokens": written}
    last = {
        "guide": {"usage": usage, "session_id": session, "type": "done"},
        "reference": {"usage": {**usage, "total_tokens": read + written}, "type": "done", "finish": "stop"},
        "rest": {"tokens_used": read + written, "session_id": session, "type": "done"},
    }.get(dialect)
    return [*map(json.dumps, deltas), json.dumps(last) if last else "[DONE]"]
