"""Make known mistakes in a copy of the source, and see that a test meets each of them.

Run by `make mutations`.  The mistakes are in mutations.yaml, as texts and not by module, so that
code can move.  Exit code 1 where one is not caught, no longer applies, or its tests cannot be run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
KEPT = Path(__file__).with_suffix(".yaml")
PASSED, FAILED = 0, 1
"""What pytest ends with where it ran tests."""


@dataclass(frozen=True)
class Mutation:
    """A change of the source and the arguments of pytest that should catch it."""

    name: str
    old: str
    new: str
    tests: tuple[str, ...]

    def made(self, source: Path) -> tuple[Path, str]:
        """The module in which it applies, and its text with the change.

        Raises:
            LookupError: the text is not found exactly once.
        """
        pattern = re.compile(r"\s+".join(map(re.escape, self.old.split())))
        found = [
            (path, text, match)
            for path in sorted(source.rglob("*.py"))
            for text in [path.read_text("utf-8")]
            for match in pattern.finditer(text)
        ]
        if len(found) != 1:
            raise LookupError(f"found {len(found)} times")
        path, text, match = found[0]
        return path, text[: match.start()] + self.new + text[match.end() :]


def read(path: Path = KEPT) -> list[Mutation]:
    """The mistakes that are kept."""
    told = yaml.safe_load(path.read_text("utf-8"))
    return [Mutation(m["name"], m["old"], m["new"], tuple(m["tests"])) for m in told]


def tested(tests: tuple[str, ...], source: Path) -> int:
    """What pytest ends with when these tests run against a copy of the source."""
    words = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    env = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(words, cwd=ROOT, env=env, stdout=subprocess.DEVNULL).returncode


def verdict(mutation: Mutation, source: Path) -> str:
    """ "caught", or what is wrong."""
    try:
        path, text = mutation.made(source)
    except LookupError as gone:
        return f"no longer applies: {gone}"
    if tested(mutation.tests, source) != PASSED:
        return "its tests do not pass without it"
    before = path.read_text("utf-8")
    path.write_text(text, "utf-8")
    ended = tested(mutation.tests, source)
    path.write_text(before, "utf-8")
    return {FAILED: "caught", PASSED: "not caught"}.get(ended, "its tests cannot be run")


def main(kept: Path = KEPT) -> int:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        met = []
        for mutation in read(kept):
            met.append(verdict(mutation, source))
            print(f"{met[-1]}: {mutation.name}", flush=True)
    return int(any(said != "caught" for said in met))


if __name__ == "__main__":
    sys.exit(main())
