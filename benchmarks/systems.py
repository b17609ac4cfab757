"""Draft mappings for files as other systems export them, and compare with the truth beside.

    python benchmarks/systems.py [--show] [NAME …]

A second author of foreign files: each file of ``benchmarks/systems/`` names the published shape
that it was written from and gives, for every column, its header, its cells, and what they mean; it
was written without a look at the words that drafts know, and nobody edits both in one commit.
The cells are fictitious.  Of columns that have a place in the schema

- *right*: every cell is read as it should be;
- *asked*: the draft names the column with the variable that it means, or the text that it leaves;
- *silent*: neither;
- *wrong*: a value is recorded that the cells do not say, be it one.

A column without a place (an identifier, a date of the machine, an unclear code) must feed nothing:
it counts as wrong where it does, else apart.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import cycle, islice, pairwise
from pathlib import Path
from typing import Any

import yaml

from ctdhub.schema.model import load_schema

FOLDER = Path(__file__).parent / "systems"
VERDICTS = ("right", "asked", "silent", "wrong")
BANDS = {
    8: "0-8",
    17: "9-17",
    20: "18-20",
    23: "21-23",
    26: "24-26",
    29: "27-29",
    38: "30-38",
    47: "39-47",
}
BOTH = ("exploitation_sexual", "exploitation_forced_labour")
UNTICKED = ("", "0", "FALSE", "Unchecked")
"""Cells of a check box that nobody ticked: no and not recorded are both true of them."""


@dataclass(frozen=True)
class Column:
    """A column of a file with its truth."""

    head: list[str]
    cells: list[str]
    sheet: str | None
    truth: dict[str, list[str | None]]
    place: bool
    allow: frozenset[str]

    def named(self, name: str) -> bool:
        """Whether a column as it was read is this one."""
        name = name.casefold()
        below = [h for h in self.head if h] or [""]
        spelled = {h.casefold() for h in below[:1] + below[-1:]}
        spelled |= {sep.join(below).casefold() for sep in (" ", "/", ": ", " - ", ".")}
        if self.sheet:
            spelled |= {f"{self.sheet}{sep}{below[-1]}".casefold() for sep in "./"}
        tails = tuple(f"{sep}{below[-1].casefold()}" for sep in ("/", ".", "-"))
        heads = below[-1].casefold().rsplit("/", 1)[-1].removeprefix("form.")
        return name in spelled or name.endswith(tails) or name == heads


@dataclass(frozen=True)
class System:
    """A file as a system exports it."""

    name: str
    told: dict[str, Any]
    columns: list[Column]
    rows: int

    @property
    def first_row(self) -> int:
        """The number of the first row of a record."""
        heads = max(len(column.head) for column in self.columns)
        return len(self.told.get("above", ())) + heads + 1

    def write(self, folder: Path) -> Path:
        """The file as a contributor would send it."""
        if self.told.get("format") == "xlsx":
            return self._workbook(folder / f"{self.name}.xlsx")
        path = folder / f"{self.name}.csv"
        text = "\n".join(self._lines(self.columns)) + "\n"
        path.write_bytes(b"".join(_encoded(c, self.told.get("encoding", "utf-8")) for c in text))
        return path

    def _lines(self, columns: list[Column]) -> Iterator[str]:
        out = _Line()
        write = csv.writer(out, delimiter=self.told.get("delimiter", ","), lineterminator="")
        heads = max(len(column.head) for column in columns)
        for level in range(heads):
            write.writerow([(*column.head, *[""] * heads)[level] for column in columns])
            yield out.text
        for row in zip(*(column.cells for column in columns), strict=True):
            write.writerow(row)
            yield out.text

    def _workbook(self, path: Path) -> Path:
        from openpyxl import Workbook

        book = Workbook()
        book.remove(book.active)
        for name in dict.fromkeys(column.sheet for column in self.columns):
            sheet = book.create_sheet(name or "Feuil1")
            of = [column for column in self.columns if column.sheet == name]
            for above in self.told.get("above", ()):
                sheet.append([above])
            top = sheet.max_row if sheet.max_row > 1 else 0
            for level in range(max(len(column.head) for column in of)):
                sheet.append([column.head[level] for column in of])
            if len(of[0].head) > 1:
                _merge(sheet, top + 1, [column.head[0] for column in of])
            for row in zip(*(column.cells for column in of), strict=True):
                sheet.append([_cell(text) for text in row])
            for below in self.told.get("below", ()):
                sheet.append(below)
        if lists := self.told.get("lists"):
            sheet = book.create_sheet(lists[0])
            for text in lists[1:]:
                sheet.append([text])
        book.save(path)
        return path


class _Line:
    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _merge(sheet: Any, row: int, heads: list[str]) -> None:
    starts = [i for i, head in enumerate(heads) if head] + [len(heads)]
    for first, after in pairwise(starts):
        if after - first > 1:
            sheet.merge_cells(start_row=row, end_row=row, start_column=first + 1, end_column=after)


def _cell(text: str) -> Any:
    if text.startswith("date:"):
        return date.fromisoformat(text[5:])
    if text.isascii() and text.isdigit() and not (len(text) > 1 and text[0] == "0"):
        return int(text)
    return text or None


def _encoded(letter: str, encoding: str) -> bytes:
    """A letter; in the code page of Vietnamese, tones stand behind letters."""
    try:
        return letter.encode(encoding)
    except UnicodeEncodeError:
        parts = unicodedata.normalize("NFD", letter)
        tones = [p for p in parts if p in "\u0300\u0301\u0303\u0309\u0323"]
        base = unicodedata.normalize("NFC", "".join(p for p in parts if p not in tones))
        return (base + "".join(tones)).encode(encoding)


def systems(names: tuple[str, ...] = ()) -> Iterator[System]:
    """The files, or the named ones."""
    for path in sorted(FOLDER.glob("*.yaml")):
        if not names or path.stem in names:
            told = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
            rows = int(told["rows"])
            columns = [_column(said, told, rows) for said in told["columns"]]
            yield System(path.stem, told, columns, rows)


def _column(said: dict[str, Any], told: dict[str, Any], rows: int) -> Column:
    rows = int(told.get("children", {}).get(said.get("sheet"), rows))
    if "rows" in said:
        cells = said["rows"]
    elif "unique" in said or "repeat" in said:
        people = int(told["rows"])
        cells = [
            said["unique"].format(1000 + i)
            if "unique" in said
            else said["repeat"].format(1000 + (i * 7) % people)
            for i in range(rows)
        ]
    else:
        cells = list(islice(cycle(said["cells"]), rows))
    head = said["head"] if isinstance(said["head"], list) else [said["head"]]
    truth = {v: [codes.get(c) for c in cells] for v, codes in _codes(said, cells).items()}
    place = bool(truth)
    return Column(head, cells, said.get("sheet"), truth, place, frozenset(said.get("allow", ())))


def _codes(said: dict[str, Any], cells: list[str]) -> dict[str, dict[str, str]]:
    """What each cell means, by variable."""
    found: dict[str, dict[str, str]] = {k: dict(v) for k, v in said.get("is", {}).items()}
    if "ages" in said:
        ages = said["ages"]
        if not isinstance(ages, dict):
            ages = {c: _band(int(c)) for c in cells if c.isdigit()}
        found["age_band"] = ages
        minors = {c: "minor" if b in ("0-8", "9-17") else "adult" for c, b in ages.items()}
        found["majority_status"] = said.get("majority", minors)
    for choice, variables in said.get("many", {}).get("of", {}).items():
        split = said["many"]["split"]
        for variable in [variables] if isinstance(variables, str) else variables:
            has = {c: "yes" for c in cells if choice in c.split(split)}
            found[variable] = found.get(variable, {}) | has
    return found


def _band(age: int) -> str:
    return next(
        (band for last, band in BANDS.items() if age <= last), "39-47" if age < 48 else "48+"
    )


@dataclass
class Score:
    """The verdicts of a file: headers of columns with a place by verdict, and of the others."""

    verdicts: dict[str, list[str]] = field(default_factory=lambda: {v: [] for v in VERDICTS})
    others: int = 0
    lost: int = 0
    draft: str = ""
    refused: str = ""


def score(kind: System, folder: Path) -> Score:
    """Draft, harmonise with the draft as it is, compare."""
    from ctdhub.core.errors import HubError
    from ctdhub.sensitive.mapping.drafting.suggest import read_to_suggest, suggest
    from ctdhub.sensitive.mapping.mapping import Accepted
    from ctdhub.sensitive.mapping.run import harmonise

    made = Score()
    try:
        raw, options = read_to_suggest(kind.write(folder))
        found = suggest(raw, options)
        accept = tuple(Accepted(alarm=f"new-column: {name}") for name in raw.column_names())
        mapping = found.mapping.model_copy(update={"accept": accept})
        done = harmonise(raw, mapping, "bench", (2002, 2026), bytes(32))
    except HubError as error:
        made.refused = f"{error.rule}: {error}"
        made.verdicts["asked"] = [c.head[-1] for c in kind.columns if c.place]
        return made
    made.draft, made.lost = found.yaml, done.conservation.rejected
    records = {row["source_row"] - kind.first_row: row for row in done.records.to_pylist()}
    sources = {
        v: {s for rule in rules for s in rule.columns()} for v, rules in mapping.columns.items()
    }
    lost: dict[int, set[str]] = {}
    for fault in done.rejects.to_pylist():
        row = fault["source_row"] - kind.first_row
        lost.setdefault(row, set()).update((fault["column"] or "").split(", "))
    truth = _whole_truth(kind)
    false = {v for v in sources if _false(truth.get(v), records, v)}
    for column in kind.columns:
        own = {v for v, names in sources.items() if any(column.named(n) for n in names)}
        verdict = _verdict(column, own, false, records, lost, found.yaml)
        if verdict:
            made.verdicts[verdict].append(" ".join(h for h in column.head if h))
        else:
            made.others += 1
    return made


def _whole_truth(kind: System) -> dict[str, list[set[str | None]]]:
    """For each variable what may stand in each row: what some column says, or follows from that."""
    truth: dict[str, list[set[str | None]]] = {}
    said_no: dict[str, set[int]] = defaultdict(set)
    for column in kind.columns:
        if len(column.cells) != kind.rows:
            continue
        for variable, codes in column.truth.items():
            cells = truth.setdefault(variable, [set() for _ in range(kind.rows)])
            for row, (code, text) in enumerate(zip(codes, column.cells, strict=True)):
                cell = cells[row]
                cell |= {code} if code else set()
                cell |= {"no"} if text and not code else set()
                if code == "no":
                    said_no[variable].add(row)
    for row, (sexual, labour) in enumerate(zip(*(truth.get(v, ()) for v in BOTH), strict=False)):
        if "yes" in sexual & labour:
            both = truth.setdefault(
                "exploitation_sex_and_labour", [set() for _ in range(kind.rows)]
            )
            both[row].add("yes")
    for of, codes, name, code in load_schema().implied():
        for row, said in enumerate(truth.get(of, ())):
            if said & set(codes):
                truth.setdefault(name, [set() for _ in range(kind.rows)])[row].add(code)
    for variable, cells in truth.items():
        for row, cell in enumerate(cells):
            if cell - {"no"} and row not in said_no[variable]:
                cell.discard("no")
    return truth


def _false(truth: list[set[str | None]] | None, records: dict[int, Any], variable: str) -> bool:
    """Whether a value is recorded that no column says."""
    for row, record in records.items():
        value = record.get(variable)
        if value is None:
            continue
        if truth is None or not 0 <= row < len(truth) or str(value) not in truth[row]:
            return True
    return False


def _verdict(
    column: Column,
    own: set[str],
    false: set[str],
    records: dict[int, Any],
    lost: dict[int, set[str]],
    draft: str,
) -> str | None:
    if (own & false) - column.allow:
        return "wrong"
    if not column.place:
        return None
    lines = draft.splitlines()
    names = [part for head in column.head for part in (head, head.rpartition("/")[2]) if part]
    missed = False
    for variable, codes in column.truth.items():
        for row, (code, text) in enumerate(zip(codes, column.cells, strict=True)):
            value = None if row not in records else records[row].get(variable)
            if code is None or (code == "no" and text in UNTICKED) or str(value) == code:
                continue
            if row not in records and row in lost and not any(map(column.named, lost[row])):
                continue
            missed = True
            if own and row in records and not any(text in line for line in lines):
                return "silent"
    if not missed:
        return "right"
    if own:
        return "asked"
    told = [line for line in lines if any(name in line for name in names)]
    return "asked" if any(v in line for v in column.truth for line in told) else "silent"


def table(scores: dict[str, tuple[System, Score]]) -> list[str]:
    """A line for each file, then sums by system and by language."""

    def line(name: str, of: list[Score], more: str = "") -> str:
        counts = [sum(len(s.verdicts[v]) for s in of) for v in VERDICTS]
        share = f"{counts[0] / max(sum(counts), 1):8.0%}"
        return f"{name:28}" + "".join(f"{n:8}" for n in counts) + share + more

    lines = [f"{'file':28}" + "".join(v.rjust(8) for v in VERDICTS) + "   right   lost rows"]
    for name, (kind, made) in scores.items():
        more = f"{made.lost:8} of {kind.rows}" if made.lost else ""
        lines.append(
            line(name, [made], more + (f"  refused: {made.refused[:60]}" * bool(made.refused)))
        )
    for group in ("system", "language"):
        for value in sorted({kind.told[group] for kind, _ in scores.values()}):
            of = [s for kind, s in scores.values() if kind.told[group] == value]
            lines.append(line(f"{group}: {value}", of))
    every = [made for _, made in scores.values()]
    return [*lines, line("all", every, f"  others {sum(made.others for made in every)}")]


def run(names: tuple[str, ...] = ()) -> dict[str, tuple[System, Score]]:
    """Score the files."""
    with tempfile.TemporaryDirectory() as folder:
        return {kind.name: (kind, score(kind, Path(folder))) for kind in systems(names)}


def main() -> int:
    """Print the table; 1 where a value is silently wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--show", action="store_true", help="drafts too")
    asked = parser.parse_args()
    scores = run(tuple(asked.names))
    for name, (_kind, made) in scores.items():
        if asked.show:
            print(f"-- {name}\n{made.draft}{made.refused}")
        for verdict in VERDICTS[1:]:
            if made.verdicts[verdict]:
                print(f"{name}: {verdict}: {'; '.join(made.verdicts[verdict])}")
    print("\n".join(table(scores)))
    return int(any(made.verdicts["wrong"] for _, made in scores.values()))


if __name__ == "__main__":
    sys.exit(main())
