"""One request by meaning, and how a dialect's tables turn it into bytes.

Every request is valid against our own OpenAPI document unless the scenario says that it is meant to be wrong
(``valid=False``): a finding on a message that we broke by mistake would be our fault, not the target's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from ..spec import Dialect, Operation
from .exchange import Request
from .profile import Profile

Via = Literal["body", "accept"]
"""How a switched operation is asked for a stream: by the body's ``stream`` or by an ``Accept`` header (AMB-03)."""


@dataclass(frozen=True)
class Ask:
    """What the judge means to say. ``agent`` and ``key`` are roles of the profile; ``key=None`` sends no credential.

    ``stream``: ``True``, ``False``, or ``None`` to leave the switch out. ``set``: role -> any JSON value, right or wrong;
    ``omit``: roles left out; ``at``: role -> another pointer than the first; ``extra``: undocumented fields;
    ``written``: how the JSON is spelt (raw UTF-8, with white space, in another order). ``body``, ``authorization``, ``headers``, ``method`` and ``path`` replace what would be built.
    ``version`` of HTTP, ``without`` some header, ``chunked`` body, ``keep``: over the scenario's kept connection,
    ``patient``: a stray 429 is waited out once. ``watch``: look afterwards whether the target closes the connection.
    ``timed``: its times are judged, so it is recorded how late this process was itself.
    """

    step: str
    message: Any = "Hello"
    stream: bool | None = False
    session: str | None = None
    agent: str = "default"
    key: str | None = "valid"
    valid: bool = True
    set: Mapping[str, Any] = field(default_factory=dict)
    omit: tuple[str, ...] = ()
    at: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    operation: str | None = None
    via: Via | None = None
    written: Literal["plain", "raw", "spaced", "reordered"] = "plain"
    body: bytes | None = None
    authorization: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    version: str = "1.1"
    without: tuple[str, ...] = ()
    chunked: bool = False
    keep: bool = False
    patient: bool = True
    watch: bool = False
    timed: bool = False
    method: str | None = None
    path: str | None = None


class CannotAsk(ValueError):
    """The dialect has no operation that could say this; the text names what is missing."""


def operation_for(ask: Ask, dialect: Dialect) -> Operation:
    """The documented operation that this request belongs to."""
    if ask.operation is not None:
        return next(op for op in dialect.operations if op.id == ask.operation)
    modes: dict[bool | None, tuple[Any, ...]] = {
        True: ("stream", "switched"),
        False: ("json", "switched"),
        None: ("switched", "json", "stream"),
    }
    found = dialect.operation(*modes[ask.stream])
    if found is None:
        raise CannotAsk("the dialect documents no operation that answers so")
    return found


def compose(ask: Ask, dialect: Dialect, profile: Profile, via: Via = "body") -> tuple[Request, dict[str, Any]]:
    """The request's bytes, and what was meant by it as plain data for the transcript."""
    operation = operation_for(ask, dialect)
    agent = profile.agents.get(ask.agent, ask.agent)
    via = ask.via or via
    headers = [("Content-Type", "application/json"), ("Accept", "*/*")]
    if operation.mode == "switched" and ask.stream and via == "accept":
        headers[1] = ("Accept", "text/event-stream")
    credential = _credential(ask, profile)
    if credential is not None:
        headers.insert(0, ("Authorization", credential))
    overridden = {name.lower() for name, _ in ask.headers}
    headers = [(name, value) for name, value in headers if name.lower() not in overridden]
    body = _body(ask, operation, dialect, agent, via) if ask.body is None else ask.body
    if ask.chunked:
        headers.append(("Transfer-Encoding", "chunked"))
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:9], body[9:])) + b"0\r\n\r\n"
    request = Request(
        method=ask.method or operation.method,
        target=ask.path or operation.path.replace("{agent}", quote(agent, safe="")),
        headers=(*headers, *((name, value) for name, value in ask.headers if value)),
        body=body,
        version=ask.version,
        without=ask.without,
    )
    asked = {key: value for key, value in asdict(ask).items() if key in ASKED}
    return request, {**asked, "operation": operation.id, "via": via}


ASKED = ("step", "message", "stream", "session", "agent", "key", "valid", "omit")
"""What of an ``Ask`` goes into the transcript; the rest can be read from the request itself."""


def _credential(ask: Ask, profile: Profile) -> str | None:
    if ask.authorization is not None:
        return ask.authorization or None
    return None if ask.key is None else f"Bearer {profile.credentials[ask.key]}"


def _body(ask: Ask, operation: Operation, dialect: Dialect, agent: str, via: Via) -> bytes:
    if operation.mode == "keys":
        places, values = dialect.request.keys, {"name": ask.message, **ask.set}
    else:
        places = dialect.request.chat
        values = {"agent": agent, "message": ask.message}
        if ask.session is not None:
            values["session"] = ask.session
        if operation.mode == "switched" and ask.stream is not None and via == "body":
            values |= {"stream": True} if ask.stream else _no_stream(dialect)
        values.update(ask.set)
    body: dict[str, Any] = {}
    for role, pointers in places.items():
        if role in values and role not in ask.omit:
            _place(body, ask.at.get(role, pointers[0]), values[role])
    body.update(ask.extra)
    return WRITERS[ask.written](body)


def _no_stream(dialect: Dialect) -> dict[str, Any]:
    """``stream: false`` where the switch is documented; where it is not (AMB-03), no stream is what comes unasked."""
    return {} if dialect.request.switch.ruling else {"stream": False}


WRITERS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "plain": lambda body: json.dumps(body).encode("ascii"),
    "raw": lambda body: json.dumps(body, ensure_ascii=False).encode("utf-8"),
    "spaced": lambda body: (
        b" \r\n\t" + json.dumps(body, indent="\t ", separators=(" ,", " : ")).encode("ascii") + b"\n "
    ),
    "reordered": lambda body: json.dumps(dict(reversed(body.items()))).encode("ascii"),
}
"""How one JSON object can be spelt (RFC 8259 2 and 7); all of them mean the same."""


def _place(body: dict[str, Any], pointer: str, value: Any) -> None:
    *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    for parent in parents:
        body = body.setdefault(parent, {})
    body[last] = value
