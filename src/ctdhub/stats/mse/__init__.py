"""Multiple systems estimation: how many people no list knows, from the overlaps of lists.

Zone: right of the border.  Lists and their checks, several methods, sensitivity.
Not here: reading files (``cli``), words and charts (``report.mse``).
Public: ``estimate``, ``lists``, ``of_release``.

No method is the headline: an honest answer is how far they lie apart, and what each assumes.
"""
