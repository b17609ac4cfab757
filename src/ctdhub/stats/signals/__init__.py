"""Signals: which of many series differ from their own past, in number or in share.

Zone: right of the border.  The tests, the search, what explains a signal.
Not here: words (``report.signals``), causes (nobody's numbers).
Public: ``find``, ``of_release``.

A signal is a question about identified people.  It is no cause, no prevalence, and never about a
person.
"""
