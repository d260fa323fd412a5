"""Limits at their edges: what the laws' faults do not reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chatproof.conformance.advertised import advertised, number, server_now
from chatproof.conformance.check import Note, Unclear, Unverified
from chatproof.conformance.exchange import End
from chatproof.conformance.seen import Seen
from chatproof.spec import dialect

from .recorded import DATE, SENT_AT, exchange, got, known, of, over, response, see

AT = int(SENT_AT)
Lines = list[tuple[str, str]]


def told(limit: Any = 20, remaining: Any = 5, reset: Any = AT + 30) -> Lines:
    named = (("X-RateLimit-Limit", limit), ("X-RateLimit-Remaining", remaining), ("X-RateLimit-Reset", reset))
    return [(name, str(value)) for name, value in named if value is not None]


def reply(*headers: tuple[str, str], status: int = 200, body: Any = None, name: str = "guide", **asked: Any) -> Seen:
    return see(response(status, body or {"response": "x", "session_id": "s"}, headers=headers), name, **asked)


def full(wait: Any = 12, header: str | None = "12", text: str = "Wait 12 s", lines: Lines | None = None) -> Seen:
    """A 429 in the form of the guide."""
    headers = told(remaining=0, reset=AT + 12) if lines is None else lines
    body = {"detail": text, "retry_after": wait}
    return reply(*headers, *([("Retry-After", header)] if header else []), status=429, body=body, key="limited")


@pytest.mark.parametrize("text", ["7", "0", "007"])
def test_numbers(text: str) -> None:
    assert number(text) == int(text)


@pytest.mark.parametrize("text", [None, "", "-1", "+1", "1.0", " 1", "1e3", "٣", "½", "1,000"])
def test_what_is_no_number(text: str | None) -> None:
    assert number(text) is None


def test_a_number_of_any_length() -> None:
    assert advertised(reply(*told(remaining="9" * 5_000))).remaining != 0


@pytest.mark.parametrize(
    ("header", "now"),
    [(DATE, SENT_AT), ("Thu, 01 Jan 2026 00:00:09 GMT", SENT_AT + 9), ("yesterday", SENT_AT), ("", SENT_AT)],
)
def test_the_clock_is_the_targets_own_where_it_says_it(header: str, now: float) -> None:
    raw = response(body={}).replace(f"Date: {DATE}".encode(), f"Date: {header}".encode())
    assert server_now(see(raw)) == now


def test_a_date_of_any_year() -> None:
    raw = response(body={}).replace(b"2026 00", b"99999 00")
    assert server_now(see(raw)) == SENT_AT


@pytest.mark.parametrize(
    ("headers", "asked", "findings"),
    [
        (told(), {}, 0),
        ([], {}, 1),
        (told(limit=None), {}, 1),
        ([(name.lower(), value) for name, value in told()], {}, 0),
        ([], {"key": None}, 0),
        ([], {"key": "revoked"}, 0),
    ],
)
def test_on_replies(headers: Lines, asked: dict[str, Any], findings: int) -> None:
    assert len(over("limits.on_replies", reply(*headers, **asked))) == findings


@pytest.mark.parametrize(
    ("step", "status", "findings"),
    [("missing-message", 400, 1), ("malformed", 400, 0), ("unknown", 404, 1), ("unknown", 500, 0)],
)
def test_on_refusals(step: str, status: int, findings: int) -> None:
    """A server may turn a body away unread, before it knows whose it is."""
    assert len(over("limits.on_refusals", reply(status=status, step=step))) == findings


@pytest.mark.parametrize(
    ("headers", "findings"),
    [
        (told(), 0),
        ([], 0),
        (told(remaining="5 of 20"), 1),
        (told(remaining=-1, reset="soon"), 1),
        ([*told(), ("x-ratelimit-limit", "20")], 1),
        (told(limit="20.0"), 1),
    ],
)
def test_integers(headers: Lines, findings: int) -> None:
    assert len(over("limits.integers", reply(*headers))) == findings


@pytest.mark.parametrize(
    ("limit", "remaining", "findings"), [(20, 20, 0), (20, 21, 1), (None, 99, 0), (20, 0, 0), ("x", 99, 0)]
)
def test_within(limit: Any, remaining: Any, findings: int) -> None:
    assert len(over("limits.within", reply(*told(limit, remaining)))) == findings


@pytest.mark.parametrize(
    ("reset", "epoch", "within"),
    [
        (AT, 0, 0), (AT + 62, 0, 0), (AT + 63, 0, 1), (AT - 2, 0, 0), (AT - 3, 0, 1),
        (60, 1, 0), (AT * 1000, 1, 0), (0, 1, 0), (999_999_999, 1, 0),
    ],
)  # fmt: skip
def test_reset(reset: int, epoch: int, within: int) -> None:
    """What is no epoch second at all is one finding, not two."""
    seen = reply(*told(reset=reset))
    assert (len(over("limits.reset_epoch", seen)), len(over("limits.reset_within", seen))) == (epoch, within)


def test_a_daily_limit_ends_within_a_day() -> None:
    late = told(reset=AT + 86_402)
    assert over("limits.reset_within", reply(*told(limit=1000, reset=AT + 86_402), name="rest")) == []
    assert over("limits.reset_within", reply(*late, key="daily")) == []
    assert len(over("limits.reset_within", reply(*told(limit=1000, reset=AT + 86_403), name="rest"))) == 1


def test_a_limit_of_a_plan_for_a_minute_ends_within_one() -> None:
    assert over("limits.reset_within", reply(*told(limit=20, reset=AT + 62), name="rest")) == []
    assert len(over("limits.reset_within", reply(*told(limit=20, reset=AT + 3_600), name="rest"))) == 1


@pytest.mark.parametrize(("remaining", "findings"), [(0, 0), (20, 0), (21, 1), (-1, 1), ("5 of 20", 0)])
def test_what_remains_is_between_nothing_and_the_limit(remaining: Any, findings: int) -> None:
    assert len(over("limits.within", reply(*told(20, remaining)))) == findings


def falling(*said: tuple[Any, Any]) -> list[Note]:
    return of("limits.falls", *(reply(*told(20, left, reset), step=f"s{n}") for n, (left, reset) in enumerate(said)))


@pytest.mark.parametrize(
    ("said", "findings"),
    [
        ([(5, AT), (4, AT), (3, AT)], []),
        ([(5, AT), (5, AT)], ["5"]),
        ([(5, AT), (3, AT)], ["3"]),
        ([(0, AT), (19, AT + 60)], None),
        ([(5, AT), (19, AT + 60), (18, AT + 60)], []),
        ([(5, None), (4, None)], None),
        ([(5, AT)], None),
    ],
)
def test_falls(said: list[tuple[Any, Any]], findings: list[str] | None) -> None:
    """A window that ends between two requests lets the number rise, and then nothing can be said of those two."""
    notes = falling(*said)
    assert [type(note) for note in notes] == [Unclear] if findings is None else got(notes) == findings


@pytest.mark.parametrize(
    ("seen", "check", "findings"),
    [
        (full(), "retry_after_body", 0),
        (full(wait=0), "retry_after_body", 1),
        (full(wait=True), "retry_after_body", 1),
        (full(wait="12"), "retry_after_body", 1),
        (full(wait=12.0), "retry_after_body", 1),
        (full(header=None), "retry_after_header", 1),
        (full(header="Thu, 01 Jan 2026 00:00:12 GMT"), "retry_after_valid", 0),
        (full(header="Thu, 01 Jan 2026 00:00:12 GMT"), "retry_after_seconds", 1),
        (full(header="12 s"), "retry_after_valid", 1),
        (full(header="-1"), "retry_after_valid", 1),
        (full(wait=13), "retry_after_agrees", 0),
        (full(wait=14), "retry_after_agrees", 1),
        (full(wait=14, header=None), "retry_after_agrees", 0),
        (full(wait=14), "retry_after_is_reset", 0),
        (full(wait=15), "retry_after_is_reset", 1),
        (full(wait=99, lines=told(remaining=3)), "retry_after_is_reset", 0),
        (full(text="Too many."), "retry_after_text", 0),
        (full(text="Wait 13 seconds."), "retry_after_text", 1),
        (full(text="20 a minute; wait 12 seconds."), "retry_after_text", 0),
    ],
)
def test_when_to_come_back(seen: Seen, check: str, findings: int) -> None:
    """A refusal for concurrency (some remain) may name another wait than the window's end (AMB-21)."""
    assert len(over(f"refusal.{check}", seen)) == findings


