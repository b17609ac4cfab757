"""A contributor's own file, looked at and decided column by column.

Zone: sensitive.  Verdicts on columns, facets, edits with undo and history, live counts, problems by
cell: data in and out as JSON, for the kit and for the desk's worker.
Not here: web pages (``kit``, ``desk``), bundles (``sensitive.bundle``), who may ask.
Public: ``ask.ask``.
"""
