"""What a simulator says that it did, against a control API whose words the test knows; and against one that speaks late."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chatproof import metronome as module
from chatproof.conformance.profile import profile
from chatproof.load.line import Line
from chatproof.load.maker import Maker
from chatproof.load.turn import take
from chatproof.metronome import FIRST_MS, GAP_MS, PIECES, Metronome, Spoken, metronome
from chatproof.spec import dialect, names

GOOD_TO = """
from chatproof.load.patch import patch
patch()
from contextlib import nullcontext
from chatproof import calibrate_command as module
module.metronome, module._keep = nullcontext, print
module._step = lambda one, users: ({"streams": users, "good": users != 50, "ttft_p50_ms": None}, "")
module.main()
"""


def turn(began: float, late: float = 0.0, gap: float = GAP_MS) -> dict[str, Any]:
    """A journal's row: a head and an opening event at once, the texts, and the end."""
    texts = [(FIRST_MS + GAP_MS * at, FIRST_MS + late + gap * at) for at in range(PIECES)]
    writes = [(0.0, 0.1), (0.0, 0.2), *texts, (texts[-1][0], texts[-1][1] + 5)]
    return {"monotonic": began, "writes": [{"due_ms": due, "ms": at} for due, at in writes]}


@pytest.fixture
def control() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A control API that has only a journal."""
    rows: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def _tell(self) -> None:
            body = json.dumps({"requests": rows}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self._tell()

        def do_DELETE(self) -> None:
            rows.clear()
            self._tell()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", rows
    finally:
        server.shutdown()
        server.server_close()


def at(url: str) -> Metronome:
    return Metronome(profile({"base_url": url, "dialect": "guide"}), url)


def test_first_texts_count_from_when_their_requests_were_sent(control: tuple[str, list[dict[str, Any]]]) -> None:
    """The n-th request of the journal is the n-th that was sent, in whatever order turns ended."""
    url, rows = control
    rows += [turn(1000.0), turn(1010.0, late=4.0), turn(1500.0)]
    assert at(url).spoke([1490.0, 998.0, 1009.0]) == Spoken(FIRST_MS + 5.0, GAP_MS)
    assert rows == []
    assert at(url).spoke([1.0]) is None


def test_a_page_that_was_asked_for_is_no_turn(control: tuple[str, list[dict[str, Any]]]) -> None:
    url, rows = control
    rows += [{"monotonic": 5.0, "writes": [{"due_ms": 0.0, "ms": 0.1}]}, turn(1000.0, gap=GAP_MS * 1.2)]
    spoken = at(url).spoke([1000.0])
    assert spoken == Spoken(FIRST_MS, GAP_MS * 1.2)
    assert not spoken.in_time
    assert Spoken(FIRST_MS * 2, GAP_MS * 1.04).in_time


def test_it_is_good_up_to_where_it_was_first_not(tmp_path: Path) -> None:
    """That it came right by chance at more is worth nothing."""
    told = subprocess.run([sys.executable, "-c", GOOD_TO], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "within 5% at up to 10 streams at once" in told.stdout


def test_a_simulator_that_is_gone_says_nothing() -> None:
    assert at("http://127.0.0.1:9").spoke([1.0]) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_a_real_one_tells_of_what_it_did(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its agent is made to speak 200 ms after it should: it says so itself."""
    late = json.loads(json.dumps(module.SCRIPT).replace(f'"{FIRST_MS}ms"', f'"{FIRST_MS + 200}ms"'))
    monkeypatch.setattr(module, "SCRIPT", late)
    with metronome(name) as one:
        line = Line(one.profile)
        maker = Maker(dialect(name), one.profile, stream=True)
        turn = take(line, maker, 0, 0, 0, "hello", None, time.monotonic_ns(), 1, False)
        line.close()
        assert turn.outcome == "ok"
        assert turn.seen.text == "".join(f"piece {index} " for index in range(PIECES))
        first = turn.timeline.first_text
        spoken = one.spoke([turn.timeline.sent / 1e6])
        assert first is not None
        assert spoken is not None
        assert FIRST_MS + 200 - 1 < spoken.first_ms < (first - turn.timeline.sent) / 1e6
        assert one.spoke([0.0]) is None
