"""Whether a reply costs more in a long session or beside a full journal: ``python -m bench.growth [--turns N]… [--replies N]``.

The backend and its journal, without a socket, in microseconds of a core for each reply: the best of many short batches, so that
a busy machine harms little. The last column compares with the first row; it should stay near 1.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from chatproof.simulator.app import load
from chatproof.simulator.backend import Backend
from chatproof.simulator.journal import Journal
from chatproof.simulator.request import HttpRequest

TURNS = (10, 1_000, 10_000)
BATCH = 20
ROW = "{:<28}{:>10}{:>12}{:>10}"
NOW = 1_767_225_600.0
PER_S = 5_000
"""Replies a second of the backend's clock, so that no limit is in the way."""


class Desk:
    """A backend that one client asks in one session, with a journal."""

    def __init__(self, kept: int) -> None:
        self.backend = Backend(load(["guide"]))
        self.journal = Journal(kept)
        self.asked = 0

    def ask(self, session: str, times: int) -> None:
        """So many turns of that session."""
        body = {"agent_id": "echo", "message": "How long is this?", "session_id": session, "stream": False}
        headers = {"host": "x", "authorization": "Bearer key-valid", "content-type": "application/json"}
        request = HttpRequest("POST", "/chat", headers, json.dumps(body).encode())
        for _ in range(times):
            self.asked += 1
            now = NOW + self.asked / PER_S
            entry = self.journal.begin(request, now, 0.0)
            entry.plan = self.backend.reply(request, now)
            if entry.plan.status != 200:
                raise SystemExit(f"{entry.plan.status}: {entry.plan.said}")
            self.backend.finished(entry.plan)
            self.journal.end(entry, 0.0, "kept")


def best(work: Callable[[int], object], replies: int) -> float:
    """Microseconds of one reply, in the fastest batch."""
    times = []
    for number in range(max(1, replies // BATCH)):
        began = time.process_time()
        work(number)
        times.append(time.process_time() - began)
    return min(times) / BATCH * 1e6


def in_session(turns: int, replies: int) -> float:
    """A reply in a session that has had so many turns."""
    desk = Desk(1_000)
    desk.ask("s", turns)
    return best(lambda _: desk.ask("s", BATCH), replies)


def beside(kept: int, replies: int) -> float:
    """A reply beside so many entries of a journal that is full."""
    desk = Desk(kept)
    for number in range(kept // BATCH):
        desk.ask(f"s{number}", BATCH)
    return best(lambda number: desk.ask(f"t{number}", BATCH), replies)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--turns", type=int, action="append", help="of a session, and entries of a journal")
    parser.add_argument("--replies", type=int, default=2_000, help="measured for each row")
    asked = parser.parse_args()
    print(ROW.format("", "", "us a reply", "times"))
    for name, measure in (("turns of the session", in_session), ("requests in the journal", beside)):
        first = 0.0
        for size in asked.turns or TURNS:
            took = measure(size, asked.replies)
            first = first or took
            print(ROW.format(name, size, f"{took:.1f}", f"{took / first:.2f}"))


if __name__ == "__main__":
    main()
