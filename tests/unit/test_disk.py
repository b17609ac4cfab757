"""Files are there whole or not at all, and a fault names the file that was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctdhub.disk import made_whole, write_whole


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
