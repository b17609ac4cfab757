"""Briefs and posters about a release: what they say, with the query behind every number.

Zone: right of the border.  Documents about a place, a corridor or a day.
Not here: how a document is set (``document``), a contributor's report
(``hub.private.pages``).
Public: ``make.brief``, ``make.make_poster``.
"""
