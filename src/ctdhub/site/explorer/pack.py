"""What the explorer holds: synthetic records, packed, and measured tables, as files of the site.

    explore.bin             records, measured tables with their noise, tables of one variable
    explore/<a>.<b>.bin     the published cells of all measured tables of these questions
    explore/words-<l>.bin   labels, charts and texts in a language
    explore/worker.js       what counts, in a thread of its own; not in a site for disks

A question is a variable or a group of flags, so one file answers a whole chart.  A file is one gzip
stream; in a site for disks it is a classic script that hands the stream over as base64, because
only such scripts load from ``file://``.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ctdhub.schema.model import load_schema
from ctdhub.stats.answers import Answers
from ctdhub.stats.explore import Codes, Exploration, PublishedTable

# --------------------------------------------------------------------------------------------------
# Pack records for the browser: unique rows with weights, sorted, few bits a column.
#
# The file is one gzip stream of the weights (little endian), the columns, and what else there is to
# send, as JSON.  Each column is by itself: two bits a code where it has at most 4 codes, else 8, or
# 16 where it has more than 256; four 2-bit codes share a byte, the first in its lowest bits.

FEW, MANY = 4, 256
LEVEL = 7
"""Of gzip: the two levels above it make the files of a release of 60,000 people 1 % smaller, in
four times the time."""


@dataclass(frozen=True)
class Pack:
    """Packed records.

    Attributes:
        data: the gzip stream.
        rows: unique rows.
        weight: bytes of one weight: 1, 2 or 4.
        bits: of one code, by column.
        size: bytes of what the stream holds.
        more: where in the stream the JSON begins.
    """

    data: bytes
    rows: int
    weight: int
    bits: tuple[int, ...]
    size: int
    more: int


def pack(columns: Mapping[str, Codes], sizes: Sequence[int], more: bytes = b"") -> Pack:
    """Pack columns of codes, all of one length; ``sizes`` tells how many codes each may have.

    ``more`` follows them as it is.

    >>> import numpy as np
    >>> packed = pack({"a": np.array([3, 1, 3], dtype=np.uint8)}, [4])
    >>> packed.rows, packed.bits, list(gzip.decompress(packed.data))
    (2, (2,), [1, 2, 13])
    """
    order = np.lexsort(list(columns.values())[::-1])
    rows = [c[order] for c in columns.values()]
    new = np.zeros(order.size, dtype=bool)
    new[:1] = True
    for column in rows:
        new[1:] |= column[1:] != column[:-1]
    starts = np.flatnonzero(new)
    weights = np.diff(starts, append=order.size)
    most = int(weights.max(initial=0))
    weight = 1 if most < 1 << 8 else 2 if most < 1 << 16 else 4
    bits = tuple(2 if n <= FEW else 8 if n <= MANY else 16 for n in sizes)
    parts = [weights.astype(f"<u{weight}").tobytes()]
    parts += [_packed(c[starts], b) for c, b in zip(rows, bits, strict=True)]
    raw = b"".join(parts)
    data = gzip.compress(raw + more, LEVEL, mtime=0)
    return Pack(data, int(starts.size), weight, bits, len(raw) + len(more), len(raw))


def _packed(codes: Codes, bits: int) -> bytes:
    if bits > 2:
        return codes.astype("<u2" if bits == 16 else "u1").tobytes()
    four: npt.NDArray[np.uint8] = np.zeros((-(-codes.size // 4), 4), dtype=np.uint8)
    four.reshape(-1)[: codes.size] = codes
    shifted = four << np.array([0, 2, 4, 6], dtype=np.uint8)
    return bytes(np.bitwise_or.reduce(shifted, axis=1))


DATA, FOLDER = "explore", "explore"
ENGINE = ("engine.js", "interval.js", "view.js")
"""Scripts that count: in the page where it is for disks, else in the worker."""
WORKER = "worker.js"


@dataclass(frozen=True)
class ChartQuestion:
    """What one chart shows: a variable, or a group of flags with the flag that says "any".

    Attributes:
        name: of the variable or the group.
        column: of the variable, or of the group's indicator.
        flags: columns of the group's flags; () for a variable.
    """

    name: str
    column: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explorer:
    """The explorer's columns in order, packed, and its questions."""

    exploration: Exploration
    packed: Pack
    questions: tuple[ChartQuestion, ...]

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.exploration.codes)

    @property
    def tables(self) -> dict[tuple[str, ...], list[tuple[str, ...]]]:
        """Measured tables by the questions that they belong to, sorted by name."""
        of = {name: q.name for q in self.questions for name in (q.column, *q.flags)}
        found: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for names in self.exploration.tables:
            found.setdefault(tuple(sorted(of[n] for n in names)), []).append(names)
        return found


