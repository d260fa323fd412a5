"""The nouns of a dialect. Frozen, without behaviour: the simulator reads them forwards, the judge backwards.

A *role* is what a place on the wire means. It maps to JSON Pointers (RFC 6901): the first is the one to write,
any of them may be read. Which roles and refusals exist at all, and which event has which, is fixed by
``schema/dialect.schema.json``, so that a spelling mistake in a dialect's file is an error and not a place nobody looks at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Roles = Mapping[str, tuple[str, ...]]

REFUSALS = (
    "unauthorized",
    "invalid_request",
    "agent_not_found",
    "wrong_agent",
    "rate_limited",
    "insufficient_balance",
    "path_not_found",
    "method_not_allowed",
    "too_large",
    "unsupported_media",
    "internal_error",
    "unavailable",
)

EventKind = Literal["delta", "tool_call", "tool_result", "done", "failure"]
Mode = Literal["json", "stream", "switched", "keys"]


@dataclass(frozen=True)
class Operation:
    """One method and path template. ``{agent}`` in a path is the role ``agent``.

    ``mode``: ``json`` and ``stream`` always answer so; ``switched`` lets the request decide; ``keys`` creates an agent's key.
    """

    id: str
    method: str
    path: str
    mode: Mode
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Switch:
    """How a request of a ``switched`` operation asks for a stream: its body's ``stream`` role, else ``default``.

    ``accept``: an ``Accept: text/event-stream`` header asks for one as well. ``ruling``: the ambiguity this rests on.
    """

    default: bool
    accept: bool = False
    ruling: str | None = None


@dataclass(frozen=True)
class Shape:
    """A JSON body: where the roles stand, which values are constant, which roles may be missing."""

    roles: Roles = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    optional: Roles = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One kind of stream event: a JSON object of this shape, or a ``literal`` data line that is no JSON at all."""

    event: EventKind
    shape: Shape = Shape()
    literal: str | None = None


@dataclass(frozen=True)
class ErrorRow:
    """How one refusal looks. ``accept`` lists every status the judge takes; ``documented`` is false where the text is silent.

    ``ruling``: the ambiguity on which alone its body rests, so that nobody can be held to it.
    """

    refusal: str
    status: int
    message: str
    shape: Shape
    accept: tuple[int, ...]
    code: str | None = None
    documented: bool = True
    ruling: str | None = None


@dataclass(frozen=True)
class Plan:
    """What a key may do. ``None``: no such limit (a custom plan).

    ``window_s``: how long a "minute" of it is; the documents know no other, but a test does not want to wait for one.
    """

    name: str
    requests_per_minute: int | None = None
    requests_per_day: int | None = None
    concurrent: int | None = None
    window_s: int = 60


@dataclass(frozen=True)
class Limits:
    """Names of the limit headers; ``promised`` is false where the documents are silent and the judge must not ask."""

    limit: str
    remaining: str
    reset: str
    retry_after: str
    promised: bool


@dataclass(frozen=True)
class Request:
    """The bodies of requests: roles, which are required, which may be ``null``, and other documented forms (AMB-02)."""

    chat: Roles
    required: tuple[str, ...]
    nullable: tuple[str, ...]
    switch: Switch
    keys: Roles = field(default_factory=dict)


@dataclass(frozen=True)
class Dialect:
    """One documented API, whole. ``folder`` holds its other files (``openapi.yaml``, ``requirements.yaml``…)."""

    name: str
    title: str
    folder: Path
    mount: str
    documents: tuple[str, ...]
    agent_prefix: str | None
    session_expiry_s: int | None
    operations: tuple[Operation, ...]
    request: Request
    reply: Shape
    key_reply: Shape | None
    stream: tuple[Row, ...]
    errors: Mapping[str, ErrorRow]
    plans: Mapping[str, Plan]
    limits: Limits

    def operation(self, *modes: Mode) -> Operation | None:
        """The first operation whose mode is among ``modes``, tried in the order given; ``None`` if there is none."""
        for mode in modes:
            for operation in self.operations:
                if operation.mode == mode:
                    return operation
        return None


Level = Literal["MUST", "SHOULD", "MAY"]
Evidence = Literal["stated", "example", "inherited", "contested"]


@dataclass(frozen=True)
class Citation:
    """Where a requirement stands: a document (or a web standard) and the heading or section in it."""

    document: str
    section: str


@dataclass(frozen=True)
class Requirement:
    """One thing a document obliges a server to or promises of it.

    Either ``check`` (the check that decides it) or ``untestable`` (why none can) is given. ``ambiguity`` names the ruling it
    rests on.
    """

    id: str
    level: Level
    statement: str
    citation: Citation
    evidence: Evidence
    check: str | None = None
    untestable: str | None = None
    ambiguity: str | None = None


@dataclass(frozen=True)
class Reading:
    """One answer to an open question: the name it goes by, and what it says."""

    name: str
    says: str


@dataclass(frozen=True)
class Ambiguity:
    """A question that the documents leave open: its readings, which dialects it touches, and the ruling.

    ``quirks``: ways of servers that are no reading of the documents, and that a client may meet all the same.
    """

    id: str
    question: str
    readings: tuple[Reading, ...]
    ruling: str
    dialects: tuple[str, ...]
    quirks: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class Vector:
    """Golden bytes and what they mean, with provenance.

    ``kind`` is ``stream`` (an SSE body), ``reply``, ``error``, ``request`` (JSON texts) or ``sse`` (bytes judged by the
    standard alone). ``means``: the decoded events or JSON, in plain data.
    """

    id: str
    kind: str
    source: str
    data: bytes
    means: Any
    chunks: tuple[bytes, ...] | None = None
    note: str = ""
