"""Stories: texts that a hub writes about its releases, with charts and numbers that stay true.

Zone: right of the border.  Reading stories, their numbers and charts, safe HTML, the exhibition.
Not here: statistics (``stats``).
Public: ``source``, ``page``, ``exhibit``.
"""
