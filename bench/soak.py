"""A day of use in miniature: does memory stay flat? Prints what a backend holds after each tenth of the requests.

uv run python -m bench.soak [REQUESTS] [--socket N] [--forget]

The backend is asked in this process, under a frozen clock that moves on a second with each request, with its journal on: every
dialect, JSON and streams, many keys and agents, sessions new and known, keys that are made, and refusals of every kind. Of a million
requests the first half brings as many sessions as are kept, and memory is to be flat from then on.
``--socket``: how many further requests go over one connection after another. ``--forget``: sessions are forgotten at each step, which
shows what else grows.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import socket
import time
from collections.abc import Iterator

from chatproof.simulator.app import running
from chatproof.simulator.backend import Backend
from chatproof.simulator.journal import Journal
from chatproof.simulator.request import HttpRequest
from chatproof.simulator.scopes import RESETS, Scope
from chatproof.spec import FrozenClock, dialect, names
from chatproof.spec.clock import FROZEN_AT

STEPS, AFTER = 10, 6
STEP_S = 1.0
POOL = 500
"""So many sessions are in use at a time; after ``SPAN`` requests there are others."""
SPAN = 50_000
PAGE = os.sysconf("SC_PAGE_SIZE")
KEYS = (
    "key-valid",
    "key-limited",
    "key-brief",
    "key-daily",
    "key-metered",
    "key-other-customer",
    "key-broke",
    "no-such-key",
)
AGENTS = ("echo", "memory", "tools", "failing", "unicode", "nobody")


def requests() -> Iterator[HttpRequest]:
    """One after the other, for ever; the same each time."""
    chats = [(one, one.operation("switched", "stream", "json")) for one in map(dialect, names())]
    number = 0
    while True:
        number += 1
        api, operation = chats[number % len(chats)]
        assert operation is not None
        key, agent = KEYS[number % len(KEYS)], AGENTS[number // 7 % len(AGENTS)]
        roles = {"agent": agent, "message": f"message number {number}", "stream": number % 3 == 0}
        if number % 4 == 0:
            roles["session"] = f"s-{number // SPAN}-{number % POOL}"
        body = {at[0][1:]: roles[role] for role, at in api.request.chat.items() if role in roles}
        path = operation.path.replace("{agent}", agent)
        if number % 50 == 0:
            body, path, key = {"name": "soak"}, "/agents/echo/api-keys", "key-account"
            api = dialect("rest")
        data = b"{" if number % 97 == 0 else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        yield HttpRequest("POST", api.mount + path, headers, data)


def rss_mib() -> float:
    """The memory that this process has in use, in MiB (Linux)."""
    with open("/proc/self/statm", encoding="ascii") as found:
        return int(found.read().split()[1]) * PAGE / 2**20


def held(backend: Backend) -> str:
    """What a backend knows, in numbers."""
    realms = backend.realms.values()
    return f"{sum(len(realm.sessions) for realm in realms):>9,}  {sum(len(realm.keys) for realm in realms):>7,}"


def in_process(count: int, forget: bool) -> list[float]:
    """Ask so often; the memory at each step."""
    clock, journal = FrozenClock(), Journal()
    backend = Backend([dialect(name) for name in names()])
    asked, steps = requests(), []
    print(
        f"{'requests':>10}  {'RSS MiB':>8}  {'sessions':>9}  {'keys':>7}  {'journal':>7}  {'of it MiB':>9}  {'us each':>7}"
    )
    for step in range(STEPS):
        began = time.perf_counter()
        for _ in range(count // STEPS):
            request, now = next(asked), clock.now()
            entry = journal.begin(request, now, now - FROZEN_AT, known=backend.secrets)
            entry.plan = backend.reply(request, now)
            backend.finished(entry.plan)
            journal.end(entry, now - FROZEN_AT, "kept")
            clock.advance(STEP_S)
        each = (time.perf_counter() - began) / (count // STEPS) * 1e6
        if forget:
            RESETS["sessions"](Scope("", backend, clock), journal)
        gc.collect()
        steps.append(rss_mib())
        kept = f"{len(journal):>7,}  {journal.weight / 2**20:>9.1f}"
        print(
            f"{(step + 1) * (count // STEPS):>10,}  {steps[-1]:>8.1f}  {held(backend)}  {kept}  {each:>7.0f}",
            flush=True,
        )
    return steps


def over_a_socket(count: int) -> None:
    """So many over sockets, each connection used for some and then left."""
    asked = requests()
    with running(clock=FrozenClock()) as server:
        host, _, port = server.base_url.removeprefix("http://").rpartition(":")
        for step in range(STEPS):
            for _ in range(count // STEPS // 10):
                with socket.create_connection((host, int(port)), timeout=10) as sock:
                    for last in (*[False] * 9, True):
                        _exchange(sock, next(asked), last)
            gc.collect()
            print(
                f"{(step + 1) * (count // STEPS):>10,}  {rss_mib():>8.1f}  {held(server.backend)}  over sockets",
                flush=True,
            )


def _exchange(sock: socket.socket, request: HttpRequest, last: bool) -> None:
    lines = [f"POST {request.target} HTTP/1.1", "Host: soak", f"Content-Length: {len(request.body)}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()] + ["Connection: close"] * last
    sock.sendall("\r\n".join([*lines, "", ""]).encode() + request.body)
    got = b""
    while True:
        part = sock.recv(1 << 16)
        got += part
        head, _, body = got.partition(b"\r\n\r\n")
        if b"chunked" in head:
            done = body.endswith(b"0\r\n\r\n")
        else:
            length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
            done = length.isdigit() and len(body) >= int(length)
        if done and not last:
            return
        if not part:
            return


def main() -> None:
    """See the top of this file; the last line compares the end with the middle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requests", nargs="?", type=int, default=100_000)
    parser.add_argument("--socket", type=int, default=0)
    parser.add_argument("--forget", action="store_true")
    given = parser.parse_args()
    if given.requests < STEPS or given.socket < 0:
        parser.error(f"expected at least {STEPS} requests, and no negative number")
    steps = in_process(given.requests, given.forget)
    if given.socket:
        over_a_socket(given.socket)
    early, late = steps[AFTER - 1], steps[-1]
    since = given.requests * (STEPS - AFTER) / STEPS
    print(
        f"from {early:.1f} MiB after {AFTER} of {STEPS} parts to {late:.1f} MiB at the end: {(late - early) * 2**20 / since:.1f} bytes a request"
    )


if __name__ == "__main__":
    main()
