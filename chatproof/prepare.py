"""``chatproof plan``, ``doctor`` and ``init``: before a verification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .conformance.advertised import advertised, server_now
from .conformance.ask import Ask
from .conformance.channel import SPENDING, WireChannel
from .conformance.check import CHECKS
from .conformance.judge import choose
from .conformance.paper import Cost, cost
from .conformance.preflight import explain
from .conformance.profile import Profile
from .conformance.run import Options, chosen_scenarios, missing
from .conformance.scenario import Scene
from .conformance.seen import Seen
from .inputs import dialect_named
from .output import check_new, write_text
from .spec import Dialect, requirements
from .targets import targets

SKEW_S = 5
"""A clock that differs by more is worth a word."""


def plan(*, level: str, select: tuple[str, ...], pace: str | None, **target: Any) -> int:
    """See ``chatproof plan --help``; sends one request a target, to learn its limit."""
    code = 0
    with targets(**target, pace=pace) as pairs:
        for profile, dialect in pairs:
            rows = choose(requirements(dialect), level, select)
            found = cost(profile, dialect, rows, Options(level, select))
            seen = _ordinary(profile, dialect)
            trouble = explain(seen)
            limit = advertised(seen).limit
            click.echo(f"{dialect.name} {profile.base_url}: at most {found.requests} requests")
            for key, number in sorted(found.by_key.items(), key=lambda item: -item[1]):
                click.echo(f"  {number:4}  with {'no key' if key == 'none' else f'credentials.{key}'}")
            paid = sum(number for key, number in found.by_key.items() if key not in (*SPENDING, "none"))
            click.echo(f"  {_time(paid, limit, profile)}")
            if found.waiting_s:
                click.echo(f"  {_waiting(found)}")
            if trouble is not None:
                click.echo(f"  but as it stands nothing can be verified: {trouble}")
                code = 3
    return code


def doctor(**target: Any) -> int:
    """See ``chatproof doctor --help``."""
    healthy = True
    with targets(**target) as pairs:
        for profile, dialect in pairs:
            click.echo(f"{dialect.name} {profile.base_url}")
            healthy = _examine(profile, dialect) and healthy
    return 0 if healthy else 3


def init(*, url: str, dialect_name: str, api_key: str | None, agent: str | None, out: Path) -> int:
    """See ``chatproof init --help``; an existing file is never overwritten."""
    dialect = dialect_named(dialect_name)
    check_new(out)
    limit: int | None = None
    if api_key and agent:
        profile = Profile(url.rstrip("/"), dialect.name, {"valid": api_key}, {"default": agent})
        seen = _ordinary(profile, dialect)
        trouble = explain(seen)
        limit = advertised(seen).limit
        click.echo(f"probed {url}: {trouble or 'an ordinary request is answered'}")
    write_text(out, _template(url, dialect, agent, limit))
    click.echo(f"wrote {out}; next: chatproof doctor --profile {out}")
    return 0


def _ordinary(profile: Profile, dialect: Dialect) -> Seen:
    return Seen(WireChannel(dialect, profile).send(Ask("ordinary")), dialect, profile)


def _time(paid: int, limit: int | None, profile: Profile) -> str:
    if profile.pace == 0:
        return "not paced"
    rate = profile.pace or limit
    if rate is None:
        return "no limit is advertised, so not paced"
    minutes = paid / rate if profile.pace else paid // rate
    return (
        f"about {minutes:.0f} min of waiting at {rate} requests a minute"
        if minutes >= 1
        else f"within {rate} requests a minute"
    )


def _waiting(found: Cost) -> str:
    return f"about {found.waiting_s:.0f} s of waiting until windows end and sessions expire"


def _examine(profile: Profile, dialect: Dialect) -> bool:
    channel = WireChannel(dialect, profile)
    first = Seen(channel.send(Ask("ordinary")), dialect, profile)
    trouble = explain(first)
    _say(trouble is None, trouble or f"reachable, and an ordinary request is answered {first.status}")
    if trouble is not None:
        return False
    good = True
    for operation in dialect.operations:
        if operation.mode == "keys":
            continue
        seen = Seen(channel.send(Ask(operation.id, stream=None, operation=operation.id)), dialect, profile)
        kind = "a stream" if seen.is_stream else "JSON"
        good = (
            _say(
                seen.ok, f"{operation.method} {operation.path} answers {seen.status or seen.exchange.end.value}, {kind}"
            )
            and good
        )
    scene = Scene(dialect, profile, 0, "doctor")
    nowhere = Seen(channel.send(Ask("nowhere", path=f"/chatproof-{scene.word()}", valid=False)), dialect, profile)
    good = _say(not nowhere.ok, f"a path that is nowhere answers {nowhere.status}") and good
    if first.exchange.header("date"):
        skew = server_now(first) - first.exchange.sent_at
        _say(abs(skew) <= SKEW_S, f"its clock differs by {skew:+.0f} s")
    said = advertised(first)
    _say(True, f"advertises {said.limit} requests a window" if said.limit else "advertises no limit")
    found = cost(profile, dialect, requirements(dialect), Options())
    if found.waiting_s:
        _say(True, f"a whole verification takes {_waiting(found)}")
    _left_out(profile, dialect)
    return good


def _left_out(profile: Profile, dialect: Dialect) -> None:
    """Which requirements a verification would leave open, by the profile key that would allow them."""
    rows = list(requirements(dialect))
    for scenario in chosen_scenarios(rows):
        lacking = missing(scenario, profile)
        ids = [row.id for row in rows if row.check is not None and CHECKS[row.check].scenario == scenario.name]
        if lacking is not None and ids:
            click.echo(
                f"  ?  {lacking.reason}: without it {len(ids)} stay open ({', '.join(ids[:3])}{', …' if len(ids) > 3 else ''})"
            )


def _say(well: bool, text: str) -> bool:
    click.echo(f"  {'✓' if well else '✕'}  {text}")
    return well


def _template(url: str, dialect: Dialect, agent: str | None, limit: int | None) -> str:
    keys = "\n  # account: ${CHAT_ACCOUNT_KEY}           # may create agent keys" if dialect.operation("keys") else ""
    tools = any(row.event == "tool_call" for row in dialect.stream)
    advertised_line = f"    # the key that was probed advertises {limit}" if limit else ""
    return TEMPLATE.format(
        url=url,
        dialect=dialect.name,
        agent=agent or "name-of-an-agent",
        keys=keys,
        tools="tools, " if tools else "",
        advertised=advertised_line,
    )


TEMPLATE = """\
# A chatproof profile: where to send, with what credentials, and what the target claims. ${{NAME}} reads the environment.
# A role that is left out makes the requirements that need it "not verified"; nothing is guessed.
base_url: {url}
dialect: {dialect}
credentials:
  valid: ${{CHAT_API_KEY}}                   # the only one that is required; generous{advertised}
  # limited: ${{CHAT_LIMITED_KEY}}           # of a small plan per minute, see limits: it is spent
  # daily: ${{CHAT_DAILY_KEY}}               # of a small plan per day: it is spent
  # brief: ${{CHAT_BRIEF_KEY}}               # like limited, with a window short enough to wait for its end, see limits
  # pro: ${{CHAT_PRO_KEY}}                   # of the second documented plan: it is spent, if the budget allows
  # broke: ${{CHAT_BROKE_KEY}}               # no balance: 402
  # revoked: ${{CHAT_REVOKED_KEY}}           # valid once
  # other_customer: ${{CHAT_OTHER_KEY}}      # a valid key of another account
  # other_agent: ${{CHAT_OTHER_AGENT_KEY}}   # a valid key of another agent{keys}
agents:
  default: {agent}
  # other: …                               # a second agent
  # unknown: …                             # an id that does not exist; made up if left out
  # tools: …                               # calls a tool when asked to
  # paced: …                               # its pieces are at least 100 ms apart
  # failing: …                             # breaks off, or answers 500
  # unavailable: …                         # answers 503
  # unicode: …                             # answers beyond ASCII
  # long: …                                # long replies
# recall: {{tell: "Remember this code: {{nonce}}", ask: "What code did I ask you to remember?"}}   # an agent that can
# limits: {{requests_per_minute: 20, concurrent: 2, requests_per_day: 25, brief_requests: 5, brief_window: 2s}}   # of limited, limited, daily, brief
# claims: [{tools}deterministic, paced, concurrency]                                          # what the target promises to do
# session_expiry: 30s                      # only if it is short enough to wait for
# rulings: {{AMB-09: created}}               # pin a reading of a contested point
# deadlines: {{connect: 5s, first_byte: 30s, idle: 30s, total: 120s, window: 65s}}   # window: how long the end of a limit is waited for; 0s: not
# budget: {{requests: 300, pace: auto}}
"""
