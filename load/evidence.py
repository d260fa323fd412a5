"""What a run shows beside its numbers: one exhibit of each outcome, both sides of a mix-up, and sampled exchanges judged whole."""

from __future__ import annotations

from random import Random
from typing import Any

from ..conformance.exchange import Exchange, curl
from ..conformance.transcript import mask, redact
from ..spec import requirements
from .heard import Heard
from .ledger import Ledger
from .maker import Maker
from .plan import Plan
from .turn import Turn, labelled

SUSPECT = ("malformed", "no_terminal", "wrong_answer")
"""Outcomes that a MUST may be broken by: the first of each is judged, sampled or not."""
MOST_MIXUPS, MOST_SAMPLES, MOST_BYTES, MOST_READS = 5, 100, 4096, 60
KEPT_EXCHANGES = 2048


class Evidence:
    """Hears of every turn; keeps little. ``judge`` is called once, after the run, since judging costs a generator its time."""

    def __init__(self, plan: Plan, maker: Maker, ledger: Ledger) -> None:
        self._plan, self._maker, self._ledger = plan, maker, ledger
        self._last: dict[int, tuple[int, Heard]] = {}
        self._shown: set[str] = set()
        self._mixups = 0
        self._at_s = 0.0
        self._samples: list[Exchange] = []
        self._suspects: list[Exchange] = []
        self._offered = 0
        self._random = Random(f"{plan.seed}/samples")

    def hear(self, turn: Turn, at_s: float, message: str, session: str | None) -> None:
        """One turn that is over, at that moment of the run."""
        self._at_s = at_s
        if turn.outcome == "mixup":
            self._mixup(turn)
        elif turn.outcome != "ok" and turn.outcome not in self._shown:
            self._shown.add(turn.outcome)
            self._ledger.exhibits.append(
                self._exhibit(turn.heard.exchange(self._maker.base), turn.outcome, turn.why, turn)
            )
            if turn.outcome in SUSPECT and self._plan.sample:
                self._suspects.append(labelled(turn, self._maker, message, session))
        self._last[turn.conversation % KEPT_EXCHANGES] = turn.conversation, turn.heard
        every = self._plan.sample
        if every and turn.number % every == 0 and turn.heard.reads:
            self._sample(labelled(turn, self._maker, message, session))

    def _sample(self, exchange: Exchange) -> None:
        """A fair choice of all that were offered, however many there are (reservoir sampling)."""
        self._offered += 1
        if len(self._samples) < MOST_SAMPLES:
            self._samples.append(exchange)
        elif (place := self._random.randrange(self._offered)) < MOST_SAMPLES:
            self._samples[place] = exchange
        self._ledger.sampled = len(self._samples)

    def _mixup(self, turn: Turn) -> None:
        self._mixups += 1
        if self._mixups > MOST_MIXUPS or turn.foreign is None:
            return
        exhibit = self._exhibit(turn.heard.exchange(self._maker.base), "mixup", turn.why, turn)
        owner, other = self._last.get(turn.foreign % KEPT_EXCHANGES, (None, None))
        gone = "the other conversation's exchange is not kept: it is long past, or another worker held it"
        exhibit["other"] = (
            gone
            if other is None or owner != turn.foreign
            else self._exhibit(other.exchange(self._maker.base), "the owner of the word", "", None)
        )
        self._ledger.exhibits.append(exhibit)

    def _exhibit(self, exchange: Exchange, outcome: str, why: str, turn: Turn | None) -> dict[str, Any]:
        shown = redact(exchange, self._plan.profile.secrets)
        return {
            "outcome": outcome,
            "why": why,
            "turn": turn.number if turn else None,
            "conversation": turn.conversation if turn else None,
            "at_s": round(self._at_s, 3) if turn else None,
            "request": shown.request.body[:MOST_BYTES].decode("utf-8", "replace"),
            "curl": curl(shown.request, self._plan.profile.base_url)[:MOST_BYTES],
            "response": shown.raw[:MOST_BYTES].decode("utf-8", "replace"),
            "response_bytes": len(shown.raw),
            "reads": [
                [round((read.at_ns - shown.sent_ns) / 1e6, 3), len(read.data)] for read in shown.reads[:MOST_READS]
            ],
            "end": shown.end.value,
            "detail": shown.detail,
        }

    def _masked(self, text: str) -> str:
        return mask(text.encode("utf-8", "surrogatepass"), self._plan.profile.secrets).decode("utf-8", "replace")

    def judge(self) -> None:
        """Hold the sampled exchanges against every requirement that one exchange can break. They are judged as they came: a key may be a word."""
        chosen = {one.id: one for one in (*self._samples, *self._suspects)}
        self._ledger.sampled = len(chosen)
        if not chosen:
            return
        from ..conformance.check import CHECKS
        from ..conformance.judge import Evidence as Judging
        from ..conformance.judge import judge
        from ..conformance.transcript import Transcript

        rows = [row for row in requirements(self._maker.dialect) if row.check and CHECKS[row.check].over is not None]
        judged = judge(
            rows, Judging(self._maker.dialect, self._plan.profile, [Transcript("load", tuple(chosen.values()))])
        )
        for row in judged:
            if row.findings and row.outcome in ("fail", "warn"):
                first = row.findings[0]
                self._ledger.findings[row.requirement.id] = {
                    "level": row.requirement.level,
                    "statement": row.requirement.statement,
                    "count": len(row.findings),
                    "expected": self._masked(first.expected),
                    "got": self._masked(first.got),
                    "exchange": first.seen.exchange.id if first.seen else None,
                }
