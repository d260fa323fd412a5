"""Refusals, keys, replies and HTTP at their edges: what the laws' faults do not reach."""

from __future__ import annotations

from typing import Any

import pytest

from chatproof.conformance.check import Reading, Unclear, Unverified
from chatproof.conformance.exchange import End, Request
from chatproof.conformance.seen import Seen

from .recorded import DATE, JSON, got, of, over, response, see

REST_401 = {"error": {"code": "unauthorized", "message": "No"}}
ENVELOPE = {"data": None, "error": {"name": "UnauthorizedError", "message": "No", "details": {}}}
DETAIL = {"detail": [{"loc": ["body"], "msg": "no", "type": "x"}]}


def refused(
    status: int, body: Any, name: str = "guide", media: str | None = JSON, *headers: tuple[str, str], **more: Any
) -> Seen:
    return see(response(status, body, media, headers), name, **more)


HALF = response(413, {}).replace(b"Length: 2", b"Length: 9")
"""A refusal that is not sent to its end."""


@pytest.mark.parametrize(
    ("name", "step", "status", "findings"),
    [
        ("guide", "missing-message", 400, 0),
        ("guide", "missing-message", 422, 1),
        ("reference", "missing-message", 400, 0),
        ("reference", "missing-message", 422, 0),
        ("guide", "missing-message", 200, 1),
    ],
)
def test_every_accepted_status_is_right_and_no_other(name: str, step: str, status: int, findings: int) -> None:
    assert len(of("errors.missing_message", refused(status, {}, name, step=step))) == findings


def test_no_response_is_told_as_such() -> None:
    assert got(of("auth.missing", see(b"", step="missing", end=End.RESET))) == ["no response (reset): b''"]


@pytest.mark.parametrize(
    ("check", "seen", "findings"),
    [
        ("content_type", refused(401, {"detail": "No"}, "guide", "application/json; charset=utf-8"), 0),
        ("content_type", refused(401, {"detail": "No"}, "guide", "application/problem+json"), 1),
        ("content_type", refused(401, b"No", "guide", None), 1),
        ("content_type", refused(404, b"No", "guide", "text/html", step="nowhere"), 0),
        ("content_type", refused(418, b"No", "guide", "text/html"), 0),
        ("message", refused(401, {"detail": "No"}), 0),
        ("message", refused(401, {"detail": ""}), 1),
        ("message", refused(401, b"No"), 1),
        ("code_unauthorized", refused(401, REST_401, "rest"), 0),
        ("code_unauthorized", refused(401, {"code": "unauthorized"}, "rest"), 0),
        ("code_unauthorized", refused(401, {"error": "unauthorized"}, "rest"), 0),
        ("code_unauthorized", refused(401, {"detail": {"code": "unauthorized"}}, "rest"), 0),
        ("code_unauthorized", refused(401, {"error": {"code": "UNAUTHORIZED"}}, "rest"), 1),
        ("code_unauthorized", refused(401, {"detail": "unauthorized"}, "rest"), 1),
        ("constants", refused(401, ENVELOPE, "slug"), 0),
        ("constants", refused(401, {**ENVELOPE, "data": {}}, "slug"), 1),
        ("constants", refused(401, {"error": ENVELOPE["error"]}, "slug"), 1),
        ("details", refused(401, ENVELOPE, "slug"), 0),
        ("details", refused(401, {"data": None, "error": {"name": "x", "message": "y", "details": []}}, "slug"), 1),
        ("body_422", refused(422, DETAIL, "reference", operation="send"), 0),
        ("body_422", refused(422, {"detail": "no"}, "reference", operation="send"), 1),
        ("body_422", refused(400, {"detail": "no"}, "reference", operation="send"), 0),
    ],
)
def test_the_body_of_a_refusal(check: str, seen: Seen, findings: int) -> None:
    assert len(over(f"errors.{check}", seen)) == findings


@pytest.mark.parametrize(
    ("body", "place"), [({"code": "x"}, "/code"), ({"error": "x"}, "/error"), (REST_401, "/error/code")]
)  # fmt: skip
def test_where_a_code_stands_is_a_reading(body: Any, place: str) -> None:
    (note,) = over("errors.code_place", refused(401, body, "rest"))
    assert isinstance(note, Reading)
    assert note.value == place


