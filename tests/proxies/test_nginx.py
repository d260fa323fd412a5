"""The judge through a real nginx: silent where it passes everything on, and precise about what it takes away where it does not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chatproof.conformance import run
from chatproof.conformance.run import Options, Run
from chatproof.simulator.app import running
from chatproof.spec import Dialect, dialect, names, requirements

from ..laws.memory import SEED, broken, full_profile
from ..laws.test_silence import NEVER_SEEN, NOT_IN_A_MOMENT
from . import nginx

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(nginx.found() is None, reason="nginx is not installed"),
]

GZIP = "gzip on; gzip_types text/event-stream application/json; gzip_min_length 1; gzip_proxied any;"
DEAF = "proxy_ignore_headers X-Accel-Buffering;"
"""As if the backend did not ask not to be buffered, which the simulator does."""
KEPT = "proxy_http_version 1.1; proxy_set_header Connection '';"
"""Else nginx speaks HTTP/1.0 to what is behind it, a connection for each request."""
COMPRESSING = f"{KEPT} proxy_set_header Accept-Encoding gzip; proxy_buffering off;"
"""Asks the server behind for gzip whatever the client accepts, and passes on what comes."""

TRANSPARENT = {
    "defaults, and gzip for whoever accepts it": GZIP,
    "no buffers, no gzip": "proxy_buffering off; gzip off;",
    "no buffers whatever the backend wishes, kept connections": f"{KEPT} {DEAF} proxy_buffering off;",
    "bodies that end with their connection": "chunked_transfer_encoding off; keepalive_timeout 0;",
}
"""Directives under which a client loses nothing. The body of megabytes that is refused here, by nginx itself, may be (AMB-20)."""
LEFT_OPEN = {"bodies that end with their connection": {"http/keep-alive"}}

BUFFERED = {"stream/progressive"}
HELD = {"limits/free-concurrent", "limits/slot-returns", "limits/slot-after-disconnect"}
"""Nobody can hold a stream open that comes all at once, so these stay undecided and are not failed."""
CODED = {"http/content-coding"}


def _of_proxies(one: Dialect) -> tuple[str, ...]:
    """All requirements but those that spend a large plan or wait for a window: minutes, in which a proxy is no matter."""
    waits = ("renewal.", "quota.second_plan")
    return tuple(row.id for row in requirements(one) if not (row.check or "").startswith(waits))


OF_PROXIES = {name: _of_proxies(dialect(name)) for name in names()}


def judged(outer: str, inner: str | None = None) -> list[Run]:
    """All dialects verified at once through one nginx."""

    def judge(one: Dialect) -> Run:
        url = server.url(one.name).replace(server.base_url, front)
        return run.verify(full_profile(one, url), one, Options(seed=SEED, select=OF_PROXIES[one.name]))

    with running() as server, nginx.before(server.base_url, outer, inner) as front, ThreadPoolExecutor() as pool:
        return list(pool.map(judge, map(dialect, names())))


def with_outcome(finished: Run, *outcomes: str) -> set[str]:
    return {row.requirement.id for row in finished.judged if row.outcome in outcomes}


def known(finished: Run) -> set[str]:
    return {row.requirement.id for row in finished.judged}


@pytest.mark.parametrize("name", TRANSPARENT)
def test_a_transparent_proxy_is_not_accused(name: str) -> None:
    for finished in judged(TRANSPARENT[name]):
        assert broken(finished) == {}
        undecided = with_outcome(finished, "error", "inconclusive", "skipped", "not_verified")
        assert undecided - NEVER_SEEN - NOT_IN_A_MOMENT == LEFT_OPEN.get(name, set())
        assert finished.verdict == "conformant"


def test_a_proxy_that_buffers_takes_away_progress_and_nothing_else() -> None:
    """nginx as it is installed, before a backend that does not ask for more; gzip is no matter, since nobody accepts it."""
    for finished in judged(DEAF + GZIP):
        assert set(broken(finished)) == BUFFERED
        assert with_outcome(finished, "error", "inconclusive") == HELD & known(finished)


def test_a_proxy_that_compresses_unasked_is_told_so_and_read_all_the_same() -> None:
    """Every other requirement is judged on the decoded content, and each event still arrives when it is made."""
    for finished in judged(COMPRESSING, GZIP):
        assert set(broken(finished)) == CODED
        assert with_outcome(finished, "error", "inconclusive") == set()


def test_a_proxy_that_compresses_and_buffers_is_told_both() -> None:
    for finished in judged(f"{COMPRESSING} {DEAF}", f"{GZIP} {DEAF}"):
        assert set(broken(finished)) == CODED | BUFFERED
