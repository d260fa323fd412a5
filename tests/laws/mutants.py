"""Servers wrong in one more way each, for the checks that none of the simulator's faults bites.

A mutant says which checks must find it. They need not be the only ones: how precisely a fault is told is the matter of the
simulator's own faults (``kills.yaml``); here it only counts that no check is blind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chatproof.simulator.plan import Plan
from chatproof.simulator.request import HttpRequest

from .proxies import (
    Made,
    adds,
    answers_late,
    asks,
    bodies,
    body,
    by_beginning,
    cached,
    creations,
    echoes_key,
    events,
    fixed,
    forgets_keys,
    hangs_up,
    head,
    hears_refused,
    late_auth,
    later,
    makes_one_key,
    message,
    newest_session,
    one_stream_session,
    parsed,
    refuses,
    replies,
    said,
    second_turn,
    status,
    streams,
    text,
    truncates_ids,
)
from .proxies_limits import (
    counts,
    hears_the_refused,
    keeps_places,
    limits_everybody,
    many_places,
    never_renews,
    none_remain_again,
    not_in_earnest,
    streams_unlimited,
)
from .proxies_sessions import expires_from_the_beginning, locks_left, odd_session
from .proxies_streams import breaks_off_at_nul, first_then_all, hangs_up_after_json, refuses_in_streams, two_bursts

MADE = re.compile(r"Bearer ak_[0-9a-f]{16}")
"""A key that the simulator made, not one of the documents."""


def opens_everything(request: HttpRequest) -> HttpRequest:
    """A key that was made is as good as an account's."""
    if not MADE.fullmatch(request.headers.get("authorization", "")):
        return request
    return request._replace(headers={**request.headers, "authorization": "Bearer key-valid"})


@dataclass(frozen=True)
class Mutant:
    """One spoiled server and the checks that must notice it."""

    name: str
    bites: tuple[str, ...]
    make: Made


def _mutant(name: str, make: Made, *bites: str) -> Mutant:
    return Mutant(name, bites, make)


