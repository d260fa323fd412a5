"""A layer under watch: the same one, which says when it has changed anything. By this a fault has fired, or has not."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from .plan import Layer
from .reply import Refusal
from .rules import FELT, Rules, Spot

T = TypeVar("T")


def watched(layer: Layer, mark: Callable[[], None]) -> Layer:
    """The same layer, which calls ``mark`` when it changes anything."""

    def watch(
        change: Callable[[T], T] | None, differs: Callable[[Any, Any], bool] = operator.ne
    ) -> Callable[[T], T] | None:
        if change is None:
            return None

        def watching(plain: T) -> T:
            changed = change(plain)
            if changed is not plain and differs(changed, plain):
                mark()
            return changed

        return watching

    return Layer(
        _watched_rules(layer.rules, mark),
        watch(layer.reply),
        watch(layer.value, lambda changed, plain: repr(changed) != repr(plain)),
        watch(layer.text),
        watch(layer.message),
        watch(layer.plan),
    )


def _watched_rules(
    change: Callable[[Rules], Rules] | None, mark: Callable[[], None]
) -> Callable[[Rules], Rules] | None:
    """Rules that mark when they decide otherwise; a refusal on demand does so wherever it is in force."""
    if change is None:
        return None

    def watching(plain: Rules) -> Rules:
        bent = change(plain)
        mine = {name for name in FELT if getattr(bent, name) != getattr(plain, name)}
        if bent.demand != plain.demand:
            mark()

        def felt(name: str) -> None:
            if name in mine:
                mark()
            plain.felt(name)

        def refuse(refusal: Refusal) -> Refusal | None:
            said = bent.refuse(refusal)
            if said != plain.refuse(refusal):
                mark()
            return said

        def spot(place: Spot) -> Spot:
            found = bent.spot(place)
            if found != plain.spot(place):
                mark()
            return found

        return replace(bent, refuse=refuse, spot=spot, felt=felt)

    return watching
