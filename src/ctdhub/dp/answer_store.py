"""Answers that were paid for: each lies under the id of its charge."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.border import (
    COUNTS,
    FALSE_SHARE,
    MEASUREMENTS,
    Estimate,
    Guarantee,
    Perpetrators,
    Protected,
    Sources,
    restore,
)
from ctdhub.core.atomic import sync, take
from ctdhub.core.error_catalogue import error
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.charge import Charge
from ctdhub.dp.ledger.disk import damaged, guarded, write_synced
from ctdhub.dp.person_rows import epsilon_by_rows

_FRESH = ".new-"
_TABLES = ("records.parquet", "counts.parquet", "measurements.parquet")
_SOURCES = "sources.parquet"
_CHILD = ("perpetrators.parquet", "perpetrator_counts.parquet")
_SET = "imputation-{k:03}.parquet"
_PARTS = "request.json"
_DAMAGE = (ValueError, TypeError, KeyError, pa.ArrowInvalid)


def stored(ledger: Ledger, charge: Charge, facts: dict[str, Any]) -> Protected | None:
    """The answer that a charge paid for, with today's public facts; None where there is none.

    Raises:
        LedgerError: the stored answer is damaged, or the system refuses to read it.
    """
    folder = _place(ledger, charge)
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
        child, sources, sets = (answer[n] for n in ("perpetrators", "sources", "imputations"))
        return restore(
            records=tables[_TABLES[0]],
            counts=tables[_TABLES[1]].cast(COUNTS),
            perpetrators=None
            if child is None
            else Perpetrators(tables[_CHILD[0]], tables[_CHILD[1]].cast(COUNTS), **child),
            measurements=tables[_TABLES[2]].cast(MEASUREMENTS),
            sources=None if sources is None else _sources(tables[_SOURCES], **sources),
            imputations=tuple(tables[_SET.format(k=k)] for k in range(1, sets + 1)),
            people=Estimate(**answer["people"]),
            case_records=Estimate(**answer["case_records"]),
            guarantee=_guarantee(**answer["guarantee"]),
            facts=facts,
        )
    except _DAMAGE:
        raise damaged(folder) from None


def by_charge(ledger: Ledger, charge: str, facts: dict[str, Any]) -> Protected | None:
    """The answer of a charge by its id, None where the charge or the answer is not there.

    Raises:
        LedgerError, LedgerTampered: as :func:`stored` and :func:`check_paid`.
    """
    check_paid(ledger)
    entry = next((e for e in ledger.entries() if e.id == charge), None)
    return stored(ledger, entry, facts) if entry else None


def holds(ledger: Ledger, charge: Charge) -> bool:
    """Whether the answer that a charge paid for is there; its tables are not read."""
    return _place(ledger, charge).is_dir()


def parts(ledger: Ledger, charge: Charge) -> dict[str, str]:
    """Keyed hashes of the parts of an answered question.

    Raises:
        LedgerError: the answer is damaged, or the system refuses to read it.
    """
    path = _place(ledger, charge) / _PARTS
    try:
        with guarded(path):
            found = dict(json.loads(_read(path)))
    except _DAMAGE:
        raise damaged(path.parent) from None
    return {str(name): str(text) for name, text in found.items()}


def _guarantee(not_fitted: list[str], **given: Any) -> Guarantee:
    """A guarantee as :func:`_kept` wrote it."""
    found = Guarantee(**given, not_fitted=tuple(not_fitted))
    return replace(found, by_rows=epsilon_by_rows(found.rho, found.delta, found.rows))


def _kept(guarantee: Guarantee) -> dict[str, Any]:
    """What is written of a guarantee: all but what goes without saying or follows from the rest."""
    told = {field.name: getattr(guarantee, field.name) for field in fields(guarantee)}
    del told["by_rows"]
    if guarantee.rows == 1:
        del told["rows"]
    if guarantee.false_share == FALSE_SHARE:
        del told["false_share"]
    return told


def _sources(
    table: pa.Table,
    contributors: list[str],
    lists: list[str],
    sigma: dict[str, float],
    share: float,
    list_years: list[int] | None,
    tokens: int,
    found: float | None,
    merged: float | None,
) -> Sources:
    noisy, years = table.cast(MEASUREMENTS), (list_years[0], list_years[1]) if list_years else None
    names = tuple(contributors), tuple(lists)
    return Sources(*names, noisy, sigma, share, years, tokens, found, merged)


def check_paid(ledger: Ledger) -> None:
    """Every stored answer was paid for by a charge that the ledger still has.

    Raises:
        LedgerTampered: the ledger was put back to an older state than its answers.
        LedgerError: a stored answer is damaged, or the system refuses to read it.
    """
    paid = {e.id for e in ledger.entries()}
    for path in sorted(_answers(ledger).glob("[!.]*/answer.json")):
        charge = _charge_of(path.parent)
        if charge not in paid or charge != path.parent.name:
            raise error("ledger-answers", file=ledger.folder)


def sweep_answers(ledger: Ledger) -> None:
    """Delete what killed runs left among the answers.  Inside ``ledger.exclusive()``."""
    with guarded(_answers(ledger)):
        for left in _answers(ledger).glob(f"{_FRESH}*"):  # nobody else is here
            shutil.rmtree(left) if left.is_dir() else left.unlink()


@contextmanager
def room(ledger: Ledger, size: int) -> Iterator[None]:
    """Hold so many bytes of the disk for an answer to come; they are free after the block.

    Raises:
        LedgerError: there are not so many.
    """
    held = _answers(ledger) / f"{_FRESH}room"
    try:
        with guarded(held):
            held.parent.mkdir(parents=True, exist_ok=True)
            take(held, size)
        yield
    finally:
        held.unlink(missing_ok=True)


def store(ledger: Ledger, answer: Protected, parts: Mapping[str, str]) -> None:
    """Keep an answer; the folder is there whole or not at all.  Inside ``ledger.exclusive()``.

    Args:
        parts: keyed hashes of the parts of the question, so that it can be told later whether
            another one is the same, and how it differs.

    Raises:
        LedgerError: the system refuses to write; the charge is finished when it is asked for again.
    """
    folder = _answers(ledger) / answer.guarantee.charge
    fresh = folder.parent / f"{_FRESH}{secrets.token_hex(4)}"
    with guarded(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir()
    try:
        _fill(fresh, answer)
        write_synced(fresh / _PARTS, json.dumps(dict(parts), indent=1).encode())
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
    tables |= {_SET.format(k=k): t for k, t in enumerate(answer.imputations, start=1)}
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
        "imputations": len(answer.imputations),
        "perpetrators": {"rows": child.rows, "sigma": child.sigma} if child else None,
        "sources": {
            "contributors": sources.contributors,
            "lists": sources.lists,
            "sigma": sources.sigma,
            "share": sources.share,
            "list_years": sources.list_years,
            "tokens": sources.tokens,
            "found": sources.found,
            "merged": sources.merged,
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


def _answers(ledger: Ledger) -> Path:
    return ledger.folder / "answers"


def _place(ledger: Ledger, charge: Charge) -> Path:
    """The folder of an answer, whether it is there or not."""
    return _answers(ledger) / charge.id


def _charge_of(folder: Path) -> str:
    """The id of the charge that paid for the answer in a folder."""
    path = folder / "answer.json"
    try:
        with guarded(path):
            return str(json.loads(_read(path))["guarantee"]["charge"])
    except _DAMAGE:
        raise damaged(folder) from None
