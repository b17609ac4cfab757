"""What is compared of a row: names, birth, place and the like, in one spelling for all scripts.

Everything in these tables identifies people.  They live in memory and are never written.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product

import pyarrow as pa

from ctdhub.schema.countries import fold_name
from ctdhub.schema.model import SEX
from ctdhub.sensitive.ingest.identifiers import is_place, kind_of, words
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.linkage.pprl.columns import TokenPlan
from ctdhub.sensitive.linkage.pprl.derive import NAMES, Identity, read_birth
from ctdhub.sensitive.linkage.pprl.names import parts, romanised, skeleton
from ctdhub.sensitive.linkage.pprl.tokenise import people_of
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary

MORE = ("telephone", "email", "document_number")
"""Kinds of identifiers that are compared beside names where two files or more hold them."""

TEXT, LIST = pa.string(), pa.list_(pa.string())
FEATURES = pa.schema(
    [
        ("unique_id", pa.int64()),
        ("given", TEXT),
        ("given_sound", TEXT),
        ("given_parts", LIST),
        ("family", TEXT),
        ("family_sound", TEXT),
        ("family_parts", LIST),
        ("sounds", LIST),
        ("both_sounds", LIST),
        ("birth", TEXT),
        ("birth_year", TEXT),
        ("birth_days", LIST),
        ("place", TEXT),
        ("place_sound", TEXT),
        ("sex", TEXT),
    ]
)
"""Columns of every file; null where a row says nothing.

given, family: romanised parts that count, in order of the alphabet.  *_sound, *_parts: their
skeletons, joined and apart.  sounds: skeletons of all names.  both_sounds: of a given and a family
name, in order of the alphabet: all pairs.  birth: year and both numbers of the
day, the smaller first.  sex: ``female`` or ``male``.
"""

_DAY = re.compile(r"^(\d{4})\D{0,2}(\d\d?)\D{0,2}(\d\d?)$|^(\d\d?)\D{1,2}(\d\d?)\D{1,2}(\d{4})$")


def more_columns(plans: Sequence[TokenPlan]) -> dict[str, list[str | None]]:
    """Further columns that are compared: what they are called, and the column of each file or None.

    Telephones, addresses of mail, numbers of documents, and exact places of one name; only columns
    that the plan strips, and only where two files or more have them.
    """
    found: dict[str, list[str | None]] = {}
    for at, plan in enumerate(plans):
        for column in plan.fated("strip"):
            kind = kind_of(column)
            same = kind if kind in MORE else " ".join(words(column)) if is_place(column) else None
            if same and not found.setdefault(same, [None] * len(plans))[at]:
                found[same][at] = column
    return {same: columns for same, columns in found.items() if sum(map(bool, columns)) > 1}


def features(raw: RawTable, plan: TokenPlan, more: Sequence[str | None], first: int) -> pa.Table:
    """The rows of one file, schema :data:`FEATURES` and a text for each of ``more``.

    The texts are called ``more_0``, ``more_1`` and so on: a column may be called anything.

    Args:
        raw: the file.
        plan: its columns.
        more: further columns that are compared, None where this file has none.
        first: number of the first row; the others follow.
    """
    rows = [_row(who) for who in people_of(raw.table, plan)]
    sex = plan.of("sex")
    said = raw.table[sex].fill_null("").to_pylist() if sex else [""] * len(rows)
    columns: dict[str, Sequence[object]] = {
        name: [row.get(name) for row in rows] for name in FEATURES.names
    }
    columns["unique_id"] = list(range(first, first + len(rows)))
    columns["sex"] = _sexes(said)
    fields = list(FEATURES)
    for at, column in enumerate(more):
        cells = raw.table[column].fill_null("").to_pylist() if column else [""] * len(rows)
        columns[f"more_{at}"] = [_plain(cell) for cell in cells]
        fields.append(pa.field(f"more_{at}", TEXT))
    return pa.table(columns, pa.schema(fields))


def _row(who: Identity) -> dict[str, object]:
    row: dict[str, object] = {}
    sounds: list[list[str]] = []
    for name, text in (("given", who.given), ("family", who.family)):
        if found := parts(text):
            heard = sorted({skeleton(part) for part in found})
            row |= {name: " ".join(sorted(found)), f"{name}_sound": " ".join(heard)}
            row[f"{name}_parts"] = [part for part in heard if len(part) > 1]
            sounds.append([skeleton(part) for part in found[:NAMES]])
    row["sounds"] = sorted({part for some in sounds for part in some if len(part) > 1}) or None
    if len(sounds) > 1:
        row["both_sounds"] = sorted({" ".join(sorted(two)) for two in product(*sounds)})
    if where := parts(who.place):
        row |= {"place": " ".join(where), "place_sound": " ".join(skeleton(p) for p in where)}
    return row | _birth(who.birth)


def _birth(cell: str) -> dict[str, object]:
    """Year and day; a day that no calendar has is compared as it is written, to find slips."""
    if (born := read_birth(cell)) is not None:
        year, days = str(born.year), list(born.day or ())
    elif found := _DAY.match(cell):
        year = found[1] or found[6]
        days = sorted(int(part) for part in (found[2] or found[4], found[3] or found[5]))
    else:
        return {}
    if not days:
        return {"birth_year": year}
    written = [f"{day:02d}" for day in days]
    return {"birth": year + "".join(written), "birth_year": year, "birth_days": written}


def _sexes(cells: Sequence[str]) -> list[str | None]:
    """``female`` or ``male``; where a file writes H for a man and no F, its M is a woman."""
    said = [fold_name(cell) for cell in cells]
    codes = {"f": "female", "m": "male"} | vocabulary().codes[SEX]
    if "h" in said:
        codes |= {"h": "male"} if "f" in said else {"h": "male", "m": "female"}
    found = {word: code for word, code in codes.items() if code in ("female", "male")}
    return [found.get(word) for word in said]


def _plain(cell: str) -> str | None:
    """Letters and digits, romanised and small; nothing else."""
    letters = romanised(cell)
    plain = "".join(str(int(c)) if c.isdecimal() else c for c in cell.casefold() if c.isalnum())
    if letters and not plain.isascii():
        plain = letters.replace(" ", "") + "".join(c for c in plain if c.isdecimal())
    return plain or None


def present(tables: Iterable[pa.Table], least: int = 2) -> set[str]:
    """Features that at least so many files hold."""
    held = Counter(n for t in tables for n in t.column_names if t[n].null_count < t.num_rows)
    return {name for name, files in held.items() if files >= least}
