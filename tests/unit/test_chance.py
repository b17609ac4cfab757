"""What tests draw: the same in each process for the same seed and name, and never twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.chance import VARIABLE, chance
from tests.forked import Child, needs_fork

DRAW = """
from tests.chance import chance, install
install()
import os
from ctdhub.dp import noise
chance.begin("a test")
print(os.urandom(8).hex(), noise.words(1))
"""


def drawn(seed: str, hashing: str) -> str:
    root = Path(__file__).parents[2]
    with_both = os.pathsep.join([str(root), *filter(None, sys.path)])
    env = os.environ | {VARIABLE: seed, "PYTHONHASHSEED": hashing, "PYTHONPATH": with_both}
    command = [sys.executable, "-c", DRAW]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def test_a_process_draws_what_seed_and_name_say() -> None:
    assert drawn("1", "1") == drawn("1", "2") != drawn("2", "1")


@pytest.mark.parametrize("number", [1, 2])
def test_two_tests_draw_different_bytes(number: int) -> None:
    chance.begin(f"test {3 - number}")
    other = os.urandom(16)
    chance.begin(f"test {number}")
    assert os.urandom(16) != other


@needs_fork
def test_no_child_draws_what_its_parent_or_its_sibling_draws() -> None:
    def draw() -> int:
        sys.stdout.write(os.urandom(16).hex())
        return 0

    found = [Child(draw).communicate()[1].strip() for _ in range(3)]
    assert len({*found, os.urandom(16).hex()}) == 4
    chance.begin("again")
    first = [Child(draw).communicate()[1] for _ in range(2)]
    chance.begin("again")
    assert [Child(draw).communicate()[1] for _ in range(2)] == first
