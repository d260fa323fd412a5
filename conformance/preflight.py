"""Before anything is judged: does one ordinary request get an ordinary answer? If not, say in one sentence what to mend."""

from __future__ import annotations

from .exchange import End, Exchange
from .profile import Profile
from .seen import Seen

NO_CONNECTION = {
    End.REFUSED: "nothing listens at {url} (connection refused)",
    End.UNREACHABLE: "{url} cannot be reached: {detail}",
    End.CONNECT_TIMEOUT: "{url} did not accept a connection within {connect:g} s",
    End.TLS: "{url} has no TLS that can be trusted: {detail} (SSL_CERT_FILE names certificates of your own)",
    End.FIRST_BYTE_TIMEOUT: "{url} accepted the request but sent nothing within {first_byte:g} s",
    End.IDLE_TIMEOUT: "{url} began a response and then fell silent for {idle:g} s",
    End.TOTAL_TIMEOUT: "{url} did not finish its response within {total:g} s",
    End.RESET: "{url} reset the connection before it sent a response",
    End.CLOSED: "{url} closed the connection before it sent a response",
}


def explain(seen: Seen) -> str | None:
    """Why nothing can be verified, in one sentence with the key or flag to look at; ``None`` when all is well enough."""
    exchange, profile = seen.exchange, seen.profile
    if exchange.response is None:
        return _no_response(exchange, profile)
    if exchange.end in (End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT) and not exchange.body:
        return _no_response(exchange, profile)
    if _is_html(exchange):
        return (
            f"{_asked(exchange, profile)} was answered with a web page (status {exchange.status}), not with JSON: "
            "is this the base URL of the API?"
        )
    match exchange.status:
        case 401 | 403:
            return f"the key was refused (status {exchange.status}): look at the API key, or at credentials.valid{_said(exchange)}"
        case 402:
            return f"the key has no balance (status 402): credentials.valid needs one that can pay{_said(exchange)}"
        case 404 | 405:
            agent = profile.agents.get("default")
            return (
                f"{_asked(exchange, profile)} was answered {exchange.status}: is the base URL right, is it the dialect "
                f"{profile.dialect!r}, and does the agent {agent!r} exist?{_said(exchange).lstrip('.')}"
            )
        case 400 | 415 | 422:
            return (
                f"an ordinary request of the dialect {profile.dialect!r} was refused (status {exchange.status}): "
                f"is it another dialect?{_said(exchange).lstrip('.')}"
            )
        case 429:
            return f"the key is over its limit already (status 429): wait, or give a generous key{_said(exchange)}"
        case 301 | 302 | 303 | 307 | 308:
            return f"{_asked(exchange, profile)} redirects to {exchange.header('location')}: give that base URL"
    return None


def _no_response(exchange: Exchange, profile: Profile) -> str:
    deadlines = profile.deadlines
    if exchange.reads and exchange.response is None:
        said = "a broken status line" if exchange.raw[:4].upper() == b"HTTP" else "something that is not HTTP"
        return f"{profile.base_url} answered with {said}: {exchange.raw[:60]!r}"
    return NO_CONNECTION.get(exchange.end, "{url} gave no response ({detail})").format(
        url=profile.base_url,
        detail=exchange.detail,
        connect=deadlines.connect,
        first_byte=deadlines.first_byte,
        idle=deadlines.idle,
        total=deadlines.total,
    )


def _is_html(exchange: Exchange) -> bool:
    return exchange.content.lstrip()[:15].lower().startswith((b"<!doctype", b"<html"))


def _asked(exchange: Exchange, profile: Profile) -> str:
    return f"{exchange.request.method} {profile.base_url}{exchange.request.target}"


def _said(exchange: Exchange) -> str:
    body = exchange.content[:200].decode("utf-8", "replace").strip()
    return f". It said: {body}" if body else ""
