"""What happens in a backend, through the control API: its health, faults, clock, seed and journal."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ...spec import FrozenClock, parse_clock
from ...spec.clock import forward
from .. import explaining, masking
from ..armed import Armed
from ..catalogue import listing
from ..faults import CATALOGUE
from ..journal import Entry, as_json
from ..journal_file import har, version
from ..match import Match, matching
from ..metrics import MEDIA_TYPE
from ..requests import Requests
from ..scopes import RESETS, Scope
from ..worded import armament
from .inhabitants import key_text
from .world import Answer, Call, Refused, flag

LIMIT = 100
"""How many requests are shown, if nothing is said."""


def health(call: Call) -> Any:
    server = call.world.server
    return {
        "status": "ok",
        "version": version(),
        "base_url": server.base_url,
        "urls": call.world.urls(call.scope),
        "seed": call.scope.backend.seed,
        "clock": _clock(call.scope),
        "rulings": dict(call.scope.backend.rulings.given),
        "limits": call.scope.backend.limits,
        "in_flight": sum(scope.backend.in_flight for scope in server.scopes),
        "journal": len(server.journal),
        "scopes": [scope.name for scope in server.scopes if scope.name],
    }


def metrics(call: Call) -> Answer:
    server = call.world.server
    gauges = {
        "open_streams": ("Streams under way.", float(server.pacer.streams)),
        "in_flight": ("Admitted requests under way.", float(sum(scope.backend.in_flight for scope in server.scopes))),
        "journal_entries": ("Requests in the journal.", float(len(server.journal))),
        "journal_bytes": ("What the journal holds, about.", float(server.journal.weight)),
        "faults_in_force": (
            "Faults in force.",
            float(sum(len(list(scope.backend.armoury)) for scope in server.scopes)),
        ),
    }
    return Answer(call.world.metrics.text(gauges), media=MEDIA_TYPE)


def known_faults(_: Call) -> Any:
    return {"faults": [listing(fault) for fault in CATALOGUE.values()]}


def faults(call: Call) -> Any:
    armoury = call.scope.backend.armoury
    return {
        "faults": [_shown_fault(call, one) for one in armoury],
        "triggered": [_shown_fault(call, one) for one in armoury.triggered.values()],
    }


def add_fault(call: Call) -> Answer:
    given = dict(call.body)
    name, after, parameters = given.pop("fault"), given.pop("after", None), given.pop("parameters", {})
    if "key" in given:
        given["key"] = key_text(call, given["key"])
    armoury = call.scope.backend.armoury
    meant = armament(name, {**parameters, **({} if after is None else {"after": after})}, given)
    armed = armoury.add(meant, now=call.scope.clock.now())
    warnings = masking.mask(armoury.warnings(armed), call.scope.backend.secrets())
    for warning in warnings:
        call.world.log(f"warning: {warning}")
    return Answer({**_shown_fault(call, armed), "warnings": warnings}, 201)


def remove_fault(call: Call) -> Any:
    armoury = call.scope.backend.armoury
    ids = [one.id for one in armoury]
    if call.path["id"] not in ids:
        raise Refused(404, f"no fault {call.path['id']!r} is in force; in force: {', '.join(ids) or 'none'}")
    return {"removed": _shown_fault(call, armoury.remove(call.path["id"]))}


def remove_faults(call: Call) -> Any:
    return {"removed": call.scope.backend.armoury.clear()}


def clock(call: Call) -> Any:
    return _clock(call.scope)


def advance(call: Call) -> Any:
    """To a time, by seconds, or into another mode that goes on from the time it shows; all that is told, or nothing."""
    scope, body = call.scope, call.body
    if not body:
        raise Refused(400, "nothing to do: expected advance, set or mode")
    if "advance" in body and "set" in body:
        raise Refused(400, "expected one of advance and set, got both")
    now = scope.clock.now()
    by = forward(_seconds(body["set"]) - now if "set" in body else body.get("advance", 0.0))
    made = parse_clock(body["mode"], now) if "mode" in body else scope.clock
    made.advance(by)
    scope.clock = made
    return _clock(scope)


def _seconds(told: float | str) -> float:
    """Seconds since the epoch, of a number or of a date and time (RFC 3339)."""
    if not isinstance(told, str):
        return told
    try:
        read = datetime.fromisoformat(told)
    except ValueError:
        raise Refused(
            400, f"set: expected seconds since the epoch, or a time as 2026-01-01T00:00:00Z, got {told!r}"
        ) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def seed(call: Call) -> Any:
    return {"seed": call.scope.backend.seed}


def reseed(call: Call) -> Any:
    backend = call.scope.backend
    backend.reseed(call.body.get("seed", backend.seed))
    return {"seed": backend.seed}


def journal(call: Call) -> Any:
    found = _requests(call).find(**_match(call))
    limit = _number(call, "limit", LIMIT)
    shown = found[max(0, len(found) - limit) :]
    if call.query.get("format", "json") not in ("json", "har"):
        raise Refused(400, f"format: expected json or har, got {call.query['format']!r}")
    if call.query.get("format") == "har":
        return har(shown)
    wire = flag(call, "wire", False)
    return {"found": len(found), "requests": [as_json(entry, wire) for entry in shown]}


def one_request(call: Call) -> Any:
    return as_json(_numbered(call))


def _numbered(call: Call) -> Entry:
    number = call.path["number"]
    for entry in call.world.server.journal.entries():
        if str(entry.number) == number:
            return entry
    raise Refused(404, f"no request {number!r} in the journal: it may have been too long ago")


def unmatched(call: Call) -> Any:
    found = _requests(call).unmatched
    limit = _number(call, "limit", LIMIT)
    shown = found[max(0, len(found) - limit) :]
    rows = [
        {"number": one.number, "session": one.session, "body": one.body, **(explaining.unmatched(one) or {})}
        for one in shown
    ]
    return {"found": len(found), "requests": rows}


def explain(call: Call) -> Any:
    return explaining.explained(_numbered(call))


def forget(call: Call) -> Any:
    fits, mine = matching(**_match(call)), _mine(call)
    return {"forgotten": call.world.server.journal.forget(lambda entry: mine(entry) and fits(entry))}


def verify(call: Call) -> Answer:
    """409 where it is not so, so that a shell can tell."""
    found = _requests(call)
    body = call.body
    if not body.keys() & {"exactly", "at_least", "at_most", "order", "match"}:
        raise Refused(400, "nothing to verify: expected match, exactly, at_least, at_most or order")
    counts = {word: body[word] for word in ("exactly", "at_least", "at_most") if word in body}
    try:
        if counts or "match" in body:
            found.assert_count(**counts, **body.get("match", {}))
        found.assert_order(*body.get("order", ()))
    except AssertionError as error:
        return Answer({"ok": False, "message": str(error)}, 409)
    return Answer({"ok": True})


def reset(call: Call) -> Any:
    what = call.body.get("what", list(RESETS))
    for word in what:
        RESETS[word](call.scope, call.world.server.journal)
    return {"reset": what}


def _clock(scope: Scope) -> dict[str, Any]:
    now = scope.clock.now()
    shown = datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")
    return {
        "now": now,
        "shown": shown,
        "mode": getattr(scope.clock, "mode", type(scope.clock).__name__),
        "frozen": isinstance(scope.clock, FrozenClock),
    }


def _shown_fault(call: Call, armed: Armed) -> dict[str, Any]:
    aimed = {word: value for word, value in asdict(armed.aim).items() if value not in (None, {})}
    if "key" in aimed:
        aimed["key"] = masking.label(aimed["key"])
    shown = {
        "id": armed.id,
        "fault": armed.fault.name,
        "layer": armed.fault.on,
        "fired": armed.fired,
        "fitted": armed.fitted,
    }
    if armed.by:
        shown["by"] = armed.by
    return {
        **shown,
        "id": masking.mask(armed.id, call.scope.backend.secrets()),
        "after": armed.values.get("after"),
        "parameters": masking.mask(dict(armed.values), call.scope.backend.secrets()),
        "aim": masking.mask(aimed, call.scope.backend.secrets()),
        "spent": armed.spent,
    }


def _mine(call: Call) -> Match:
    name = call.scope.name
    return lambda entry: entry.scope == name


def _requests(call: Call) -> Requests:
    return Requests(call.world.server.journal, _mine(call))


def _match(call: Call) -> dict[str, Any]:
    match: dict[str, Any] = {
        word: value for word, value in call.query.items() if word not in ("scope", "limit", "wire", "format")
    }
    if "since" in match:
        match["since"] = _number(call, "since", 0)
    for word in ("streamed", "unmatched"):
        if word in match:
            match[word] = flag(call, word, False)
    return match


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Refused(400, f"{name}: expected a whole number from 0, got {text!r}")
    return int(text)
