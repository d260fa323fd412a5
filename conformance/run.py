"""One verification, from a profile to outcomes: preflight, the scenarios that the chosen requirements need, the judge."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

from ..spec import Dialect, Requirement, requirements
from .ask import Ask, Via
from .channel import CutShort, WireChannel
from .check import CHECKS
from .judge import Absent, Evidence, Judged, Verdict, choose, judge, verdict
from .preflight import explain
from .profile import Profile
from .scenario import Scenario, Scene, Script, drive
from .scenarios import in_order
from .seen import Seen
from .transcript import Transcript

PREFLIGHT = "preflight"
ALWAYS = ("switch", "reply", "stream")
"""Scenarios that feed the checks over every exchange, whatever was selected."""
HTTP_ITSELF = ("http.status_line",)
"""What can be judged of a response that nothing can read."""
SPENDING = "exhaust"
"""The one that brings a 429."""
EXTRA = "chatproof[verify]"


@dataclass(frozen=True)
class Options:
    """What of the requirements to verify, and how to go about it."""

    level: str = "may"
    select: tuple[str, ...] = ()
    fail_fast: bool = False
    strict: bool = False
    seed: int | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of a run beside its evidence. ``started`` is in epoch seconds; ``reason``: why it is incomplete."""

    seed: int
    started: float
    duration_s: float
    requests: int
    reason: str | None


@dataclass(frozen=True)
class Run:
    """A finished verification."""

    evidence: Evidence
    facts: Facts
    judged: tuple[Judged, ...]
    verdict: Verdict

    @property
    def profile(self) -> Profile:
        return self.evidence.profile

    @property
    def dialect(self) -> Dialect:
        return self.evidence.dialect

    @property
    def reason(self) -> str | None:
        """Why the run is incomplete; ``None`` when it is not."""
        return self.facts.reason


@dataclass(frozen=True)
class Progress:
    """How far a run is: the scenario that begins, its number, of how many, and the requests sent so far.

    ``families``: of the requirements that it decides; none if it only feeds those of others.
    """

    scenario: str
    number: int
    of: int
    requests: int
    families: tuple[str, ...] = ()


def verify(
    profile: Profile,
    dialect: Dialect,
    options: Options = Options(),
    hear: Callable[[Progress], None] = lambda progress: None,
    channel: WireChannel | None = None,
) -> Run:
    """Verify one target. Never raises for what the target does; Ctrl-C ends it early and keeps what was recorded.

    ``channel`` is what requests go over, if not a socket of this run's own.
    """
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    rows = choose(requirements(dialect), options.level, options.select)
    started, begun = time.time(), time.monotonic()
    channel = channel or WireChannel(dialect, profile)
    recorded: list[Transcript] = []
    absent: dict[str, Absent] = {}
    reason: str | None = None
    try:
        first = drive(_preflight(), PREFLIGHT, channel, recorded.append)
        reason = explain(Seen(first.exchanges[0], dialect, profile))
        if reason is None:
            reason = _play(rows, channel, seed, recorded, absent, options, hear)
    except (KeyboardInterrupt, CutShort) as ended:
        reason = _why_ended(ended)
    evidence = Evidence(dialect, profile, tuple(recorded), absent)
    return finish(rows, evidence, Facts(seed, started, time.monotonic() - begun, channel.count, reason))


def finish(rows: Sequence[Requirement], evidence: Evidence, facts: Facts) -> Run:
    """Judge what was recorded. A run that was cut short is not conformant, whatever it saw until then."""
    reason = facts.reason
    judged = tuple(judge(rows, evidence) if len(evidence.transcripts) > 1 else _unplayed(rows, evidence, reason or ""))
    decided = verdict(judged)
    if reason is not None and decided == "conformant":
        decided = "incomplete"
    if decided == "incomplete" and reason is None:
        reason = _why_incomplete(judged)
    return Run(evidence, replace(facts, reason=reason), judged, decided)


def exit_code(runs: Sequence[Run], *, strict: bool = False) -> int:
    """0 kept, 1 broken (with ``strict`` a warning is enough), 3 incomplete; broken outweighs incomplete."""
    if any(run.verdict == "nonconformant" for run in runs):
        return 1
    if strict and any(row.outcome == "warn" for run in runs for row in run.judged):
        return 1
    return 3 if not runs or any(run.verdict == "incomplete" for run in runs) else 0


def _why_ended(ended: KeyboardInterrupt | CutShort) -> str:
    return str(ended) or "interrupted"


def _families(rows: Sequence[Requirement], scenario: str) -> tuple[str, ...]:
    decided = (row.id for row in rows if row.check is not None and CHECKS[row.check].scenario == scenario)
    return tuple(dict.fromkeys(id.partition("/")[0] for id in decided))


def _preflight() -> Script:
    yield Ask("ordinary")


