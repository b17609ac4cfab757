"""Signals: which of many series differ from their own past, in number or in share.

Belongs here: the tests, the search, what was found in words and as a document.
Does not belong here: reading files (``cli``), pages (``portal``), causes (nobody's numbers).

A signal is a question about identified cases.  It is no cause, no prevalence, and never about a
person.
"""

from ctdhub.insight.signals import report, reporters
from ctdhub.insight.signals.cells import Given
from ctdhub.insight.signals.figures import Cards, by_year, cards
from ctdhub.insight.signals.find import (
    MIN_COUNT,
    RATE,
    Figure,
    Finding,
    Found,
    Settings,
    Test,
    find,
)
from ctdhub.insight.signals.on_release import ReleaseSignals, signals
from ctdhub.insight.signals.panel import Panel
from ctdhub.insight.signals.periods import Period, read_period
from ctdhub.insight.signals.read import panel_of_table
from ctdhub.insight.signals.same import Lead, leads

__all__ = [
    "MIN_COUNT",
    "RATE",
    "Cards",
    "Figure",
    "Finding",
    "Found",
    "Given",
    "Lead",
    "Panel",
    "Period",
    "ReleaseSignals",
    "Settings",
    "Test",
    "by_year",
    "cards",
    "find",
    "leads",
    "panel_of_table",
    "read_period",
    "report",
    "reporters",
    "signals",
]
