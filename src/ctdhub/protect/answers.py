"""Answers that were paid for, kept so that an exact repeat costs nothing.

Belongs here: storing a protected answer whole and reading it back.  Does not belong here: charges
(``ledger``), releases (the room ``release``).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.errors import LedgerTampered
from ctdhub.i18n import _
from ctdhub.protect.border import Estimate, Guarantee, Protected, restore
from ctdhub.protect.ledger import Ledger, damaged, write_synced

_FRESH = ".new-"


def stored(ledger: Ledger, question: str, facts: dict[str, Any]) -> Protected | None:
    """The answer to that question with today's public facts, None where there is none.

    Raises:
        LedgerError: the stored answer is damaged.
    """
    folder = _folder(ledger, question)
    if not folder.is_dir():
        return None
    try:
        answer = json.loads((folder / "answer.json").read_text("utf-8"))
        tables = {}
        for name, digest in answer["tables"].items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                raise damaged(folder)
            tables[name.removesuffix(".parquet")] = pq.read_table(folder / name)
        return restore(
            **tables,
            people=Estimate(**answer["people"]),
            case_records=Estimate(**answer["case_records"]),
            guarantee=Guarantee(**answer["guarantee"]),
            facts=facts,
        )
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowInvalid):
        raise damaged(folder) from None


def check_paid(ledger: Ledger) -> None:
    """Every stored answer was paid for by a charge that the ledger still has.

    Raises:
        LedgerTampered: the ledger was put back to an older state than its answers.
        LedgerError: a stored answer is damaged.
    """
    paid = {(e.question, e.id) for e in ledger.entries()}
    for path in sorted(_folder(ledger, "").glob("[!.]*/answer.json")):
        try:
            charge = json.loads(path.read_text("utf-8"))["guarantee"]["charge"]
        except (OSError, ValueError, TypeError, KeyError):
            raise damaged(path.parent) from None
        if (path.parent.name, charge) not in paid:
            raise LedgerTampered(
                _("The ledger does not know the charge that paid for a stored answer."),
                _(
                    "Bring the ledger folder back from a copy; nothing can be charged to a changed "
                    "ledger."
                ),
                file=ledger.folder,
                rule="ledger-answers",
            )


def store(ledger: Ledger, question: str, answer: Protected) -> None:
    """Keep an answer; the folder is there whole or not at all.  Inside ``ledger.exclusive()``."""
    folder = _folder(ledger, question)
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f"{_FRESH}*"):  # of a killed run: nobody else is here
        shutil.rmtree(left)
    fresh = folder.parent / f"{_FRESH}{secrets.token_hex(4)}"
    fresh.mkdir()
    digests = {}
    for name, table in (("records.parquet", answer.records), ("counts.parquet", answer.counts)):
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        content = sink.getvalue().to_pybytes()
        write_synced(fresh / name, content)
        digests[name] = hashlib.sha256(content).hexdigest()
    figures = {
        "tables": digests,
        "people": asdict(answer.people),
        "case_records": asdict(answer.case_records),
        "guarantee": asdict(answer.guarantee),
    }
    write_synced(fresh / "answer.json", json.dumps(figures, indent=1).encode())
    fresh.rename(folder)
    handle = os.open(folder.parent, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def _folder(ledger: Ledger, question: str) -> Path:
    return ledger.folder / "answers" / question
