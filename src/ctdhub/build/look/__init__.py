"""A look at what contributors sent, before privacy is spent: private, exact, local and free.

Belongs here: gathering it from ``work/``, as a document, as a workbook, and a contributor's part.
Does not belong here: counting what looks wrong (``sensitive.alarms``), showing (``cli``).
"""
