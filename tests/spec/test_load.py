"""From files to nouns."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chatproof.spec import BadFile, ambiguities, dialect, names, presets, requirements, vectors
from chatproof.spec.files import read
from chatproof.spec.load import ROOT, WEB, UnknownDialect, seconds

FIFTH = Path(__file__).parents[1] / "dialects" / "echo"
FIRST = names()[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the fifth dialect that a test may spoil."""
    return Path(shutil.copytree(FIFTH, tmp_path / "echo"))


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_the_packaged_dialects_are_those_with_a_table() -> None:
    assert names() == tuple(sorted(path.name for path in ROOT.iterdir() if (path / "dialect.yaml").exists()))
    assert WEB not in names()


def test_a_dialect_by_name_and_by_folder_is_the_same() -> None:
    assert dialect(FIRST) == dialect(ROOT / FIRST)
    assert dialect(FIFTH).folder == FIFTH.resolve()


@pytest.mark.parametrize("name", ["nobody", "/nowhere", WEB + "x", "."])
def test_no_such_dialect(name: str) -> None:
    with pytest.raises(UnknownDialect, match=r"no dialect '.*: expected .*, or a folder with a dialect\.yaml$"):
        dialect(name)


def test_a_role_may_stand_in_several_places_and_the_first_is_the_one_to_write(folder: Path) -> None:
    spoil(folder / "dialect.yaml", "message: /say/text", "message: [/say/text, /text]")
    assert dialect(folder).request.chat["message"] == ("/say/text", "/text")


def test_defaults_of_a_table() -> None:
    one = dialect(FIFTH)
    assert (one.request.switch.default, one.request.switch.accept, one.request.switch.ruling) == (False, False, None)
    assert one.key_reply is None
    assert one.operation("keys") is None
    assert one.session_expiry_s == 600
    assert one.errors["unauthorized"].accept == (401,)
    assert one.errors["wrong_agent"].documented is False


def test_an_error_row_has_the_common_shape_but_for_what_it_says_itself() -> None:
    errors = dialect(FIFTH).errors
    assert "retry_after" in errors["rate_limited"].shape.roles
    assert "retry_after" not in errors["unauthorized"].shape.roles
    assert errors["rate_limited"].shape.constants == errors["unauthorized"].shape.constants == {"/ok": False}


def test_operations_are_found_by_mode_in_the_order_asked_for() -> None:
    one = dialect(FIFTH)
    found = (one.operation("stream", "json"), one.operation("json", "stream"), one.operation("switched", "stream"))
    assert [operation.id for operation in found if operation] == ["listen", "talk", "listen"]


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("dialect.yaml", "mount: /echo", "mount: echo", "mount: expected one path segment such as /guide"),
        ("dialect.yaml", "text: /answers/0/text", "txet: /answers/0/text", "did you mean 'text'"),
        (
            "dialect.yaml",
            "{message: /body/why}",
            "{result: /body/why}",
            "dialect.yaml:42:13: unknown key 'result'; allowed: message",
        ),
        (
            "dialect.yaml",
            "optional: {session:",
            "optional: {name:",
            "dialect.yaml:46:16: unknown key 'name'; allowed: session",
        ),
        ("requirements.yaml", "level: MUST", "level: WILL", "expected one of MUST, SHOULD, MAY"),
        ("vectors.yaml", "kind: stream", "kind: steam", "did you mean 'stream'"),
    ],
)
def test_a_folder_from_outside_is_checked(folder: Path, name: str, old: str, new: str, words: str) -> None:
    spoil(folder / name, old, new)
    with pytest.raises(BadFile, match=words):
        _ = dialect(folder), requirements(dialect(folder)), vectors(folder)


def test_own_requirements_come_before_the_inherited_ones() -> None:
    rows = requirements(dialect(FIFTH))
    evidence = [row.evidence == "inherited" for row in rows]
    assert evidence == sorted(evidence)
    assert {True, False} == set(evidence)
    assert rows[0].citation.document == "echo.txt"


def test_vectors_are_bytes_with_a_meaning() -> None:
    assert all(isinstance(vector.data, bytes) and vector.means is not None for vector in vectors(FIFTH))
    cut = [vector for vector in vectors(WEB) if vector.chunks]
    assert cut
    assert all(b"".join(vector.chunks or ()) == vector.data for vector in cut)


def test_our_own_plans_are_valid_and_have_a_window() -> None:
    read(ROOT / "presets.yaml", "presets")
    assert {plan for name in names() for plan in dialect(name).plans} <= presets().keys()


def test_rulings_touch_dialects_that_exist() -> None:
    assert {name for row in ambiguities() for name in row.dialects} <= {*names(), WEB}
    assert all(len(row.readings) > 1 for row in ambiguities())


@pytest.mark.parametrize(
    ("text", "value"), [("24h", 86_400), ("5s", 5), ("1.5m", 90), ("2d", 172_800), (90, 90), ("90", 90)]
)
def test_durations(text: str | float, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "h", "1w", "-5s", "5 s", "1h30m", "inf"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        seconds(text)