def spent(*statuses: int, left: tuple[Any, ...] = (), reset: int = AT + 30) -> list[Seen]:
    """The steps of ``exhaust``: requests with these statuses, each saying what is left."""
    told_left = left or tuple(range(len(statuses) - 1, -1, -1))
    return [
        reply(*told(20, one, reset), status=status, step=f"spend-{n:03}", key="limited")
        for n, (status, one) in enumerate(zip(statuses, told_left, strict=True), 1)
    ]


@pytest.mark.parametrize(
    ("check", "seen", "findings"),
    [
        ("not_early", spent(200, 200, 429, left=(1, 0, 0)), 0),
        ("not_early", spent(200, 429, left=(1, 0)), 1),
        ("not_early", spent(200, 429, left=(None, None)), 0),
        ("not_early", spent(500, 429, left=(1, 0)), 0),
        ("not_late", spent(200, 200, 429, left=(1, 0, 0)), 0),
        ("not_late", spent(200, 200, left=(0, 19)), 1),
        ("not_late", spent(200, 200, left=(0, 19), reset=AT), 0),
        ("enforced", spent(200, 429), 0),
        ("enforced", spent(200, 200), 1),
        ("enforced", spent(200, 503), 1),
    ],
)
def test_a_limit_that_is_spent(check: str, seen: list[Seen], findings: int) -> None:
    assert len(of(f"quota.{check}", *seen)) == findings


