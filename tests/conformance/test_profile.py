"""Profiles: read from a file with the environment filled in, and turned into what the judge asks of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatproof.conformance.profile import DEFAULT_DEADLINES, Claimed, load_profile, profile
from chatproof.spec import BadFile

WHOLE = """\
base_url: http://127.0.0.1:8080/
dialect: guide
credentials: {valid: "${KEY}", limited: "${KEY}-${OTHER}"}
agents: {default: agent_1}
recall: {tell: "Note {nonce}", ask: What?}
limits: {requests_per_minute: 20, concurrent: 2, brief_window: 2s}
session_expiry: 90s
claims: [tools, paced]
rulings: {AMB-03: accept}
deadlines: {first_byte: 3s, total: 2m}
budget: {requests: 300, pace: 30}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "p.yaml"


def test_a_whole_profile(path: Path) -> None:
    path.write_text(WHOLE)
    one = profile(load_profile(path, {"KEY": "k1", "OTHER": "k2"}))
    assert (one.base_url, one.dialect) == ("http://127.0.0.1:8080", "guide")
    assert one.credentials == {"valid": "k1", "limited": "k1-k2"}
    assert one.secrets == ("k1-k2",), "two characters are no secret, and would mask every word that has them"
    assert one.recall.given
    assert one.limits == Claimed(20, 2, None, None, 2.0)
    assert (one.session_expiry_s, one.max_requests, one.pace) == (90, 300, 30)
    assert (one.deadlines.first_byte, one.deadlines.total, one.deadlines.idle) == (3, 120, DEFAULT_DEADLINES.idle)
    assert one.claims == {"tools", "paced"}


def test_the_least_that_is_needed() -> None:
    one = profile({"base_url": "http://x", "dialect": "guide"})
    assert (one.pace, one.max_requests, one.session_expiry_s, one.recall.given) == (None, None, None, False)


@pytest.mark.parametrize(("pace", "wanted"), [("auto", None), ("off", 0), (5, 5)])
def test_pace(pace: str | int, wanted: int | None) -> None:
    assert profile({"base_url": "http://x", "dialect": "guide", "budget": {"pace": pace}}).pace == wanted


def test_every_unset_variable_is_named_where_it_stands(path: Path) -> None:
    path.write_text("base_url: http://x\ncredentials:\n  valid: ${NO_SUCH}\n  limited: a${NOR_THIS}  # ${NOT_READ}\n")
    with pytest.raises(BadFile) as caught:
        load_profile(path, {})
    places = [(one.line, one.column, one.message.split()[3]) for one in caught.value.problems]
    assert places == [(3, 10, "NO_SUCH"), (4, 13, "NOR_THIS")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("base_url: http://x\nagnets: {}\n", "did you mean 'agents'"),
        ("claims: [tool]\n", "did you mean 'tools'"),
        ("session_expiry: soon\n", "session_expiry"),
        ("budget: {pace: slow}\n", "pace"),
        ("limits: {requests_per_minute: 0}\n", "requests_per_minute"),
        ("recall: {tell: no place for it, ask: What?}\n", "tell"),
    ],
)
def test_a_bad_profile_is_refused(path: Path, text: str, words: str) -> None:
    path.write_text(text)
    with pytest.raises(BadFile, match=words):
        load_profile(path, {})


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read(path: Path, content: bytes | None) -> None:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadFile, match="cannot be read"):
        load_profile(path)


def test_what_is_lacking_is_named_as_in_the_file() -> None:
    one = profile(
        {"base_url": "http://x", "dialect": "guide", "credentials": {"valid": "k"}, "limits": {"concurrent": 2}}
    )
    needs = (
        "credentials.valid",
        "credentials.limited",
        "limits.concurrent",
        "limits.requests_per_day",
        "agents.tools",
        "session_expiry_s",
    )
    assert one.lacks("credentials.brief or credentials.limited")
    assert not one.lacks("credentials.brief or credentials.valid")
    assert not one.lacks("deadlines.window")
    assert profile({"base_url": "http://x", "dialect": "guide", "deadlines": {"window": "0s"}}).lacks(
        "deadlines.window"
    )
    assert [need for need in needs if one.lacks(need)] == [
        "credentials.limited",
        "limits.requests_per_day",
        "agents.tools",
        "session_expiry_s",
    ]
