"""How much ``serve`` costs beside a bare aiohttp application: time to accept, and requests a second. Prints ratios.

Run as ``python bench/serve.py [rounds]``. The two servers take turns, so a busy machine harms both alike.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

BATCH, BATCHES = 16, 40
HOST = "127.0.0.1"

PLAIN = """
import sys
from aiohttp import web

async def chat(request):
    asked = await request.json()
    headers = {"X-RateLimit-Limit": "600000", "X-RateLimit-Remaining": "599999", "X-RateLimit-Reset": "1767225660"}
    words = [" " + word for word in ("You said: " + asked["message"]).split()]
    if not asked["stream"]:
        usage = {"input_tokens": 20, "output_tokens": 22, "total_tokens": 42}
        return web.json_response({"response": "".join(words), "session_id": "s", "usage": usage}, headers=headers)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **headers})
    await response.prepare(request)
    for word in words:
        await response.write(b'data: {"type": "token", "content": "%b"}\\n\\n' % word.encode())
    await response.write(b'data: {"type": "done", "session_id": "s", "usage": {"input_tokens": 20, "output_tokens": 22}}\\n\\n')
    await response.write_eof()
    return response

app = web.Application()
app.router.add_post("/guide/chat", chat)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
"""
RUNNER = "import sys; from chatproof.simulator.serve import serve; sys.exit(serve(port=int(sys.argv[1])))"


def ours() -> list[str]:
    """The command line once it can serve, else a runner of one line."""
    asked = subprocess.run(
        [sys.executable, "-m", "chatproof", "serve", "--help"], check=False, capture_output=True, text=True
    )
    if asked.returncode == 0 and "--port" in asked.stdout:
        return [sys.executable, "-m", "chatproof", "serve", "--port"]
    return [sys.executable, "-c", RUNNER]


@contextmanager
def started(command: list[str]) -> Iterator[tuple[int, float]]:
    """The server's port, and the seconds from its start until it accepted."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection((HOST, port)).close()
                break
            except ConnectionRefusedError:
                if process.poll() is not None:
                    raise SystemExit(f"{command} ended with {process.returncode}") from None
                time.sleep(0.002)
        yield port, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


def request(stream: bool) -> bytes:
    message = " ".join(["word"] * 20)
    body = json.dumps({"agent_id": "echo", "message": message, "stream": stream}).encode()
    head = f"POST /guide/chat HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer key-valid\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def rate(port: int, stream: bool) -> float:
    """Responses a second over one connection with ``BATCH`` requests under way, so that the server is never idle."""
    batch, end = request(stream) * BATCH, b"0\r\n\r\n" if stream else b"HTTP/1.1 200 OK"
    with socket.create_connection((HOST, port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.perf_counter()
        for _ in range(BATCHES):
            sock.sendall(batch)
            got = b""
            while got.count(end) < BATCH or not got.endswith((b"}", b"0\r\n\r\n")):
                part = sock.recv(1 << 20)
                if not part:
                    raise SystemExit("the server hung up")
                got += part
        return BATCH * BATCHES / (time.perf_counter() - began)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    commands = {"chatproof": ours(), "plain aiohttp": [sys.executable, "-c", PLAIN]}
    rows: dict[str, dict[str, list[float]]] = {name: {"start": [], "json": [], "sse": []} for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            with started(command) as (port, took):
                rows[name]["start"].append(took)
                rows[name]["json"].append(rate(port, stream=False))
                rows[name]["sse"].append(rate(port, stream=True))
    median = {name: {what: statistics.median(values) for what, values in row.items()} for name, row in rows.items()}
    for name, row in median.items():
        print(
            f"{name:14}  accepts after {row['start'] * 1000:5.0f} ms   json {row['json']:7.0f}/s   sse {row['sse']:7.0f}/s"
        )
    us, them = median.values()
    print(
        f"{'ratio':14}  start {us['start'] / them['start']:.2f}   json {us['json'] / them['json']:.2f}   sse {us['sse'] / them['sse']:.2f}"
    )


if __name__ == "__main__":
    main()
