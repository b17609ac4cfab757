"""The ledger of a lone table: named by whoever asks, begun only where that is said."""

from __future__ import annotations

from pathlib import Path

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.custody import begin, open_custody
from ctdhub.dp.ledger.file import LedgerFile
from ctdhub.dp.ledger.population import new_population
from ctdhub.dp.ledger.witness import leased


def ledger_of_table(folder: Path | None, new: str = "") -> Ledger:
    """The ledger in a folder; it begins only where ``new`` names its people.

    Args:
        folder: where it lies or shall lie; None is refused.
        new: who the people are, in words; empty where the ledger has begun.

    Raises:
        PolicyError: no folder is named; no ledger has begun there and none is to begin; one has
            begun and another is to.
        LedgerTampered: the ledger of this folder is gone, or nothing says whose it is.
        LedgerError: there is no state folder; the system refuses.
    """
    if folder is None:
        raise error("ledger-unnamed")
    folder = folder.absolute()
    custody = open_custody(folder, folder)
    if custody is None:
        if LedgerFile(folder).entries():
            raise error("ledger-unknown", file=folder)
        if leased(folder.resolve()) is not None:
            raise error("ledger-gone/known", file=folder)
        if not new.strip():
            raise error("ledger-unnamed/new", file=folder)
        custody = begin(folder, folder, new_population(new.strip(), "table"))
        return Ledger(folder, custody=custody)
    ledger = Ledger(folder, custody=custody)
    if new and (custody.population.name != new.strip() or ledger.entries()):
        name = printable(custody.population.name)
        raise error("ledger-begun", file=folder, name=name)
    return ledger
