"""What must come back for each sample, by its id. ``test_samples.py`` fails for a sample that is not claimed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Reply:
    """What must come back.

    ``like``: the sample that prints it; ``holds``: values by JSON Pointer, in a stream those of its last JSON event;
    ``says``: the whole text; ``tells``: parts of the text.
    """

    like: str | None = None
    holds: Mapping[str, Any] = field(default_factory=dict)
    says: str | None = None
    tells: tuple[str, ...] = ()
    streamed: bool = False
    status: int = 200


@dataclass(frozen=True)
class Changed:
    """A curl sample with ``old`` replaced, in its reply's sample too, or with words added at its end."""

    id: str
    reply: Reply
    old: str = ""
    new: str = ""
    more: str = ""


@dataclass(frozen=True)
class Body:
    """A request of which only the body is printed: the paths that take it, and a key of the document."""

    id: str
    paths: tuple[str, ...]
    key: str
    reply: Reply


@dataclass(frozen=True)
class Client:
    """A Python or JavaScript sample.

    ``asks``: the vector with the body it sends, and the path at which the same question is answered without a stream;
    ``prints``: that reply's text, the text and a line end, or each piece of it on a line and then the usage.
    """

    asks: tuple[str, str]
    prints: Literal["text", "line", "pieces"]


GUIDE_STREAM = Reply(
    like="guide.txt, How SSE Works, events",
    says="Our return policy allows returns within 30 days of purchase...",
    streamed=True,
)
"""The stream is printed with a gap; its text is that of the reply printed beside it."""

LEARNING = Reply(like="reference-stream.txt, Response \u2014 Server-Sent Events (SSE), events", streamed=True)
REST_STREAM = Reply(like="rest.txt, Response (Streaming), events", streamed=True)
SLUG_REPLY = Reply(like="slug.txt, Success (200):, json")

CURLS: dict[str, Reply] = {
    "guide.txt, Quick Start, curl": Reply(streamed=True, holds={"/session_id": "session_xyz789"}),
    "guide.txt, Example Request:, curl": GUIDE_STREAM,
    "guide.txt, Managing Sessions, curl": Reply(streamed=True, holds={"/session_id": "session_new123"}),
    "guide.txt, Managing Sessions, curl 2": Reply(streamed=True, holds={"/session_id": "session_new123"}),
    "reference-send.txt, POST, curl": Reply(like="reference-send.txt, POST, json"),
    "reference-send.txt, POST, curl 2": Reply(like="reference-send.txt, Response 200, json"),
    "reference-stream.txt, POST, curl": LEARNING,
    "reference-stream.txt, POST, curl 2": LEARNING,
    "rest.txt, Authentication, curl": Reply(like="rest.txt, Response:, json"),
    "rest.txt, Send a Message, curl": Reply(like="rest.txt, Response (Non-Streaming), json"),
    "rest.txt, Session Management, curl": Reply(holds={"/session_id": "sess_001"}),
    "rest.txt, Session Management, curl 2": Reply(holds={"/session_id": "sess_001"}),
    "slug.txt, Basic Chat, curl": SLUG_REPLY,
    "slug.txt, Continue Conversation, curl": Reply(holds={"/data/conversationId": "conv_abc123", "/error": None}),
    "slug.txt, Streaming Response, curl": Reply(streamed=True),
    "slug.txt, Streaming Responses, curl": Reply(like="slug.txt, SSE Format:, events", streamed=True),
}

NO_KEY = Reply(like="slug.txt, 401 - Unauthorized:, json", status=401)
NO_MESSAGE = Reply(like="slug.txt, 400 - Bad Request:, json", status=400)
NO_AGENT = Reply(like="slug.txt, 404 - Not Found:, json", status=404)
GUIDE_REPLY = Reply(like="guide.txt, Non-Streaming Response:, json")
A_SHAPE = Reply(like="reference-stream.txt, POST, json", status=422)

GUIDE, LEARN = "guide.txt, Example Request:, curl", "reference-stream.txt, POST, curl"
KEY, CHAT = "rest.txt, Authentication, curl", "rest.txt, Send a Message, curl"
BASIC = "slug.txt, Basic Chat, curl"
PLACEHOLDER = ("/agent_abc123/", "/AGENT_ID/")

