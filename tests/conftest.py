"""What holds for the whole suite: no test is failed for the time it takes."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("chatproof", deadline=None)
settings.load_profile("chatproof")
