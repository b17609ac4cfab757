"""Files are there whole or not at all, and a fault names the file that was asked for."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path

import pytest

from ctdhub.core import files
from ctdhub.core.files import made_whole, write_whole


def test_a_file_and_a_folder_take_their_place(tmp_path: Path) -> None:
    for content in ("one", "two"):
        with made_whole(tmp_path / "file") as fresh:
            fresh.write_text(content, "utf-8")
        assert (tmp_path / "file").read_text("utf-8") == content
    with made_whole(tmp_path / "folder") as fresh:
        fresh.mkdir()
        (fresh / "inner").touch()
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "folder", "inner"]


def _broken_off(path: Path, content: str) -> None:
    with made_whole(path) as fresh:
        (fresh / content).mkdir(parents=True)
        (fresh / "file").touch()
        raise KeyboardInterrupt


def test_half_a_folder_is_not_left(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        _broken_off(tmp_path / "folder", "inner")
    assert not list(tmp_path.iterdir())


def _written_whole(path: Path) -> None:
    with made_whole(path) as fresh:
        fresh.write_bytes(b"whole")


@pytest.mark.parametrize("write", [_written_whole, lambda path: write_whole(path, b"whole")])
@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("no/file", FileNotFoundError),
        ("taken/file", NotADirectoryError),
        ("folder", IsADirectoryError),
    ],
)
def test_a_fault_names_what_was_asked_for(tmp_path: Path, write, place: str, fault) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "taken").touch()
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    with pytest.raises(fault) as caught:
        write(tmp_path / place)
    assert caught.value.filename == str(tmp_path / place)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["folder", "inner", "taken"]


def test_a_fault_of_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, made_whole(tmp_path / "file"):
        (tmp_path / "other").read_bytes()
    assert caught.value.filename == str(tmp_path / "other")


def test_a_system_without_fchmod_and_open_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows: no ``fchmod``, a folder cannot be opened, a read-only file cannot be synced."""
    opened = os.open

    def open_as_windows(path: Path, flags: int, *mode: int) -> int:
        if Path(path).is_dir() or (flags & os.O_RDWR and not Path(path).stat().st_mode & 0o200):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, flags, *mode)

    monkeypatch.delattr(os, "fchmod")
    monkeypatch.setattr(os, "open", open_as_windows)
    monkeypatch.setattr(os, "access", lambda path, _: bool(path.stat().st_mode & 0o200))
    monkeypatch.setattr(files, "_OPENS_FOLDERS", False)
    write_whole(tmp_path / "file", b"whole", mode=0o640)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    (tmp_path / "file").chmod(0o444)
    files.sync(tmp_path / "file")
    files.sync(tmp_path)


def test_read_only_files_are_made_writable_before_they_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, kept = tmp_path / "bundle", tmp_path / "kept"
    (bundle / "inner").mkdir(parents=True)
    kept.touch(0o444)
    (bundle / "inner" / "link").symlink_to(kept)
    for name in ("a", "inner/b"):
        (bundle / name).touch()
        (bundle / name).chmod(0o444)
    modes: list[int] = []

    def rmtree(folder: Path) -> None:
        modes.extend(p.lstat().st_mode & 0o200 for p in folder.rglob("*") if not p.is_symlink())

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", rmtree)
        files.remove(bundle)
    assert modes == [0o200] * 3
    files.remove(bundle)
    assert not bundle.exists()
    assert kept.stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize("umask", [0, 0o077])
def test_a_file_is_for_its_owner_alone_unless_told_otherwise(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        files.write_new(tmp_path / "new", b"1")
        files.write_whole(tmp_path / "whole", b"1")
        files.write_whole(tmp_path / "for all", b"1", 0o644)
        files.take(tmp_path / "room", 1)
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
    assert modes.pop("for all") == 0o644
    assert modes == {"new": 0o600, "whole": 0o600, "room": 0o600 & ~umask}
