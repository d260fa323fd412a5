"""Runs pytest in a project that uses the plugin; modules that ask for it name ``pytester`` among their plugins."""

from __future__ import annotations

import pytest

from .plugged import PLUGIN, Run


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest as a project would that has this plugin and no other, on the dialect ``guide``."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("CHATPROOF_API_KEY", raising=False)

    def run(url: str, *words: str, key: str = "key-valid") -> pytest.RunResult:
        target = ("--chatproof-url", url, "--chatproof-dialect", "guide", "--chatproof-agent", "default")
        return pytester.runpytest_subprocess("-p", PLUGIN, *target, "--chatproof-api-key", key, *words)

    return run
