"""The privacy-budget ledger: append-only, hash-chained, written and synced before noise is drawn.

Zone: privacy.  Charging, refusing, proving that no line was changed, what was spent on what.
Not here: the answers that were paid for (``dp.answer_store``), costs (``dp.accounting``).
Public: ``book.Ledger``, ``file``.
"""
