"""One run, whole: what every process that takes part has to know. Plain data on the way to workers, which make the same of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..conformance.ask import Via
from ..conformance.connection import Deadlines
from ..conformance.profile import Claimed, Profile, Recall
from .metrics import Clock
from .objective import Objective, parse_objective, with_implied
from .prompts import Prompts, Proof
from .schedule import Schedule, Segment

Pacing = Literal["ignore", "respect"]
MOST_BINS = 600
DRAIN_S = 10.0
"""How long turns under way may end after a run that is ended before its time."""


@dataclass(frozen=True)
class Plan:
    """``schedule``: an open run, in which turns come when they are due. ``users``: a closed one, of so many conversations at a time.

    Times in seconds. ``warmup``: turns due in it are sent and not measured. ``drain``: how long turns under way may end after the
    run. ``max_in_flight``: what is due while so many are under way is missed. ``max_requests``: the run ends there. ``sample``: every
    so-manieth exchange is judged whole. ``start_at``: epoch seconds, the same for all workers. ``turn_file``: where each turn is written.
    ``own_sessions``: we name the sessions, since this dialect's streams name none. ``first``: the first conversation. ``end_when_lost``: the
    run ends when an objective cannot be kept any more.
    """

    profile: Profile
    schedule: Schedule | None
    users: int
    seconds: float
    stream: bool = True
    via: Via = "body"
    seed: int = 0
    think: float = 1.0
    turns: int = 1
    warmup: float = 0.0
    drain: float = DRAIN_S
    max_in_flight: int = 1000
    max_requests: int = 1_000_000
    pacing: Pacing = "ignore"
    proof: Proof = "watch"
    words: int = 12
    sample: int = 50
    conversations: tuple[tuple[str, ...], ...] = ()
    objectives: tuple[str, ...] = ()
    start_at: float = 0.0
    turn_file: str | None = None
    own_sessions: bool = False
    first: int = 0
    insecure: bool = False
    end_when_lost: bool = False

    @property
    def headline(self) -> Clock:
        """Which clock a plain metric means."""
        return "response" if self.schedule is not None else "service"

    @property
    def bin_s(self) -> float:
        """How long one point of the time series is: a second, or more where a run is long."""
        return float(max(1, -(-int(self.seconds) // MOST_BINS)))

    @property
    def prompts(self) -> Prompts:
        recall = self.profile.recall
        return Prompts(self.seed, self.turns, self.proof, self.words, self.conversations, recall.tell, recall.ask)

    def judged_by(self) -> tuple[Objective, ...]:
        """The objectives, those included that every run has to keep."""
        return with_implied(parse_objective(text, self.headline) for text in self.objectives)

    def to_json(self) -> str:
        """The plan with its credential, for a worker; ``of_json`` reads it."""
        return json.dumps({**asdict(self), "profile": {**asdict(self.profile), "claims": sorted(self.profile.claims)}})

    @classmethod
    def of_json(cls, text: str) -> Plan:
        data: dict[str, Any] = json.loads(text)
        return cls(**{**data, **_nouns(data)})

    def shown(self) -> dict[str, Any]:
        """What a report says of it: no credential, no prompts."""
        closed = self.schedule is None
        return {
            "model": "closed" if closed else "open",
            "schedule": None if self.schedule is None else self.schedule.text,
            "users": self.users if closed else None,
            "seconds": self.seconds,
            "warmup_s": self.warmup,
            "think_s": self.think if closed else None,
            "turns_per_conversation": self.turns,
            "stream": self.stream,
            "pacing": self.pacing,
            "proof": self.proof,
            "max_in_flight": self.max_in_flight,
            "max_requests": self.max_requests,
            "agent": self.profile.agents.get("default"),
            "sampled_every": self.sample,
            "keep_alive": True,
            "headline_clock": self.headline,
        }


def _nouns(data: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a plan that are no plain data."""
    told, curve = data["profile"], data["schedule"]
    nouns = {
        "recall": Recall(**told["recall"]),
        "limits": Claimed(**told["limits"]),
        "deadlines": Deadlines(**told["deadlines"]),
        "claims": frozenset(told["claims"]),
    }
    segments = () if curve is None else tuple(Segment(**segment) for segment in curve["segments"])
    return {
        "profile": Profile(**{**told, **nouns}),
        "schedule": None if curve is None else Schedule(curve["text"], segments, tuple(curve["replay"])),
        "conversations": tuple(tuple(rows) for rows in data["conversations"]),
        "objectives": tuple(data["objectives"]),
    }
