"""A look at what contributors sent, before privacy is spent: private, exact, local and free.

Belongs here: gathering it from ``work/``, and a contributor's own rejected rows.
Does not belong here: counting what looks wrong (``sensitive.alarms``), words and files (``cli``).
"""
