"""A stranger's program is scored by what it guesses, and by nothing else that it does."""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import challenge
from challenge import KINDS, SECRETS, Unscored, above, answered, guesses_of, published, right_of

HONEST = "print(*(f'{n},{n % 2}' for n in range(1, 21)), sep='\\n')"
CHEATS = {
    "too many bytes": f"for _ in range(50_000): {HONEST}",
    "no end": "while True: pass",
    "a child that sleeps on": "import os, time; os.fork(); os.close(1); time.sleep(600)",
    "an error": f"{HONEST}; raise SystemExit(3)",
    "garbage": "import sys; sys.stdout.buffer.write(bytes(range(256)))",
    "prose": f"{HONEST}; print('20,1 or 0')",
    "both sides": f"{HONEST}; print('20,0'); print('20,1')",
    "another secret": "print('21,1')",
    "other digits": "print('١,1')",
    "more of a kind than announced": "print(*(f'{n},1' for n in range(1, 9)), sep='\\n')",
}
LOOKS_AROUND = """
import os, sys
from pathlib import Path
others = [p for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, os.getpid())]
files = [p for p in Path("..").rglob("*") if p.is_file()]
coins = [p for p in files if b"LinkToken" in p.read_bytes()]
sys.exit(1 if others or coins or len(os.environ) > 4 else 0)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.fixture(scope="module")
def walls() -> str:
    """The walls of the challenge, none where this system cannot build them."""
    begun = subprocess.run([*challenge.WALLS.split(), "true"], check=False, capture_output=True)
    return "" if begun.returncode else challenge.WALLS


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_program_that_breaks_a_rule_has_no_guess(cheat: str, walls: str, tmp_path: Path) -> None:
    with pytest.raises(Unscored):
        guesses_of(answered(tmp_path, python(CHEATS[cheat]), 5, walls), most=7)


def test_each_secret_is_guessed_once_and_what_is_not_guessed_is_wrong(
    walls: str, tmp_path: Path
) -> None:
    guesses = guesses_of(answered(tmp_path, python(HONEST), 60, walls), most=8)
    assert right_of([n % 2 == 1 for n in range(1, 21)], guesses) == Counter(SECRETS)
    assert right_of([True] * 20, {1: True, 9: False}) == {"member": 1}
    with pytest.raises(Unscored, match="cannot be started"):
        answered(tmp_path, [str(tmp_path / "none")], 60, "")


def test_more_than_was_promised_is_seen_and_luck_is_not() -> None:
    promise = dict.fromkeys(KINDS, 1.0)
    every = {kind: 3 * size for kind, size in KINDS.items()}
    assert above(every, promise, 1e-8, runs=3, most=8)
    assert not above(every, dict.fromkeys(KINDS, 4.0), 1e-8, runs=3, most=8)
    assert not above({k: n * 3 // 4 for k, n in every.items()}, promise, 1e-8, runs=3, most=8)


def test_what_is_handed_out_is_public_and_the_hub_is_gone(
    walls: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(challenge.STATE, str(tmp_path / "state"))  # put back afterwards
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place = tmp_path / "place"
    place.mkdir()
    coins = published(place, challenge.PEOPLE, 1.0)
    assert [p.name for p in tmp_path.iterdir()] == ["place"]
    assert {p.name for p in place.iterdir()} == {"ledger.jsonl", "releases", "secrets.csv"}
    assert sorted(p.name for p in (place / "releases").iterdir()) == ["2026.1", "2026.2"]
    with (place / "secrets.csv").open(encoding="utf-8", newline="") as lines:
        secrets = list(csv.DictReader(lines))
    assert tuple(s["kind"] for s in secrets) == SECRETS
    assert {s[challenge.ASKED] for s in secrets if s["kind"] == "value"} == {"?"}
    promise, delta = challenge.promised(place)
    assert promise["left"] == pytest.approx(1.0)
    assert promise["left"] < promise["member"] < 2 < promise["value"] < 4
    assert len(coins) == len(SECRETS)
    assert delta == 1e-8
    if walls:
        assert answered(place, python(LOOKS_AROUND), 60, walls) == ""
    page = (Path(__file__).parents[2] / "docs/how-to/break-a-release.md").read_text("utf-8")
    example = page.partition("```python\n")[2].partition("```")[0]
    assert len(guesses_of(answered(place, python(example), 60, walls), most=8)) == len(SECRETS)
