"""The examples for CI servers are run: each step as the shell script that it is, against a good server and a broken one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from chatproof.cli import cli
from chatproof.reports.write import load
from chatproof.simulator.app import running

EXAMPLES = Path(__file__).parents[1] / "ci" / "examples"
ACTION: dict[str, Any] = yaml.safe_load((EXAMPLES / "github" / "action.yml").read_text("utf-8"))
WORKFLOW: dict[str, Any] = yaml.safe_load((EXAMPLES / "github" / "workflow.yml").read_text("utf-8"))
GITLAB: dict[str, Any] = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text("utf-8"))["chatproof"]
STEPS = [step for step in ACTION["runs"]["steps"] if "run" in step]


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    with running(["slug"]) as good, running(["slug"], fault="reply-without-text") as bad:
        yield {"good": good.url("slug"), "bad": bad.url("slug")}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with ``chatproof`` on its path, as a job finds it installed."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "chatproof"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m chatproof "$@"\n')
    command.chmod(0o755)
    return tmp_path


def shell(script: str, here: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """A step as GitHub runs it."""
    path = f"{here / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=here,
        env={**os.environ, "PATH": path, "CHATPROOF_API_KEY": "key-valid", **env},
        capture_output=True,
        text=True,
        check=False,
    )


def filled(value: str, words: Mapping[str, str]) -> str:
    """An expression such as ``${{ inputs.url }}``, looked up."""
    return re.sub(r"\$\{\{ (\S+) \}\}", lambda match: words[match[1]], value)


def act(here: Path, inputs: Mapping[str, str]) -> tuple[int, str]:
    """The action's own steps one after another, expressions filled in: how the last ended, and all that was printed."""
    given = {name: spec.get("default", "") for name, spec in ACTION["inputs"].items()} | dict(inputs)
    files = {name: str(here / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    code, printed = 0, ""
    for step in STEPS:
        told = Path(files["GITHUB_OUTPUT"])
        words = {f"inputs.{name}": value for name, value in given.items()}
        words |= {
            f"steps.verify.outputs.{k}": v
            for k, v in re.findall(r"(\w+)=(.*)", told.read_text() if told.exists() else "")
        }
        env = {name: filled(value, words) for name, value in step.get("env", {}).items()}
        done = shell(step["run"], here, **env, **files)
        assert done.returncode == 0 or step["name"] == "Verdict", f"{step['name']}\n{done.stdout}{done.stderr}"
        code, printed = done.returncode, printed + done.stdout + done.stderr
    return code, printed


def asked(url: str, **more: str) -> dict[str, str]:
    return {"url": url, "dialect": "slug", "agent": "default", "select": "reply/*", **more}


@pytest.mark.slow
def test_the_action_ends_as_the_verdict_is_and_says_what_changed(urls: dict[str, str], here: Path) -> None:
    code, printed = act(here, asked(urls["good"], out="before"))
    assert (code, printed.splitlines()[-1]) == (0, "kept")
    code, printed = act(here, asked(urls["bad"], previous="before/result.json"))
    summary = (here / "GITHUB_STEP_SUMMARY").read_text()
    assert code == 1
    assert "Newly broken" in printed
    assert "::error::chatproof: broken" in printed
    assert summary.startswith("# ✓ chatproof: conformant")
    assert "## Newly broken" in summary
    assert "key-valid" not in printed + summary
    assert load(here / "chatproof-report" / "result.json")["verdict"] == "nonconformant"
    assert (here / "chatproof-report" / "result.sarif").exists()


@pytest.mark.slow
def test_an_incomplete_run_is_no_success(here: Path) -> None:
    code, printed = act(here, asked("http://127.0.0.1:1"))
    assert code == 3
    assert "::error::chatproof: incomplete" in printed


def test_no_input_is_pasted_into_a_script() -> None:
    """What a pull request could put into an input must stay a value: expressions stand in ``env`` alone."""
    assert [step["name"] for step in STEPS if "${{" in step["run"]] == []


def test_the_workflow_gives_the_action_what_it_takes() -> None:
    (use,) = [step for step in WORKFLOW["jobs"]["conformance"]["steps"] if "chatproof" in step["uses"]]
    required = {name for name, spec in ACTION["inputs"].items() if spec.get("required")}
    assert required <= set(use["with"]) <= set(ACTION["inputs"])


@pytest.mark.slow
def test_the_gitlab_job_ends_as_the_verdict_is(urls: dict[str, str], here: Path) -> None:
    given = {"URL": urls["bad"], "DIALECT": "slug", "AGENT": "default", "SELECT": "reply/*"}
    done = shell("\n".join(GITLAB["script"]), here, **{**GITLAB["variables"], **given})
    assert done.returncode == 1, done.stdout + done.stderr
    assert (here / GITLAB["artifacts"]["reports"]["junit"]).exists()


def test_every_option_of_the_examples_exists() -> None:
    known = {flag for command in cli.commands.values() for option in command.params for flag in option.opts}
    scripts = "\n".join([*(step["run"] for step in STEPS if step["name"] != "Install"), GITLAB["script"][1]])
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", scripts)) <= known
