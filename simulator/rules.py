"""The few places where a decision may be bent on purpose. The plain backend bends none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .reply import Refusal

Spot = tuple[str, str, str]
"""Whose session it is: the key, the agent, the session's id."""


def _refuse(refusal: Refusal) -> Refusal | None:
    return refusal


def _spot(spot: Spot) -> Spot:
    return spot


@dataclass(frozen=True)
class Rules:
    """``refuse``: what becomes of a refusal (``None`` lets the request pass). ``spot``: where a session is looked up.

    ``remember``: whether sessions keep anything. ``flip_switch``: whether the default of the stream switch is the wrong one.
    ``early``: how many requests too soon a limit is reached. ``demand``: what is refused whatever the request says.
    ``expire``: whether the session that the request names has just expired.
    """

    refuse: Callable[[Refusal], Refusal | None] = _refuse
    spot: Callable[[Spot], Spot] = _spot
    remember: bool = True
    flip_switch: bool = False
    early: int = 0
    demand: Refusal | None = None
    expire: bool = False
