"""``chatproof load``: flags and files to a plan, a plan to a run, the run to reports and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from . import __version__
from .conformance.endpoint import Endpoint
from .conformance.profile import Profile, load_profile
from .inputs import fail, good_file, good_words
from .load.ceiling import above
from .load.plan import DRAIN_S, Plan
from .load.preflight import NotReady, Ready, preflight
from .load.probe import MOST as MOST_PROBED
from .load.prompts import RECALLS, Proof, provable
from .load.result import EXIT_CODES, as_json
from .load_clashes import FILES, unread
from .load_wish import Wish, wish_of
from .output import check_writable, say, show, unwritten
from .reports.load_faces import FACES
from .reports.store import store
from .simulated import simulated
from .spec import Dialect, known_as, names
from .targets import targets

MARGIN_S = 1.0
"""What is waited beyond the deadlines of the last turns, so that those that hang are timeouts and not cut off."""
MOST_RATE, MOST_USERS = 5000.0, 5000.0
"""Where a search for capacity ends that `--most` does not end earlier."""


def main(url: str | None, **options: Any) -> int:
    """See ``chatproof load --help``; returns the exit code."""
    if url == "calibrate":
        if said := unread(options, "calibrate"):
            fail(said)
        from .calibrate_command import main as calibrate

        return calibrate(**options)
    wish = good_words(lambda: wish_of(options))
    if options["dry_run"]:
        return _dry_run(wish, options)
    check_writable({flag: options[name] for name, flag in FILES.items()})
    with _target(url, options) as (profile, dialect):
        _spare(profile, wish, options)
        return _run(profile, dialect, wish, options)


def _dry_run(wish: Wish, options: dict[str, Any]) -> int:
    """What would be sent, and when; nothing is."""
    if options["pacing"] == "probe":
        most = min(options["max_requests"], MOST_PROBED)
        click.echo(
            f"probe: one request after another until one is refused, {most:,} at most, and one more after the told wait"
        )
    elif wish.schedule is None:
        click.echo(
            f"closed: {wish.users} conversations at a time for {wish.seconds:g} s, thinking {options['think']} between turns"
        )
    else:
        schedule = wish.schedule
        click.echo(
            f"open: {schedule.text}, about {schedule.turns} turns in {schedule.seconds:g} s, {schedule.peak:g}/s at most"
        )
        click.echo(f"  {schedule.curve()}  (turns a second over time, 0 to {schedule.peak:g})")
        due = [time for time, _ in zip(schedule.due(wish.seed), range(5), strict=False)]
        click.echo(f"  first turns due at {', '.join(f'{time:.3f}' for time in due)} s (seed {wish.seed})")
    if options["find_capacity"]:
        click.echo(
            f"the first step of a search, with up to {_most(wish, options):g}, until it misses {options['find_capacity']}"
        )
    for text in wish.objectives:
        click.echo(f"objective: {text}")
    click.echo("nothing was sent")
    return 0


@contextmanager
def _target(url: str | None, options: dict[str, Any]) -> Iterator[tuple[Profile, Dialect]]:
    """Where to send: the flags' target, or a simulator that is started for it."""
    data = good_file(load_profile, options["profile_file"]) if options["profile_file"] else {}
    dialects: tuple[str, ...] = options["dialects"]
    if url is None and "base_url" not in data:
        with simulated(next(iter(dialects), names()[0]), data) as own:
            yield own.profile, own.dialect
        return
    with targets(url, dialects, options["profile_file"], options["api_key"], options["agent"]) as pairs:
        profile, dialect = pairs[0]
        yield replace(profile, dialect=known_as(dialect)), dialect


def _spare(profile: Profile, wish: Wish, options: dict[str, Any]) -> None:
    """Nobody loads somebody else's server by a slip of the hand."""
    if options["i_own_this_target"]:
        return
    is_rate = wish.schedule is not None
    load = wish.rate if is_rate else float(wish.users)
    if options["find_capacity"]:
        load = _most(wish, options)
    refusal = above(Endpoint.parse(profile.base_url).host, load, is_rate=is_rate, flag="--i-own-this-target")
    if refusal:
        fail(refusal)


def _most(wish: Wish, options: dict[str, Any]) -> float:
    """Where a search for capacity ends."""
    most: float | None = options["most"]
    return most or (MOST_USERS if wish.schedule is None else MOST_RATE)