def test_which_status_an_invalid_body_gets_is_a_reading() -> None:
    seen = [
        refused(422, DETAIL, "reference", step="missing-message"),
        refused(400, DETAIL, "reference", step="missing-agent"),
    ]
    (note,) = of("errors.invalid_status", *seen)
    assert isinstance(note, Reading)
    assert note.value == "400/422"
    assert [type(n) for n in of("errors.invalid_status", refused(200, {}, step="missing-message"))] == [Unverified]


@pytest.mark.parametrize(
    ("seen", "findings"),
    [
        (refused(400, {}, step="nul", valid=False), 0),
        (refused(200, {"response": "x"}, step="emoji"), 0),
        (refused(500, {}, step="good"), 0),
        (refused(500, {}, step="deep", valid=False), 1),
        (see(b"", step="huge", valid=False, end=End.FIRST_BYTE_TIMEOUT), 1),
        (see(HALF, step="huge", valid=False, end=End.CLOSED), 0),
    ],
)
def test_odd_input_breaks_nothing(seen: Seen, findings: int) -> None:
    assert len(over("errors.never_breaks", seen)) == findings
    assert len(over("http.content_length", seen)) == (seen.exchange.raw == HALF), "half an answer is a matter of HTTP"


@pytest.mark.parametrize(
    ("challenge", "key", "wanted"),
    [
        ("Bearer", "Bearer k", set()),
        ('bearer realm="x"', "Bearer k", set()),
        ('Bearer error="invalid_token"', "Bearer k", set()),
        ('Bearer error="invalid_request"', "Bearer k", {"challenge_error"}),
        ('Bearer error="invalid_token"', None, {"challenge_plain"}),
        ("Basic", "Bearer k", {"challenge_scheme"}),
        ("BearerX", "Bearer k", {"challenge_scheme"}),
        ("", "Bearer k", {"challenged"}),
        (None, None, {"challenged"}),
    ],
)
def test_the_challenge_of_a_401(challenge: str | None, key: str | None, wanted: set[str]) -> None:
    headers = () if challenge is None else (("WWW-Authenticate", challenge),)
    sent = Request("POST", "/chat", (("Authorization", key),) if key else ())
    seen = refused(401, {"detail": "No"}, "guide", JSON, *headers, request=sent)
    checks = ("challenged", "challenge_scheme", "challenge_plain", "challenge_error")
    assert {check for check in checks if over(f"auth.{check}", seen)} == wanted


@pytest.mark.parametrize(
    ("credential", "body", "findings"),
    [
        ("Bearer secret-key", {"for": "secret-key"}, 1),
        ("Bearer short", {"for": "a short story"}, 0),
        ("Bearer secret-key", {"for": "another"}, 0),
        (None, {"for": ""}, 0),
    ],
)
def test_no_key_is_repeated(credential: str | None, body: Any, findings: int) -> None:
    sent = Request("POST", "/chat", (("Authorization", credential),) if credential else ())
    assert len(over("auth.no_echo", refused(200, body, request=sent))) == findings


@pytest.mark.parametrize(
    ("check", "body", "findings"),
    [
        ("text", {"response": ""}, 0),
        ("text", {"response": None}, 1),
        ("text", {}, 1),
        ("session", {"session_id": ""}, 1),
        ("session", {"session_id": 7}, 1),
        ("is_json", [], 1),
        ("is_json", b"{}x", 1),
        ("is_json", b"\xef\xbb\xbf{}", 1),
    ],
)
def test_a_reply(check: str, body: Any, findings: int) -> None:
    assert len(over(f"reply.{check}", see(response(body=body)))) == findings


def test_a_session_that_was_asked_for_comes_back() -> None:
    assert over("reply.session_echoed", see(response(body={"session_id": "s"}), session="s")) == []
    assert got(over("reply.session_echoed", see(response(body={"session_id": "t"}), session="s"))) == ["session 't'"]
    assert over("reply.session_echoed", see(response(body={}), session="s")) == []


