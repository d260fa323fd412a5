"""The checks, one file a family. Importing this package fills ``CHECKS``."""

from __future__ import annotations

from . import (  # noqa: F401  (each registers its checks when it is imported)
    auth,
    compat,
    contract,
    errors,
    framing,
    http,
    json,
    keys,
    limits,
    quota,
    refusal,
    renewal,
    reply,
    request,
    session,
    stream,
    switch,
    tools,
    turns,
    usage,
)
