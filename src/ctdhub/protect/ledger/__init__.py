"""The privacy ledger: append-only, hash-chained, written and synced before noise is drawn.

Belongs here: charging, refusing, proving that no line was changed, telling what was spent.
Does not belong here: the answers that were paid for (``answers``), the arithmetic of costs
(``accounting``).

``entry`` is one charge, ``file`` the lines on disk, ``book`` the ledger that charges and refuses,
``report`` what was spent on what, ``purposes`` what a charge is for in words, ``disk`` writing that
survives a crash and faults of the disk.
"""

from ctdhub.protect.ledger.book import Ledger
from ctdhub.protect.ledger.disk import damaged, guarded, write_synced
from ctdhub.protect.ledger.entry import KINDS, Entry, Kind, taking_part
from ctdhub.protect.ledger.purposes import told, written
from ctdhub.protect.ledger.report import Spending, by_contributor, by_kind

__all__ = [
    "KINDS",
    "Entry",
    "Kind",
    "Ledger",
    "Spending",
    "by_contributor",
    "by_kind",
    "damaged",
    "guarded",
    "taking_part",
    "told",
    "write_synced",
    "written",
]
