"""chatproof proves chat servers and chat clients. The parts: ``spec``, ``simulator``, ``conformance``, ``reports``."""

from __future__ import annotations

__version__ = "0.1.0"
