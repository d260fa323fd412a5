"""One request and its raw response: the nouns of the wire. Recorded once, read when somebody asks.

An ``Exchange`` holds what was received and when; everything that can be derived from it (status, headers, body, JSON,
stream events) is read lazily, so that recording stays cheap and ``judge`` sees what ``verify`` saw.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple, NoReturn

from .framing import parse
from .response import FramingProblem, Headers, Response
from .sse import read
from .sse_events import Stream

__all__ = ["Chunk", "End", "Exchange", "NotJson", "Request", "curl", "parse_json", "split_credential"]


class End(StrEnum):
    """How an exchange ended, seen from our side of the socket."""

    COMPLETE = "complete"
    """The framing said where the response ends, and it came that far."""
    CLOSED = "closed"
    """The target closed: the end of a close-delimited body, or too early (``response.problems`` says which)."""
    RESET = "reset"
    """The target reset the connection (TCP RST)."""
    LEFT = "left"
    """We hung up on purpose, after what we wanted."""
    BROKEN = "broken"
    """The framing stopped making sense, so that its end cannot be found; ``detail`` says where."""
    CONNECT_TIMEOUT = "connect_timeout"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    TOTAL_TIMEOUT = "total_timeout"
    REFUSED = "refused"
    """Nobody listens on that port."""
    UNREACHABLE = "unreachable"
    """No such host, no route, or the network failed before a connection stood."""
    TLS = "tls"
    """The TLS handshake or the certificate failed."""


@dataclass(frozen=True)
class Request:
    """What to send. ``target`` begins with ``/`` and is appended to the base URL's path.

    ``headers`` keep order, case and duplicates. The wire adds ``Host``, ``Content-Length``, ``Accept-Encoding`` and
    ``Connection`` where they are not given here; give one to send it wrong on purpose, or name it in ``without`` to send none.
    """

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""
    version: str = "1.1"
    without: tuple[str, ...] = ()

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Chunk(NamedTuple):
    """What one ``recv`` delivered, and when: ``time.monotonic_ns()`` before anything was parsed."""

    at_ns: int
    data: bytes


@dataclass(frozen=True)
class Exchange:
    """One request and all that came back. ``sent_at``: epoch seconds; ``sent_ns``: monotonic, comparable with ``Chunk.at_ns``.

    ``id`` is unique in a run (``ex-0007``), ``label`` says what the request was for. ``detail`` is the operating system's
    or our own word on how it ended. ``asked`` is plain data: what the judge meant by the request.

    ``hung_up``: whether the target closed the connection after its response; ``None`` where nobody watched. ``body_ns``: when a
    body that was held back (``Expect: 100-continue``) was sent after all, monotonic; ``None`` if at once or never.
    """

    id: str
    label: str
    request: Request
    sent_at: float
    sent_ns: int
    reads: tuple[Chunk, ...]
    end: End
    detail: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict, hash=False)
    hung_up: bool | None = None
    body_ns: int | None = None

    @cached_property
    def raw(self) -> bytes:
        """Every byte received, interim responses and surplus included."""
        return b"".join(chunk.data for chunk in self.reads)

    @cached_property
    def response(self) -> Response | None:
        """The response as read from its framing; ``None`` when no status line arrived."""
        ends = accumulate(len(chunk.data) for chunk in self.reads)
        arrivals = tuple(zip(ends, (chunk.at_ns for chunk in self.reads), strict=True))
        ended = self.end in (End.CLOSED, End.RESET)
        return parse(self.raw, arrivals, method=self.request.method, ended=ended)

    @property
    def problems(self) -> tuple[FramingProblem, ...]:
        """Every way in which the received bytes are no valid HTTP/1.1 response; nothing for no bytes."""
        if self.response is not None:
            return self.response.problems
        if not self.raw:
            return ()
        return (FramingProblem(0, "bad-status-line", f"no status line: {self.raw[:60]!r}"),)

    @property
    def status(self) -> int | None:
        """The status code, or ``None`` without a response."""
        return self.response.status if self.response else None

    @property
    def headers(self) -> Headers:
        """The response's headers as sent: order, case and duplicates kept."""
        return self.response.headers if self.response else ()

    def headers_named(self, name: str) -> list[str]:
        """The values of every response header of that name (in any case), in order."""
        return list(self._by_name.get(name.lower(), ()))

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self.headers:
            found.setdefault(name.lower(), []).append(value)
        return found

    def header(self, name: str) -> str | None:
        """The first response header of that name (in any case), or ``None``."""
        return next(iter(self.headers_named(name)), None)

    @cached_property
    def content_type(self) -> str | None:
        """The media type without parameters, in lower case; ``None`` without the header."""
        value = self.header("content-type")
        return None if value is None else value.partition(";")[0].strip(" \t").lower()

    @property
    def body(self) -> bytes:
        """The body as framed: chunk framing taken off, a content coding left on."""
        return self.response.body if self.response else b""

    @property
    def content(self) -> bytes:
        """The body with its content coding taken off; the same bytes as ``body`` where there is none. Offsets count in this."""
        return self.response.content if self.response else b""

    def json(self) -> Any:
        """The content's JSON value by RFC 8259; raises ``NotJson``. Duplicate names keep the last value, see ``duplicate_names``."""
        return self._json[0]

    @property
    def duplicate_names(self) -> tuple[str, ...]:
        """Names that occur twice in one object of the JSON body (RFC 8259 section 4: SHOULD be unique)."""
        return self._json[1]

    @cached_property
    def _json(self) -> tuple[Any, tuple[str, ...]]:
        return parse_json(self.content)

    @cached_property
    def stream(self) -> Stream:
        """The content read as Server-Sent Events, whatever the ``Content-Type`` says."""
        return read(self.content)

    def arrived_ns(self, offset: int) -> int:
        """When the ``recv`` that delivered that byte of the content returned; ``IndexError`` beyond the content."""
        if self.response is None:
            raise IndexError(f"no response, so no byte {offset}")
        return self.response.arrived_ns(offset)


