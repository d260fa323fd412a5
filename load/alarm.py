"""Wakes a greenlet when a turn is due, to some tens of microseconds. The hub's own timers keep whole milliseconds, so that every turn of an open
schedule would be sent a millisecond late and its target be blamed for that.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from typing import Any, Self

from gevent import get_hub
from gevent.event import Event

READ = 1
"""What libev calls readable."""
ABSOLUTE = 1
LIBC: Any = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class _Setting(ctypes.Structure):
    """``struct itimerspec``: an interval, which stays zero, and the moment."""

    _fields_ = [(name, ctypes.c_long) for name in ("each_s", "each_ns", "at_s", "at_ns")]


class Alarm:
    """A timer that is a file (Linux, timerfd_create(2)); elsewhere the hub's timer. To be used as a context, by one greenlet at a time."""

    def __init__(self, stopping: Event) -> None:
        self._stopping = stopping
        self._hub: Any = get_hub()
        self._file = -1 if LIBC is None else LIBC.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        if self._file >= 0:
            self._watcher = self._hub.loop.io(self._file, READ)
            self._stopping.rawlink(self._ring)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            self._stopping.unlink(self._ring)
            self._watcher.close()
            os.close(self._file)

    def wait_until(self, at_ns: int) -> None:
        """Return at that time of the monotonic clock, or as soon as the run stops."""
        if self._file < 0:
            while (left_ns := at_ns - time.monotonic_ns()) > 0 and not self._stopping.wait(left_ns / 1e9):
                pass
        elif not self._stopping.is_set():
            self._set(at_ns)
            self._hub.wait(self._watcher)

    def _ring(self, _: Event) -> None:
        self._set(1)

    def _set(self, at_ns: int) -> None:
        """Setting it anew also forgets that it has rung."""
        setting = _Setting(0, 0, *divmod(max(at_ns, 1), 1_000_000_000))
        if LIBC.timerfd_settime(self._file, ABSOLUTE, ctypes.byref(setting), None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")
