"""chatproof proves chat servers and chat clients. The parts: ``spec``, ``simulator``, ``conformance``, ``reports``.

``from chatproof import Simulator`` is the fake backend inside a test. Each public name is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .simulator.agents import Answer, Turn
    from .simulator.journal import Entry
    from .simulator.library import Simulator
    from .simulator.sim import Sim
    from .spec import Delta, Failure, ToolCall, ToolResult

__version__ = "0.1.0"

NAMES = {
    "Simulator": "simulator.library",
    "Sim": "simulator.sim",
    "Turn": "simulator.agents",
    "Answer": "simulator.agents",
    "Entry": "simulator.journal",
    "Delta": "spec",
    "Failure": "spec",
    "ToolCall": "spec",
    "ToolResult": "spec",
}
"""Public name -> where it lives."""

__all__ = ["Answer", "Delta", "Entry", "Failure", "Sim", "Simulator", "ToolCall", "ToolResult", "Turn", "__version__"]


def __getattr__(name: str) -> Any:
    """The public names, lazily (PEP 562)."""
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{NAMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
