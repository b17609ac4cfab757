"""The golden set: proves that a change of the code changes no output, or says which ones.

    python tools/golden.py check                     recompute everything; exit 1 if a line differs
    python tools/golden.py write                     the same, and write the lines down
    python tools/golden.py check --part right        one part, or several: see PARTS
    python tools/golden.py check --changed main      the parts of rooms that changed since then
    python tools/golden.py check --keep DIR          keep the outputs, to compare two runs
    python tools/golden.py show right/verbs/NAME     print one output

``tests/golden/PART.txt`` holds a line per output: the first 16 hex digits of its SHA-256 and its
name.  Files of a folder that is named ``….many`` share one line.  To see what changed, keep both
sides and compare them: `check --keep before` on the old code, `check --keep after` on the new one,
then `diff -r before after`.

Outputs are those of fictitious people under seeded noise at a fixed moment
(``golden_parts.world``).  A new version of Python, of a library or of ctdhub itself may change
lines too.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from golden_parts.changed import PARTS, changed_since, touched
from golden_parts.record import before
from golden_parts.world import REPOSITORY, environment

LINES = REPOSITORY / "tests" / "golden"
MANY = ".many"


def main(words: list[str] | None = None) -> int:
    """Run a verb; gives the exit code."""
    asked = _asked(words)
    parts = _parts(asked)
    if not parts:
        print(f"No output follows from what changed since {asked.changed}.")
        return 0
    with tempfile.TemporaryDirectory(prefix="golden-") as scratch:
        kept = Path(scratch) / "kept"
        compute(parts, Path(scratch), kept)
        if asked.keep:
            shutil.copytree(kept, asked.keep, dirs_exist_ok=True)
        if asked.verb == "show":
            return _show(kept, asked.name)
        found = {part: lines_of(kept, part) for part in parts}
    if asked.verb == "write":
        for part, lines in found.items():
            (LINES / f"{part}.txt").write_text(text_of(lines), "utf-8")
        print(f"{sum(map(len, found.values()))} lines written in {LINES.relative_to(REPOSITORY)}")
        return 0
    changes = [c for part, lines in found.items() for c in differences(written(part), lines)]
    print("\n".join(changes) or f"{sum(map(len, found.values()))} outputs are as written.")
    return int(bool(changes))


def compute(parts: Iterable[str], scratch: Path, kept: Path) -> None:
    """Record each part in a process of its own, below ``kept``.

    Raises:
        SystemExit: a part broke; what it said is on standard error.
    """
    for part in [*before(parts), *parts]:
        folder = scratch / "work" / part
        folder.mkdir(parents=True)
        command = [sys.executable, "-m", "golden_parts.record", part, str(folder), str(kept / part)]
        ended = subprocess.run(command, env=environment(), cwd=REPOSITORY / "tools", check=False)
        if ended.returncode:
            sys.exit(f"golden: the part {part} broke")


def lines_of(kept: Path, part: str) -> dict[str, str]:
    """Name and hash of each output of a part."""
    hashes: dict[str, str] = {}
    shared: dict[str, list[str]] = {}
    for path in sorted(p for p in (kept / part).rglob("*") if p.is_file()):
        name = path.relative_to(kept).as_posix()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        group, many, rest = name.partition(f"{MANY}/")
        if many:
            shared.setdefault(group + MANY, []).append(f"{digest} {rest}")
        else:
            hashes[name] = digest[:16]
    for name, files in shared.items():
        hashes[name] = hashlib.sha256("\n".join(files).encode()).hexdigest()[:16]
    return dict(sorted(hashes.items()))


def text_of(lines: dict[str, str]) -> str:
    """The lines as they are written down."""
    return "".join(f"{digest}  {name}\n" for name, digest in lines.items())


def written(part: str) -> dict[str, str]:
    """The lines of a part in the repository, none where it has not been written yet."""
    path = LINES / f"{part}.txt"
    text = path.read_text("utf-8") if path.exists() else ""
    return {name: digest for digest, name in (line.split("  ", 1) for line in text.splitlines())}


def differences(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """What differs, in the order of names.

    >>> differences({"a": "1", "b": "2"}, {"b": "3", "c": "4"})
    ['gone     a', 'changed  b', 'new      c']
    """
    found = []
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            kind = "gone" if name not in new else "new" if name not in old else "changed"
            found.append(f"{kind:<9}{name}")
    return found


def _parts(asked: argparse.Namespace) -> tuple[str, ...]:
    if asked.verb == "show":
        return (asked.name.partition("/")[0],)
    if asked.changed:
        parts = touched(changed_since(asked.changed))
        if parts:
            print(f"Parts of rooms that changed since {asked.changed}: {', '.join(parts)}")
        return parts
    return tuple(asked.part or PARTS)


def _show(kept: Path, name: str) -> int:
    path = kept / name
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    if not all(file.is_file() for file in files):
        print(f"golden: no such output: {name}", file=sys.stderr)
        return 2
    for file in files:
        if len(files) > 1:
            print(f"==> {file.relative_to(kept)}", flush=True)
        sys.stdout.buffer.write(file.read_bytes())
    return 0


def _asked(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="golden.py", description=(__doc__ or "").split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("check", "write"):
        one = verbs.add_parser(verb)
        which = one.add_mutually_exclusive_group()
        which.add_argument("--part", action="append", choices=PARTS)
        which.add_argument("--changed", metavar="REV", default=None)
        one.add_argument("--keep", type=Path, default=None)
    show = verbs.add_parser("show")
    show.add_argument("name")
    show.set_defaults(part=None, keep=None, changed=None)
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
