"""The pacer with a transport whose buffer the test holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from chatproof.simulator.pacer import AT_A_REQUEST, HIGH_WATER, TICK_S, Pacer
from chatproof.simulator.plan import Plan, Write
from chatproof.spec import Clock, FrozenClock, ScaledClock


@dataclass
class FakeTransport:
    """Keeps what is written; ``waiting`` bytes have not left yet."""

    written: list[bytes] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    waiting: int = 0
    most: int = 0
    slow: bool = False
    closing: bool = False
    aborted: bool = False

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self.at.append(asyncio.get_running_loop().time())
        self.waiting += len(data) if self.slow else 0
        self.most = max(self.most, self.waiting)

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return self.closing

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == 0

    def get_extra_info(self, _name: str) -> None:
        return None

    def abort(self) -> None:
        self.aborted = True

    async def drain(self) -> None:
        await asyncio.sleep(0)
        self.waiting = 0


def _play(plan: Plan, transport: FakeTransport, clock: Clock | None = None) -> None:
    async def main() -> None:
        pacer = Pacer(asyncio.get_running_loop(), clock or FrozenClock())
        await pacer.carry_out(plan, cast(Any, transport), transport.drain)

    asyncio.run(main())


def _plan(*dues: float, size: int = 1, end: Any = "keep-alive") -> Plan:
    return Plan(tuple(Write(due, b"%d" % (number % 10) * size) for number, due in enumerate(dues)), end)


def test_writes_are_in_order_and_not_joined() -> None:
    transport = FakeTransport()
    _play(_plan(0, 0, 5, 60), transport)
    assert transport.written == [b"0", b"1", b"2", b"3"]


def test_a_write_is_never_early_and_times_are_absolute() -> None:
    transport = FakeTransport()
    _play(_plan(0, 1, 2, 3, 4), transport, ScaledClock(100))
    gaps = [at - transport.at[0] for at in transport.at]
    assert all(gap >= number * 0.01 - 0.001 for number, gap in enumerate(gaps))


def test_many_streams_share_one_timer() -> None:
    transports = [FakeTransport() for _ in range(50)]

    async def main() -> None:
        pacer = Pacer(asyncio.get_running_loop(), ScaledClock(1000))
        plans = [_plan(*(step + number / 100 for step in range(5))) for number in range(50)]
        await asyncio.gather(
            *(pacer.carry_out(p, cast(Any, t), t.drain) for p, t in zip(plans, transports, strict=True))
        )

    asyncio.run(main())
    assert all(len(transport.written) == 5 for transport in transports)


@pytest.mark.parametrize("dues", [[0.0] * 400, [n / 1000 for n in range(400)]], ids=["burst", "paced"])
def test_a_reader_that_does_not_read_is_bounded(dues: list[float]) -> None:
    transport = FakeTransport(slow=True)
    _play(_plan(*dues, size=1000), transport, ScaledClock(1000))
    assert len(transport.written) == 400
    assert HIGH_WATER < transport.most <= HIGH_WATER + 1000


@pytest.mark.parametrize("dues", [[0.0], [0.0, 1.0]])
def test_a_client_that_has_gone_is_noticed(dues: list[float]) -> None:
    with pytest.raises(ConnectionResetError):
        _play(_plan(*dues), FakeTransport(closing=True), ScaledClock(1000))


def test_a_reset_is_after_the_last_byte_has_left() -> None:
    transport = FakeTransport(slow=True)
    _play(_plan(0, 0, end="reset"), transport)
    assert transport.aborted
    assert transport.waiting == 0


def test_a_stream_of_many_writes_lets_others_have_their_turn() -> None:
    long, short = FakeTransport(), FakeTransport()
    seen: list[int] = []

    async def main() -> None:
        pacer = Pacer(asyncio.get_running_loop(), FrozenClock())

        async def play(plan: Plan, transport: FakeTransport) -> None:
            await pacer.carry_out(plan, cast(Any, transport), transport.drain)
            seen.append(len(long.written))

        many = Plan(tuple(Write(0.0, b"x") for _ in range(5000)), "close")
        await asyncio.gather(play(many, long), play(Plan((Write(0.0, b"y"),), "close"), short))

    asyncio.run(main())
    assert len(long.written) == 5000
    assert seen[0] < 5000, "the short one was over before the long one"


def test_an_event_loop_whose_handles_do_not_say_when() -> None:
    """uvloop gives a plain handle for a time that is past by now, and many streams at once make such times."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_at = lambda _when, call, *more: loop.call_soon(call, *more)  # type: ignore[method-assign,assignment]
        pacer = Pacer(loop, ScaledClock(1000))
        transports = [FakeTransport() for _ in range(3)]
        await asyncio.gather(
            *(pacer.carry_out(_plan(2, 3 - n), cast(Any, t), t.drain) for n, t in enumerate(transports))
        )
        assert [len(transport.written) for transport in transports] == [2, 2, 2]

    asyncio.run(main())


