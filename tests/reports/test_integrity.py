"""A report that was cut off or edited is refused, however small the edit; one that was laid out anew is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatproof.reports.integrity import seal, unsound
from chatproof.reports.write import BadReport, as_json, load

Json = dict[str, Any]
Make = Callable[..., Json]


@pytest.fixture
def sealed(run: Make, exchange: Make) -> Json:
    return seal(run(exchanges=[exchange()]))


def test_what_was_written_is_sound(sealed: Json, several: Json) -> None:
    assert list(unsound(sealed)) == []
    assert list(unsound(seal(several))) == []
    assert sealed["footer"] | {"sha256": ""} == {
        "runs": 1,
        "requirements": 9,
        "findings": 3,
        "exchanges": 1,
        "sha256": "",
    }
    assert seal(several)["footer"]["requirements"] == 600
    assert list(seal(several))[-1] == "footer"


def test_a_report_that_is_laid_out_anew_is_the_same(sealed: Json) -> None:
    again = json.loads(json.dumps(dict(reversed(sealed.items())), indent=7, sort_keys=True))
    assert list(unsound(again)) == []


def test_sealing_twice_changes_nothing(sealed: Json) -> None:
    assert seal(sealed) == sealed
    assert seal({**sealed, "runs": [sealed]})["runs"] == [{k: v for k, v in sealed.items() if k != "footer"}]


EDITS: dict[str, tuple[Callable[[Json], object], str]] = {
    "an outcome": (lambda r: r["requirements"][1].update(outcome="pass"), "footer.sha256: is not that of the report"),
    "a finding": (lambda r: r["requirements"][1]["findings"][0].update(got=""), "footer.sha256:"),
    "the target": (lambda r: r.update(target="http://another"), "footer.sha256:"),
    "a duration": (lambda r: r.update(duration_s=4.24), "footer.sha256:"),
    "a requirement less": (lambda r: r["requirements"].pop(), "footer.requirements: says 9, but there are 8"),
    "a finding less": (lambda r: r["requirements"][1]["findings"].clear(), "footer.findings: says 3, but there are 2"),
    "an exchange less": (lambda r: r["exchanges"].clear(), "footer.exchanges: says 1, but there are 0"),
    "no footer": (lambda r: r.pop("footer"), "footer: is missing"),
    "the footer": (lambda r: r["footer"].update(sha256="0" * 64), "footer.sha256:"),
    "no list of requirements": (lambda r: r.update(requirements=3), "footer.requirements:"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_noticed(name: str, sealed: Json, tmp_path: Path) -> None:
    edit, message = EDITS[name]
    edit(sealed)
    path = tmp_path / "r.json"
    path.write_text(json.dumps(sealed))
    with pytest.raises(BadReport) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}: {message}")
    assert "\n" not in str(refused.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0, 0.999))
def test_a_report_that_was_cut_off_is_noticed_wherever(part: float, run: Make, tmp_path: Path) -> None:
    text = as_json(run())
    path = tmp_path / "r.json"
    path.write_text(text[: int((len(text) - 2) * part)])
    with pytest.raises(BadReport):
        load(path)


def test_a_cut_is_called_one(run: Make, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(as_json(run())[:2_000])
    with pytest.raises(BadReport, match=r"is not JSON: .* \(the file was cut off, or never finished\)"):
        load(path)


def test_another_kind_of_report_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(seal({"chatproof": "9", "kind": "weather"})))
    with pytest.raises(BadReport, match=r"kind: expected verification, verifications or load, .* got 'weather'"):
        load(path)
