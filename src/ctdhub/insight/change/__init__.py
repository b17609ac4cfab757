"""Did the world change or the data?  The change of a series between two years, split.

Belongs here: the split into contributors, recording and the rest; series of a fixed panel.
Does not belong here: counts by year as they are published (``trends``), drawing (``portal``).
"""

from ctdhub.insight.change.contributors import Group, groups
from ctdhub.insight.change.counts import Counts, counts
from ctdhub.insight.change.panel import Panel, fixed_panel
from ctdhub.insight.change.question import EVERYBODY, Question, find_question
from ctdhub.insight.change.report import Report, report
from ctdhub.insight.change.split import Part, Split, split

__all__ = [
    "EVERYBODY",
    "Counts",
    "Group",
    "Panel",
    "Part",
    "Question",
    "Report",
    "Split",
    "counts",
    "find_question",
    "fixed_panel",
    "groups",
    "report",
    "split",
]
