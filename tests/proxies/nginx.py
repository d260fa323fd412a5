"""A real nginx in front of a server: started on a free port of the loopback address, in a folder of its own, ended by its process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

CONFIG = Template(Path(__file__).with_name("nginx.conf").read_text("utf-8"))
PLACES = "/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
"""Where it stands on systems that keep it out of an ordinary user's path."""


def found() -> str | None:
    """The program, if it is installed."""
    return shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", ""), PLACES)))


@contextmanager
def before(backend: str, outer: str = "", inner: str | None = None) -> Iterator[str]:
    """The base URL at which nginx passes everything on to ``backend``, for as long as the block lasts.

    ``outer`` are directives of the location that the client meets; with ``inner`` a second nginx with these directives stands
    behind the first. It is handed a socket that listens already, so no port is lost in a race and nobody has to wait.
    """
    program = found()
    if program is None:
        raise FileNotFoundError("nginx is not installed")
    with tempfile.TemporaryDirectory(prefix="nginx-") as prefix, socket.create_server(("127.0.0.1", 0)) as listening:
        port, handle = listening.getsockname()[1], listening.fileno()
        behind = f"http://unix:{prefix}/inner.sock:" if inner is not None else backend
        words = {
            "prefix": prefix,
            "port": port,
            "next": behind,
            "outer": outer,
            "backend": backend,
            "inner": inner or "",
        }
        Path(prefix).chmod(0o755)  # started by root, its worker is somebody else
        config = Path(prefix) / "nginx.conf"
        config.write_text(CONFIG.substitute(words), "utf-8")
        command = [program, "-p", prefix, "-c", str(config), "-e", "stderr"]
        with subprocess.Popen(command, pass_fds=(handle,), env={**os.environ, "NGINX": f"{handle};"}) as process:
            listening.close()
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
