"""Verify finds every kind of tampering and trusts nothing that the manifest says of paths."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from invented_release import people_rows, protected_answer
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import ReleaseError
from ctdhub.release.bundle import write_release
from ctdhub.release.manifest import Manifest
from ctdhub.release.open import Problem, open_release, open_releases, sha256, sums, verify
from ctdhub.stats.answers import Answers


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("releases")
    return write_release(protected_answer(people_rows(200)), folder, "2026.1", "First.")


@pytest.fixture
def release(pristine: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "2026.1"
    shutil.copytree(pristine, copy)
    for file in copy.iterdir():
        file.chmod(0o644)
    return copy


def rewrite(release: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest and make the list of hashes agree with it."""
    path = release / "manifest.json"
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), "utf-8")
    (release / "SHA256SUMS").write_bytes(sums(release, Manifest.model_validate(content)))


def reseal(release: Path, name: str) -> None:
    """Make manifest and hashes agree with a changed file, as a forger would."""

    def change(content: dict[str, Any]) -> None:
        file = release / name
        content["files"][name] = {"sha256": sha256(file), "bytes": file.stat().st_size}

    rewrite(release, change)


def kinds(problems: list[Problem]) -> set[tuple[str, str]]:
    return {(p.kind, p.file) for p in problems}


def test_whole_release_has_no_faults(release: Path) -> None:
    assert verify(release) == []


def test_one_changed_byte(release: Path) -> None:
    for name in sorted(p.name for p in release.iterdir() if p.name != "manifest.json"):
        file = release / name
        before = file.read_bytes()
        file.write_bytes(bytes([before[0] ^ 1]) + before[1:])
        assert ("changed", name) in kinds(verify(release)), name
        file.write_bytes(before)
    assert verify(release) == []


def test_changed_manifest(release: Path) -> None:
    path = release / "manifest.json"
    text = path.read_text("utf-8")
    assert '"epsilon": 1.0' in text
    path.write_text(text.replace('"epsilon": 1.0', '"epsilon": 0.1'), "utf-8")
    assert kinds(verify(release)) == {("changed", "SHA256SUMS")}
    with pytest.raises(ReleaseError):
        open_release(release)


def test_missing_and_extra_files(release: Path) -> None:
    (release / "README.md").unlink()
    (release / "notes.txt").write_text("x")
    (release / "inner").mkdir()
    found = kinds(verify(release))
    assert found == {("missing", "README.md"), ("extra", "notes.txt"), ("extra", "inner")}


def test_links_are_not_followed(release: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    shutil.move(release / "counts.csv", outside)
    (release / "counts.csv").symlink_to(outside)
    assert kinds(verify(release)) == {("missing", "counts.csv")}


def test_a_link_to_a_release_is_that_release(release: Path, tmp_path: Path) -> None:
    link = tmp_path / "2027.9"
    link.symlink_to(release)
    assert verify(link) == []
    (release / "notes.txt").write_text("x")
    assert kinds(verify(link)) == {("extra", "notes.txt")}


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/hostname", "a/../../b", "sub\\x", "", "..", "\u202ex"]
)
def test_paths_of_the_manifest_are_not_opened(release: Path, name: str) -> None:
    (release.parent / "secret").write_text("secret")

    def change(content: dict[str, Any]) -> None:
        content["files"][name] = {"sha256": "0" * 64, "bytes": 6}

    rewrite(release, change)
    problems = verify(release)
    assert [p.kind for p in problems] == ["unsafe-name"]
    assert "\u202e" not in problems[0].file


def test_damaged_manifest(release: Path) -> None:
    for text in (
        "",
        "{",
        "[]",
        '{"files": {}}',
        "[" * 100_000,
        "\ud83d".encode("utf-8", "replace"),
    ):
        (release / "manifest.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        assert kinds(verify(release)) == {("manifest", "manifest.json")}
        with pytest.raises(ReleaseError):
            open_release(release)


def test_manifest_that_lists_too_little(release: Path) -> None:
    rewrite(release, lambda content: content["files"].pop("records.csv"))
    assert ("manifest", "records.csv") in kinds(verify(release))


def test_renamed_release(release: Path) -> None:
    other = release.rename(release.with_name("2027.9"))
    assert kinds(verify(other)) == {("manifest", "manifest.json")}


def test_rows_and_people_must_agree_even_when_resealed(release: Path) -> None:
    path = release / "records.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    reseal(release, "records.parquet")
    assert {p.kind for p in verify(release)} == {"content"}


@pytest.mark.parametrize(
    "change",
    [
        {"low": pa.array([5], pa.int64()), "count": pa.array([4], pa.int64())},
        {"state": pa.array(["protected"])},
        {"low": pa.array([0], pa.int64())},
        {"values": pa.array([["a", "b"]])},
        {"count": pa.array([None], pa.int64())},
        {"extra": pa.array(["x"])},
        {"low": pa.array(["5"])},
        {"low": pa.array([True])},
    ],
    ids=["outside", "hidden", "unshown", "unpaired", "null", "column", "text", "boolean"],
)
def test_counts_must_be_sound_even_when_resealed(release: Path, change: dict[str, Any]) -> None:
    row = {"columns": [["gender"]], "values": [["female"]], "count": [9], "low": [5], "high": [13]}
    table = pa.table({**row, "state": ["shown"], **change})
    pq.write_table(table, release / "counts.parquet")
    reseal(release, "counts.parquet")
    assert {p.kind for p in verify(release)} == {"content"}
    with pytest.raises(ReleaseError):
        open_release(release)


def test_column_that_is_not_public_is_refused_even_when_resealed(release: Path) -> None:
    path = release / "records.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("person_key", pa.array(["k"] * len(table))), path)
    reseal(release, "records.parquet")
    with pytest.raises(ReleaseError, match="person_key"):
        open_release(release)
    (late,) = open_releases(release.parent)
    with pytest.raises(ReleaseError, match="person_key"):
        Answers(late).count({})


def test_parquet_that_is_none(release: Path) -> None:
    (release / "records.parquet").write_bytes(os.urandom(500))
    reseal(release, "records.parquet")
    assert {p.kind for p in verify(release)} == {"content"}


def test_no_release(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(ReleaseError, match="no release"):
            verify(path)


def test_command_tells_and_exits_with_two(release: Path) -> None:
    app = command("verify")
    runner = CliRunner()
    whole = runner.invoke(app, ["verify", str(release)])
    assert whole.exit_code == 0, whole.output
    assert "whole" in whole.output
    (release / "README.md").write_text("changed")
    faulty = runner.invoke(app, ["verify", str(release)])
    assert faulty.exit_code == 2
    assert "README.md" in faulty.output
