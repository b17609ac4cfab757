"""The explorer: a page that filters synthetic records in the browser, and its packed data.

Zone: right of the border.
Not here: intervals (``stats.explore``).
Public: ``page``, ``pack``.
"""
