"""Tiers of tests: a slow test is left out by its name, the spine never, and the end says so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests import tiers

ROOT = Path(tiers.__file__).parents[1]
TESTS = """
import pytest

def test_fast(): pass

@pytest.mark.parametrize("n", [1, 2])
def test_slow(n): pass

@pytest.mark.spine('always')
def test_slow_spine(): pass
"""


@pytest.fixture
def run(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Run these tests with the tiers of ours; gives what is printed."""
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "test_quick.py").write_text("def test_alone(): pass\n")
    (tmp_path / "kept.json").write_text(
        '{"test_it.py": {"test_slow": 1.0}, "gone.py": {"test_slow_spine": 1.0}}'
    )
    (tmp_path / "conftest.py").write_text(
        "from pathlib import Path\n"
        "from tests import tiers\n"
        "tiers.KEPT = Path(__file__).with_name('kept.json')\n"
        "pytest_addoption, pytest_configure = tiers.add_options, tiers.install\n"
    )

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-c", "none.ini", "--rootdir", ".", *words],
            cwd=tmp_path,
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (tmp_path / "none.ini").write_text("[pytest]\n")
    return run


@pytest.mark.parametrize("without", [("-p", "no:xdist"), ("-n", "1")])
def test_the_quick_tier_leaves_out_what_is_slow_and_says_so(run, without) -> None:  # type: ignore[no-untyped-def]
    quick = run("--tier", "quick", *without)
    assert "2 slow tests left out: make test-all" in quick
    assert "3 passed" in quick
    every = run("--tier", "all", *without)
    assert "5 passed" in every
    assert "left out" not in every


def test_whoever_names_a_file_gets_all_of_it(run) -> None:  # type: ignore[no-untyped-def]
    assert "4 passed" in run("test_it.py")


def test_slow_tests_are_written_down(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "test_it.py").write_text(
        "import time\n\ndef test_busy():\n    end = time.process_time() + 0.5\n"
        "    while time.process_time() < end: pass\n\ndef test_idle(): pass\n"
    )
    run("--measure", "found.json", "-n", "1")
    assert re.search(
        r'^{\n"test_it.py": {\n"test_busy": 0\.\d\n}\n}\n$', (tmp_path / "found.json").read_text()
    )


def test_the_spine_has_all_its_tests() -> None:
    texts = (file.read_text("utf-8") for file in (ROOT / "tests").glob("*/test_*.py"))
    marked = [law for text in texts for law in re.findall(r'mark\.spine\("([^"\\]+)"\)', text)]
    assert set(marked) == set(tiers.SPINE)
