"""The nearest question that has an answer: which measured tables lie inside a question.

A view of some variables, those of its filters and of its chart, is answered well where a release
measured the table of just these variables.  Where it did not, the answer is only "at most"; a
question with one variable less may have a table.  The explorer's script has the same rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

MOST = 2
"""Questions that are offered, at most."""


def nearest(
    measured_tables: Iterable[Collection[str]], asked_variables: Sequence[str]
) -> tuple[tuple[str, ...], ...]:
    """The largest measured tables whose variables are all asked for, but not all that are asked.

    Args:
        measured_tables: the variables of each.
        asked_variables: of the filters and the chart, in the order of their weight: of two tables
            of one size, the one that keeps the earlier variables comes first.

    Returns:
        At most :data:`MOST`, each in the order of ``asked_variables``; () where the question
        itself was measured, or no part of it was.

    >>> tables = [{"year", "citizenship", "country"}, {"gender", "country"}, {"country"}]
    >>> nearest(tables, ["year", "citizenship", "country", "gender"])
    (('year', 'citizenship', 'country'), ('country', 'gender'))
    >>> nearest(tables, ["country", "gender"])
    ()
    """
    asked = tuple(dict.fromkeys(asked_variables))
    whole = frozenset(asked)
    inside = {frozenset(table) for table in measured_tables if table and whole.issuperset(table)}
    if whole in inside:
        return ()
    kept = [table for table in inside if not any(table < other for other in inside)]
    found = [tuple(name for name in asked if name in table) for table in kept]
    found.sort(key=lambda names: (-len(names), [asked.index(name) for name in names]))
    return tuple(found[:MOST])
