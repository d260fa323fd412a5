"""HTTP itself: framing, methods, what belongs to some status codes (RFC 9110, 9112, 6585)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..check import Finding, Note, Steps, Unclear, Unverified, each, of
from ..exchange import End
from ..seen import Seen

HANGS = (End.FIRST_BYTE_TIMEOUT, End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT)
IMF_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")

PROBLEMS: dict[str, tuple[tuple[str, ...], str]] = {
    "status_line": (("bad-status-line", "incomplete-head"), "a well-formed status line"),
    "header_lines": (("bad-header-line", "folded-header", "bare-lf", "bad-trailer"), "well-formed header lines"),
    "field_values": (("bad-header-value",), "no control characters in header values"),
    "framing": (("length-and-chunked", "bad-transfer-encoding"), "one way to tell where the body ends"),
    "one_content_length": (
        ("bad-content-length", "duplicate-content-length", "conflicting-content-length", "length-without-body"),
        "one Content-Length, a decimal number",
    ),
    "content_length": (("short-body",), "a body as long as Content-Length says"),
    "chunked": (("bad-chunk-size", "bad-chunk-end", "chunked-in-http-1.0"), "well-formed chunks"),
    "complete": (("missing-last-chunk",), "a response that is sent to its end"),
    "nothing_after": (("surplus",), "no bytes after the end of the response"),
}
"""Check -> the framing problems that break it, and what was expected."""
SECONDS = ("kept-json-2", "kept-stream-2")
"""The second requests on a connection; its first was answered by JSON or by a stream."""
CUT_OFF = ("missing-last-chunk", "short-body")
"""How a server says that a reply broke off (RFC 9112 8): no fault of an agent that is there to fail."""


def _register(name: str, kinds: tuple[str, ...], expected: str) -> None:
    def judge(seen: Seen) -> Iterator[Note]:
        for problem in seen.exchange.problems if seen.exchange.end not in HANGS else ():
            if problem.kind in kinds and not (seen.may_fail and problem.kind in CUT_OFF):
                got = f"{problem.kind} at byte {problem.offset} of the response: {problem.text}"
                yield Finding(expected, got, seen, problem.offset, within="response")

    judge.__doc__ = f"Every response has {expected}."
    each("requests", name=name, when=lambda seen: bool(seen.exchange.reads))(judge)


for _name, (_kinds, _expected) in PROBLEMS.items():
    _register(_name, _kinds, _expected)


@each("requests")
def answers(seen: Seen) -> Iterator[Note]:
    """Every request is answered, to its end and within the deadlines.

    A second one on a connection that ended meanwhile is a matter of ``keep_alive``.
    """
    if seen.exchange.end in HANGS:
        yield Finding("a response within the deadlines", f"{seen.exchange.end.value}: {seen.exchange.detail}", seen)
    elif not seen.exchange.reads and not seen.may_fail and seen.asked["step"] not in SECONDS:
        yield Finding("a response", f"{seen.exchange.end.value}: {seen.exchange.detail}", seen)


@each("answers", when=lambda seen: bool(seen.exchange.content))
def content_type(seen: Seen) -> Iterator[Note]:
    """A response with a body names its media type (RFC 9110 8.3)."""
    if not seen.exchange.header("content-type"):
        yield Finding("a Content-Type", f"none on {len(seen.exchange.content)} bytes", seen)


@each("answers")
def content_coding(seen: Seen) -> Iterator[Note]:
    """A request that accepts no content coding gets none (RFC 9110 12.5.3)."""
    coding = seen.exchange.header("content-encoding")
    if coding and coding.lower() != "identity":
        yield Finding("no Content-Encoding, as none was accepted", f"Content-Encoding: {coding}", seen)


@each("answers")
def date(seen: Seen) -> Iterator[Note]:
    """A response says when it was made, in the fixed format of HTTP (RFC 9110 5.6.7 and 6.6.1)."""
    value = seen.exchange.header("date")
    if value is None or not IMF_DATE.fullmatch(value):
        yield Finding("a Date such as Sun, 06 Nov 1994 08:49:37 GMT", f"{value or 'none'}", seen)


@of("http", control="good")
def method(steps: Steps) -> Iterator[Note]:
    """A known method that the path does not serve is refused with 405 (RFC 9110 15.5.6; AMB-23)."""
    if (seen := steps["get"]).status != 405:
        yield Finding("status 405", f"status {seen.status}", seen)


@of("http", control="good")
def allow(steps: Steps) -> Iterator[Note]:
    """A 405 lists the methods that are allowed (RFC 9110 15.5.6; AMB-23)."""
    seen = steps["get"]
    if seen.status == 405 and "POST" not in (seen.exchange.header("allow") or "").upper():
        yield Finding("Allow: POST", f"Allow: {seen.exchange.header('allow')}", seen)


@of("http", control="good")
def unknown_path(steps: Steps) -> Iterator[Note]:
    """A path that nobody documented is answered with 404 (RFC 9110 15.5.5; AMB-23)."""
    if (seen := steps["nowhere"]).status != 404:
        yield Finding("status 404", f"status {seen.status}", seen)


@of("connections", control="good")
def keep_alive(steps: Steps) -> Iterator[Note]:
    """A connection that was not announced to close carries a second request after a complete response (RFC 9112 9.3)."""
    firsts = [*steps.named("kept-json-1"), *steps.named("kept-stream-1")]
    if not any(first.arrived_whole and not first.announced_close for first in firsts):
        yield Unverified("the target does not offer to keep the connection")
    for step in SECONDS:
        for second in steps.named(step):
            if not second.exchange.reads:
                got = f"{second.exchange.end.value}: {second.exchange.detail}"
                yield Finding("a second response on the same connection", got, second)
                return
            if not second.ok:
                yield Finding("the second request answered like any other", f"status {second.status}", second)
                return


@of("connections", control="good")
def closes(steps: Steps) -> Iterator[Note]:
    """A request with Connection: close has its connection closed after the response (RFC 9112 9.6; AMB-23)."""
    seen = steps["close"]
    if seen.exchange.hung_up is None:
        yield Unclear(f"no whole response came, so nobody could close after it ({seen.exchange.end.value})")
    elif not seen.exchange.hung_up:
        yield Finding("the connection closed after the response", "it was left open", seen)


@of("connections", control="good")
def continues(steps: Steps) -> Iterator[Note]:
    """A request with Expect: 100-continue hears a 100 or its final status before it sends the body (RFC 9110 10.1.1; AMB-23)."""
    exchange = (seen := steps["expect"]).exchange
    if not exchange.reads:
        yield Finding("status 100, or a final one", f"nothing ({exchange.end.value})", seen)
    elif exchange.body_ns is not None and exchange.reads[0].at_ns > exchange.body_ns:
        got = f"nothing until the body was sent all the same, then status {seen.status or exchange.end.value}"
        yield Finding("status 100, or a final one, before the body is sent", got, seen)


@of("connections", control="good")
def no_chunked_to_1_0(steps: Steps) -> Iterator[Note]:
    """A request of HTTP/1.0 is not answered with Transfer-Encoding (RFC 9112 6.1)."""
    seen = steps["http-1-0"]
    if seen.exchange.response is None:
        yield Unclear(f"no response to a request of HTTP/1.0 ({seen.exchange.end.value})")
    elif seen.exchange.header("transfer-encoding"):
        yield Finding("no Transfer-Encoding", f"Transfer-Encoding: {seen.exchange.header('transfer-encoding')}", seen)


@of("connections", control="good")
def host_required(steps: Steps) -> Iterator[Note]:
    """A request of HTTP/1.1 without Host is refused with 400 (RFC 9112 3.2)."""
    if (seen := steps["no-host"]).status != 400:
        yield Finding("status 400", f"status {seen.status or seen.exchange.end.value}", seen)


@of("connections", control="good")
def chunked_request(steps: Steps) -> Iterator[Note]:
    """A request body in chunks is read like one with a Content-Length (RFC 9112 7.1)."""
    if not (seen := steps["chunked"]).ok:
        yield Finding("an answer", f"status {seen.status or seen.exchange.end.value}", seen)


@each("refusals", when=lambda seen: seen.status == 429)
def limited_explained(seen: Seen) -> Iterator[Note]:
    """A 429 has a body that explains it (RFC 6585 4)."""
    if not seen.exchange.content:
        yield Finding("a body", "none", seen)


@each("refusals", when=lambda seen: seen.status == 429)
def limited_not_stored(seen: Seen) -> Iterator[Note]:
    """A 429 carries nothing that lets a cache store it (RFC 6585 4)."""
    value = (seen.exchange.header("cache-control") or "").lower()
    lifetime = re.search(r"(?:max-age|s-maxage)=([0-9]+)", value)
    if "public" in value or (lifetime and int(lifetime[1]) > 0) or seen.exchange.header("expires"):
        yield Finding(
            "no lifetime in caches", f"Cache-Control: {value}; Expires: {seen.exchange.header('expires')}", seen
        )
