"""The catalogue with all that is known of each fault: what it does, what a good client does, which requirements notice it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from ..spec.files import read_trusted
from .fault import Fault

ASSETS = Path(__file__).parent / "assets"
WORDS = ASSETS / "faults.yaml"
KILLS = ASSETS / "kills.json"
"""Fault -> ``stopped``, and ``requirements``: dialect -> ids; written by ``python -m tests.laws.kill_matrix --write`` from what it pins."""
SCHEMA = Path(__file__).parent / "schema" / "faults.schema.json"


@cache
def words() -> dict[str, dict[str, str]]:
    """Fault -> ``does``, ``client``, and perhaps ``see`` and ``gone``."""
    data: dict[str, dict[str, str]] = read_trusted(WORDS)
    return data


@cache
def kills() -> dict[str, dict[str, Any]]:
    """Fault -> what the judge says while it is in force for every request: the ``requirements`` that fail or warn, by dialect,
    and whether it is ``stopped``, since nothing can be judged.
    """
    data: dict[str, dict[str, Any]] = json.loads(KILLS.read_text("utf-8"))
    return data


def listing(fault: Fault) -> dict[str, Any]:
    """One fault as plain data, by ``faults.schema.json``."""
    return {
        "fault": fault.name,
        "layer": fault.on,
        "kind": fault.kind,
        "legal": fault.legal,
        "breaks": list(fault.breaks),
        "does": words()[fault.name]["does"],
        "client": words()[fault.name]["client"],
        "parameters": [
            {
                "name": one.name,
                "default": one.default,
                "unit": one.unit or None,
                "expects": one.wanted,
                "says": one.says,
                "choices": list(one.choices) or None,
            }
            for one in fault.parameters
        ],
        **kills().get(fault.name, {"stopped": False, "requirements": {}}),
    }
