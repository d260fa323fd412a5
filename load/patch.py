"""Makes the standard library cooperative, as Locust wants it. Called before anything imports ``ssl``, so first of all."""

from __future__ import annotations

import gc
from importlib.util import find_spec

GC_THRESHOLDS = (20_000, 50, 100)


def patch() -> None:
    """Patch sockets, threads and clocks for gevent; ``ModuleNotFoundError`` where Locust is not installed. Ctrl-C is no error that gevent has to print.

    Locust itself is imported later, by those who need it: it takes most of a second, and a mistake should be told at once.
    """
    if find_spec("locust") is None:
        raise ModuleNotFoundError("locust")
    from gevent import hub, monkey

    monkey.patch_all()
    hub.Hub.NOT_ERROR = (*hub.Hub.NOT_ERROR, KeyboardInterrupt)


def calm() -> None:
    """Before a run: what is loaded by now stays. A collector that walks it again and again would stop every turn under way."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
