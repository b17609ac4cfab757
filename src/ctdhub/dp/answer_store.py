"""Answers that were paid for, by the id of their charge; and charges that have no answer yet."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.border import Estimate, Guarantee, Perpetrators, Protected, Sources, restore
from ctdhub.core.errors import error
from ctdhub.core.files import sweep, sync, take
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.file import Charge, damaged, guarded, write_synced
from ctdhub.dp.noise import ChargeSecret

# --------------------------------------------------------------------------------------------------
# Answers that were paid for: each lies under the id of its charge.

_FRESH = ".new-"
_REQUEST, _ANSWER = "request.json", "answer.json"
_PARTS: dict[str, type] = {
    "people": Estimate,
    "case_records": Estimate,
    "guarantee": Guarantee,
    "perpetrators": Perpetrators,
    "sources": Sources,
}
"""Parts of an answer that have figures; their tables have names that begin with the part's."""

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
            answer = json.loads(_read(folder / _ANSWER))
            tables: dict[str, pa.Table] = {}
            for name, digest in answer["tables"].items():
                content = _read(folder / f"{name}.parquet")
                if hashlib.sha256(content).hexdigest() != digest:
                    raise damaged(folder)
                tables[name] = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        # Without threads: one that gives back Python's memory while Python ends aborts the process.
        return restore(
            **{name: tables[name] for name in ("records", "counts", "measurements")},
            imputations=tuple(tables[f"set-{k}"] for k in range(answer["imputations"])),
            **{name: _restored(name, answer[name], tables) for name in _PARTS},
            facts=facts,
        )
    except _DAMAGE:
        raise damaged(folder) from None


def _restored(part: str, figures: dict[str, Any] | None, tables: dict[str, pa.Table]) -> Any:
    """A part of an answer out of its figures and tables; None where it has none."""
    if figures is None:
        return None
    arguments = {n: tuple(v) if isinstance(v, list) else v for n, v in figures.items()}
    own = {n.removeprefix(f"{part}-"): t for n, t in tables.items() if n.startswith(f"{part}-")}
    return _PARTS[part](**arguments, **own)


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
    path = _place(ledger, charge) / _REQUEST
    try:
        with guarded(path):
            digests = dict(json.loads(_read(path)))
    except _DAMAGE:
        raise damaged(path.parent) from None
    return {str(name): str(text) for name, text in digests.items()}


def check_paid(ledger: Ledger) -> None:
    """Every stored answer was paid for by a charge that the ledger still has.

    Raises:
        LedgerTampered: the ledger was put back to an older state than its answers.
        LedgerError: a stored answer is damaged, or the system refuses to read it.
    """
    paid = {e.id for e in ledger.entries()}
    for path in sorted(_answers(ledger).glob(f"[!.]*/{_ANSWER}")):
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
    file = _answers(ledger) / f"{_FRESH}room"
    try:
        with guarded(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            take(file, size)
        yield
    finally:
        file.unlink(missing_ok=True)


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
        write_synced(fresh / _REQUEST, json.dumps(dict(parts), indent=1).encode())
        with guarded(folder.parent):
            fresh.rename(folder)
            sync(folder.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)  # a full disk gets its room back


def _fill(fresh: Path, answer: Protected) -> None:
    tables = {name: getattr(answer, name) for name in ("records", "counts", "measurements")}
    tables |= {f"set-{k}": table for k, table in enumerate(answer.imputations)}
    figures: dict[str, Any] = {"imputations": len(answer.imputations), "tables": {}}
    for name in _PARTS:
        part = getattr(answer, name)
        figures[name] = None if part is None else {}
        for field in fields(part) if part else ():
            value = getattr(part, field.name)
            if isinstance(value, pa.Table):
                tables[f"{name}-{field.name}"] = value
            else:
                figures[name][field.name] = value
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        # Parquet's own name for the inside of a list would make the schema another one.
        pq.write_table(table, sink, compression="zstd", use_compliant_nested_type=False)
        content = sink.getvalue().to_pybytes()
        write_synced(fresh / f"{name}.parquet", content)
        figures["tables"][name] = hashlib.sha256(content).hexdigest()
    write_synced(fresh / _ANSWER, json.dumps(figures, indent=1).encode())


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
    path = folder / _ANSWER
    try:
        with guarded(path):
            return str(json.loads(_read(path))["guarantee"]["charge"])
    except _DAMAGE:
        raise damaged(folder) from None


# --------------------------------------------------------------------------------------------------
# A charge that has no answer yet: its secret, kept until the answer is stored.
#
# The file is written and synced before the charge is, and lies for its owner alone outside of the
# ledger's folder, which people copy to other places: with a release, the secret gives exact counts.
# Once the answer is stored it is overwritten and deleted.  That takes it from the file system; a
# drive or a copy-on-write file system may keep old blocks, so that the disk of a hub is encrypted.

_FILE = "charge.json"


@dataclass(frozen=True)
class Pending:
    """What it takes to finish a charge.

    Attributes:
        charge: id of the charge.
        secret: all randomness of its answer.
        exact: keyed hash of the request and of its exact tables.  For other tables the secret must
            not be used: equal noise on two tables gives their exact difference.
    """

    charge: str
    secret: ChargeSecret
    exact: str


def write_pending(folder: Path, pending: Pending) -> None:
    """Write down a charge that is about to be made; what lay there is destroyed.

    Raises:
        LedgerError: the system refuses.
    """
    destroy_pending(folder)
    content = {
        "charge": pending.charge,
        "secret": pending.secret.value.hex(),
        "exact": pending.exact,
    }
    with guarded(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(folder.parent)
    write_synced(folder / _FILE, json.dumps(content).encode())


def read_pending(folder: Path) -> Pending | None:
    """The charge that is pending, None where there is none or its file is damaged.

    Raises:
        LedgerError: the system refuses to read.
    """
    path = folder / _FILE
    if not path.is_file():
        return None
    try:
        with guarded(path):
            entry = json.loads(path.read_bytes())
        secret = ChargeSecret(bytes.fromhex(entry["secret"]))
        return Pending(str(entry["charge"]), secret, str(entry["exact"]))
    except (ValueError, TypeError, KeyError):
        return None


def destroy_pending(folder: Path) -> None:
    """Overwrite and delete what is pending, and what a killed run left of it.

    Raises:
        LedgerError: the system refuses.
    """
    path = folder / _FILE
    with guarded(path):
        if not folder.is_dir():
            return
        sweep(folder, _FILE)
        if path.exists():
            try:
                with path.open("r+b") as out:
                    out.write(bytes(path.stat().st_size))
                    out.flush()
                    os.fsync(out.fileno())
            finally:
                path.unlink()
        sync(folder)
        with suppress(OSError):  # something else lies there
            folder.rmdir()
