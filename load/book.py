"""Puts down what is over: into the ledger, the key's account, the evidence and the file of turns.

Many turns at a time: a loop over some dozens costs half of what they cost one by one between other work. Nobody's answer waits for it.
"""

from __future__ import annotations

from typing import NamedTuple

from .evidence import Evidence
from .ledger import Ledger
from .limits import Account, Advertised
from .turn import Turn
from .turn_file import TurnFile

BATCH = 64
KEY = "valid"


class Over(NamedTuple):
    """A turn that is over. ``at_s``: seconds of the run; ``now``: epoch; ``warm``: it was due in the warm-up; ``message``, ``session``: as asked."""

    turn: Turn
    at_s: float
    now: float
    warm: bool
    message: str
    session: str | None


def told(account: Account, turn: Turn, now: float) -> int | None:
    """Have an account hear what an answer said of its key; what then remained, if that was said."""
    status = turn.seen.status
    if status is None:
        account.sent += 1
        return None
    said, times = Advertised.of(turn.seen.stated, now), turn.timeline
    account.hear(status, said, times.sent, times.ended, turn.seen.total_units, turn.number)
    return said.remaining


class Book:
    """``key``: the account of the key that a run uses. ``settle`` before anybody looks at the ledger."""

    def __init__(self, ledger: Ledger, evidence: Evidence, file: TurnFile) -> None:
        self.ledger, self.evidence = ledger, evidence
        self.key = ledger.accounts.setdefault(KEY, Account())
        self._file = file
        self._fresh: list[Over] = []

    def add(self, over: Over) -> None:
        """Keep a turn until there are many."""
        self._fresh.append(over)
        if len(self._fresh) >= BATCH:
            self.settle()

    def settle(self) -> None:
        """Put down what is kept, in the order in which it ended."""
        fresh, self._fresh = self._fresh, []
        for turn, at_s, now, warm, message, session in fresh:
            self.ledger.add(turn, at_s, warm=warm)
            self.account(turn, at_s, now)
            if session is None and turn.outcome == "ok" and turn.seen.session is not None:
                self.ledger.session(turn.seen.session, turn.conversation)
            self.evidence.hear(turn, at_s, message, session)
            self._file.write(turn, at_s)

    def account(self, turn: Turn, at_s: float, now: float) -> None:
        """Put down what an answer said of the key that asked, also at that moment of the run."""
        remaining = told(self.key, turn, now)
        if remaining is not None:
            self.ledger.bin(at_s).left(KEY, remaining)

    def close(self) -> str:
        """Nothing more comes; why the file of turns could not be written, if so."""
        self.settle()
        self._file.close()
        return self._file.problem
