"""How many people no list knows: estimates from the overlaps of lists, by several methods.

Belongs here: lists and their checks, methods, sensitivity, the gate, what is said about them.
Does not belong here: reading files (the command does), drawing (``portal``).

No method is the headline: an honest answer is how far they lie apart, and what each assumes.
"""

from ctdhub.insight.hidden.estimate import LEVEL, REPLICATES, Method, Result, estimate, remembered
from ctdhub.insight.hidden.reading import lists_of
from ctdhub.insight.hidden.report import report
from ctdhub.insight.hidden.table import Lists

__all__ = [
    "LEVEL",
    "REPLICATES",
    "Lists",
    "Method",
    "Result",
    "estimate",
    "lists_of",
    "remembered",
    "report",
]