def _play(
    rows: Sequence[Requirement],
    channel: WireChannel,
    seed: int,
    recorded: list[Transcript],
    absent: dict[str, Absent],
    options: Options,
    hear: Callable[[Progress], None],
) -> str | None:
    profile, dialect = channel.profile, channel.dialect
    chosen, chooses = list(chosen_scenarios(rows)), True
    for number, scenario in enumerate(chosen, 1):
        lacking = missing(scenario, profile) or _too_dear(scenario, channel)
        if lacking is not None:
            absent[scenario.name] = lacking
            continue
        hear(Progress(scenario.name, number, len(chosen), channel.count, _families(rows, scenario.name)))
        scene = Scene(dialect, profile, seed, scenario.name, chooses)
        try:
            drive(scenario.play(scene), scenario.name, channel, recorded.append)
        except (KeyboardInterrupt, CutShort) as ended:
            absent[scenario.name] = Absent("not_verified", f"cut short: {_why_ended(ended)}")
            raise
        except Exception as error:  # noqa: BLE001  (a crash of ours is an outcome; what else was recorded is judged)
            absent[scenario.name] = Absent("error", f"the scenario crashed: {type(error).__name__}: {error}")
        if scenario.name == "switch":
            channel.via = _via(Evidence(dialect, profile, recorded))
        if scenario.name == "reply":
            chooses = _chooses(Evidence(dialect, profile, recorded))
        if options.fail_fast and any(
            row.outcome == "fail" for row in judge(rows, Evidence(dialect, profile, tuple(recorded), absent))
        ):
            return "stopped at the first failure"
    return None


def chosen_scenarios(rows: Sequence[Requirement]) -> Iterator[Scenario]:
    """The scenarios that the rows' checks look at, and those that feed the checks over every exchange; limits last.

    A check over refusals may find its evidence anywhere, so for one of these everything is played, and one limit spent.
    """
    wanted = {CHECKS[row.check].scenario for row in rows if row.check is not None}
    everything = any(row.check is not None and CHECKS[row.check].over in ("refusals", "keys") for row in rows)
    for scenario in in_order():
        of_use = everything and (not scenario.last or scenario.name == SPENDING)
        if scenario.name in wanted or scenario.name in ALWAYS or of_use:
            yield scenario


def missing(scenario: Scenario, profile: Profile) -> Absent | None:
    """Why a scenario cannot be played with this profile, or with what is installed; ``None`` if it can."""
    if scenario.claim is not None and scenario.claim not in profile.claims:
        return Absent("skipped", f"the profile does not claim {scenario.claim!r}")
    not_installed = [name for name in scenario.imports if find_spec(name) is None]
    if not_installed:
        return Absent("not_verified", f"needs {' and '.join(not_installed)}, which {EXTRA} brings")
    lacking = [need for need in scenario.needs if profile.lacks(need)]
    return Absent("not_verified", f"needs {' and '.join(lacking)} in the profile") if lacking else None


def _too_dear(scenario: Scenario, channel: WireChannel) -> Absent | None:
    """Why a scenario that spends much is left out of a run whose budget it would break."""
    most, profile = channel.profile.max_requests, channel.profile
    costs = scenario.costs(profile, channel.dialect) if scenario.costs is not None else 0
    if most is None or channel.count + costs <= most:
        return None
    return Absent("not_verified", f"needs {costs} requests, and budget.requests leaves {most - channel.count}")


def _via(evidence: Evidence) -> Via:
    """Which of the two ways switched a stream on (AMB-03); the body's, if neither did."""
    steps = evidence.steps("switch")
    streamed = {seen.asked["via"] for seen in steps.all if seen.is_stream} if steps else set()
    return "accept" if streamed == {"accept"} else "body"


def _chooses(evidence: Evidence) -> bool:
    """Whether a client may choose the id of a new session (AMB-09); if not, ids are taken from replies."""
    steps = evidence.steps("reply")
    chosen = next((seen for seen in steps.all if seen.asked["step"] == "chosen"), None) if steps else None
    return chosen is None or (chosen.ok and chosen.session in (chosen.asked["session"], None))


def _unplayed(rows: Sequence[Requirement], evidence: Evidence, reason: str) -> Iterator[Judged]:
    """After the preflight alone nothing is decided, except that HTTP itself is broken when it meant to be HTTP."""
    garbled = any(seen.exchange.raw[:4].upper() == b"HTTP" and not seen.status for seen in evidence.seen())
    for judged in judge(rows, evidence):
        of_http = judged.requirement.check in HTTP_ITSELF and judged.outcome in ("fail", "warn")
        if judged.requirement.check is None or (garbled and of_http):
            yield judged
        else:
            yield Judged(judged.requirement, "not_verified", reason)


def _why_incomplete(judged: Sequence[Judged]) -> str:
    crashed = [row for row in judged if row.outcome == "error"]
    if crashed:
        return f"{len(crashed)} checks of ours crashed, the first on {crashed[0].requirement.id}: {crashed[0].reason}"
    return "nothing was verified"
