"""Assemble the fragments of changelog.d into a section of CHANGELOG.md, and remove them.

Run by `make release`, and by `make changelog VERSION=0.3.0`; `make lint` runs it with `--check`,
which fails where there are more fragments than anybody reads.  A fragment is named
``<issue>.<kind>.md`` or ``<issue>.<topic>.<kind>.md``; one without a kind goes under the last
heading, so none is lost.
"""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
KINDS = {
    "data": "Data",
    "privacy": "Privacy",
    "portal": "Portal",
    "desk": "Desk",
    "programs": "Programs and operation",
    "fixes": "Corrections",
    "": "Other changes",
}
MOST = 40
"""More fragments than this are a history of the work and no account of what a version is."""

NAME = re.compile(r"\d+(?:\.[a-z-]+)+\.md")


def kind(fragment: Path) -> str:
    """The kind that the name of a fragment says, "" where it says none.

    >>> kind(Path("3.audit.privacy.md")), kind(Path("2.data.md")), kind(Path("11.note.md"))
    ('privacy', 'data', '')
    """
    last = fragment.stem.split(".")[-1]
    return last if last in KINDS else ""


def fragments(folder: Path) -> list[Path]:
    """The fragments of a folder, by issue and name.

    Raises:
        SystemExit: a file is named otherwise, or is empty.
    """
    found = [p for p in sorted(folder.glob("*")) if p.name != "README.md"]
    for path in found:
        if not NAME.fullmatch(path.name) or not path.read_text("utf-8").strip():
            raise SystemExit(f"{path.name}: name it <issue>.<topic>.<kind>.md and write in it")
    return sorted(found, key=lambda p: (int(p.name.split(".")[0]), p.name))


def section(version: str, date: str, found: Sequence[Path]) -> str:
    """The section of a version: a heading for each kind, below it the fragments."""
    parts = [f"## {version} ({date})"]
    for name, heading in KINDS.items():
        texts = [path.read_text("utf-8") for path in found if kind(path) == name]
        entries = [_entry(item) for text in texts for item in _items(text)]
        if entries:
            parts.append(f"### {heading}\n" + "\n".join(entries))
    return "\n\n".join(parts) + "\n"


def with_section(changelog: str, new: str) -> str:
    """The changelog with a section before the newest.

    Raises:
        SystemExit: it has a section of that version.
    """
    title = new.split(" (")[0] + " ("
    if title in changelog:
        raise SystemExit(f"the changelog has a section {title.strip(' (#')}")
    head, mark, rest = changelog.partition("\n## ")
    return head.rstrip("\n") + "\n\n" + new + (mark and mark + rest)


def _items(text: str) -> list[str]:
    """A fragment that is a list is as many entries."""
    return re.split(r"^- ", text, flags=re.MULTILINE)[1:] if text.startswith("- ") else [text]


def _entry(text: str) -> str:
    blocks = [" ".join(block.split()) for block in re.split(r"\n\s*\n", text.strip())]
    wrapped = [
        textwrap.fill(b, 110, break_long_words=False, break_on_hyphens=False) for b in blocks
    ]
    return "- " + textwrap.indent("\n\n".join(wrapped), "  ")[2:]


def crowded(found: Sequence[Path]) -> str:
    """That there are too many fragments, and what to do; "" where there are not."""
    if len(found) <= MOST:
        return ""
    return (
        f"changelog.d has {len(found)} fragments, {MOST} at most: merge those of one kind and room,"
        " leave out what only corrects something that no version had, and say what is true today"
    )


def assemble(version: str, date: str) -> None:
    """Write the section of a version and remove its fragments.

    Raises:
        SystemExit: there are none, or the changelog has that version.
    """
    found = fragments(ROOT / "changelog.d")
    if not found:
        raise SystemExit("there are no fragments in changelog.d")
    file = ROOT / "CHANGELOG.md"
    text = with_section(file.read_text("utf-8"), section(version, date, found))
    file.write_text(text, "utf-8")
    for path in found:
        path.unlink()
    print(f"CHANGELOG.md: {version}, {len(found)} fragments")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", nargs="?")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--date", default=datetime.now(UTC).date().isoformat())
    asked = parser.parse_args()
    if asked.check:
        raise SystemExit(crowded(fragments(ROOT / "changelog.d")) or 0)
    if not re.fullmatch(r"\d+\.\d+\.\d+", asked.version or ""):
        raise SystemExit("state a version such as 0.3.0: make changelog VERSION=0.3.0")
    assemble(asked.version, asked.date)


if __name__ == "__main__":
    main()