CHANGED: dict[str, Changed] = {
    "without a stream": Changed(GUIDE, GUIDE_REPLY, '"stream": true', '"stream": false'),
    "a stream by header": Changed(CHAT, REST_STREAM, more=' -H "Accept: text/event-stream"'),
    "a stream by body": Changed(CHAT, REST_STREAM, '"sess_789"\n', '"sess_789", "stream": true\n'),
    "no message, as a list": Changed(LEARN, A_SHAPE, '"message"', '"massage"'),
    "no message": Changed(BASIC, NO_MESSAGE, '"message": "What', '"massage": "What'),
    "a wrong key": Changed(BASIC, NO_KEY, "YOUR_API_KEY", "no-such-key"),
    "no key": Changed(BASIC, NO_KEY, "Authorization: ", "X-Nothing: "),
    "no agent": Changed(BASIC, NO_AGENT, "support-agent", "agent-missing"),
    "a key by the placeholder": Changed(KEY, CURLS[KEY], *PLACEHOLDER),
    "a chat by the placeholder": Changed(CHAT, CURLS[CHAT], *PLACEHOLDER),
}
"""What is printed as a reply only: the other half of a switch, and the errors. And the placeholder itself as an agent."""

SLUG_PATHS = ("/v1/api/chat/support-agent", "/chat/support-agent")
BODIES: tuple[Body, ...] = (
    Body(
        "guide.txt, Session Metadata, json",
        ("/chat",),
        "YOUR_API_KEY",
        Reply(
            tells=("Check my account status", "customer@example.com", "enterprise", "web"),
            holds={"/session_id": "session_xyz789"},
            streamed=True,
        ),
    ),
    Body(
        "reference-send.txt, Example with Metadata, json",
        ("/chat",),
        "YOUR_TOKEN",
        Reply(
            tells=(
                "I need help with my order",
                "Jane Doe",
                "jane@example.com",
                "https://store.example.com/orders/12345",
            ),
            holds={"/session_id": "sess_customer_001", "/tool_calls": []},
        ),
    ),
    Body(
        "slug.txt, Request Body, json",
        SLUG_PATHS,
        "YOUR_API_KEY",
        Reply(
            says="AI agent's response text",
            holds={"/data/conversationId": "optional-conversation-id", "/data/metadata/model": "gpt-4"},
        ),
    ),
    Body("slug.txt, New Conversation, json", SLUG_PATHS, "YOUR_API_KEY", Reply(says="Hello there! How can I help?")),
    Body(
        "slug.txt, Continue Conversation, json",
        SLUG_PATHS,
        "YOUR_API_KEY",
        Reply(tells=("Follow-up question",), holds={"/data/conversationId": "conv_abc123"}),
    ),
)

CONTINUED = {
    "guide.txt, Managing Sessions, curl": "guide.txt, Managing Sessions, curl 2",
    "rest.txt, Session Management, curl": "rest.txt, Session Management, curl 2",
    "slug.txt, Basic Chat, curl": "slug.txt, Continue Conversation, curl",
}
"""Requests that begin a conversation, and the ones that go on with it."""

REST_CHAT = "/v1/agents/agent_abc123/chat"
CLIENTS: dict[str, Client] = {
    "guide.txt, Consuming SSE in JavaScript, javascript": Client(("guide-javascript-request", "/chat"), "pieces"),
    "guide.txt, Consuming SSE in Python, python": Client(("guide-python-request", "/chat"), "text"),
    "reference-stream.txt, Client Example \u2014 JavaScript, javascript": Client(
        ("reference-javascript-request", "/chat"), "text"
    ),
    "reference-stream.txt, Client Example \u2014 Python, python": Client(("reference-python-request", "/chat"), "text"),
    "rest.txt, Python, python": Client(("rest-python-request", REST_CHAT), "line"),
    "rest.txt, Node.js, javascript": Client(("rest-node-request", REST_CHAT), "line"),
    "rest.txt, Streaming (Node.js), javascript": Client(("rest-node-streaming-request", REST_CHAT), "text"),
}

HEADERS: dict[str, tuple[str, int]] = {
    "guide.txt, Rate Limit Headers, headers": ("guide.txt, Quick Start, curl", 3),
    "rest.txt, Rate Limits, headers": ("rest.txt, Send a Message, curl", 1),
}
"""Header lines: the request that has them, sent for the how-manieth time in a window."""

RETRY = "guide.txt, Handling Rate Limits, javascript"
REFUSED = "guide.txt, Handling Rate Limits, json"


def claimed() -> set[str]:
    """Every sample that something here runs, sends or compares with a reply."""
    replies = [*CURLS.values(), *(one.reply for one in CHANGED.values())]
    likes = {reply.like for reply in replies if reply.like is not None}
    return {*CURLS, *CLIENTS, *HEADERS, RETRY, REFUSED, *(one.id for one in BODIES), *likes}
