"""The least that conforms: one dialect at a time, one agent with one sentence, one key, no memory. Written from the documents."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY, AGENT = "only-key-7391", "only-agent"
WORDS = ("Good ", "day to ", "you.")
LIMIT, WINDOW_S = 900, 60
USAGE = {"input_tokens": 3, "output_tokens": 3}
TOTAL = {**USAGE, "total_tokens": 6}

CHAT = {
    "guide": "/chat",
    "reference": "/chat",
    "rest": f"/v1/agents/{AGENT}/chat",
    "slug": f"/v1/api/chat/{AGENT}",
}
NAMES = {400: "ValidationError", 401: "UnauthorizedError", 404: "NotFoundError", 429: "RateLimited"}
CODES = {400: "invalid_request", 401: "unauthorized", 404: "agent_not_found", 429: "rate_limited"}
Answer = tuple[int, str, str]


class Bare(BaseHTTPRequestHandler):
    """``dialect`` and the count of the window stand on the server."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, media_type, body = self.answer(raw)
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in self.limits().items():
            self.send_header(name, value)
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        if media_type == "text/event-stream":
            self.send_header("Cache-Control", "no-cache")
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self.send_response(405)
        self.send_header("Allow", "POST")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""

    @property
    def dialect(self) -> str:
        return str(self.server.dialect)  # type: ignore[attr-defined]

    def limits(self) -> dict[str, str]:
        if self.dialect not in ("guide", "rest"):
            return {}
        end, left = self.server.window  # type: ignore[attr-defined]
        return {"X-RateLimit-Limit": str(LIMIT), "X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": str(end)}

    def spend(self) -> bool:
        """Whether the window has room for one more."""
        end, left = self.server.window  # type: ignore[attr-defined]
        if end <= time.time():
            end, left = int(time.time()) + WINDOW_S, LIMIT
        self.server.window = (end, max(left - 1, 0))  # type: ignore[attr-defined]
        return bool(left)

    def answer(self, raw: bytes) -> Answer:
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or key != KEY:
            return self.error(401, "Invalid key")
        if not self.spend():
            return self.error(429, "Too many requests")
        streams_always = self.dialect == "reference" and self.path == "/chat/stream"
        if self.path != CHAT[self.dialect] and not streams_always:
            return self.error(404, f"Nothing at {self.path}")
        return self.reply(raw, streams_always)

    def reply(self, raw: bytes, streams_always: bool) -> Answer:
        try:
            body = json.loads(raw)
            message, agent = body["message"], body["agent_id"] if self.dialect in ("guide", "reference") else AGENT
            streams, session = body.get("stream", self.dialect == "guide"), self.session(body)
            fields = (
                message,
                agent,
                session if session is not None else "",
                "x" if isinstance(streams, bool) else None,
            )
            if not all(isinstance(field, str) for field in fields) or not isinstance(body.get("metadata") or {}, dict):
                return self.error(400, "The message, or what goes with it, has the wrong type")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return self.error(400, "A message is required")
        if agent != AGENT:
            return self.error(404, f"No agent {agent}")
        session = session or uuid.uuid4().hex
        if streams or streams_always:
            return 200, "text/event-stream", "".join(f"data: {data}\n\n" for data in self.events(session))
        return 200, "application/json", json.dumps(self.whole(session))

    def session(self, body: dict[str, Any]) -> Any:
        return body.get("conversationId" if self.dialect == "slug" else "session_id")

    def whole(self, session: str) -> dict[str, Any]:
        text = "".join(WORDS)
        if self.dialect == "slug":
            data = {"response": text, "conversationId": session, "metadata": {"model": "m", "tokens": 6}}
            return {"data": data, "error": None}
        if self.dialect == "rest":
            return {"response": text, "session_id": session, "tokens_used": 6}
        tools: dict[str, Any] = {"tool_calls": []} if self.dialect == "reference" else {}
        return {"response": text, "session_id": session, "usage": TOTAL, **tools}

    def events(self, session: str) -> Iterator[str]:
        kind = {"guide": "token", "reference": "text", "rest": "content"}.get(self.dialect)
        for word in WORDS:
            yield json.dumps({"type": kind, "content": word} if kind else {"chunk": word})
        last = {
            "guide": {"type": "done", "session_id": session, "usage": USAGE},
            "reference": {"type": "done", "usage": TOTAL},
            "rest": {"type": "done", "session_id": session, "tokens_used": 6},
        }
        yield json.dumps(last[self.dialect]) if self.dialect in last else "[DONE]"

    def error(self, status: int, text: str) -> Answer:
        if self.dialect == "slug":
            body: dict[str, Any] = {"data": None, "error": {"name": NAMES[status], "message": text, "details": {}}}
        elif self.dialect == "rest":
            body = {"code": CODES[status], "message": text}
        else:
            body = {"detail": text, **({"retry_after": WINDOW_S} if status == 429 else {})}
        return status, "application/json", json.dumps(body)


@contextmanager
def serving(dialect: str) -> Iterator[str]:
    """The base URL of a bare server of that dialect, which ends with the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bare)
    server.daemon_threads = True
    server.dialect = dialect  # type: ignore[attr-defined]
    server.window = (0, 0)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