def test_streams_under_way_are_served_between_requests_and_only_some_at_a_time() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        pacer = Pacer(loop, ScaledClock())
        transports = [FakeTransport() for _ in range(AT_A_REQUEST + 10)]
        tasks = [loop.create_task(pacer.carry_out(_plan(0, 3600), cast(Any, t), t.drain)) for t in transports]
        await asyncio.sleep(0)

        def over() -> int:
            return sum(len(transport.written) == 2 for transport in transports)

        pacer.keep_time(loop.time())
        assert over() == 0, "nothing is due yet"
        pacer.keep_time(loop.time() + 3601)
        assert over() == AT_A_REQUEST
        pacer.keep_time(loop.time() + 3601)
        assert over() == len(transports)
        await asyncio.gather(*tasks)

    asyncio.run(main())


class StillLoop:
    """Time stands still; what is to be called then is kept."""

    def __init__(self) -> None:
        self.now = 100.0
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def create_future(self) -> asyncio.Future[None]:
        return asyncio.Future(loop=asyncio.get_running_loop())

    def call_at(self, when: float, call: Callable[[], None]) -> asyncio.Handle:
        self.calls.append((when, call))
        return asyncio.get_running_loop().call_later(3600, call)


def _still(dues: tuple[float, ...], then: Callable[[Pacer, StillLoop, FakeTransport], None]) -> None:
    async def main() -> None:
        loop, transport = StillLoop(), FakeTransport()
        pacer = Pacer(cast(Any, loop), ScaledClock())
        task = asyncio.create_task(pacer.carry_out(_plan(*dues), cast(Any, transport), transport.drain))
        await asyncio.sleep(0)
        then(pacer, loop, transport)
        task.cancel()

    asyncio.run(main())


def test_no_wait_is_shorter_than_a_loop_waits() -> None:
    """For less uvloop does not wait at all: it would look again and again until it is time."""

    def then(_: Pacer, loop: StillLoop, transport: FakeTransport) -> None:
        (when, call), *others = loop.calls
        assert (when, others) == (100.0 + TICK_S, [])
        loop.now = when
        call()
        assert transport.written == [b"0", b"1", b"2"]
        assert loop.calls[1][0] == 105.0

    _still((0, 0.0002, 0.0009, 5), then)


def test_what_is_behind_is_not_waited_for() -> None:
    def then(pacer: Pacer, loop: StillLoop, transport: FakeTransport) -> None:
        loop.now = 200.0
        loop.calls.pop()[1]()
        assert len(transport.written) == 1001
        assert [when for when, _ in loop.calls] == [pytest.approx(102.0)]

    _still((0, *(1 + number / 1000 for number in range(1010))), then)


def test_what_a_sum_of_times_is_wrong_by_is_not_waited_for() -> None:
    def then(pacer: Pacer, loop: StillLoop, transport: FakeTransport) -> None:
        pacer.keep_time(100.3 - 1e-9)
        assert transport.written == [b"0", b"1"]

    _still((0, 0.3), then)
