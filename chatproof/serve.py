"""``chatproof serve`` and ``chatproof faults``. Nothing is imported here that ``serve`` does not need to accept."""

from __future__ import annotations

import sys
from typing import Any


def main(*, dialects: tuple[str, ...], host: str, port: int, seed: int, clock: str, **more: Any) -> int:
    """See ``chatproof serve --help``; returns the exit code."""
    from .simulator.serve import serve

    return serve(dialects, host, port, seed, clock, **more)


def list_faults() -> None:
    """Each fault and each legal variant on a line."""
    from .simulator.faults import FAULTS
    from .simulator.variants import VARIANTS

    out = sys.stdout
    out.write("Faults: serve --fault NAME breaks one thing\n\n")
    for name, fault in FAULTS.items():
        out.write(f"  {name:<26}  {fault.on:<9}  {'; '.join(fault.breaks)}\n")
    out.write("\nVariants: serve --variant NAME answers in another legal way\n\n")
    for name, variant in VARIANTS.items():
        out.write(f"  {name:<26}  {variant.says}\n")
