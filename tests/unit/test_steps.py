"""Steps run when stale, say why, and a killed step leaves the old output whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctdhub.core.i18n import Text, language, said
from ctdhub.hub.steps import KEY_FILE, NEVER_RAN, Step, hash_folder, sweep, walk


def step(folder: Path, value: str, runs: list[str]) -> Step:
    def run(fresh: Path) -> None:
        runs.append(value)
        (fresh / "out.txt").write_text(value, "utf-8")

    return Step("write", {"value": value, "code": "1"}, folder / "out", run)


def why(step: Step) -> str:
    reason = step.reason()
    return said(reason) if reason else ""


def test_an_input_stands_in_key_files_by_its_english_name(tmp_path: Path) -> None:
    def made(value: str) -> Step:
        inputs = {Text("privacy ledger"): value, "a.csv": value}
        return Step("write", inputs, tmp_path / "out", lambda folder: None)

    made("1").refresh()
    assert json.loads((tmp_path / "out" / KEY_FILE).read_text("utf-8"))["inputs"] == {
        "a.csv": "1", "privacy ledger": "1",
    }  # fmt: skip
    plain = Step(
        "write", {"privacy ledger": "1", "a.csv": "1"}, tmp_path / "out", lambda folder: None
    )
    assert made("1").key == plain.key
    assert made("1").reason() is plain.reason() is None
    for code, words in (
        ("en", "a.csv, privacy ledger"),
        ("fr", "a.csv, registre du budget de confidentialité"),
    ):
        with language(code):
            assert why(made("2")).endswith(words)


def test_runs_once_and_says_why(tmp_path: Path) -> None:
    runs: list[str] = []
    assert why(step(tmp_path, "a", runs)) == "it has not run yet, or its output was deleted"
    assert step(tmp_path, "a", runs).refresh()
    assert not step(tmp_path, "a", runs).refresh()
    assert why(step(tmp_path, "b", runs)) == "changed: value"
    assert step(tmp_path, "b", runs).refresh()
    assert (tmp_path / "out" / "out.txt").read_text("utf-8") == "b"
    assert runs == ["a", "b"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("content", ["", "[1]", "null", "\xff", "[" * 100_000, '{"inputs": 3}'])
def test_a_damaged_key_file_is_a_step_that_never_ran(tmp_path: Path, content: str) -> None:
    one = step(tmp_path, "1", [])
    assert one.refresh()
    (tmp_path / "out" / KEY_FILE).write_bytes(content.encode("latin-1"))
    assert why(one) == said(NEVER_RAN)
    assert one.refresh()
    assert one.reason() is None


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
