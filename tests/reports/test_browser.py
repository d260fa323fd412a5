"""The pages in a browser, offline: filters, search, findings, copying, the keyboard, print, and what axe has to say.

One browser is driven once (``browser/drive.mjs``); the tests look at what it saw. Skips where node, Chromium or the packages of
``npm ci --prefix tests/reports/browser`` are not there.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chatproof.reports import html, load_html
from chatproof.reports.comparison_faces import Compared
from chatproof.reports.comparison_faces import html as comparison_page
from chatproof.reports.load_comparison_faces import Compared as Loads
from chatproof.reports.load_comparison_faces import html as loads_page

from .conftest import a_finding, a_row, a_run, an_exchange
from .load_results import a_load, a_sign, an_exhibit

Json = dict[str, Any]
BROWSER = Path(__file__).parent / "browser"
DEADLINE_S = 120

LOADS = ["load", "load, dark", "loads", "loads, dark"]

pytestmark = pytest.mark.slow


def report() -> Json:
    """Two runs with every outcome; failures at a byte, at no byte, and with no exchange."""
    more = [
        a_row("fail", "sse/blank-line"),
        a_row("fail", "limits/header", findings=[a_finding(offset=None, window=None), a_finding(exchange="ex-9999")]),
        a_row("error", "session/one", reason="the check crashed: KeyError"),
    ]
    rows = [*a_run()["requirements"], *more]
    runs = [a_run(rows, exchanges=[an_exchange()], dialect=name) for name in ("rest", "slug")]
    return {"chatproof": "0.1.0", "kind": "verifications", "runs": runs}


def load_run() -> Json:
    """One in which the generator did not keep time, with an exhibit of each kind."""
    sides = an_exhibit(outcome="mixup", other=an_exhibit())
    bad = {"valid": False, "signs": [a_sign(False), a_sign()], "cpu_s": [1.0], "processes": 1}
    return a_load(verdict="broken", reason="missed: mixups = 0", validity=bad, exhibits=[sides, an_exhibit()])


def compared() -> Compared:
    names = ("mon.json", "tue.json", "wed.json")
    outcomes = (("fail", "pass"), ("pass", "fail"), ("fail", "warn"))
    return Compared(
        {
            name: a_run([a_row(o, f"a/{n}") for n, o in enumerate(each)])
            for name, each in zip(names, outcomes, strict=True)
        }
    )


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """What the browser saw. Workers of one pytest-xdist run share it: the first that asks drives, the others wait."""
    node, chromium = shutil.which("node"), shutil.which("chromium")
    if node is None or chromium is None:
        pytest.skip("no node or no chromium here")
    if not (BROWSER / "node_modules" / "playwright-core").is_dir():
        pytest.skip("the browser's driver is not installed: npm ci --prefix tests/reports/browser")
    run, base = os.environ.get("PYTEST_XDIST_TESTRUNUID"), tmp_path_factory.getbasetemp()
    room = base.parent if run else base
    with (room / f"browser-{run}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        told = room / f"browser-{run}.json"
        if not told.exists():
            told.write_text(_drive(node, chromium, tmp_path_factory.mktemp("pages")))
    found: Json = json.loads(told.read_text())
    return found


def _drive(node: str, chromium: str, folder: Path) -> str:
    (folder / "report.html").write_text(html.render(report()), "utf-8")
    (folder / "comparison.html").write_text(comparison_page(compared()), "utf-8")
    (folder / "load.html").write_text(load_html.render(load_run()), "utf-8")
    (folder / "loads.html").write_text(
        loads_page(Loads({"a": a_load(), "b": a_load(times=300), "c": a_load(seed=3)})), "utf-8"
    )
    pages = [str(folder / f"{name}.html") for name in ("report", "comparison", "load", "loads")]
    command = [node, "drive.mjs", chromium, *pages]
    done = subprocess.run(command, cwd=BROWSER, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_is_loaded_and_nothing_goes_wrong(seen: Json) -> None:
    assert seen["loaded"] == []
    assert seen["errors"] == []


@pytest.mark.parametrize("view", ["light", "unfolded", "dark", "narrow", "comparison", "comparison, dark", *LOADS])
def test_axe_finds_no_barrier(view: str, seen: Json) -> None:
    assert seen["axe"][view]["violations"] == []
    assert seen["axe"][view]["passes"] > 15


def test_filters_and_search_leave_what_was_asked_for(seen: Json) -> None:
    assert seen["all"] == seen["reset"] == 24
    assert (seen["failing"], seen["said"]) == (6, "6 of 24 shown")
    assert seen["found"] == 2
    assert seen["nothing"]


def test_requirements_unfold_by_keyboard_and_all_at_once(seen: Json) -> None:
    assert seen["unfolded"]
    assert seen["folded"] == 0


def test_a_link_opens_what_it_leads_to(seen: Json) -> None:
    assert seen["opened"]


def test_a_command_is_copied(seen: Json) -> None:
    assert seen["copied"] == "Copied"
    assert seen["pasted"] == seen["command"]
    assert seen["command"].startswith("curl ")


def test_the_keyboard_reaches_every_control(seen: Json) -> None:
    assert {"a", "button", "summary"} <= set(seen["focused"])
    assert "body" not in seen["focused"]


def test_the_theme_is_switched(seen: Json) -> None:
    assert seen["theme"] == "dark"


def test_on_paper_there_are_proofs_and_no_controls(seen: Json) -> None:
    assert seen["printed"] == {"filters": False, "failure": True}
    assert seen["pdf"] > 10_000


def test_on_a_narrow_screen_nothing_runs_over(seen: Json) -> None:
    assert seen["overflow"] <= 0


def test_without_scripts_everything_is_there(seen: Json) -> None:
    assert seen["bare"] == {"shown": 24, "filters": False, "proof": True}
