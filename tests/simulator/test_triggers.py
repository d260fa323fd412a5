"""Faults that requests ask for themselves, and the words of an aim that time and sessions decide: each alone, and together."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from chatproof.simulator.aim import aim
from chatproof.simulator.faults import CATALOGUE
from chatproof.simulator.worded import armament, in_a_message, listed
from chatproof.spec import names

NAME = "guide"
BODY = {"agent_id": "echo", "message": "Hi"}
HEADER = "x-chatproof-fault"


def ask(desk: Any, told: str | None = None, query: str = "", key: str = "key-valid", **more: Any) -> Any:
    headers = {} if told is None else {HEADER: told}
    return desk.send(f"/guide/chat{query}", json.dumps({**BODY, **more}).encode(), key=key, headers=headers)


WAYS: dict[str, Callable[[Any, str], Any]] = {
    "header": lambda desk, name: ask(desk, name),
    "query": lambda desk, name: ask(desk, query=f"?x=1&chatproof-fault={quote(name)}"),
    "text": lambda desk, name: ask(desk, message=f"!fault {name}"),
    "key": lambda desk, name: ask(desk, key=f"key-fault-{name}"),
    "agent": lambda desk, name: ask(desk, agent_id=f"fault-{name}"),
}
"""All ways in which a request asks for a fault."""


@pytest.mark.parametrize("name", ["no-terminal", "capital-data", "n-byte-writes;bytes=9", "http-503", "no-answer"])
@pytest.mark.parametrize("by", WAYS)
def test_a_request_asks_for_a_fault(by: str, name: str, desk: Any) -> None:
    said = WAYS[by](desk, name)
    assert said.plan.about.faults == (name.partition(";")[0],)
    (one,) = desk.backend.armoury.triggered.values()
    assert (one.by, one.fired, one.fitted) == (by, 1, 1)
    assert ask(desk).plan.about.faults == ()


@pytest.mark.parametrize("by", WAYS)
def test_no_magic_turns_all_of_them_off(by: str, desk_of: Callable[..., Any]) -> None:
    desk = desk_of(magic=False)
    said = WAYS[by](desk, "no-terminal")
    assert said.plan.about.faults == ()
    assert said.status == {"key": 401, "agent": 404}.get(by, 200)


@pytest.mark.parametrize("by", WAYS)
def test_every_one_is_reached_without_a_header(by: str, desk: Any) -> None:
    """All of the catalogue, by what even the poorest client can send; what it does there is another matter."""
    for name in CATALOGUE:
        WAYS[by](desk, f"{name};bytes=100" if name.endswith("huge") or name == "huge-event" else name)
    assert [one.fault.name for one in desk.backend.armoury.triggered.values()] == list(CATALOGUE)
    assert all((one.by, one.fitted) == (by, 1) for one in desk.backend.armoury.triggered.values())


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("name", names())
def test_a_key_of_a_status(name: str, status: int, desk: Any) -> None:
    said = desk.chat(name, key=f"key-{status}")
    assert said.status == status
    if status not in (502, 504):
        assert said.headers["content-type"] == "application/json"
        assert said.json
    unknown = desk.chat(name, key="key-499")
    assert (unknown.status, unknown.headers["x-chatproof-note"]) == (
        401,
        "key: no fault 'http-499' (did you mean 'http-429'?)",
    )


@pytest.mark.parametrize("name", names())
def test_an_agent_that_names_a_fault_is_found_in_every_dialect(name: str, desk: Any) -> None:
    prefix = desk.backend.realms[name].dialect.agent_prefix or ""
    said = desk.chat(name, "Hi", agent=f"{prefix}fault-http-503")
    assert (said.status, said.plan.about.dialect) == (503, name)
    unknown = desk.chat(name, "Hi", agent=f"{prefix}fault-text-lots;times=1")
    assert (unknown.status, unknown.headers["x-chatproof-note"]) == (
        404,
        "agent: no fault 'text-lots' (did you mean 'text-lost'?)",
    )


def test_a_key_for_a_fault_that_there_is_none_of_says_so_and_others_say_nothing(desk: Any) -> None:
    said = desk.chat("guide", key="key-fault-text-lots")
    assert (said.status, said.headers["x-chatproof-note"]) == (
        401,
        "key: no fault 'text-lots' (did you mean 'text-lost'?)",
    )
    assert "x-chatproof-note" not in desk.chat("guide", key="key-of-nobody").headers
    assert "x-chatproof-note" not in desk.chat("guide", agent="nobody").headers


def test_at_the_shared_root_the_prefix_still_tells_the_dialect(desk: Any) -> None:
    for agent, dialect in (("fault-http-503", "guide"), ("ag_fault-http-503", "reference")):
        body = json.dumps({"agent_id": agent, "message": "Hi", "stream": False}).encode()
        said = desk.send("/chat", body)
        assert (said.status, said.plan.about.dialect) == (503, dialect)


def test_several_compose_and_the_last_wins_on_a_layer(desk: Any) -> None:
    said = ask(desk, "no-terminal, capital-data", agent_id="fault-text-lost", message="one two three")
    assert said.plan.about.faults == ("no-terminal", "capital-data")
    assert said.plan.about.warnings == ("text-lost gives way to no-terminal: both are on the layer events",)


def test_a_request_wins_over_what_is_in_force(desk: Any) -> None:
    desk.backend.armoury.add("two-terminals")
    assert ask(desk, "no-terminal").plan.about.faults == ("no-terminal",)
    assert ask(desk).plan.about.faults == ("two-terminals",)


def test_the_first_two_and_then_fine(desk: Any) -> None:
    assert [ask(desk, "http-503;times=2").status for _ in range(4)] == [503, 503, 200, 200]
    assert [ask(desk, "http-500;nth=2").status for _ in range(3)] == [200, 500, 200]


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("htp-429", "no fault 'htp-429' (did you mean 'http-429'?)"),
        ("http-429;form=datee", "form: expected one of seconds, http-date, got 'datee'"),
        ("http-429;wait=-1", "wait: expected a whole number of seconds from 0 to 1,000,000,000, got '-1'"),
        ("http-429;wiat=1", "'http-429' takes no word 'wiat' (did you mean 'wait'?)"),
        ("stall;seconds=601", "seconds: expected a number of seconds from 0 to 600, got '601'"),
        ("stall;seconds", "stall: expected word=value, got 'seconds'"),
        ("stall;nth=x", "nth: expected a whole number from 1, got 'x'"),
        (",".join(["gzip"] * 11), "expected 10 faults at most, got 11"),
    ],
)  # fmt: skip
def test_what_there_is_none_of_is_refused_in_words(told: str, says: str, desk: Any) -> None:
    for said in (ask(desk, told), ask(desk, query=f"?chatproof-fault={quote(told)}")):
        assert said.status == 400
        assert says in said.json["detail"]
        assert says in said.headers["x-chatproof-note"]


def test_a_typed_one_has_spaces_and_only_its_first_line_counts(desk: Any) -> None:
    assert in_a_message("http-429 in=body wait=3, gzip\nand more") == "http-429;in=body;wait=3,gzip"
    said = ask(desk, message="!fault http-429 in=body wait=3\nplease")
    assert (said.status, said.json["retry_after"], "retry-after" in said.headers) == (429, 3, False)
    assert ask(desk, message="What is !fault http-429?").status == 200


def test_values_can_hold_any_character() -> None:
    meant = armament("error-mid-stream;message=out%20of%20memory%2C%20sorry;times=1")
    assert (meant.values["message"], meant.aim.times) == ("out of memory, sorry", 1)
    assert listed("a;x=1, b,,c ") == ["a;x=1", "b", "c"]


HINTS = {
    "seconds": ("9", 9), "http-date": ("Thu, 01 Jan 2026 00:00:09 GMT",) * 2, "float": ("9.5", 9.5), "negative": ("-9", -9),
    "zero": ("0", 0), "huge": (str(10**15), 10**15), "text": ("soon", "soon"), "empty": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize("where", ["header", "body", "both", "none"])
@pytest.mark.parametrize("form", HINTS)
@pytest.mark.parametrize("name", names())
def test_every_shape_of_a_hint(name: str, form: str, where: str, desk: Any) -> None:
    desk.backend.armoury.add(f"retry-after;in={where};form={form};wait=9")
    said = desk.chat(name)
    header, body = HINTS[form]
    assert said.status == 429
    assert said.headers.get("retry-after") == (header if where in ("header", "both") else None)
    told = said.json.get("retry_after")
    assert told == (body if where in ("body", "both") else None)


def test_the_nth_turn_of_a_session(desk: Any) -> None:
    desk.backend.armoury.add("no-terminal", aim(turn=2))
    seen = [(session, ask(desk, session_id=session).plan.about.faults) for session in ("a", "a", "b", "a", "b")]
    assert [session for session, faults in seen if faults] == ["a", "b"]
    assert [number for number, (_, faults) in enumerate(seen) if faults] == [1, 4]


@pytest.mark.parametrize(
    ("window", "steps", "hit"),
    [
        ({"begins": 10, "ends": 20}, [0, 9, 1, 9, 1], [False, False, True, True, False]),
        ({"ends": 5}, [0, 5], [True, False]),
        ({"begins": "00:00:05", "ends": "00:00:10"}, [0, 5, 4, 1, 86395], [False, True, True, False, True]),
        ({"begins": "23:59", "ends": "00:01"}, [0, 60, 86_270, 20], [True, False, False, True]),
    ],
)
def test_a_window_on_the_clock(window: dict[str, Any], steps: list[int], hit: list[bool], desk: Any) -> None:
    """The clock begins at midnight."""
    desk.backend.armoury.begin(desk.clock.now())
    desk.backend.armoury.add("no-terminal", aim(**window))
    seen = []
    for step in steps:
        desk.clock.advance(step)
        seen.append(bool(ask(desk).plan.about.faults))
    assert seen == hit


def test_an_expired_session_begins_anew(desk: Any) -> None:
    def turn(told: str | None = None) -> Any:
        return ask(desk, told, agent_id="memory", session_id="s", stream=False)

    assert ["Before" in turn(told).json["response"] for told in (None, None, "session-expired", None)] == [
        False, True, False, True,
    ]  # fmt: skip
    assert turn("session-expired;as=410").status == 410
    assert turn("session-busy").headers["retry-after"] == "1"
    assert ask(desk, "session-busy").plan.about.faults == (), "no session was named"


@pytest.mark.parametrize(
    ("told", "status", "reason"),
    [
        ("http-409", 409, "conflict"),
        ("http-422", 422, "invalid_request"),
        ("http-502", 502, "bad_gateway"),
        ("http-504", 504, "gateway_timeout"),
        ("redirect", 307, "redirect"),
        ("redirect-loop", 307, "redirect"),
        ("session-expired;as=404", 404, "session_expired"),
        ("session-foreign", 404, "session_not_found"),
        ("session-busy", 409, "session_busy"),
        ("session-busy;as=429", 429, "session_busy"),
    ],
)
def test_the_journal_knows_a_refusal_by_its_own_name(told: str, status: int, reason: str, desk: Any) -> None:
    """Not by that of the documented one in whose shape it is told."""
    plan = ask(desk, told, session_id="s").plan
    assert (plan.status, plan.about.refusal, plan.said) == (status, reason, reason)


def test_a_request_that_means_nothing_is_none_of_the_first_two(desk: Any) -> None:
    armed = desk.backend.armoury.add("http-503;times=2")
    nowhere = [desk.send("/guide/nowhere", b""), desk.send("/guide/chat", b"", method="GET")]
    assert [one.plan.about.faults for one in nowhere] == [(), ()]
    assert armed.fired == 0
    assert [ask(desk).status for _ in range(3)] == [503, 503, 200]


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("x-gzip , br", True), ("gzip;q=0.001", True),
     ("gzip;q=0", False), ("gzip; q=0.00, br", False), ("deflate", False), ("", False)],
)  # fmt: skip
def test_who_accepts_gzip_by_name_and_weight(accepted: str, packed: bool, desk: Any) -> None:
    def coded(fault: str) -> bool:
        headers = {HEADER: fault, "accept-encoding": accepted}
        return "content-encoding" in desk.send("/guide/chat", json.dumps(BODY).encode(), headers=headers).headers

    assert (coded("gzip"), coded("gzip-unasked")) == (packed, not packed)


def test_a_redirect_leads_back_to_the_same_service(desk: Any) -> None:
    said = ask(desk, "redirect;status=308", query="?a=%20b")
    assert said.status == 308
    place = said.headers["location"]
    assert place == "/guide/chat?a=%20b&chatproof-redirected=1"
    assert desk.send(place, json.dumps(BODY).encode(), headers={HEADER: "redirect"}).status == 200
    assert ask(desk, "redirect-loop").headers["location"] == "/guide/chat"


def test_the_same_seed_cuts_at_the_same_places(desk_of: Callable[..., Any]) -> None:
    def cut(seed: int) -> Any:
        return ask(desk_of(seed=seed), "random-writes", message="a b c d e f").plan.writes

    assert cut(7) == cut(7) != cut(8)


CUTS = {
    "character": rb"\xc3\r\n1|\xc3\r\n.+\r\n\xbc",
    "name": rb"2\r\nda\r\n[0-9a-f]+\r\nta: ",
    "colon": rb"5\r\ndata:\r\n[0-9a-f]+\r\n ",
    "blank-line": rb"\}\n\r\n1\r\n\n\r\n",
    "escape": rb"\\\r\n[0-9a-f]+\r\n\"",
    "line": rb"8\r\ndata: \{\"\r\n",
}


@pytest.mark.parametrize("at", CUTS)
def test_cuts_are_inside_of_what_they_say(at: str, desk: Any) -> None:
    said = ask(desk, f"torn-writes;at={at}", message='Gr\u00fc\u00dfe "x"')
    assert re.search(CUTS[at], said.raw), said.raw
    assert json.loads(said.data[0])
    short = ask(desk, f"cut-inside;at={at};how=reset", message='Gr\u00fc\u00dfe "x"')
    whole, cut = (one.raw.partition(b"\r\n\r\n")[2] for one in (ask(desk, message='Gr\u00fc\u00dfe "x"'), short))
    assert short.plan.end == "reset"
    assert whole.startswith(cut)
    assert len(cut) < len(whole)


def test_cr_and_lf_are_torn_apart_where_lines_end_so(desk: Any) -> None:
    said = ask(desk, "crlf, torn-writes;at=crlf")
    assert b"}\r\r\n" in said.raw
    assert said.plan.about.faults == ("crlf", "torn-writes")
