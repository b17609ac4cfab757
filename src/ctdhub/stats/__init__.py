"""Numbers of a release as data: counts with intervals, shares, trends, signals, estimates.

Zone: right of the border.
Not here: raw records, sentences (``report``), files (``release``).
Public: ``answers.Answers``, ``cards.NumberCard``, ``tables``, ``headline``.
"""
