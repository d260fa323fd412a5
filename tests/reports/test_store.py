"""Files are whole or not there; what cannot be written leaves what was there before."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from chatproof.reports.store import hindrance, store


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    store(tmp_path / "a" / "b.txt", "é\n")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "é\n".encode()
    assert os.listdir(tmp_path / "a") == ["b.txt"]


def test_what_fails_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    store(path, "old")
    with pytest.raises(UnicodeEncodeError):
        store(path, "new" * 100_000 + "\ud800")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["r.json"]


def test_a_file_keeps_its_mode_and_a_link_its_place(tmp_path: Path) -> None:
    real = tmp_path / "real"
    store(real, "1")
    real.chmod(0o600)
    (tmp_path / "link").symlink_to(real)
    store(tmp_path / "link", "2")
    assert (tmp_path / "link").is_symlink()
    assert real.read_text() == "2"
    assert real.stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_as_it_stands(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    store(tmp_path / "pipe", "through")
    reader.join()
    assert read == ["through"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_an_error() -> None:
    with pytest.raises(OSError, match="No space left"):
        store(Path("/dev/full"), "x")


def test_what_is_in_the_way_is_seen_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert hindrance(tmp_path) == "is a folder"
    assert hindrance(tmp_path / "file" / "x.json") == f"{tmp_path / 'file'} is no folder"
    assert hindrance(tmp_path / "file") is None
    assert hindrance(tmp_path / "new" / "deep" / "x.json") is None
    assert os.listdir(tmp_path) == ["file"]
