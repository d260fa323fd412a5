"""What can be told of a fault: a name, a type, bounds; and the values that are taken for it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..spec import did_you_mean

SECONDS = re.compile(r"([0-9.]+)(ms|s)")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
KINDS = {int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True)
class Parameter:
    """``default``: what holds if nothing is told, ``None`` for what ``says`` tells of it. Bounds are included.

    ``unit``: of a number, as ``s`` or ``bytes``. ``choices``: the only words taken. ``header``: text that becomes the value of a header, so
    that it has no control characters (RFC 9110, 5.5).
    """

    name: str
    default: Any
    says: str
    of: type = str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    header: bool = False

    @property
    def wanted(self) -> str:
        """What is taken, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        unit = {"": "", "s": " of seconds"}.get(self.unit, f" of {self.unit}")
        low = "" if self.low is None else f" from {_shown(self.low)}"
        high = "" if self.high is None else f" to {_shown(self.high)}"
        return f"{KINDS[self.of]}{unit}{low}{high}{' without control characters' if self.header else ''}"

    def taken(self, value: Any) -> Any:
        """That value, from text too, as seconds also ``500ms``; ``ValueError`` says what is wanted."""
        if self.choices:
            if str(value) not in self.choices:
                raise self._refused(value, did_you_mean(str(value), list(self.choices)))
            return str(value)
        if self.of is str:
            if not isinstance(value, str) or (self.header and CONTROL.search(value)):
                raise self._refused(value)
            return value
        number = _number(value, self.unit)
        if number is None or (self.of is int and number != int(number)):
            raise self._refused(value)
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise self._refused(value)
        return self.of(number)

    def _refused(self, value: Any, hint: str = "") -> ValueError:
        return ValueError(f"{self.name}: expected {self.wanted}, got {value!r}{hint}")


def taken(fault: str, parameters: Sequence[Parameter], told: Mapping[str, Any]) -> dict[str, Any]:
    """All values of a fault's parameters, defaults where nothing is told; ``ValueError`` for a name or value it does not take."""
    known = [one.name for one in parameters]
    for name in told:
        if name not in known:
            hint = did_you_mean(name, known) or (f"; it takes {', '.join(known)}" if known else "; it takes none")
            raise ValueError(f"{fault!r} takes no parameter {name!r}{hint}")
    return {one.name: one.taken(told[one.name]) if one.name in told else one.default for one in parameters}


def _number(value: Any, unit: str) -> float | None:
    if isinstance(value, str):
        seconds = SECONDS.fullmatch(value) if unit == "s" else None
        try:
            value = float(seconds[1]) * (0.001 if seconds[2] == "ms" else 1.0) if seconds else float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def _shown(bound: float) -> str:
    return f"{int(bound):,}" if bound == int(bound) else f"{bound:g}"