@pytest.mark.parametrize(
    ("check", "body", "findings"),
    [
        ("valid", b'{"a": "\\ud83d"}', 0),
        ("well_formed_text", b'{"a": "\\ud83d"}', 1),
        ("well_formed_text", b'{"a": "\\ud83d\\ude00"}', 0),
        ("well_formed_text", b'{"a": "\\\\ud83d"}', 0),
        ("well_formed_text", b'{"\\ud83d": 1}', 1),
        ("unique_names", b'{"a": {"b": 1, "b": 1}}', 1),
        ("unique_names", b'[{"a": 1}, {"a": 1}]', 0),
        ("numbers", b'{"a": -Infinity}', 1),
        ("numbers", b'{"a": "NaN"}', 0),
        ("utf8", b'{"a": "\xff"}', 1),
        ("no_bom", b"\xef\xbb\xbf{}", 1),
        ("valid", b"", 1),
        ("valid", b"{'a': 1}", 1),
    ],
)
def test_json_by_the_standard(check: str, body: bytes, findings: int) -> None:
    assert len(over(f"json.{check}", see(response(body=body)))) == findings
    assert over(f"json.{check}", see(response(body=body, media="text/plain"))) == []


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        (f"Date: {DATE}", "Date: Thursday", "date"),
        (f"Date: {DATE}\r\n", "", "date"),
        ("Content-Type: application/json\r\n", "", "content_type"),
        ("Content-Type", "Content-Encoding: gzip\r\nContent-Type", "content_coding"),
    ],
)
def test_headers_of_every_response(old: str, new: str, check: str) -> None:
    raw = response(body={"response": "x"})
    assert over(f"http.{check}", see(raw)) == []
    assert len(over(f"http.{check}", see(raw.replace(old.encode(), new.encode())))) == 1


@pytest.mark.parametrize(
    ("headers", "findings"),
    [([], 0), ([("Cache-Control", "no-store")], 0), ([("Cache-Control", "max-age=0")], 0), ([("Cache-Control", "Public")], 1),
     ([("Cache-Control", "s-maxage=9")], 1), ([("Expires", DATE)], 1)],
)  # fmt: skip
def test_a_429_is_not_stored(headers: list[tuple[str, str]], findings: int) -> None:
    assert len(over("http.limited_not_stored", see(response(429, {}, headers=headers)))) == findings


def test_a_405_lists_its_methods() -> None:
    def get(status: int, *headers: tuple[str, str]) -> Seen:
        return refused(status, {}, "guide", JSON, *headers, step="get")

    assert of("http.allow", get(405, ("Allow", "GET, post"))) == []
    assert len(of("http.allow", get(405))) == 1
    assert of("http.allow", get(404)) == []
    assert len(of("http.method", get(404))) == 1


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        ("You said: Say heron.", "You said: Say gull.", []),
        ("You said: Say gull.", "You said: Say heron.", ["Finding", "Finding", "Unclear"]),
        ("Hello!", "Hello!", ["Unclear"]),
        ("heron and gull", "gull", []),
    ],
)
def test_a_reply_answers_its_own_message(first: str, second: str, wanted: list[str]) -> None:
    steps = [
        see(response(body={"response": text}), step=step, message=message)
        for step, message, text in (("new", "Say heron.", first), ("second", "Say gull.", second))
    ]
    assert [type(note).__name__ for note in of("request.own_answer", *steps)] == wanted


def test_two_keys_are_two() -> None:
    def made(step: str, number: Any, key: str) -> Seen:
        return see(response(body={"id": number, "key": key}), "rest", step=step, operation="create_key")

    assert of("keys.distinct", made("create", 1, "ak_a"), made("create-again", 2, "ak_b")) == []
    assert len(of("keys.distinct", made("create", 1, "ak_a"), made("create-again", 1, "ak_a"))) == 2
    assert got(of("keys.id", made("create", True, "ak_a"))) == ["True"]
    assert got(of("keys.key", made("create", 1, ""))) == ["''"]


@pytest.mark.parametrize(
    ("status", "bound", "account_only"), [(200, 1, "made"), (401, 0, "refused"), (403, 0, "refused"), (400, 1, "refused")]
)  # fmt: skip
def test_what_a_made_key_opens(status: int, bound: int, account_only: str) -> None:
    used = see(response(), "rest", step="use")
    assert len(of("keys.bound", used, see(response(status), "rest", step="use-other", agent="other"))) == bound
    (note,) = of("keys.account_only", used, see(response(status), "rest", step="create-by-agent-key"))
    assert isinstance(note, Reading)
    assert note.value == account_only
    assert [type(n) for n in of("keys.bound", used)] == [Unverified]
    busy = see(response(429), "rest", step="create-by-agent-key")
    assert [type(n) for n in of("keys.account_only", used, busy)] == [Unclear]


@pytest.mark.parametrize(("session", "findings"), [("", 0), (None, 1)])
def test_a_session_without_a_name_is_one_only_for_who_asked_for_it(session: str | None, findings: int) -> None:
    reply = see(response(body={"response": "x", "session_id": ""}), session=session)
    assert len(over("reply.session", reply)) == findings
