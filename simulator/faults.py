"""Faults by name: what a backend can get wrong, on each of the five layers on the way to the wire."""

from __future__ import annotations

from . import faults_bytes, faults_decision, faults_events
from .fault import Fault

FAULTS: dict[str, Fault] = {
    fault.name: fault for fault in (*faults_decision.FAULTS, *faults_events.FAULTS, *faults_bytes.FAULTS)
}