class NotJson(ValueError):
    """The body is no JSON text by RFC 8259. ``offset`` is the byte of the body at which it stops being one."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"{reason} at byte {offset}")
        self.offset = offset
        self.reason = reason


CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)', re.DOTALL)


def parse_json(data: bytes) -> tuple[Any, tuple[str, ...]]:
    """The value, and the names that one of its objects gives twice; raises ``NotJson``.

    Stricter than ``json.loads``: only UTF-8, no byte order mark (section 8.1), no ``NaN`` or ``Infinity`` (section 6).
    Escaped lone surrogates are grammatical (section 8.2) and pass.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        raise NotJson(0, "a byte order mark")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(error.start, "bytes that are not UTF-8") from None
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(items)
        if len(value) < len(items):
            names = [name for name, _ in items]
            twice.extend(name for name in value if names.count(name) > 1)
        return value

    def constant(name: str) -> NoReturn:
        at = next(match.start(1) for match in CONSTANT.finditer(text) if match[1] == name)
        raise NotJson(len(text[:at].encode()), f"{name}, which JSON does not have,")

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant), tuple(twice)
    except NotJson:
        raise
    except json.JSONDecodeError as error:
        raise NotJson(len(text[: error.pos].encode()), error.msg.lower().removesuffix(" at")) from None
    except RecursionError:
        raise NotJson(0, "nested too deeply to be read") from None
    except ValueError:
        raise NotJson(0, "a number of too many digits to be read") from None


KEY_VARIABLE = "$CHATPROOF_KEY"
CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "x-api-key", "cookie"})
"""Request headers whose value is never shown, in lower case."""
SCHEME = re.compile(r"(?:(?:Bearer|Basic|Digest|Token|ApiKey)(?: +|$))?", re.IGNORECASE)


def split_credential(value: str) -> tuple[str, str]:
    """A credential header's value as its scheme, spaces included, and the secret. An unknown scheme counts as secret."""
    match = SCHEME.match(value)
    end = match.end() if match else 0
    return value[:end], value[end:]


def curl(request: Request, base_url: str) -> str:
    """A command that sends the same request, ready to paste; the credential is ``$CHATPROOF_KEY``."""
    words = ["curl -sS -i -N --http1.1 --path-as-is"]
    words.append("--head" if request.method == "HEAD" else f"-X {shlex.quote(request.method)}")
    words.append(shlex.quote(base_url.rstrip("/") + request.target))
    words += [f"-H {_quoted_header(name, value)}" for name, value in request.headers]
    if not request.body:
        return " ".join(words)
    if request.header("content-type") is None:
        words.append("-H 'Content-Type:'")
    text = _printable(request.body)
    if text is not None:
        return " ".join([*words, f"--data-raw {shlex.quote(text)}"])
    octal = "".join(f"\\{byte:03o}" for byte in request.body)
    return " ".join([f"printf '{octal}' |", *words, "--data-binary @-"])


def _quoted_header(name: str, value: str) -> str:
    scheme, credential = split_credential(value)
    if name.lower() in CREDENTIAL_HEADERS and credential:
        return f'"{name}: {scheme}{KEY_VARIABLE}"'
    return shlex.quote(f"{name}: {value}" if value else f"{name};")


def _printable(body: bytes) -> str | None:
    """The body as text that survives a shell's argument list, or ``None``."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if "\0" not in text else None
