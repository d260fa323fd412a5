"""Wrong decisions: who is refused, what is remembered, what limit headers and errors say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..spec import Shape
from .fault import Fault
from .layers import limit_header, never, no_limit_headers, refusals, rules
from .plan import Layer, Message, Write, with_header
from .reply import Refusal, Reply

HTML = b"<html><body><h1>Something went wrong</h1></body></html>"


def _decision(name: str, breaks: str, layer: Layer) -> Fault:
    return Fault(name, "decision", (breaks,), layer)


def status(refusal: str, code: int) -> Layer:
    """That refusal with another status."""
    return Layer(reply=lambda plain: replace(plain, status=code) if _refused(plain) == refusal else plain)


def error_fields(change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Layer:
    """Errors whose roles say something else."""
    return Layer(reply=lambda plain: replace(plain, fields=change(plain.fields)) if plain.refusal else plain)


def retry_after(value: Callable[[int], Any], header: Callable[[int], str | None]) -> Layer:
    """A 429 whose body and header say something else about the wait, given the true one in seconds."""

    def reply(plain: Reply) -> Reply:
        wait = plain.refusal.retry_after if plain.refusal else None
        if wait is None:
            return plain
        told = with_header(plain.headers, plain.dialect.limits.retry_after, header(wait))
        fields = {**plain.fields, "retry_after": value(wait)}
        left = {role: field for role, field in fields.items() if field is not None}
        return replace(plain, headers=told, fields=left)

    return Layer(reply=reply)


def _refused(plain: Reply) -> str | None:
    return plain.refusal.name if plain.refusal else None


def _crash(kind: Callable[[str], bool]) -> Layer:
    def change(refusal: Refusal) -> Refusal:
        mistake = refusal.mistake
        return Refusal("internal_error") if mistake and kind(mistake.kind) else refusal

    return refusals(change)


def _html(plain: Message) -> Message:
    if plain.status < 400:
        return plain
    typed = with_header(plain.headers, "Content-Type", "text/html")
    return replace(plain, headers=typed, pieces=(Write(0.0, HTML),))


def _misshapen(plain: Reply) -> Reply:
    return replace(plain, shape=Shape({"message": ("/oops",)})) if plain.refusal else plain


FAULTS: tuple[Fault, ...] = (
    _decision("accepts-any-key", "a key that does not exist is refused", never("unauthorized")),
    _decision("forbidden-not-unauthorized", "a missing key is a 401", status("unauthorized", 403)),
    _decision("no-challenge", "a 401 names its scheme", Layer(reply=lambda r: replace(
        r, headers=with_header(r.headers, "WWW-Authenticate", None)))),
    _decision("unknown-agent-answers", "an unknown agent is a 404", never("agent_not_found")),
    _decision("unknown-agent-400", "an unknown agent is a 404", status("agent_not_found", 400)),
    _decision("any-agent-key", "a key of another agent is refused", never("wrong_agent")),
    _decision("invalid-body-accepted", "a body without its fields is refused", never("invalid_request")),
    _decision("invalid-body-404", "an invalid body has its own status", status("invalid_request", 404)),
    _decision("crash-on-bad-json", "malformed JSON is the client's error", _crash(lambda kind: kind == "json_invalid")),
    _decision("crash-on-bad-field", "a bad field is the client's error", _crash(lambda kind: kind != "json_invalid")),
    _decision("crash-on-wrong-method", "a wrong method is the client's error", status("method_not_allowed", 500)),
    _decision("never-402", "an empty balance is a 402", never("insufficient_balance")),
    _decision("never-429", "the limit is enforced", never("rate_limited")),
    _decision("early-429", "the advertised limit is granted", rules(lambda r: replace(r, early=3))),
    _decision("429-as-503", "a limit is a 429", status("rate_limited", 503)),
    _decision("remaining-off-by-one", "Remaining is what is left", limit_header("remaining", lambda left, _: left + 1)),
    _decision("remaining-never-falls", "Remaining falls", limit_header("remaining", lambda _, limit: limit)),
    _decision("remaining-negative", "Remaining is a count", limit_header("remaining", lambda left, _: -1 - left)),
    _decision("wrong-limit", "Limit is the plan's", limit_header("limit", lambda limit, _: limit + 1)),
    _decision("reset-in-milliseconds", "Reset is an epoch second", limit_header("reset", lambda at, _: at * 1000)),
    _decision("reset-in-the-past", "Reset is to come", limit_header("reset", lambda at, _: at - 86_400)),
    _decision("no-limit-headers", "every response has limit headers", no_limit_headers(lambda _: True)),
    _decision("no-limit-headers-on-streams", "streams have limit headers", no_limit_headers(lambda r: r.streamed)),
    _decision("no-limit-headers-on-errors", "errors have limit headers", no_limit_headers(lambda r: r.status >= 400)),
    _decision("session-forgotten", "a session is remembered", rules(lambda r: replace(r, remember=False))),
    _decision("session-leaks-between-keys", "a session belongs to a key", rules(
        lambda r: replace(r, spot=lambda spot: ("", spot[1], spot[2])))),
    _decision("session-leaks-between-agents", "a session belongs to an agent", rules(
        lambda r: replace(r, spot=lambda spot: (spot[0], "", spot[2])))),
    _decision("session-leaks-between-conversations", "sessions are apart", rules(
        lambda r: replace(r, spot=lambda spot: (spot[0], spot[1], "")))),
    _decision("wrong-stream-default", "the default of the stream switch", rules(
        lambda r: replace(r, flip_switch=True))),
    _decision("html-errors", "errors are JSON", Layer(message=_html)),
    _decision("misshapen-errors", "errors have the documented shape", Layer(reply=_misshapen)),
    _decision("wrong-error-code", "errors name their code", error_fields(lambda f: {**f, "code": "E_FAIL"})),
    _decision("empty-error-message", "errors say what is wrong", error_fields(lambda f: {**f, "message": ""})),
    _decision("retry-after-text", "the wait is a number of seconds", retry_after(lambda s: f"{s} seconds", lambda s: f"{s} seconds")),
    _decision("retry-after-disagrees", "body and header agree on the wait", retry_after(lambda s: s + 30, str)),
    _decision("retry-after-missing", "a 429 says how long to wait", retry_after(lambda _: None, lambda _: None)),
    _decision("retry-after-too-short", "waiting that long is enough", retry_after(lambda _: 0, lambda _: "0")),
)  # fmt: skip
