"""The turns of several workers become one file, in the order in which they ended; a disk that is full loses none of the parts."""

from __future__ import annotations

import json
from pathlib import Path

from chatproof.load.turn_file import forget, join


def written(path: Path, times: list[float], rest: str = "") -> None:
    path.write_text("".join(json.dumps({"turn": 1, "at_s": at}) + "\n" for at in times) + rest)


def test_parts_are_joined_by_time_and_removed_and_half_a_line_is_left_out(tmp_path: Path) -> None:
    whole = tmp_path / "turns.jsonl"
    written(tmp_path / "turns.jsonl.0", [0.1, 0.4, 10.0])
    written(tmp_path / "turns.jsonl.2", [0.2, 2.0], '{"turn": 9, "at')
    assert join(str(whole), 3) == ""
    assert [json.loads(line)["at_s"] for line in whole.read_text().splitlines()] == [0.1, 0.2, 0.4, 2.0, 10.0]
    assert list(tmp_path.iterdir()) == [whole]


def test_what_cannot_be_written_is_told_and_the_parts_stay(tmp_path: Path) -> None:
    (tmp_path / "turns").mkdir()
    written(tmp_path / "turns.0", [0.1])
    written(tmp_path / "turns.1", [0.2])
    told = join(str(tmp_path / "turns"), 2)
    assert "cannot be written" in told
    assert "turns.0" in told
    assert (tmp_path / "turns.1").exists()


def test_parts_of_an_earlier_run_are_not_mistaken_for_this_one_s(tmp_path: Path) -> None:
    written(tmp_path / "turns.1", [0.2])
    forget(str(tmp_path / "turns"), 2)
    assert list(tmp_path.iterdir()) == []
