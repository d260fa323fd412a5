"""Refusals on demand: any status in the dialect's own shape, every shape of hint when to come back, redirects, sessions that are gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote

from .fault import Fault, Given, Kind
from .parameter import Parameter
from .plan import Layer, Message, Write, http_date, with_header
from .reply import Refusal, Reply
from .request import Asked, Mistake

REDIRECTED = "chatproof-redirected"
"""The query parameter by which a request is known that has followed a redirect."""
PROXY_HTML = b"<html><head><title>%d %b</title></head><body><center><h1>%d %b</h1></center><hr>proxy</body></html>\r\n"
PROXY_HEADERS = (("Server", "proxy"), ("Content-Type", "text/html"))
NO_SESSION = "Session not found"
WAIT = Parameter("wait", 7, "how long the client is told to wait", int, "s", 0, 10**9)
WHERE = Parameter("in", "both", "where the hint stands", choices=("header", "body", "both", "none"))


class Demanded(NamedTuple):
    """Which refusal of a dialect a status is told as, in which words if not in the documented ones, and by what name if not by its."""

    refusal: str
    words: str | None
    breaks: str
    reason: str = ""


STATUSES: dict[int, Demanded] = {
    400: Demanded("invalid_request", None, "a valid request is taken"),
    401: Demanded("unauthorized", None, "a key that was good stays good"),
    402: Demanded("insufficient_balance", None, "the balance lasts"),
    403: Demanded("wrong_agent", None, "a key opens its agents"),
    404: Demanded("agent_not_found", None, "an agent stays where it was"),
    409: Demanded("invalid_request", "Conflict: another request changes this session", "sessions are free", "conflict"),
    413: Demanded("too_large", None, "a message is never too large"),
    422: Demanded("invalid_request", None, "a valid request is taken"),
    429: Demanded("rate_limited", None, "the next request is within the limit"),
    500: Demanded("internal_error", None, "the server does not fail"),
    502: Demanded("internal_error", "Bad gateway", "errors are JSON of the API", "bad_gateway"),
    503: Demanded("unavailable", None, "the server is there"),
    504: Demanded("internal_error", "Gateway timeout", "errors are JSON of the API", "gateway_timeout"),
}
HINTED, PROXIED = (429, 503), (502, 504)
SPELLINGS: dict[str, Callable[[int, float], Any]] = {
    "seconds": lambda wait, now: wait,
    "http-date": lambda wait, now: http_date(int(now) + wait),
    "float": lambda wait, now: wait + 0.5,
    "negative": lambda wait, now: -wait,
    "zero": lambda wait, now: 0,
    "huge": lambda wait, now: 10**15,
    "text": lambda wait, now: "soon",
    "empty": lambda wait, now: "",
}
"""How a wait can be told: two ways that RFC 9110, 10.2.3 knows, and others."""
FORM = Parameter(
    "form", "seconds", "how the header spells the wait; the body has seconds", choices=("seconds", "http-date")
)
ANY_FORM = Parameter("form", "text", "how the wait is told, wherever it is told", choices=tuple(SPELLINGS))


def demanded(status: int, refusal: Refusal, then: Callable[[Reply], Reply] | None = None) -> Layer:
    """Every request is refused so, with that status; ``then`` changes what is said."""

    def reply(plain: Reply) -> Reply:
        if plain.refusal is not refusal:
            return plain
        told = replace(plain, status=status)
        return then(told) if then else told

    return Layer(rules=lambda plain: replace(plain, demand=refusal), reply=reply)


def hint(where: str, header: Any, body: Any) -> Callable[[Reply], Reply]:
    """A refusal whose wait is told there, in those words, and nowhere else."""

    def reply(plain: Reply) -> Reply:
        name = plain.dialect.limits.retry_after
        headers = tuple(pair for pair in plain.headers if pair[0].lower() != name.lower())
        fields = {role: value for role, value in plain.fields.items() if role != "retry_after"}
        if where in ("header", "both"):
            headers = (*headers, (name, str(header)))
        if where in ("body", "both"):
            fields["retry_after"] = body
        roles = {**plain.shape.roles, "retry_after": plain.shape.roles.get("retry_after", ("/retry_after",))}
        return replace(plain, headers=headers, fields=fields, shape=replace(plain.shape, roles=roles))

    return reply


def _refusal(status: int, wait: int | None = None) -> Refusal:
    name, words, _, reason = STATUSES[status]
    mistake = Mistake("message", "is refused on demand", "value_error", ("body", "message"))
    return Refusal(name, mistake=mistake, retry_after=wait, words=words, reason=reason)


def _status(status: int) -> Callable[[Given], Layer]:
    def make(given: Given) -> Layer:
        if status in HINTED:
            wait, now = given.values["wait"], given.case.now
            told = hint(given.values["in"], SPELLINGS[given.values["form"]](wait, now), wait)
            return demanded(status, _refusal(status, wait), told)
        layer = demanded(status, _refusal(status))
        return replace(layer, message=_from_a_proxy) if given.values.get("body") == "html" else layer

    return make


def _from_a_proxy(plain: Message) -> Message:
    if plain.status not in PROXIED:
        return plain
    words = STATUSES[plain.status].words or ""
    page = PROXY_HTML % (plain.status, words.encode(), plain.status, words.encode())
    date = tuple(pair for pair in plain.headers if pair[0] == "Date")
    return replace(plain, headers=(*date, *PROXY_HEADERS), pieces=(Write(0.0, page),))


def _bad_hint(given: Given) -> Layer:
    told = SPELLINGS[given.values["form"]](given.values["wait"], given.case.now)
    return demanded(429, _refusal(429, given.values["wait"]), hint(given.values["in"], told, told))


def _garbage(given: Given) -> Layer:
    def reply(plain: Reply) -> Reply:
        headers = plain.headers
        names = plain.dialect.limits
        for role in ("limit", "remaining", "reset") if given.values["role"] == "all" else (given.values["role"],):
            headers = with_header(headers, str(getattr(names, role)), given.values["value"])
        return replace(plain, headers=headers)

    return Layer(reply=reply)


def _redirect(given: Given) -> Layer:
    if REDIRECTED in given.case.request.target:
        return Layer()
    target = given.case.request.target
    return _elsewhere(given, f"{target}{'&' if '?' in target else '?'}{REDIRECTED}=1")


def _redirect_loop(given: Given) -> Layer:
    return _elsewhere(given, given.case.request.target)


def _elsewhere(given: Given, target: str) -> Layer:
    status = int(given.values["status"])
    place = quote(target, safe="/?&=%;@:,!~*'()+$#[]-._")

    def reply(plain: Reply) -> Reply:
        return replace(plain, headers=(*plain.headers, ("Location", place)))

    return demanded(status, Refusal("internal_error", words=f"See {place}", reason="redirect"), reply)


def _of_an_operation(make: Callable[[Given], Layer]) -> Callable[[Given], Layer]:
    """Only for requests that mean an operation: any other is refused in any case, and is none of those that a fault counts."""
    return lambda given: make(given) if given.case.route.operation is not None else Layer()


def _of_a_session(make: Callable[[Given], Layer]) -> Callable[[Given], Layer]:
    """Only for requests that name a session."""

    def made(given: Given) -> Layer:
        asked = given.case.asked if given.case.route.operation is not None else None
        return make(given) if isinstance(asked, Asked) and asked.session else Layer()

    return made


def _expired(given: Given) -> Layer:
    told = given.values["as"]
    if told == "empty":
        return Layer(rules=lambda plain: replace(plain, expire=True))
    return demanded(int(told), Refusal("agent_not_found", words="Session expired", reason="session_expired"))


def _foreign(given: Given) -> Layer:
    return demanded(int(given.values["as"]), Refusal("agent_not_found", words=NO_SESSION, reason="session_not_found"))


def _busy(given: Given) -> Layer:
    wait, status = given.values["wait"], int(given.values["as"])
    words = "Another turn of this session is under way"
    refusal = Refusal("rate_limited", retry_after=wait, words=words, reason="session_busy")
    return demanded(status, refusal, hint("header", wait, wait))


def _hurried(given: Given) -> Layer:
    layer = demanded(413, _refusal(413))

    def message(plain: Message) -> Message:
        return replace(plain, headers=(*plain.headers, ("Connection", "close")))

    return replace(layer, message=message, plan=lambda plain: plain._replace(end="close"))


def _on_demand(status: int, row: Demanded) -> Fault:
    parameters: Mapping[int, tuple[Parameter, ...]] = {
        429: (WHERE, FORM, WAIT),
        503: (replace(WHERE, default="header"), FORM, replace(WAIT, default=1)),
        **dict.fromkeys(PROXIED, (Parameter("body", "html", "whose words they are", choices=("html", "dialect")),)),
    }
    return _fault(f"http-{status}", "occasional", row.breaks, _status(status), *parameters.get(status, ()))


def _fault(
    name: str,
    kind: Kind,
    breaks: str,
    make: Callable[[Given], Layer],
    *parameters: Parameter,
    ahead: tuple[str, str] | None = None,
) -> Fault:
    made = _of_an_operation(make)
    return Fault(name, "decision", (breaks,), kind=kind, parameters=parameters, make=made, ahead=ahead)


FAULTS: tuple[Fault, ...] = (
    *(_on_demand(status, row) for status, row in STATUSES.items()),
    _fault("retry-after", "violation", "the wait is a number of seconds or a date", _bad_hint, WHERE, ANY_FORM, WAIT),
    _fault("limit-headers-garbage", "violation", "limit headers are numbers", _garbage,
        Parameter("role", "all", "which of them", choices=("all", "limit", "remaining", "reset")),
        Parameter("value", "soon", "what it says", header=True)),
    _fault("redirect", "occasional", "the server answers at the address it was asked at", _redirect,
        Parameter("status", "307", "method and body are kept with both", choices=("307", "308"))),
    _fault("redirect-loop", "violation", "a redirect leads somewhere", _redirect_loop,
        Parameter("status", "307", "method and body are kept with both", choices=("307", "308"))),
    _fault("session-expired", "occasional", "a session lives", _of_a_session(_expired),
        Parameter("as", "empty", "begun anew without a word, or refused with that status", choices=("empty", "404", "410")),
        ahead=("as", "empty")),
    _fault("session-foreign", "occasional", "a session's id can be used", _of_a_session(_foreign),
        Parameter("as", "404", "the status", choices=("403", "404"))),
    _fault("session-busy", "occasional", "a session is free for the next turn", _of_a_session(_busy),
        Parameter("as", "409", "the status", choices=("409", "429")), replace(WAIT, default=1)),
    _fault("early-response", "occasional", "an answer comes after the request", _hurried),
)  # fmt: skip
