"""The questions behind the numbers of a brief, asked again of the release's files.

Series by year are read from the published measurements with another program, so that the means of
signals and the differences of years do not answer for themselves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import duckdb
import pytest

from ctdhub.document.document import Bars, Document, LargeNumber, Words, Years
from ctdhub.report.brief.sections import PrintedNumber
from ctdhub.schema import countries
from ctdhub.stats.answers import Answers
from ctdhub.stats.decomposition import EVERYBODY, ChangeSubject, Split, report

YEAR, CONTRIBUTOR = "year_of_registration", "reporting_entity"
Cells = dict[frozenset[tuple[str, str]], float]
TOLD = ("assistance", "assistance-hub", "signals", "change")


def check(answers: Answers, one: PrintedNumber) -> None:
    """Ask a question again: the answer is the value, and stands in what is printed."""
    again = asked_again(answers, one)
    if again is None:
        return
    assert again == pytest.approx(one.value), one
    if one.kind in ("change", "change_part") and len(one.printed) == 2:
        low, high = (_signed(text) for text in one.printed)
        assert low <= 0 <= high, one
        assert low <= again <= high, one
    elif one.kind == "gap":
        points, low, high = (float(text) for text in one.printed)
        assert low <= 100 * again <= high, one
        assert abs(points - 100 * again) <= 0.5, one
    else:
        assert any(says(text, abs(again)) for text in one.printed), one
    if one.kind == "change" and len(one.printed) == 3:
        assert all(_signed(text) * again > 0 for text in one.printed[1:]), one


def _signed(text: str) -> float:
    sign = -1 if "−" in text else 1
    return sign * float(re.sub(r"[^\d.]", "", text))


def asked_again(answers: Answers, asked: PrintedNumber) -> float | None:
    """The question of a number put once more; None for one that is not counted in people."""
    if asked.kind == "sum":
        return None
    if asked.kind == "people":
        return answers.count(asked.part).value
    if asked.kind == "share":
        return answers.share(asked.part, asked.whole).value
    if asked.kind == "gap":
        least, most = (_of_recorded(answers, where) for where in (asked.part, asked.whole))
        return most - least
    if asked.kind == "mean":
        return max(0, round(_mean(answers, asked.part)))
    if asked.kind == "mean_share":
        part, whole = (max(0, round(_mean(answers, w))) for w in (asked.part, asked.whole))
        return min(1.0, part / whole)
    if asked.kind == "change":
        return round(_by_year(answers, asked.part) - _by_year(answers, asked.whole))
    if asked.kind == "change_part":
        return _part(answers, asked)
    whole, part = answers.count(asked.whole).value, answers.count(asked.part).value
    assert whole
    assert part is not None
    rest = max(0.0, whole - part)
    return rest if asked.kind == "rest" else rest / whole


def _of_recorded(answers: Answers, where: Mapping[str, Sequence[str]]) -> float:
    """The share with a status of assistance, among those whose status is recorded."""
    (kind,) = (name for name in where if name.startswith("assistance_"))
    found = answers.share(where, {**where, kind: answers.domain(kind)}).value
    assert found is not None
    return found


def _mean(answers: Answers, where: Mapping[str, Sequence[str]]) -> float:
    """The mean over years; where several answers count as recorded, all people less the others."""
    cells = measured(answers.release.path / "measurements.parquet")
    single = {(name, values[0]) for name, values in where.items() if len(values) == 1}
    single = {pair for pair in single if pair[0] != YEAR}
    several = [name for name, values in where.items() if len(values) > 1 and name != YEAR]
    total = 0.0
    for year in where[YEAR]:
        total += cells[frozenset({*single, (YEAR, year)})]
        for name in several:
            total -= cells.get(frozenset({*single, (YEAR, year), (name, "")}), 0.0)
    return total / len(where[YEAR])


def _by_year(answers: Answers, where: Mapping[str, Sequence[str]]) -> float:
    """People of a year.

    Those who were counted by contributor: a single cell as measured, a region as the contributors
    add up to that report on the year.  Others as the release answers.
    """
    path, (year,) = answers.release.path, where[YEAR]
    apart = measured(path / "sources.parquet") if (path / "sources.parquet").is_file() else {}
    pairs = {(n, v[0]) for n, v in where.items() if len(v) == 1}
    if len(pairs) == len(where):
        if any(pairs <= cell and len(cell) == len(pairs) + 1 for cell in apart):
            return measured(path / "measurements.parquet")[frozenset(pairs)]
        found = answers.count(where).value
        assert found is not None
        return found
    (name,) = (name for name in where if name != YEAR)
    key = next(k for k in countries.regions() if set(countries.members(k)) == set(where[name]))
    region = {"citizenship": "citizenship_region"}.get(name, "exploitation_region")
    there = {
        c.id
        for c in answers.release.facts.contributors
        if c.years is None or c.years[0] <= int(year) <= c.years[1]
    }
    return math.fsum(
        apart[frozenset({(region, key), (YEAR, year), (CONTRIBUTOR, who)})] for who in there
    )


def _part(answers: Answers, asked: PrintedNumber) -> float:
    """A part of a split, split again."""
    split = split_of(answers, asked)
    name = asked.id.rpartition(".")[2]
    if name.startswith("recorded-"):
        assert split.shares is not None
        share = split.shares[name == "recorded-after"].value
        assert share is not None
        return share
    place, _, kind = name.partition("-")
    part = split.parts[int(place)]
    assert part.kind == kind
    return part.value


def split_of(answers: Answers, asked: PrintedNumber) -> Split:
    """The split of a change that a brief tells."""
    code = asked.id.split(".")[1]
    question = ChangeSubject(*code.split("=")) if code != "all" else EVERYBODY
    years = int(asked.whole[YEAR][0]), int(asked.part[YEAR][0])
    found = report(answers, question, years)
    assert found is not None
    return found.splits[0]


@lru_cache(maxsize=8)
def measured(file: Path) -> Cells:
    """A file of measurements as people by cell, read with another program."""
    rows = duckdb.connect().execute(
        "select columns, values, noisy from read_parquet(?)", [str(file)]
    )
    return {
        frozenset(zip(columns, values, strict=True)): noisy
        for columns, values, noisy in rows.fetchall()
    }


def says(text: str, value: float) -> bool:
    """Whether a text prints a value, rounded as it is printed."""
    found = re.search(r"(\d[\d,]*)(\.\d+)?(%?)", text)
    assert found is not None, text
    step = 1.0 if not found[2] else 10.0 ** -(len(found[2]) - 1)
    shown = float(found[1].replace(",", "") + (found[2] or ""))
    return abs(shown - (100 * value if found[3] else value)) <= step / 2 + 1e-9


def texts(document: Document) -> Iterator[str]:
    """All texts with numbers about people: labels, days, names and the frame are left out."""
    if document.paper == "a4":
        yield from document.lead
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Words) and section.id in ("reading", "methods", *TOLD):
                yield from (re.sub(r"“[^”]*”", "", text) for text in block.paragraphs)
            elif isinstance(block, LargeNumber):
                yield from (block.text, block.interval)
            elif isinstance(block, Bars):
                yield from (b.text for b in block.bars)
                if section.id == "assistance":
                    yield from (b.label for b in block.bars)
                yield block.note
                yield re.sub(r"Largest: [^,]*,", "", block.title)
            elif isinstance(block, Years):
                yield from (p.text for p in block.points)
                yield from block.axis
                yield block.title


def numbers(text: str) -> set[str]:
    """The numbers in a text."""
    return set(re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text))
