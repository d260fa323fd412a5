"""The noun of a fault: one way in which an answer can be bent, whether the standards allow it or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .parameter import Parameter
from .plan import Layer

if TYPE_CHECKING:
    from .refusals import Case

LayerName = Literal["decision", "events", "encoding", "framing", "transport"]
Kind = Literal["legal", "occasional", "violation"]
"""``legal``: a correct server may always answer so. ``occasional``: it may, now and then. ``violation``: no correct server does."""


@dataclass(frozen=True)
class Given:
    """What a layer may be made of: the fault's parameters, the request, and chance.

    ``number``: how many requests the fault was aimed at, this one included. ``draw``: a number in [0, 1) for each number it is
    given, the same for the same seed, fault and request.
    """

    values: Mapping[str, Any]
    case: Case
    number: int
    draw: Callable[[int], float]


@dataclass(frozen=True)
class Fault:
    """One thing a backend can be made to do. ``breaks``: what a client can no longer rely on, in plain words.

    ``layer``: how it is done, unless it depends on parameters or on the request; then ``make`` says how. ``ahead``: the parameter and
    the value of it with which it bends what comes before an answer.
    """

    name: str
    on: LayerName
    breaks: tuple[str, ...]
    layer: Layer = field(default_factory=Layer)
    kind: Kind = "violation"
    parameters: tuple[Parameter, ...] = ()
    make: Callable[[Given], Layer] | None = None
    ahead: tuple[str, Any] | None = None

    @property
    def legal(self) -> bool:
        return self.kind != "violation"

    def decides_first(self, values: Mapping[str, Any]) -> bool:
        """Whether it must be known before an agent answers, so that no rule of a script can name it. ``values``: of its parameters."""
        if self.ahead is not None:
            return bool(values[self.ahead[0]] == self.ahead[1])
        return self.make is None and self.layer.rules is not None
