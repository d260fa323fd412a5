"""A simulator whose one agent speaks at known times, and which tells afterwards when it really spoke.

Both ends read the same clock (``time.monotonic``), so what a generator adds to the times can be told from a simulator that was late.
"""

from __future__ import annotations

import json
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import sub
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from .conformance.profile import Profile
from .simulated import simulated

FIRST_MS, GAP_MS, PIECES = 300, 20, 40
AGENT = "metronome"
MOST_TURNS = 100_000
WAIT_S = 60.0
CLOSE = 0.05
SCRIPT = {
    "script": 1,
    "agents": {
        AGENT: {
            "turns": {
                "only": [
                    {
                        "else": {
                            "reply": [
                                {"text": f"piece {index} ", "after": f"{GAP_MS if index else FIRST_MS}ms"}
                                for index in range(PIECES)
                            ]
                        }
                    }
                ]
            }
        }
    },
}
"""An agent that speaks at known times: its first piece after ``FIRST_MS``, the others ``GAP_MS`` apart."""


class Spoken(NamedTuple):
    """What the agent really did, in milliseconds: medians of the time from a request to its first text, and between one text and the next."""

    first_ms: float
    gap_ms: float

    @property
    def in_time(self) -> bool:
        """Whether most gaps were as planned. Where they were not, texts came in bursts, and medians of their gaps tell little."""
        return abs(self.gap_ms / GAP_MS - 1) <= CLOSE


@dataclass(frozen=True)
class Metronome:
    """``profile``: how to load it. It remembers what it did until it is asked."""

    profile: Profile
    control: str

    def spoke(self, sent_ms: Sequence[float]) -> Spoken | None:
        """What was done since it was last asked, for requests sent at these times of ``time.monotonic``; ``None`` if nothing was.

        Requests are taken up in the order in which they are sent, so that the n-th in its journal is the n-th of these.
        """
        try:
            told = self._ask("GET", f"/journal?wire=true&limit={MOST_TURNS}")
            self._ask("DELETE", "/journal")
        except OSError:
            return None
        turns = list(filter(None, map(_texts_ms, told["requests"])))
        first = [texts[0] - at for at, texts in zip(sorted(sent_ms), turns, strict=False)]
        gaps = [gap for texts in turns for gap in map(sub, texts[1:], texts)]
        return Spoken(median(first), median(gaps)) if first and gaps else None

    def _ask(self, method: str, path: str) -> Any:
        with urllib.request.urlopen(
            urllib.request.Request(self.control + path, method=method), timeout=WAIT_S
        ) as answer:
            return json.load(answer)


def _texts_ms(row: dict[str, Any]) -> list[float]:
    """When each text of one turn was written; the writes before them have the head, the one behind them the end."""
    due = [write for write in row["writes"] if write["due_ms"] >= FIRST_MS]
    return [row["monotonic"] + write["ms"] for write in due[:PIECES]]


@contextmanager
def metronome(dialect: str) -> Iterator[Metronome]:
    """One of that dialect, for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "metronome.json"
        script.write_text(json.dumps(SCRIPT), "utf-8")
        more = ("--script", str(script), "--journal", str(MOST_TURNS), "--control", "0")
        with simulated(dialect, more=more) as (profile, found, control):
            assert control is not None
            agent = (found.agent_prefix or "") + AGENT
            yield Metronome(replace(profile, agents={"default": agent}), control)
