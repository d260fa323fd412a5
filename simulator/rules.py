"""The few places where a decision may be bent on purpose. The plain backend bends none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .reply import Refusal
from .request import BODY_LIMIT, TAKEN_LIMIT

Spot = tuple[str, str, str]
"""Whose session it is: the key, the agent, the session's id."""


FELT = ("early", "remember", "flip_switch", "expire")
"""The rules of which only the place that goes by them knows whether they made a difference; it says so to ``Rules.felt``."""


def _refuse(refusal: Refusal) -> Refusal | None:
    return refusal


def _spot(spot: Spot) -> Spot:
    return spot


def _unheard(name: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class Readings:
    """How the open questions of the register are read where that is a decision; plain, they are read as the rulings say.

    ``retry_after``: where a 429 says how long to wait, ``both``, ``body``, ``header`` or ``none`` (AMB-04). ``unknown_session``:
    ``created``, ``404`` or ``replaced`` (AMB-09). ``limits_told_to_all``: also to callers without a key (AMB-11).
    ``done_after_failure`` (AMB-15). ``reset_in``: ``epoch``, ``delta`` or ``milliseconds`` (AMB-16). ``balance_everywhere``: also where
    no document lists a 402 (AMB-18). ``any_order`` of refusals (AMB-19). ``odd_input``: ``refused``, ``taken``, or for ``""`` some so and some
    so (AMB-20). ``window``: one of ``windows.KINDS`` (AMB-21). ``web_headers``: a challenge beside 401, methods beside 405 (AMB-23).
    ``shared_sessions`` of agents (AMB-24). ``second_turn_refused`` while a session's first is under way (AMB-25).
    ``agent_keys_make_keys`` (AMB-26).
    """

    retry_after: str = "both"
    unknown_session: str = "created"
    limits_told_to_all: bool = True
    done_after_failure: bool = False
    reset_in: str = "epoch"
    balance_everywhere: bool = True
    any_order: bool = False
    odd_input: str = ""
    window: str = "fixed"
    web_headers: bool = True
    shared_sessions: bool = False
    second_turn_refused: bool = False
    agent_keys_make_keys: bool = False

    @property
    def body_limit(self) -> int:
        """The largest body taken, in bytes."""
        return TAKEN_LIMIT if self.odd_input == "taken" else BODY_LIMIT


@dataclass(frozen=True)
class Rules:
    """``refuse``: what becomes of a refusal (``None`` lets the request pass). ``spot``: where a session is looked up.

    ``remember``: whether sessions keep anything. ``flip_switch``: whether the default of the stream switch is the wrong one.
    ``early``: how many requests too soon a limit is reached. ``limits``: whether anybody is held to a plan or a balance.
    ``readings``: of the open questions. ``demand``: what is refused whatever the request says.
    ``expire``: whether the session that the request names has just expired. ``felt``: hears the name of a rule in ``FELT`` when
    something came out otherwise by it.
    """

    refuse: Callable[[Refusal], Refusal | None] = _refuse
    spot: Callable[[Spot], Spot] = _spot
    remember: bool = True
    flip_switch: bool = False
    early: int = 0
    limits: bool = True
    readings: Readings = Readings()
    demand: Refusal | None = None
    expire: bool = False
    felt: Callable[[str], None] = _unheard


def plain_rules(readings: Readings, limits: bool) -> Rules:
    """Nothing bent: the open questions read that way."""
    return Rules(spot=_by_caller if readings.shared_sessions else _spot, limits=limits, readings=readings)


def _by_caller(spot: Spot) -> Spot:
    """Whichever agent it is (AMB-24)."""
    return spot[0], "", spot[2]
