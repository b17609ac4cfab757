"""Numbers of a release as data: counts with intervals, shares, trends, signals, estimates.

Zone: right of the border.
Not here: raw records, sentences (``report``), files (``release``).
Public: ``query.Query``, ``answers.Answers``, ``cards.NumberCard``, ``cards.Table``, ``tables``.
"""
