"""Check that the subject of each commit begins with its room, ``room: what``, and that a commit
which changes `src` says why, in a body.

Run by `make lint`.  Subjects before 0.2, and bodies from before they were asked for, are left
alone; without a history there is nothing to check.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
SINCE = "7f2c3c7"
"""The last commit of 0.1.0."""

PLACES = {
    "benchmarks", "changelog", "ci", "docs", "errors", "examples", "lint", "locale", "move",
    "names", "packages", "release", "tests", "tools",
}  # fmt: skip
"""What is no room of the tree and has commits of its own; ``errors`` are those of all rooms."""

BEFORE_THE_MOVE = {
    "build", "harmonise", "insight", "intake", "link", "paper", "portal", "protect", "stages",
}  # fmt: skip
"""Rooms of earlier trees."""

SUBJECT = re.compile(r"(?P<rooms>[a-z_]+(?:/[a-z_]+)*(?:, [a-z_]+(?:/[a-z_]+)*)*): \S.*")


def rooms() -> set[str]:
    """Top of the tree, and places beside it."""
    package = ROOT / "src" / "ctdhub"
    tree = {p.stem for p in package.iterdir() if p.is_dir() or p.suffix == ".py"}
    inner = {p.name for p in (package / "sensitive").iterdir() if p.is_dir()}
    return tree | inner | PLACES | BEFORE_THE_MOVE


def wrong(subjects: Iterable[str], known: set[str]) -> list[str]:
    """Subjects that do not begin with a room.

    >>> wrong(["dp/noise: fix rounding", "dp, site: a price", "Fix it", "attic: x"], {"dp", "site"})
    ['Fix it', 'attic: x']
    """
    found = []
    for subject in subjects:
        match = SUBJECT.fullmatch(subject)
        named = re.split(r", ", match["rooms"]) if match else []
        if not match or not {name.split("/")[0] for name in named} <= known:
            found.append(subject)
    return found


def git(root: Path, *words: str) -> str:
    """What git says, nothing where this is no clone that reaches so far back."""
    command = ["git", "-C", str(root), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def subjects() -> list[str]:
    """Subjects since 0.1.0."""
    return git(ROOT, "log", "--no-merges", "--format=%s", f"{SINCE}..HEAD").splitlines()


TRAILER = re.compile(r"[A-Z][A-Za-z-]+: \S.*")


def without_why(root: Path = ROOT) -> list[str]:
    """Subjects of commits that change `src` and have no body but trailers.

    Asked for of what was built upon the commit that brought this function; where a clone is too
    shallow to have that commit, of all that it has but its first.
    """
    here = "tools/subjects.py"
    brought = git(root, "log", "--reverse", "--format=%H", "-Sdef without_why", "--", here)
    if not brought:
        return []
    since = f"{brought.splitlines()[0]}..HEAD"
    form = "--format=%s%x00%b%x01"
    words = ("log", "--no-merges", "--full-history", "--ancestry-path", form, since, "--", "src")
    found = []
    for commit in git(root, *words).split("\x01"):
        subject, _nothing, body = commit.strip("\n").partition("\0")
        lines = [line for line in body.splitlines() if line.strip()]
        if subject and all(TRAILER.fullmatch(line) for line in lines):
            found.append(subject)
    return found


def main() -> None:
    found = wrong(subjects(), rooms())
    if found:
        raise SystemExit("these subjects do not begin with a room:\n" + "\n".join(found))
    found = without_why()
    if found:
        raise SystemExit("these commits change src and do not say why:\n" + "\n".join(found))


if __name__ == "__main__":
    main()
