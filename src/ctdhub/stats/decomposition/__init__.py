"""Did the world change or the data?  The change of a series between two years, split.

Zone: right of the border.  The split into contributors, recording and the remaining change; series
of a fixed panel of contributors.
Not here: counts by year as they are published (``stats.trend``), sentences (``report``).
Public: ``report``, ``split``, ``subject``.
"""
