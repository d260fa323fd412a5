"""The workers of ``--processes`` begin and end with the one that the user started, however that ends."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from chatproof import Simulator

from .loads import PATIENCE_S, command, environment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found in /proc"),
]
IN_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
WORDS = ("--rate", "20", "--for", "100s", "--processes", "2")


def children(parent: int) -> list[int]:
    """The processes that one has started and that still live."""
    with suppress(OSError):
        return [int(one) for one in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return []


def alive(process: int) -> bool:
    """Whether it runs; one that is over and not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_workers(among: Callable[[], list[int]]) -> list[int]:
    """Both, as soon as they are there; they still import then."""
    until = time.monotonic() + PATIENCE_S
    while len(found := among()) < 2:
        assert time.monotonic() < until
        time.sleep(0.01)
    return found


@pytest.mark.parametrize("at_work", [False, True], ids=["starting", "at work"])
def test_workers_outlive_nobody(at_work: bool, tmp_path: Path) -> None:
    """One that is killed cannot say that it is over, and a load that nobody can stop any more is none."""
    with Simulator(["guide"]) as sim, subprocess.Popen(command(sim, *WORDS), env=environment(tmp_path)) as run:
        workers = wait_for_workers(lambda: children(run.pid))
        if at_work:
            sim.journal.wait_for(12, within_s=PATIENCE_S)
        run.kill()
        run.wait()
        until = time.monotonic() + PATIENCE_S / 4
        while any(map(alive, workers)):
            assert time.monotonic() < until, "they load on"
            time.sleep(0.05)


def test_ctrl_c_in_a_terminal_is_one_line(tmp_path: Path) -> None:
    """A terminal signals all that is in the foreground, workers that are starting included."""
    with Simulator(["guide"]) as sim:
        told = [sys.executable, "-c", IN_TERMINAL, *command(sim, *WORDS)]
        with subprocess.Popen(
            told, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path), start_new_session=True
        ) as terminal:
            workers = wait_for_workers(lambda: [one for child in children(terminal.pid) for one in children(child)])
            said, _ = terminal.communicate(b"\x03", timeout=PATIENCE_S)
    assert terminal.returncode == 3, said
    assert b"Traceback" not in said
    assert b"interrupted before the run began" in said
    assert not any(map(alive, workers))