@lru_cache(maxsize=1)
def explorer(answers: Answers) -> Explorer:
    """The explorer of a release; made once for all languages."""
    questions = _questions(answers)
    columns = [n for q in questions for n in q.flags or (q.column,)]
    columns += [q.column for q in questions if q.flags]
    exploration = Exploration(answers, columns)
    sizes = [len(exploration.domains[name]) for name in columns]
    packed = pack(exploration.codes, sizes, _tail(exploration))
    return Explorer(exploration, packed, questions)


def _questions(answers: Answers) -> tuple[ChartQuestion, ...]:
    """The schema's order first, then whatever else a release holds of people."""
    schema, held, found = load_schema(), answers.variables, list[ChartQuestion]()
    for name in schema.explorer:
        members = schema.members(name) if name in schema.groups else (name,)
        columns = tuple(n for n in members if n in held and not schema.is_indicator(n))
        indicator = schema.groups[name].indicator if name in schema.groups else None
        if indicator and indicator in held and columns:
            found.append(ChartQuestion(name, indicator, columns))
        elif not indicator:
            found += [ChartQuestion(column, column) for column in columns]
    seen = {n for q in found for n in (q.column, *q.flags)}
    return (*found, *(ChartQuestion(n, n) for n in sorted(held - seen)))


def _tail(exploration: Exploration) -> bytes:
    """What follows the records: measured tables, each with its columns in the order of the release,
    and the cells of those of one variable."""
    place = {name: k for k, name in enumerate(exploration.codes)}
    single = [names for names in exploration.tables if len(names) == 1]
    answers = exploration.answers
    drawn = answers.release.protected.guarantee.drawn
    return _json(
        {
            "tables": [
                [place[n] for n in (answers.measured(*names) or "").split("*")]
                for names in exploration.tables
            ],
            "drawn": [drawn.get(answers.measured(*n) or "", 0) for n in exploration.tables],
            "all": drawn.get("", 0),
            "sigma": list(exploration.tables.values()),
            "regions": exploration.regions(),
            "z": answers.z,
            "wider": exploration.wider(),
            "cells": _cells(exploration, single),
        }
    )


def _cells(exploration: Exploration, tables: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    place = {name: k for k, name in enumerate(exploration.codes)}
    return {
        ",".join(str(place[n]) for n in names): _plain(exploration.published(names))
        for names in tables
    }


def _plain(table: PublishedTable) -> dict[str, Any]:
    """A table as JSON; places as steps from one to the next."""
    found: dict[str, Any] = {
        "at": _steps(table.at),
        "low": table.low,
        "high": table.high,
        "unseen": table.unseen,
    }
    if table.noisy:
        found["noisy"] = {**table.noisy._asdict(), "at": _steps(table.noisy.at)}
    return found


def _steps(places: list[int]) -> list[int]:
    return [b - a for a, b in pairwise([0, *places])]


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def data_file(stem: str, *, offline: bool) -> str:
    """Name of a file of data: one to fetch, or a script for sites for disks."""
    return f"{stem}.js" if offline else f"{stem}.bin"


def write_data(answers: Answers, folder: Path, *, offline: bool) -> None:
    """Write the explorer's files into the folder of the release, for one kind of site.

    Args:
        offline: as classic scripts, which also load from ``file://``; else as files to fetch.
    """
    held = explorer(answers)
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    write_file(folder, DATA, held.packed.data, offline=offline)
    for questions, tables in held.tables.items():
        wanted = [names for names in tables if len(names) > 1]
        if wanted:
            raw = _json(_cells(held.exploration, wanted))
            stem = f"{FOLDER}/{'.'.join(questions)}"
            write_file(folder, stem, gzip.compress(raw, LEVEL, mtime=0), offline=offline)
    if not offline:
        static = resources.files("ctdhub.site") / "static"
        scripts = [(static / name).read_text("utf-8") for name in (*ENGINE, "counting.js")]
        (folder / FOLDER / WORKER).write_text("".join(scripts), "utf-8")


def write_file(folder: Path, stem: str, data: bytes, *, offline: bool) -> None:
    """Write one gzip stream, for one kind of site."""
    path = folder / data_file(stem, offline=offline)
    if offline:
        text = base64.b64encode(data).decode("ascii")
        path.write_text(f'ctdhubGiven("{stem}","{text}");\n', "ascii")
    else:
        path.write_bytes(data)
