"""A run judged again from its transcripts, without a network: the same bytes, today's checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..spec import dialect, known_as, requirements
from .judge import Absent, Evidence, choose
from .profile import Claimed, Profile, Recall
from .run import Facts, Options, Run, finish
from .transcript import Transcript, about, dump, load


def record(run: Run, path: Path) -> None:
    """Write a run's transcripts with all that ``judge_file`` needs to know beside them; no credential is written."""
    dump(run.evidence.transcripts, path, run.evidence.secrets(), _about(run))


def judge_file(path: Path, options: Options) -> Run:
    """The run in a transcript file, judged again; ``BadFile`` if it is none."""
    return judge_again(about(path), load(path), options)


def judge_again(told: Mapping[str, Any], transcripts: Sequence[Transcript], options: Options) -> Run:
    """The run that a header tells of, judged again. ``KeyError`` names what the header lacks."""
    found = dialect(told["dialect"])
    profile = Profile(
        base_url=told["base_url"],
        dialect=found.name,
        agents=told["agents"],
        recall=Recall(**told["recall"]),
        limits=Claimed(**told["limits"]),
        session_expiry_s=told["session_expiry_s"],
        claims=frozenset(told["claims"]),
        rulings=told["rulings"],
    )
    absent = {name: Absent(**why) for name, why in told["absent"].items()}
    rows = choose(requirements(found), options.level, options.select)
    return finish(rows, Evidence(found, profile, tuple(transcripts), absent), Facts(**told["facts"]))


def _about(run: Run) -> dict[str, Any]:
    profile = run.profile
    return {
        "base_url": profile.base_url,
        "dialect": known_as(run.dialect),
        "agents": dict(profile.agents),
        "recall": asdict(profile.recall),
        "limits": asdict(profile.limits),
        "session_expiry_s": profile.session_expiry_s,
        "claims": sorted(profile.claims),
        "rulings": dict(profile.rulings),
        "absent": {name: asdict(why) for name, why in run.evidence.absent.items()},
        "facts": asdict(run.facts),
    }
