"""The alarm of the open dispatcher: never early, woken by the end of the run, and the hub's own timer where the system has none."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import gevent
import pytest
from gevent.event import Event

from chatproof.load import alarm as alarm_module
from chatproof.load.alarm import Alarm

HOUR_NS = 3_600 * 10**9


@pytest.fixture(params=["a file", "the hub's timer"])
def stopping(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    if request.param != "a file":
        monkeypatch.setattr(alarm_module, "LIBC", None)
    with gevent.Timeout(10):
        yield Event()


def test_it_wakes_no_sooner_than_asked_again_and_again(stopping: Event) -> None:
    with Alarm(stopping) as alarm:
        for wait_ns in (3_000_000, 1_000_000, 2_500_000):
            at_ns = time.monotonic_ns() + wait_ns
            alarm.wait_until(at_ns)
            assert time.monotonic_ns() >= at_ns


def test_a_moment_that_is_over_is_no_wait(stopping: Event) -> None:
    with Alarm(stopping) as alarm:
        alarm.wait_until(time.monotonic_ns() - 1)
        alarm.wait_until(-1)


def test_others_go_on_meanwhile(stopping: Event) -> None:
    done: list[int] = []
    gevent.spawn(done.append, 1)
    with Alarm(stopping) as alarm:
        alarm.wait_until(time.monotonic_ns() + 2_000_000)
    assert done == [1]


def test_the_end_of_the_run_wakes_it_and_it_sleeps_no_more(stopping: Event) -> None:
    with Alarm(stopping) as alarm:
        gevent.spawn(stopping.set)
        alarm.wait_until(time.monotonic_ns() + HOUR_NS)
        assert stopping.is_set()
        alarm.wait_until(time.monotonic_ns() + HOUR_NS)


def test_an_end_that_came_before_it_is_heard(stopping: Event) -> None:
    stopping.set()
    with Alarm(stopping) as alarm:
        alarm.wait_until(time.monotonic_ns() + HOUR_NS)


def test_its_file_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []
    monkeypatch.setattr(os, "close", closed.append)
    with Alarm(Event()) as alarm:
        opened = alarm._file
    monkeypatch.undo()
    assert closed == ([opened] if opened >= 0 else [])
    os.close(opened)
