"""Draft mappings for files of foreign shape, harmonise with each draft as it is, compare.

    python benchmarks/foreign.py [--part seen|unseen|adverse|late] [--show] [NAME …]

Each file of ``benchmarks/foreign/`` describes one class: columns of texts in turn, and what each
variable must become.  A variable is *right* where every cell is; *wrong* where a recorded value is
false, be it the only one; *missed* where cells stay blank or their rows are rejected.  A variable
that the file cannot tell (codes without a code book, one letter alone) must stay blank: *left*.
Every variable that a class does not name must stay blank too.  ``people`` is right where rows of
one person, and no others, share a key.  Rows lost are the rejected ones.

The drafts were mended with the classes of the part *seen* at hand; *unseen* was scored
afterwards, *adverse* and *late* were made to mislead the mended drafts.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import yaml

from ctdhub.schema.model import load_schema

FOLDER = Path(__file__).parent / "foreign"
TARGET = 0.85
"""Least share of right columns among those that the files tell."""

PARTS = ("seen", "unseen", "adverse", "late")
PEOPLE = "people"


@dataclass(frozen=True)
class Class:
    """A class of files with its truth."""

    name: str
    what: str
    part: str
    rows: int
    columns: dict[str, Any]
    truth: dict[str, Any]
    left: tuple[str, ...] = ()
    people: int | None = None
    not_victims: dict[str, list[str]] = field(default_factory=dict)
    file: dict[str, str] = field(default_factory=dict)

    def texts(self, column: str) -> list[str]:
        """The cells of a column."""
        said = self.columns[column]
        if isinstance(said, dict):
            return [said["unique"].format(1000 + i) for i in range(self.rows)]
        return list(islice(cycle(said), self.rows))

    def truth_of(self, variable: str) -> list[str | None]:
        """What each row must have in a variable, by what it says or what follows from that."""
        found = self._told(variable)
        for of, codes, name, code in load_schema().implied():
            if name == variable:
                then = zip(found, self._told(of), strict=True)
                found = [said or (code if given in codes else None) for said, given in then]
        return found

    def _told(self, variable: str) -> list[str | None]:
        """What the class says of each row; null for "not recorded"."""
        told = self.truth.get(variable)
        if told is None:
            return [None] * self.rows
        [(column, codes)] = told.items()
        if column == "rows":
            return [code or None for code in islice(cycle(codes), self.rows)]
        return [codes.get(text) for text in self.texts(column)]

    def sources(self, variable: str) -> list[str]:
        """Columns of the file that tell a variable."""
        return [column for column in self.truth.get(variable, ()) if column in self.columns]

    def judged(self) -> list[bool]:
        """Whether the truth speaks of a row: it is about a victim."""
        kept = [True] * self.rows
        for column, texts in self.not_victims.items():
            kept = [k and t not in texts for k, t in zip(kept, self.texts(column), strict=True)]
        return kept

    def write(self, folder: Path) -> Path:
        """The file as a contributor would send it."""
        path = folder / f"{self.name}.csv"
        encoding = self.file.get("encoding", "utf-8")
        with path.open("w", encoding=encoding, newline="") as out:
            writer = csv.writer(out, delimiter=self.file.get("delimiter", ","))
            writer.writerow(self.columns)
            writer.writerows(zip(*map(self.texts, self.columns), strict=True))
        return path


@dataclass
class Score:
    """What a draft made of a class: variables by verdict, and the rows lost."""

    verdicts: dict[str, list[str]]
    lost: int
    draft: str

    def number(self, verdict: str) -> int:
        """Variables with a verdict."""
        return len(self.verdicts[verdict])


VERDICTS = ("right", "wrong", "missed", "left")


def classes(part: str | None = None, names: tuple[str, ...] = ()) -> Iterator[Class]:
    """The classes of a part, or the named ones, by name."""
    for path in sorted(FOLDER.glob("*.yaml")):
        told = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
        told |= {"rows": int(told["rows"]), "left": tuple(told.get("left", ()))}
        if PEOPLE in told:
            told[PEOPLE] = int(told[PEOPLE])
        if (names and path.stem in names) or (not names and part in (None, told["part"])):
            yield Class(name=path.stem, **told)


def score(kind: Class, folder: Path) -> Score:
    """Draft, decide as the class says who is counted, harmonise, compare."""
    from ctdhub.sensitive.mapping.drafting.suggest import read_to_suggest, suggest
    from ctdhub.sensitive.mapping.mapping import Accepted, Exclusion
    from ctdhub.sensitive.mapping.run import harmonise

    raw, options = read_to_suggest(kind.write(folder))
    found = suggest(raw, options)
    rule = {"rule": "not-a-victim", "when": kind.not_victims}
    counted = {
        "exclude": (Exclusion.model_validate(rule),) if kind.not_victims else (),
        "accept": tuple(Accepted(alarm=f"new-column: {name}") for name in kind.columns),
    }
    done = harmonise(
        raw, found.mapping.model_copy(update=counted), "bench", (2002, 2026), bytes(32)
    )
    records = {row["source_row"]: row for row in done.records.to_pylist()}
    faults: dict[int, set[str]] = {}
    for fault in done.rejects.to_pylist():
        faults.setdefault(fault["source_row"], set()).add(fault["column"])
    made = [name for name in found.mapping.columns if name not in kind.truth]
    verdicts: dict[str, list[str]] = {verdict: [] for verdict in VERDICTS}
    for variable in (*kind.truth, *kind.left, *made):
        verdict = _verdict(kind, variable, records, faults)
        if verdict and variable not in verdicts[verdict]:
            verdicts[verdict].append(variable)
    if kind.people is not None:
        keys = [row["person_key"] or row["record_id"] for row in records.values()]
        n = len(set(keys))
        right = "right" if n == kind.people else "wrong" if n < kind.people else "missed"
        verdicts[right].append(PEOPLE)
    return Score(verdicts, done.conservation.rejected, found.yaml)


def _verdict(
    kind: Class, variable: str, records: dict[int, Any], faults: dict[int, set[str]]
) -> str | None:
    told = kind.truth_of(variable)
    missed = False
    for row, (truth, judged) in enumerate(zip(told, kind.judged(), strict=True), start=2):
        if not judged:
            continue
        if row in records:
            value = records[row][variable]
            said = None if value is None else str(value)
            if said is not None and said != truth:
                return "wrong"
            missed |= said != truth
        else:
            missed |= bool(faults[row] & {*kind.sources(variable)})
    if variable in kind.truth:
        return "missed" if missed else "right"
    return "left" if variable in kind.left else None


def table(scores: dict[str, tuple[Class, Score]]) -> list[str]:
    """The table, one line a class, and its sums."""
    lines = [f"{'class':24}{'part':>8}" + "".join(v.rjust(8) for v in VERDICTS) + "    lost rows"]
    for name, (kind, made) in scores.items():
        counts = "".join(f"{made.number(v):8}" for v in VERDICTS)
        lost = f"{made.lost:8} of {kind.rows}" if made.lost else ""
        lines.append(f"{name:24}{kind.part:>8}{counts}{lost}")
    for part in (*PARTS, None):
        of = [s for kind, s in scores.values() if part in (None, kind.part)]
        if of:
            counts = "".join(f"{sum(s.number(v) for s in of):8}" for v in VERDICTS)
            told = f"{share(of):8.1%} right"
            lines.append(f"{'all':24}{part or '':>8}{counts}{told}")
    return lines


def share(scores: list[Score]) -> float:
    """Right variables as a share of those that the files tell."""
    right, wrong, missed = (sum(s.number(v) for s in scores) for v in VERDICTS[:3])
    return right / max(right + wrong + missed, 1)


def run(part: str | None = None, names: tuple[str, ...] = ()) -> dict[str, tuple[Class, Score]]:
    """Score the classes of a part, or the named ones."""
    with tempfile.TemporaryDirectory() as folder:
        return {kind.name: (kind, score(kind, Path(folder))) for kind in classes(part, names)}


def main() -> int:
    """Print the table; 1 where a column is silently wrong or too few are right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--show", action="store_true", help="drafts and names of variables too")
    asked = parser.parse_args()
    scores = run(asked.part, tuple(asked.names))
    if asked.show:
        for name, (_kind, made) in scores.items():
            print(f"-- {name}\n{made.draft}")
            for verdict in ("wrong", "missed"):
                print(f"{verdict}: {', '.join(made.verdicts[verdict]) or 'none'}")
    print("\n".join(table(scores)))
    of = [made for _kind, made in scores.values()]
    print(f"{'target':32}{'':8}{0:8}{'':24}>= {TARGET:.0%} right")
    return int(any(made.number("wrong") for made in of) or share(of) < TARGET)


if __name__ == "__main__":
    sys.exit(main())