MUTANTS = (
    # who is served
    _mutant("forgets-keys", forgets_keys, "auth.accepted", "auth.accepted_stream", "keys.created", "request.endpoint",
        "request.all_fields", "request.json", "request.metadata", "request.metadata_again", "request.metadata_null",
        "request.null_session", "request.origin", "request.publish_form", "request.query_form", "request.short_path",
        "request.stream", "request.stream_all_fields", "request.with_session"),
    _mutant("challenge-basic", head(rb"Authenticate: Bearer[^\r]*", b'Authenticate: Basic realm="x"'), "auth.challenge_scheme"),
    _mutant("challenge-always-names-an-error", head(rb"Authenticate: Bearer[^\r]*", b'Authenticate: Bearer error="invalid_request"'),
        "auth.challenge_plain", "auth.challenge_error"),
    _mutant("key-in-the-body", fixed(echoes_key), "auth.no_echo"),
    _mutant("keys-without-key", body(rb'"key": "[^"]*"', b'"key": 7', creations), "keys.key", "keys.prefix", "keys.reply"),
    _mutant("keys-with-other-id", body(rb'"id": \d+', b'"id": "x"', creations), "keys.id"),
    _mutant("keys-of-nobody", body(rb'("(?:agent_id|name)": ")', rb"\1x", creations), "keys.agent", "keys.name"),
    _mutant("one-key-for-all", makes_one_key, "keys.distinct"),
    _mutant("made-keys-do-not-work", refuses(lambda r: bool(MADE.fullmatch(r.headers.get("authorization", ""))), 401), "keys.works"),
    _mutant("made-keys-open-everything", asks(opens_everything), "keys.bound", "keys.account_only"),
    _mutant("other-agent-403", head(rb" 401 [^\r]*", b" 403 Forbidden"), "keys.other_agent_status"),
    _mutant("foreign-404", refuses(lambda r: "other-customer" in r.headers.get("authorization", ""), 404), "session.foreign_answer"),
    _mutant("keys-by-their-beginning", asks(by_beginning), "auth.unknown"),
    # requests that are the same to HTTP and JSON
    _mutant("header-case", refuses(late_auth, 401), "request.header_case"),
    _mutant("scheme-case", refuses(lambda r: "bearer " in r.headers.get("authorization", ""), 401), "request.scheme_case"),
    _mutant("media-type-case", refuses(lambda r: "Application" in r.headers.get("content-type", ""), 415), "request.media_type_case"),
    _mutant("no-raw-utf-8", asks(lambda r: r._replace(body=r.body.decode("utf-8").encode("ascii", "replace"))), "request.escapes"),
    _mutant("no-white-space", refuses(lambda r: r.body.startswith(b" ")), "request.whitespace"),
    _mutant("order-matters", refuses(lambda r: list(parsed(r))[:1] == ["stream"]), "request.order"),
    _mutant("ascii-only", asks(lambda r: r._replace(body=r.body.replace(b"\\u4f60", b"?"))), "request.text_kept"),
    _mutant("no-chunks", refuses(lambda r: "transfer-encoding" in r.headers, 411), "http.chunked_request"),
    _mutant("chunks-to-1.0", adds(b"Transfer-Encoding: chunked", lambda r, _: r.version == (1, 0)), "http.no_chunked_to_1_0"),
    _mutant("hangs-up", fixed(hangs_up), "http.keep_alive"),
    _mutant("hangs-up-after-json", fixed(hangs_up_after_json), "http.keep_alive"),
    _mutant("stays-connected", lambda: lambda r, answer: answer(r)._replace(end="keep-alive"), "http.closes"),
    # odd input
    _mutant("odd-refused", refuses(lambda r: message(r) == "" or "\ud83d" in message(r) or len(r.body) > 1 << 20, 418),
        "errors.empty_message", "errors.surrogate", "errors.huge_body"),
    _mutant("crashes-on-odd-sessions", refuses(odd_session, 500), "errors.never_breaks"),
    _mutant("streams-break-off-at-nul", fixed(breaks_off_at_nul), "http.complete"),
    _mutant("any-media-type", asks(lambda r: r._replace(headers={**r.headers, "content-type": "application/json"})), "errors.other_media_type"),
    _mutant("always-answers", asks(text(b"failing", b"echo")), "errors.failing"),
    _mutant("always-there", asks(text(b"unavailable", b"echo")), "errors.unavailable"),
    _mutant("answers-late", answers_late, "request.own_answer"),
    # bodies that nobody thought of
    _mutant("ascii-letters-only", refuses(lambda r: rb"\u0" in r.body), "contract.positive_accepted"),
    # the switch
    _mutant("never-streams", asks(lambda r: text(b'"stream": true', b'"stream": false')(r)._replace(headers={**r.headers, "accept": "*/*"})),
        "switch.on", "switch.available", "switch.on_by_body", "switch.on_by_accept", "stream.served"),
    _mutant("always-streams", asks(text(b'"stream": false', b'"stream": true')), "switch.off"),
    _mutant("no-stream-of-its-own", asks(text(b"/chat/stream", b"/chat")), "switch.always"),
    # HTTP
    _mutant("silent", lambda: lambda r, answer: Plan((), "keep-alive") if message(r).startswith("Say ") else answer(r), "http.answers"),
    _mutant("never-ends", later(40.0, lambda plan: len(plan.writes) - 1), "http.answers", "stream.closes"),
    _mutant("status-line", head(rb"HTTP/1.1 ", b"HTTP/1.1  "), "http.status_line"),
    _mutant("header-line", adds(b"X-Bad : 1"), "http.header_lines"),
    _mutant("control-in-header", adds(b"X-Bad: a\x01b"), "http.field_values"),
    _mutant("two-lengths", adds(b"Content-Length: 3, 4", replies), "http.one_content_length"),
    _mutant("length-and-chunks", adds(b"Content-Length: 3", streams), "http.framing"),
    _mutant("coding", adds(b"Content-Encoding: identity, x-nothing"), "http.content_coding"),
    _mutant("no-media-type", head(rb"Content-Type: [^\r]*\r\n", b"", bodies), "http.content_type"),
    _mutant("date", head(rb"Date: [^\r]*", b"Date: 2026-01-01T00:00:00Z"), "http.date"),
    _mutant("no-allow", head(rb"Allow: [^\r]*\r\n", b""), "http.allow"),
    _mutant("unknown-path", lambda: lambda r, answer: said(200, b"{}") if r.target.count("chatproof-") else answer(r), "http.unknown_path"),
    _mutant("429-unexplained", body(rb".*", b"", status(429)), "http.limited_explained"),
    _mutant("429-stored", adds(b"Cache-Control: max-age=60", status(429)), "http.limited_not_stored"),
    _mutant("created", head(rb" 200 OK", b" 201 Created"), "reply.status", "framing.status"),
    # JSON
    _mutant("bom", body(rb"^", b"\xef\xbb\xbf"), "json.no_bom"),
    _mutant("nan", body(rb": \d+", b": NaN"), "json.numbers"),
    _mutant("twice", body(rb"^\{", b'{"a": 1, "a": 2, '), "json.unique_names"),
    _mutant("latin-1", body(rb"You said", b"You s\xe4id"), "json.utf8"),
    _mutant("half-a-pair", body(rb"You said", rb"\\ud83d"), "json.well_formed_text"),
    _mutant("code-elsewhere", body(rb'\{"error": \{(.*)\}\}', rb"{\1}", bodies), "errors.code_place"),
    _mutant("envelope", body(rb'"error": null', b'"error": {}'), "reply.constants"),
    _mutant("model", body(rb'"model": "[^"]*"', b'"model": 4'), "reply.model"),
    _mutant("tool-calls", body(rb'"tool_calls": \[', b'"tool_calls": null, "x": ['), "reply.tool_calls", "tools.none_listed"),
    # streams
    _mutant("text-not-escaped", events(rb"\\n", b"\n"), "framing.escaped"),
    _mutant("no-session-at-the-end", events(rb'"session_id": "[^"]*"', b'"session_id": ""'), "stream.done_session"),
    _mutant("charset", head(rb"event-stream", b"event-stream; charset=latin-1"), "framing.charset"),
    _mutant("id-with-nul", events(rb"^", b"id: a\0b\n"), "framing.id"),
    _mutant("retry", events(rb"^", b"retry: soon\n"), "framing.retry"),
    _mutant("separators", events(rb"said", "sa\u2028id".encode()), "framing.separators"),
    _mutant("stored", head(rb"Cache-Control: [^\r]*\r\n", b"", streams), "stream.not_stored"),
    _mutant("pieces-of-numbers", events(rb'"(content|chunk)": "[^"]*"', rb'"\1": 7'), "stream.delta_shape"),
    _mutant("failure-without-words", events(rb'"message": "[^"]*"', b'"message": 7'), "stream.failure_shape"),
    _mutant("call-without-args", events(rb'"args": \{[^}]*\}', b'"args": "none"'), "stream.tool_call_shape"),
    _mutant("result-without-name", events(rb'("tool_result".*?)"name": "[^"]*"', rb'\1"name": null'), "stream.tool_result_shape"),
    _mutant("tools-unlisted", body(rb'"tool_calls": \[.*?\]', b'"tool_calls": []'), "tools.listed"),
    _mutant("tools-unshown", events(rb".*tool_(?:call|result).*\n\n", b""), "tools.called"),
    _mutant("call-without-result", events(rb".*tool_result.*\n\n", b""), "tools.call_answered"),
    _mutant("end-after-failure", events(rb'(.*"type": "error".*\n\n)', rb'\1data: {"type": "done", "usage": {}}\n\n'), "stream.done_after_failure"),
    _mutant("other-usage-in-streams", events(rb'_tokens": \d+', b'_tokens": 999'), "usage.same_usage"),
    _mutant("wrong-total-in-streams", events(rb'"output_tokens"', b'"total_tokens": 0, "output_tokens"'), "usage.total_in_streams"),
    _mutant("session-in-streams", events(rb'"done"', b'"done", "session_id": "s"'), "session.named_in_stream"),
    _mutant("refused-in-a-stream", head(rb"application/json", b"text/event-stream", lambda r, p: p.status >= 400), "stream.refused_before"),
    _mutant("refusals-told-in-streams", fixed(refuses_in_streams), "stream.refused_before"),
    _mutant("long-silence", later(17.0, lambda plan: 1), "stream.heartbeat"),
    _mutant("first-then-all", fixed(first_then_all), "stream.progressive"),
    _mutant("two-bursts", fixed(two_bursts), "stream.progressive"),
    _mutant("stays-open", later(3.0, lambda plan: len(plan.writes) - 1), "stream.closes"),
    # sessions and limits
    _mutant("cached", cached, "session.expires"),
    _mutant("expires-from-its-beginning", expires_from_the_beginning, "session.idle"),
    _mutant("one-session", body(rb"(session_|sess_|conv_)[0-9a-f]{16}", rb"\g<1>0"), "session.new_each_time"),
    _mutant("one-conversation-at-a-time", newest_session, "turns.apart"),
    _mutant("breaks-on-a-second-turn", second_turn(500), "turns.survives"),
    _mutant("second-turn-409", second_turn(409), "turns.one_session"),
    _mutant("locks-after-a-hang-up", locks_left, "turns.free_again"),
    _mutant("agents-share", asks(text(b"other", b"default")), "session.agents_apart"),
    _mutant("streams-share-a-session", asks(one_stream_session), "session.streams_apart"),
    _mutant("one-request-less", counts(-1), "renewal.exactly"),
    _mutant("one-request-more", counts(1), "renewal.exactly"),
    _mutant("hears-refused-turns", fixed(hears_refused), "session.refused_unheard"),
    _mutant("session-ids-cut-short", asks(truncates_ids), "session.near"),
    _mutant("limits-everybody", limits_everybody, "quota.per_key"),
    _mutant("some-remain", head(rb"X-RateLimit-Remaining: \d+", b"X-RateLimit-Remaining: some"), "limits.integers"),
    _mutant("keeps-places", keeps_places, "quota.slot_returns", "quota.slot_ended"),
    _mutant("never-renews", never_renews, "renewal.recovers"),
    _mutant("none-remain-again", none_remain_again, "renewal.remaining_renews"),
    _mutant("hears-the-refused", hears_the_refused, "renewal.no_trace"),
    _mutant("not-in-earnest", not_in_earnest, "renewal.not_before"),
    _mutant("second-plan-without-end", fixed(many_places), "quota.second_plan", "quota.second_plan_concurrency"),
    _mutant("streams-unlimited", fixed(streams_unlimited), "quota.stream_refused"),
)  # fmt: skip
