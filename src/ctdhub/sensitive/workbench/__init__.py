"""Reserved: a contributor's own file, looked at and decided column by column.

Zone: sensitive.  Verdicts on columns, facets, edits with undo, live counts, own reports: data in
and out as JSON, for the kit and for the desk's worker.
Not here: web pages (``kit``, ``desk``).
"""
