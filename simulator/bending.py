"""Where faults meet a request: what is in force, what the request asks for itself, and whether it is answered before it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..spec import did_you_mean
from . import magic
from .armed import LAYERS, NOTHING, Armoury, Strike
from .faults import CATALOGUE
from .plan import Layer, through
from .refusals import Case
from .refused import refused
from .reply import Refusal, Reply
from .request import HttpRequest, Mistake
from .rules import Rules
from .worded import listed

if TYPE_CHECKING:
    from .backend import Backend

LEGAL = {name: fault for name, fault in CATALOGUE.items() if fault.kind == "legal" and fault.make is None}
"""What a variant can be."""
HURRIED = "early-response"
"""The fault that answers before the body is read."""


def struck(case: Case, armoury: Armoury, magical: bool) -> tuple[Strike, Refusal | None]:
    """The faults that bend a request; a refusal instead if it asks for one that there is none of, which says so."""
    try:
        return armoury.strike(case, tuple(magic.asked_for(case)) if magical else ()), None
    except ValueError as error:
        words = str(error)
        return NOTHING, Refusal(
            "invalid_request", mistake=Mistake("fault", words, "value_error", ("fault",)), note=words
        )


def ruled(case: Case, armoury: Armoury, strike: Strike, reply: Reply) -> tuple[Reply, Strike]:
    """What becomes of a reply by the faults of the script's rule that made it; they win over those in force."""
    before = Strike() if strike is NOTHING else strike
    mine = [armoury.remembered("rule", f"{place}: {meant.fault.name}", meant) for place, meant in case.ruled]
    more = armoury.struck(mine, case, before.struck)
    demand = through(Rules(), (layer.rules for layer in more.layers)).demand
    pairs = {one.fault.on: (one, layer) for one, layer in zip(before.armed, before.layers, strict=True)}
    yielded = [
        f"{pairs[one.fault.on][0].fault.name} gives way to {one.fault.name}, of the rule"
        for one in more.armed
        if one.fault.on in pairs
    ]
    pairs |= {one.fault.on: (one, layer) for one, layer in zip(more.armed, more.layers, strict=True)}
    kept = [pairs[name] for name in LAYERS if name in pairs]
    both = Strike(
        tuple(one for one, _ in kept),
        (*before.yielded, *more.yielded, *yielded),
        tuple(layer for _, layer in kept),
        before.struck,
    )
    return refused(case, demand) if demand else reply, both


def variant(name: str | None) -> tuple[Layer, ...]:
    """The layer of a legal way to answer; ``ValueError`` for a name that nothing has, or that needs a request to be made."""
    if name in CATALOGUE and name not in LEGAL:
        raise ValueError(f"{name!r} is no variant: put it in force as a fault")
    if name is not None and name not in LEGAL:
        known = ", ".join(LEGAL)
        raise ValueError(f"no variant {name!r}{did_you_mean(name, list(LEGAL)) or f'; there are {known}'}")
    return (LEGAL[name].layer,) if name else ()


def wants_hurry(target: str, headers: Mapping[str, str]) -> bool:
    """Whether a request's head may ask for that fault. ``headers``: found in any case."""
    return any(HURRIED in place for place in (headers.get(magic.HEADER, ""), headers.get("authorization", ""), target))


def hurries(backend: Backend, request: HttpRequest) -> bool:
    """Whether a request is answered before its body is read: all but the body is known of it, and nothing is counted."""
    route = backend.routes.find(request)
    case = Case(request, route, backend.realms[route.dialect.name], 0.0, backend.rules)
    try:
        if backend.magic and any(HURRIED in listed(text) for _, text in magic.asked_for(case)):
            return True
    except ValueError:
        return False
    return any(one.fault.name == HURRIED and not one.spent and one.aim.fits(case) for one in backend.armoury)
