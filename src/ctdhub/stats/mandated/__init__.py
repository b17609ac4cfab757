"""The tables that states and the United Nations ask for, out of one release.

Zone: right of the border.  One module for each shape, what their lines have in common, population.
Not here: files and words (``report.mandated``), any number that a release does not hold.
Public: ``tables.SHAPES``.

Every table is aligned with what its users ask for, not certified by them, and says what is missing.
"""
