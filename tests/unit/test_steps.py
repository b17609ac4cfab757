"""Steps run when stale, say why, and a killed step leaves the old output whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctdhub.build.steps import Step, hash_folder, sweep, walk


def step(folder: Path, value: str, runs: list[str]) -> Step:
    def run(fresh: Path) -> None:
        runs.append(value)
        (fresh / "out.txt").write_text(value, "utf-8")

    return Step("write", {"value": value, "code": "1"}, folder / "out", run)


def test_runs_once_and_says_why(tmp_path: Path) -> None:
    runs: list[str] = []
    assert step(tmp_path, "a", runs).reason() == "it has not run yet, or its output was deleted"
    assert step(tmp_path, "a", runs).refresh()
    assert not step(tmp_path, "a", runs).refresh()
    assert step(tmp_path, "b", runs).reason() == "changed: value"
    assert step(tmp_path, "b", runs).refresh()
    assert (tmp_path / "out" / "out.txt").read_text("utf-8") == "b"
    assert runs == ["a", "b"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_failing_step_leaves_the_old_output(tmp_path: Path) -> None:
    step(tmp_path, "a", []).refresh()
    before = hash_folder(tmp_path / "out")

    def fail(fresh: Path) -> None:
        (fresh / "half.txt").write_text("half", "utf-8")
        raise RuntimeError

    broken = Step("write", {"value": "b"}, tmp_path / "out", fail)
    with pytest.raises(RuntimeError):
        broken.refresh()
    assert hash_folder(tmp_path / "out") == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_sweep_takes_only_leftovers(tmp_path: Path) -> None:
    for name in (".new-out-12", ".old-out-12", "out"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").touch()
    sweep(walk(tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_compiled_code_is_no_part_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "kernels.py").write_text("x = 1\n")
    before = hash_folder(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    for name in ("kernels.pyc", "kernels.f-1.py311.nbi", "kernels.f-1.py311.1.nbc"):
        (tmp_path / "__pycache__" / name).write_bytes(b"compiled")
    assert hash_folder(tmp_path) == before