def plan_of(profile: Profile, ready: Ready, wish: Wish, options: dict[str, Any]) -> Plan:
    """The plan that the flags ask for at a target that was looked at."""
    proof: Proof = "off" if options["no_canary"] else ready.proof
    turns = options["conversation_turns"] or (3 if proof in RECALLS else 1)
    turns = turns if ready.continues else 1
    return Plan(
        profile=profile,
        schedule=wish.schedule,
        users=wish.users,
        seconds=wish.seconds,
        stream=not options["json_replies"],
        via=ready.via,
        seed=wish.seed,
        think=wish.think,
        turns=turns,
        warmup=wish.warmup,
        drain=max(DRAIN_S, profile.deadlines.first_byte, profile.deadlines.idle) + MARGIN_S,
        max_in_flight=options["max_in_flight"],
        max_requests=options["max_requests"],
        pacing=options["pacing"],
        proof=provable(proof, turns, wish.conversations),
        words=options["words"],
        sample=options["sample"],
        conversations=wish.conversations,
        objectives=wish.objectives,
        own_sessions=ready.own_sessions,
        turn_file=str(options["turn_file"]) if options["turn_file"] else None,
    )


def _run(profile: Profile, dialect: Dialect, wish: Wish, options: dict[str, Any]) -> int:
    try:
        ready = preflight(profile, dialect, stream=not options["json_replies"], seed=wish.seed)
    except NotReady as problem:
        click.echo(f"chatproof: {problem}", err=True)
        return 3
    if options["pacing"] == "probe":
        from .probe_command import main as probe

        return probe(profile, dialect, ready, options)
    from .calibrate_command import kept
    from .capacity_command import find_capacity
    from .load.run import run

    plan = plan_of(profile, ready, wish, options)
    asked = max((options["conversation_turns"] or 1, *map(len, wish.conversations)))
    if asked > 1 and not ready.continues:
        click.echo(
            f"chatproof: the target's answers name no session to go on with, so of {asked} turns of a conversation only the first is sent",
            err=True,
        )
    started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        with live(plan) as tick:
            if options["find_capacity"]:
                most = _most(wish, options)
                found = find_capacity(plan, dialect, options["find_capacity"], most, options["processes"], tick)
                return tell(found, options)
            ran = run(plan, tick, options["processes"], ready.turns)
    except RuntimeError as problem:
        click.echo(f"chatproof: {problem}", err=True)
        return 3
    result = as_json(plan, dialect, ran.ledger, __version__, started, ran.reason, {"calibration": kept()})
    return tell(result, options, ran.unwritten)


def tell(result: dict[str, Any], options: dict[str, Any], unwritten_turns: str = "") -> int:
    """Show and write a result; its exit code. A file that cannot be written costs a line, and neither the verdict nor the other files."""
    written = not unwritten_turns
    to_stdout = Path("-") in (options[name] for name in FACES.values())
    if not to_stdout:
        written &= show(result)
    for suffix, name in FACES.items():
        path: Path | None = options[name]
        if path == Path("-"):
            written &= say(_face(suffix)(result))
        elif path is not None:
            try:
                store(path, _face(suffix)(result))
            except OSError as error:
                click.echo(f"chatproof: {unwritten(path, error)}", err=True)
                written = False
    if unwritten_turns:
        click.echo(f"chatproof: {unwritten_turns}", err=True)
    return EXIT_CODES[result["verdict"]] or (0 if written else 2)


def _face(suffix: str) -> Callable[[dict[str, Any]], str]:
    from .reports.load_faces import RENDERERS

    return RENDERERS[suffix]


@contextmanager
def live(plan: Plan) -> Iterator[Callable[..., None]]:
    """One line on a terminal that is written anew each second; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda ledger, at, in_flight: None
        return
    from .reports.load_text import live_line

    try:
        yield lambda ledger, at, in_flight: click.echo(
            "\r\x1b[2K" + live_line(_seen(plan, ledger, at, in_flight)), nl=False, err=True
        )
    finally:
        click.echo("\r\x1b[2K", nl=False, err=True)


def _seen(plan: Plan, ledger: Any, at: float, in_flight: int) -> dict[str, Any]:
    clock = f"{plan.headline} {'ttft' if plan.stream else 'duration'}"
    return {
        "at_s": at,
        "asked": plan.schedule.rate(at) if plan.schedule is not None and at < plan.seconds else None,
        "sent": ledger.counters["sent"] / min(at, plan.seconds) if at > 0 else 0.0,
        "in_flight": in_flight,
        "metric": "ttft" if plan.stream else "duration",
        "p50": ledger.statistic(clock, "p50"),
        "p95": ledger.statistic(clock, "p95"),
        "limited": ledger.outcomes["refused_429"],
        "errors": ledger.number("errors"),
        "missed": ledger.counters["missed"],
        "mixups": ledger.number("mixups"),
    }
