"""The catalogue: everything that a backend can be made to do, on each of the five layers on the way to the wire, by name.

``FAULTS`` are tried one by one against the judge (``tests/laws/kills.yaml``), ``VARIANTS`` are legal and against the judge all the
same; whoever puts something in force finds both in ``CATALOGUE``.
"""

from __future__ import annotations

from ..spec import did_you_mean
from . import (
    faults_bytes,
    faults_decision,
    faults_events,
    faults_lines,
    faults_refusals,
    faults_replies,
    faults_times,
    faults_writes,
)
from .fault import Fault
from .variants import VARIANTS

TABLES = (
    faults_decision, faults_refusals, faults_events, faults_replies, faults_bytes, faults_lines, faults_writes, faults_times,
)  # fmt: skip
FAULTS: dict[str, Fault] = {fault.name: fault for table in TABLES for fault in table.FAULTS}
CATALOGUE: dict[str, Fault] = {**FAULTS, **VARIANTS}


def known(name: str) -> Fault:
    """The one of that name; ``ValueError`` with the name that was perhaps meant."""
    if name not in CATALOGUE:
        raise ValueError(f"no fault {name!r}{did_you_mean(name, list(CATALOGUE))}")
    return CATALOGUE[name]