@pytest.mark.parametrize(
    ("check", "seen", "kind"),
    [
        ("enforced", [], Unverified),
        ("enforced", spent(429), Unclear),
        ("stream_refused", spent(200, 200), Unclear),
        ("per_key", spent(200, 200), Unclear),
        ("plan", spent(200, 429, left=(None, None))[:0] or [reply(step="spend-001", key="limited")], Unverified),
    ],
)
def test_what_was_not_reached_proves_nothing(check: str, seen: list[Seen], kind: type[Note]) -> None:
    assert [type(note) for note in of(f"quota.{check}", *seen)] == [kind]


@pytest.mark.parametrize(
    ("resets", "value"),
    [
        ([AT + 60, AT + 60], "aligned"),
        ([AT + 31, AT + 31, AT + 31], "fixed"),
        ([AT + 31, AT + 91], "fixed"),
        ([AT + 31, AT + 32, AT + 33], "sliding"),
    ],
)
def test_every_kind_of_window_conforms(resets: list[int], value: str) -> None:
    seen = [reply(*told(reset=reset), step=f"spend-{n:03}") for n, reset in enumerate(resets)]
    (note,) = of("quota.window", *seen)
    assert getattr(note, "value", None) == value


def concurrent(first: int, second: int, beyond: int, after: int) -> list[Seen]:
    """The steps of ``concurrent``: streams that were left, one more beside them, one after they were hung up."""
    held = [reply(status=status, step=f"held-{n}", end=End.LEFT) for n, status in enumerate((first, second), 1)]
    return [*held, reply(status=beyond, step="beyond"), reply(status=after, step="after-1")]


@pytest.mark.parametrize(
    ("statuses", "concurrency", "returns"),
    [
        ((200, 200, 429, 200), 0, 0),
        ((200, 200, 200, 200), 1, Unclear),
        ((200, 429, 429, 200), Unclear, 0),
        ((200, 200, 429, 429), 0, 1),
    ],
)
def test_places_for_streams(statuses: tuple[int, int, int, int], concurrency: Any, returns: Any) -> None:
    for check, wanted in (("concurrency", concurrency), ("slot_returns", returns)):
        notes = of(f"quota.{check}", *concurrent(*statuses))
        assert len(notes) == wanted if isinstance(wanted, int) else [type(note) for note in notes] == [wanted], check


def test_streams_that_could_not_be_read_on_held_no_place() -> None:
    raw = response(body={}, media="text/event-stream")
    torn = Seen(
        replace(exchange(raw, step="held-1", end=End.BROKEN), detail="bad chunk size"), dialect("guide"), known()
    )
    (note,) = of("quota.concurrency", torn, reply(step="beyond"))
    assert note == Unclear("a stream to hold open could not be read on: bad chunk size")


def test_streams_that_ended_by_themselves_held_no_place() -> None:
    ended = [reply(step="held-1", end=End.COMPLETE), reply(step="beyond"), reply(step="after-1")]
    assert [type(note) for note in of("quota.concurrency", *ended)] == [Unclear]
