"""The judge against correct servers that know nothing of it: none may be accused, and little may stay undecided."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatproof.conformance.judge import Judged
from chatproof.conformance.profile import profile
from chatproof.conformance.run import Options, Run, exit_code, verify
from chatproof.spec import dialect

from . import bare
from .profiles import DIALECTS, IDLE_S, profile_of

HERE = Path(__file__).parent
LEAST_DECIDED = 0.8
DECIDED = ("pass", "fail", "warn", "observed")

BROKEN_ON_PURPOSE: dict[tuple[str, str], set[str]] = {
    # uvicorn's own 400, to a request without Host, has no Date
    **{("asgi", name): {"http/date"} for name in DIALECTS},
    # `data:` without a space, a Retry-After that is a date or missing, no limits on 401, raw U+0085 in the data
    ("node", "guide"): {
        "compat/javascript",
        "compat/python",
        "compat/space-after-colon",
        "compat/retry-after-seconds",
        "limits/headers-unauthorized",
        "limits/retry-after-header",
        "sse/separators-escaped",
    },
    ("node", "reference"): {"compat/python", "sse/separators-escaped"},
    # no challenge on 401, no limits on it
    ("node", "rest"): {"limits/headers-unauthorized", "http/www-authenticate", "sse/separators-escaped"},
    ("node", "slug"): {"sse/separators-escaped"},
}
"""The SHOULDs that a stranger breaks, and no others."""

pytestmark = pytest.mark.slow


@contextmanager
def _serving(command: list[str]) -> Iterator[int]:
    """The port of a server that prints it first; it ends with the block."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


@pytest.fixture(scope="module")
def asgi() -> Iterator[int]:
    pytest.importorskip("starlette", reason="starlette is not installed")
    pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    with _serving([sys.executable, "-m", f"{HERE.name}.asgi_server", "0", str(IDLE_S)]) as port:
        yield port


@pytest.fixture(scope="module")
def node() -> Iterator[int]:
    path = shutil.which("node")
    if path is None:
        pytest.skip("node is not installed")
    with _serving([path, str(HERE / "node_server.mjs"), "0", str(IDLE_S)]) as port:
        yield port


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("stranger", ["asgi", "node"])
def test_a_stranger_is_not_accused(stranger: str, name: str, request: pytest.FixtureRequest) -> None:
    """Conformant, warned only of what it breaks on purpose, and decided in most points."""
    port: int = request.getfixturevalue(stranger)
    run = verify(profile(profile_of(stranger, name, port)), dialect(name), Options(seed=7))
    assert _told(run, "fail", "error") == []
    assert {row.requirement.id for row in run.judged if row.outcome == "warn"} == BROKEN_ON_PURPOSE.get(
        (stranger, name), set()
    ), _told(run, "warn")
    assert (run.verdict, run.reason) == ("conformant", None)
    assert exit_code([run]) == 0
    assert _share_decided(run) > LEAST_DECIDED, _told(run, "not_verified", "inconclusive", "skipped")


@pytest.mark.parametrize("name", DIALECTS)
def test_the_least_server_is_not_accused(name: str) -> None:
    """With flags alone: no failure, no warning but for what the least server leaves out, and no memory vouched for."""
    with bare.serving(name) as url:
        agents, credentials = {"default": bare.AGENT}, {"valid": bare.KEY}
        data = {"base_url": url, "dialect": name, "agents": agents, "credentials": credentials}
        run = verify(profile(data), dialect(name), Options(seed=7))
    assert _told(run, "fail", "error") == []
    assert {row.requirement.id for row in run.judged if row.outcome == "warn"} == LEFT_OUT, _told(run, "warn")
    assert run.verdict == "conformant"
    unknowable = {row.requirement.id: row.outcome for row in run.judged if row.requirement.id in UNKNOWABLE}
    assert set(unknowable.values()) <= {"not_verified", "inconclusive", "skipped"}, unknowable
    assert len(unknowable) > 3


LEFT_OUT = {"http/host-required", "http/chunked-request"}
"""The SHOULDs that a server on ``http.server`` leaves out."""
UNKNOWABLE = {
    "session/remembers",
    "session/isolated",
    "session/isolated-by-key",
    "session/expires",
    "limits/enforced",
    "limits/free-concurrent",
    "auth/revoked-key",
    "errors/internal",
    "stream/text-matches-reply",
    "sse/text-escaped",
}
"""What no one can know of a server that says one sentence and was given one key."""


def _share_decided(run: Run) -> float:
    checkable = [row for row in run.judged if row.outcome != "untestable"]
    return sum(row.outcome in DECIDED for row in checkable) / len(checkable)


def _told(run: Run, *outcomes: str) -> list[str]:
    return [_line(row) for row in run.judged if row.outcome in outcomes]


def _line(row: Judged) -> str:
    found = "; ".join(f"expected {note.expected}, got {note.got}" for note in row.findings[:2])
    return f"{row.outcome} {row.requirement.id}: {row.reason or ''} {found}"
