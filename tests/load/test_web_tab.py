"""Locust's page with our tabs: by HTTP, below a path of its own and with workers; and in a browser, where there is one."""

from __future__ import annotations

import csv
import io
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatproof import Simulator
from chatproof.load.tables import COLUMNS
from chatproof.reports.load_faces import problems
from chatproof.simulator.sim import Sim

from .loads import PATIENCE_S
from .locusts import awaited, free_port, get, paced, paged, post

pytestmark = pytest.mark.slow
BROWSER = Path(__file__).parents[1] / "reports" / "browser"
FORM = {"user_count": "4", "spawn_rate": "4", "chatproof_rate": "", "chatproof_schedule": ""}


@pytest.fixture
def sim() -> Iterator[Sim]:
    with Simulator(["guide"]) as made:
        yield made


def figure(rows: list[dict[str, Any]], what: str) -> Any:
    return next(row["figure"] for row in rows if row["what"] == what)


def test_two_workers_fill_the_tabs_and_the_run_can_be_taken_away(sim: Sim, tmp_path: Path) -> None:
    port = str(free_port())
    two = ("--processes", "2", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port)
    with paged(sim, tmp_path, *two, "--web-base-path", "/below", "--chatproof-agent", paced(sim)) as (url, locust):
        assert json.loads(get(f"{url}/chatproof/tables.json")[2]) == {name: [] for name in COLUMNS}
        assert get(f"{url}/chatproof/run.json")[::2] == (404, "start a run first: there is nothing to show yet\n")
        assert get(f"{url}/chatproof/run.exe")[0] == 404
        refused = post(f"{url}/swarm", **FORM, host=sim.url("guide"), chatproof_dialect="gide")
        assert (refused["success"], "did you mean 'guide'" in refused["message"]) == (False, True)
        assert sim.journal.count() == 0

        asked = {"chatproof_dialect": "guide", "chatproof_objective": "ok > 1%, ttft p95 < 60s"}
        assert post(f"{url}/swarm", **FORM, **asked, host=sim.url("guide"))["success"]
        sim.journal.wait_for(20, within_s=PATIENCE_S)
        live = awaited(
            sim, f"{url}/chatproof/tables.json", lambda told: bool(told["limits"]) and told["limits"][0]["granted"] > 20
        )
        assert live["correctness"][0]["part"] == "so far"
        assert get(f"{url}/stats/requests")[0] == 200
        assert post(f"{url}/stop")["success"]

        told = json.loads(get(f"{url}/chatproof/tables.json")[2])
        result = json.loads(get(f"{url}/chatproof/run.json")[2])
        extended = {
            table["key"]: table["data"] for table in json.loads(get(f"{url}/stats/requests")[2])["extended_stats"]
        }
        assert extended == {f"chatproof-{name}": rows for name, rows in told.items()}
        assert list(problems(result)) == []
        assert result["validity"]["processes"] == 2
        assert [one["objective"] for one in result["objectives"]][:2] == ["ok > 1%", "ttft p95 < 60s"]
        assert result["outcomes"].keys() == {"ok"}, "turns under way were let end, and told"
        good = result["outcomes"]["ok"]["count"]
        assert sim.journal.count() == result["summary"]["sent"] + 2, "the preflight's turns are the only other ones"
        assert {row["count"] for row in told["streaming"] if row["clock"]} == {good}
        assert figure(told["correctness"], "ok").startswith(f"{good} (")
        assert told["correctness"][0]["part"] == "verdict"
        status, kind, page = get(f"{url}/chatproof/run.html")
        assert (status, kind, f"{good:,} of " in page) == (200, "text/html", True)
        status, kind, text = get(f"{url}/chatproof/run.csv")
        assert (status, kind) == (200, "text/csv")
        assert sum(int(row["ok"]) for row in csv.DictReader(io.StringIO(text))) == good
        assert "key-valid" not in get(f"{url}/")[2] + page + json.dumps(result)
        locust.send_signal(signal.SIGINT)
        out, _ = locust.communicate(timeout=PATIENCE_S)
    assert f"chatproof: {result['verdict']}" in out
    assert locust.returncode == (0 if result["verdict"] == "kept" else 3)


