"""Write the index of decisions: number, title, room, date and status of every record.

Run by hand after a record was committed.  Title and status are the record's own: what changed it
is named in a paragraph that begins with "Since then", "Replaced" or "Withdrawn".  Room and date
stay as the index has them; of a new record they are those of the commit that brought it.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "decisions"
PAGE = FOLDER / "README.md"

HEAD = """# Decisions
Short records of choices that someone may question: what, why, what was left. A record is not
rewritten: what changed it later is named in it, and here. This page is written by
`python tools/decisions.py`.

| number | decision | room | date | status |
|---|---|---|---|---|
"""
_ROW = re.compile(r"^\| (\d+) \| \[.*\]\(.*\) \| (\S+) \| (\S+) \|", re.MULTILINE)
_LATER = re.compile(r"^(?:\*\*(Since then|Replaced|Withdrawn)\b).*?(?=^\s*$|\Z)", re.M | re.S)
_NUMBERS = re.compile(r"\bdecisions? ((?:\d+(?:, | and )?)+)")

Known = dict[int, tuple[str, str]]
"""Room and date by number."""


def known(page: str) -> Known:
    """Rooms and dates that an index has.

    >>> known("| 7 | [Names](0007-names.md) | schema | 2026-11-25 | accepted |")
    {7: ('schema', '2026-11-25')}
    """
    return {int(number): (room, date) for number, room, date in _ROW.findall(page)}


def status(text: str) -> str:
    """What a record says of itself.

    >>> status("# 1. A")
    'accepted'
    >>> status("# 1. A\\n\\n**Since then.** Sums too: [decision 78](0078-x.md).\\nMore.\\n")
    'changed by 78'
    >>> status("# 1. A\\n\\n**Withdrawn** by decision 9.")
    'withdrawn by 9'
    """
    found = list(_LATER.finditer(text))
    numbers = sorted({int(n) for m in found for ns in _NUMBERS.findall(m[0]) for n in _all(ns)})
    by = f" by {', '.join(map(str, numbers))}" if numbers else ""
    if any(m[1] == "Withdrawn" for m in found):
        return "withdrawn" + by
    return "changed" + by if found else "accepted"


def _all(numbers: str) -> list[str]:
    return re.findall(r"\d+", numbers)


def page(places: Known) -> str:
    """The whole index.

    Raises:
        KeyError: nothing says of which room and date a record is.
    """
    files = {int(path.name[:4]): path for path in sorted(FOLDER.glob("[0-9]*.md"))}
    rows = []
    for number in range(1, max(files) + 1):
        if number not in files:
            rows.append(f"| {number} | | | | not used |")
            continue
        text = files[number].read_text("utf-8")
        title = text.partition("\n")[0].removeprefix(f"# {number}. ")
        room, date = places[number]
        link = f"[{title}]({files[number].name})"
        rows.append(f"| {number} | {link} | {room} | {date} | {status(text)} |")
    return HEAD + "\n".join(rows) + "\n"


def brought(number: int) -> tuple[str, str]:
    """Room and date of the commit that brought a record."""
    words = ["git", "-C", str(ROOT), "log", "--diff-filter=A", "--format=%ad %s", "--date=short"]
    path = next(FOLDER.glob(f"{number:04}-*.md"))
    run = subprocess.run([*words, "--", str(path)], capture_output=True, text=True, check=True)
    if not run.stdout:
        raise SystemExit(f"commit decision {number} first: its room and date are the commit's")
    date, _space, subject = run.stdout.splitlines()[-1].partition(" ")
    return re.split(r"[,:]", subject)[0], date


def main() -> None:
    places = known(PAGE.read_text("utf-8"))
    for path in FOLDER.glob("[0-9]*.md"):
        if (number := int(path.name[:4])) not in places:
            places[number] = brought(number)
    PAGE.write_text(page(places), "utf-8")


if __name__ == "__main__":
    main()
