"""Answers that were paid for, kept so that an exact repeat costs nothing."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.border import (
    COUNTS,
    MEASUREMENTS,
    Estimate,
    Guarantee,
    Perpetrators,
    Protected,
    Sources,
    restore,
)
from ctdhub.core.atomic import sync
from ctdhub.core.error_catalogue import error
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.disk import damaged, guarded, write_synced
from ctdhub.dp.person_rows import epsilon_by_rows

_FRESH = ".new-"
_TABLES = ("records.parquet", "counts.parquet", "measurements.parquet")
_SOURCES = "sources.parquet"
_CHILD = ("perpetrators.parquet", "perpetrator_counts.parquet")
_PARTS = "request.json"
_DAMAGE = (ValueError, TypeError, KeyError, pa.ArrowInvalid)


def stored(ledger: Ledger, question: str, facts: dict[str, Any]) -> Protected | None:
    """The answer to that question with today's public facts, None where there is none.

    Raises:
        LedgerError: the stored answer is damaged, or the system refuses to read it.
    """
    folder = _folder(ledger, question)
    if not folder.is_dir():
        return None
    try:
        with guarded(folder):
            answer = json.loads(_read(folder / "answer.json"))
            tables: dict[str, pa.Table] = {}
            for name, digest in answer["tables"].items():
                content = _read(folder / name)
                if hashlib.sha256(content).hexdigest() != digest:
                    raise damaged(folder)
                tables[name] = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        # Without threads: one that gives back Python's memory while Python ends aborts the process.
        # Parquet has its own name for the inside of a list, hence the casts.
        child, sources = answer.get("perpetrators"), answer.get("sources")
        return restore(
            records=tables[_TABLES[0]],
            counts=tables[_TABLES[1]].cast(COUNTS),
            perpetrators=None
            if child is None
            else Perpetrators(tables[_CHILD[0]], tables[_CHILD[1]].cast(COUNTS), **child),
            measurements=tables[_TABLES[2]].cast(MEASUREMENTS),
            sources=None if sources is None else _sources(tables[_SOURCES], **sources),
            people=Estimate(**answer["people"]),
            case_records=Estimate(**answer["case_records"]),
            guarantee=_guarantee(**answer["guarantee"]),
            facts=facts,
        )
    except _DAMAGE:
        raise damaged(folder) from None


def first_stored(
    ledger: Ledger, questions: Iterable[str], facts: dict[str, Any]
) -> Protected | None:
    """The answer to the first of these questions that has one; see :func:`stored`."""
    for question in questions:
        if (answer := stored(ledger, question, facts)) is not None:
            return answer
    return None


def by_charge(ledger: Ledger, charge: str, facts: dict[str, Any]) -> Protected | None:
    """The answer that a charge paid for, None where the charge or the answer is not there.

    Raises:
        LedgerError, LedgerTampered: as :func:`stored` and :func:`check_paid`.
    """
    check_paid(ledger)
    paid = [e.question for e in ledger.entries() if e.id == charge]
    answer = first_stored(ledger, paid, facts)
    return answer if answer is not None and answer.guarantee.charge == charge else None


def holds(ledger: Ledger, charge: str) -> bool:
    """Whether the answer that a charge paid for is there; it is not read."""
    return any(_folder(ledger, e.question).is_dir() for e in ledger.entries() if e.id == charge)


def parts(ledger: Ledger, question: str) -> dict[str, str] | None:
    """Keyed hashes of the parts of an answered question, None where none were kept."""
    path = _folder(ledger, question) / _PARTS
    try:
        with guarded(path):
            found = json.loads(path.read_text("utf-8")) if path.is_file() else None
    except _DAMAGE:
        raise damaged(path.parent) from None
    return {str(name): str(text) for name, text in found.items()} if found else None


def _guarantee(not_fitted: list[str] | None = None, **given: Any) -> Guarantee:
    """A guarantee as :func:`_kept` wrote it; one of older software is for one row."""
    left = None if not_fitted is None else tuple(not_fitted)
    found = Guarantee(**given, not_fitted=left)
    return replace(found, by_rows=epsilon_by_rows(found.rho, found.delta, found.rows))


def _kept(guarantee: Guarantee) -> dict[str, Any]:
    """What is written of a guarantee: all but what goes without saying or follows from the rest."""
    told = asdict(guarantee)
    del told["by_rows"]
    if guarantee.rows == 1:
        del told["rows"]
    return told


def _sources(
    table: pa.Table,
    contributors: list[str],
    lists: list[str],
    sigma: dict[str, float],
    share: float,
    list_years: list[int] | None = None,
    tokens: int = 0,
) -> Sources:
    noisy, years = table.cast(MEASUREMENTS), (list_years[0], list_years[1]) if list_years else None
    return Sources(tuple(contributors), tuple(lists), noisy, sigma, share, years, tokens)


def check_paid(ledger: Ledger) -> None:
    """Every stored answer was paid for by a charge that the ledger still has.

    Raises:
        LedgerTampered: the ledger was put back to an older state than its answers.
        LedgerError: a stored answer is damaged, or the system refuses to read it.
    """
    paid = {(e.question, e.id) for e in ledger.entries()}
    for path in sorted(_folder(ledger, "").glob("[!.]*/answer.json")):
        try:
            with guarded(path):
                charge = json.loads(_read(path))["guarantee"]["charge"]
        except _DAMAGE:
            raise damaged(path.parent) from None
        if (path.parent.name, charge) not in paid:
            raise error("ledger-answers", file=ledger.folder)


def store(
    ledger: Ledger, question: str, answer: Protected, parts: Mapping[str, str] | None = None
) -> None:
    """Keep an answer; the folder is there whole or not at all.  Inside ``ledger.exclusive()``.

    Args:
        parts: keyed hashes of the parts of the question, so that it can be told later how another
            one differs.

    Raises:
        LedgerError: the system refuses to write; the answer is then charged again when asked for.
    """
    folder = _folder(ledger, question)
    fresh = folder.parent / f"{_FRESH}{secrets.token_hex(4)}"
    with guarded(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        for left in folder.parent.glob(f"{_FRESH}*"):  # of a killed run: nobody else is here
            shutil.rmtree(left)
        fresh.mkdir()
    try:
        _fill(fresh, answer)
        if parts is not None:
            write_synced(fresh / _PARTS, json.dumps(parts, indent=1).encode())
        with guarded(folder.parent):
            fresh.rename(folder)
            sync(folder.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)  # a full disk gets its room back


def _fill(fresh: Path, answer: Protected) -> None:
    digests = {}
    child, sources = answer.perpetrators, answer.sources
    own = (answer.records, answer.counts, answer.measurements)
    tables = dict(zip(_TABLES, own, strict=True))
    if child:
        tables |= dict(zip(_CHILD, (child.records, child.counts), strict=True))
    if sources:
        tables[_SOURCES] = sources.measurements
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        content = sink.getvalue().to_pybytes()
        write_synced(fresh / name, content)
        digests[name] = hashlib.sha256(content).hexdigest()
    figures = {
        "tables": digests,
        "people": asdict(answer.people),
        "case_records": asdict(answer.case_records),
        "guarantee": _kept(answer.guarantee),
        "perpetrators": {"rows": child.rows, "sigma": child.sigma} if child else None,
        "sources": {
            "contributors": sources.contributors,
            "lists": sources.lists,
            "sigma": sources.sigma,
            "share": sources.share,
            "list_years": sources.list_years,
            "tokens": sources.tokens,
        }
        if sources
        else None,
    }
    write_synced(fresh / "answer.json", json.dumps(figures, indent=1).encode())


def _read(path: Path) -> bytes:
    """The bytes of a part of an answer, which is damaged where the part is not there."""
    if not path.is_file():
        raise damaged(path.parent)
    return path.read_bytes()


def _folder(ledger: Ledger, question: str) -> Path:
    return ledger.folder / "answers" / question
