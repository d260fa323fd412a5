"""What a run shows beside its numbers: one exhibit of each outcome, both sides of a mix-up, and sampled exchanges judged whole."""

from __future__ import annotations

from collections import OrderedDict
from random import Random
from typing import Any

from ..conformance.exchange import Exchange, curl
from ..conformance.transcript import redact
from ..spec import Dialect, requirements
from .ledger import Ledger
from .plan import Plan
from .turn import Maker, Turn, labelled

MOST_MIXUPS, MOST_SAMPLES, MOST_BYTES, MOST_READS = 5, 100, 4096, 60
KEPT_EXCHANGES = 2048


class Evidence:
    """Hears of every turn; keeps little. ``judge`` is called once, after the run, since judging costs a generator its time."""

    def __init__(self, plan: Plan, dialect: Dialect, ledger: Ledger) -> None:
        self._plan, self._dialect, self._ledger = plan, dialect, ledger
        self._last: OrderedDict[int, Exchange] = OrderedDict()
        self._shown: set[str] = set()
        self._mixups = 0
        self._at_s = 0.0
        self._samples: list[Exchange] = []
        self._random = Random(f"{plan.seed}/samples")

    def hear(self, turn: Turn, at_s: float, maker: Maker, message: str, session: str | None) -> None:
        """One turn that is over, at that moment of the run."""
        self._at_s = round(at_s, 3)
        if turn.outcome == "mixup":
            self._mixup(turn)
        elif turn.outcome != "ok" and turn.outcome not in self._shown:
            self._shown.add(turn.outcome)
            self._ledger.exhibits.append(self._exhibit(turn.exchange, turn.outcome, turn.why, turn))
        self._last[turn.conversation] = turn.exchange
        if len(self._last) > KEPT_EXCHANGES:
            self._last.popitem(last=False)
        every = self._plan.sample
        if every and turn.number % every == 0 and turn.exchange.reads:
            self._sample(labelled(turn, maker, message, session))

    def _sample(self, exchange: Exchange) -> None:
        """A fair choice of all that were offered, however many there are (reservoir sampling)."""
        self._ledger.sampled += 1
        if len(self._samples) < MOST_SAMPLES:
            self._samples.append(exchange)
        elif (place := self._random.randrange(self._ledger.sampled)) < MOST_SAMPLES:
            self._samples[place] = exchange

    def _mixup(self, turn: Turn) -> None:
        self._mixups += 1
        if self._mixups > MOST_MIXUPS or turn.foreign is None:
            return
        exhibit = self._exhibit(turn.exchange, "mixup", turn.why, turn)
        other = self._last.get(turn.foreign)
        gone = "the other conversation's exchange is not kept: it is long past, or another worker held it"
        exhibit["other"] = gone if other is None else self._exhibit(other, "the owner of the word", "", None)
        self._ledger.exhibits.append(exhibit)

    def _exhibit(self, exchange: Exchange, outcome: str, why: str, turn: Turn | None) -> dict[str, Any]:
        shown = redact(exchange, self._plan.profile.secrets)
        return {
            "outcome": outcome,
            "why": why,
            "turn": turn.number if turn else None,
            "conversation": turn.conversation if turn else None,
            "at_s": self._at_s if turn else None,
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

    def judge(self) -> None:
        """Hold the sampled exchanges against every requirement that one exchange can break."""
        if not self._samples:
            return
        from ..conformance.check import CHECKS
        from ..conformance.judge import Evidence as Judging
        from ..conformance.judge import judge
        from ..conformance.transcript import Transcript

        samples = tuple(redact(one, self._plan.profile.secrets) for one in self._samples)
        rows = [row for row in requirements(self._dialect) if row.check and CHECKS[row.check].over is not None]
        judged = judge(rows, Judging(self._dialect, self._plan.profile, [Transcript("load", samples)]))
        for row in judged:
            if row.findings and row.outcome in ("fail", "warn"):
                first = row.findings[0]
                self._ledger.findings[row.requirement.id] = {
                    "level": row.requirement.level,
                    "statement": row.requirement.statement,
                    "count": len(row.findings),
                    "expected": first.expected,
                    "got": first.got,
                    "exchange": first.seen.exchange.id if first.seen else None,
                }