@pytest.fixture
def seen(sim: Sim, tmp_path: Path) -> dict[str, Any]:
    """What the browser saw."""
    node, chromium = shutil.which("node"), shutil.which("chromium")
    if node is None or chromium is None:
        pytest.skip("no node or no chromium here")
    if not (BROWSER / "node_modules" / "playwright-core").is_dir():
        pytest.skip("the browser's driver is not installed: npm ci --prefix tests/reports/browser")
    with paged(sim, tmp_path, "--chatproof-agent", paced(sim)) as (url, _):
        driven = subprocess.run(
            [node, "locust.mjs", chromium, f"{url}/"],
            cwd=BROWSER,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
    assert driven.returncode == 0, driven.stderr
    told: dict[str, Any] = json.loads(driven.stdout)
    return {**told, "sent": sim.journal.count()}


def test_a_browser_shows_figures_in_all_three(seen: dict[str, Any]) -> None:
    assert (seen["errors"], seen["elsewhere"], seen["secret"]) == ([], [], False)
    assert "--chatproof-objective: no metric 'tftt'" in seen["refused"]
    head, *streaming = seen["tables"]["streaming"]
    assert head == list(COLUMNS["streaming"].values())
    assert [row[:2] for row in streaming[:3]] == [["TTFB", "service"], ["TTFB", "response"], ["TTFT", "service"]]
    assert len(streaming) == 8
    assert all(int(row[2]) >= 20 and float(row[3]) <= float(row[6]) for row in streaming)
    assert float(streaming[2][3]) >= 250, "TTFT p50 is at least what the agent waits"
    assert float(streaming[4][6]) > 0 < float(streaming[5][6]), "it pauses between its two pieces"
    head, account = seen["tables"]["limits"]
    limits = dict(zip(head, account, strict=True))
    assert limits["Key"] == "valid"
    assert 22 <= int(limits["Granted"]) <= int(limits["Sent"]) <= seen["sent"]
    assert int(limits["Remaining, last seen"]) < int(limits["Limit, advertised"])
    running, stopped = seen["tables"]["running"], seen["tables"]["stopped"]
    assert (running[1][0], stopped[1][0]) == ("so far", "verdict")
    assert {"objective", "outcome", "answers", "headers", "samples", "validity"} <= {row[0] for row in stopped}
    (ok,) = [row for row in stopped if row[:2] == ["outcome", "ok"]]
    assert int(ok[2].split()[0]) == seen["sent"] - 2, "every turn but the preflight's ended well, and none was cut off"
    (samples,) = [row for row in stopped if row[0] == "samples"]
    assert samples[4] == "judged: 0 requirements broken"
    assert seen["links"] == ["/chatproof/run.json", "/chatproof/run.csv", "/chatproof/run.html"]


def test_a_form_without_a_run_time_is_a_run_without_one(sim: Sim, tmp_path: Path) -> None:
    """Whatever the run before it had: Locust keeps that."""
    asked = {**FORM, "host": sim.url("guide"), "chatproof_dialect": "guide"}
    with paged(sim, tmp_path) as (url, _):
        assert post(f"{url}/swarm", **asked, run_time="1s")["success"]
        until = time.monotonic() + PATIENCE_S
        while json.loads(get(f"{url}/stats/requests")[2])["state"] != "stopped":
            assert time.monotonic() < until
            time.sleep(0.2)
        assert json.loads(get(f"{url}/chatproof/run.json")[2])["plan"]["seconds"] == 1
        assert post(f"{url}/swarm", **asked, run_time="")["success"]
        assert json.loads(get(f"{url}/chatproof/run.json")[2])["plan"]["seconds"] == 4 * 3600
        assert post(f"{url}/stop")["success"]
