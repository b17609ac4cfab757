"""A question that a release answers, as data: who is counted, by what, and of whom.

A query has no words and no language.  Two that ask the same are equal and hash alike, whatever the
order in which their conditions were written; so a number can carry its query, and whoever reads the
number can ask again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Where = Mapping[str, Collection[str]]
"""Values by variable; the empty text stands for "not recorded"."""

KEYS = ("where", "by", "of")


@dataclass(frozen=True)
class Query:
    """A question about people.

    Args:
        where: by variable the codes that people may have; all variables must agree.  {} is
            everybody, the code "" is "not recorded".
        by: variables whose values divide the people, in the order of a table's columns; () asks
            for one number.
        of: who a share refers to; None asks for a number of people.  The people of ``where`` are
            among them, so ``where`` restates or narrows the conditions of ``of``.

    Attributes:
        where: each variable's codes in order and once; cannot be changed.  The order of the
            variables is kept as written, and is no part of the question.

    Raises:
        ValueError: a condition without a code; a variable twice in ``by``; an ``of`` that is
            itself a table or a share; codes that ``of`` leaves out.

    >>> one = Query({"gender": ["female"], "citizenship": ["CIV", "MLI"]})
    >>> one == Query({"citizenship": ("MLI", "CIV"), "gender": {"female"}})
    True
    >>> Query.from_json(one.as_json()) == one
    True
    """

    where: Where = field(default_factory=dict)
    by: tuple[str, ...] = ()
    of: Query | None = None

    def __post_init__(self) -> None:
        where = {name: tuple(sorted(set(codes))) for name, codes in self.where.items()}
        object.__setattr__(self, "where", MappingProxyType(where))
        object.__setattr__(self, "by", tuple(self.by))
        if not all(where.values()):
            raise ValueError("a condition of a query names at least one code")
        if len(set(self.by)) != len(self.by):
            raise ValueError("a query names each variable of a table once")
        if self.of is None:
            return
        if self.of.by or self.of.of is not None:
            raise ValueError("a share refers to people, not to a table or another share")
        for name, codes in where.items():
            if not set(codes) <= set(self.of.where.get(name, codes)):
                raise ValueError("the people of a share are among those it refers to")

    def __hash__(self) -> int:
        return hash((frozenset(self.where.items()), self.by, self.of))

    def __reduce__(self) -> tuple[type[Query], tuple[dict[str, Any], tuple[str, ...], Any]]:
        return Query, (dict(self.where), self.by, self.of)

    @property
    def written(self) -> tuple[Any, ...]:
        """The question with its variables in the order in which they were written."""
        of = None if self.of is None else self.of.written
        return tuple(self.where.items()), self.by, of

    def at(self, codes: tuple[str, ...]) -> Query:
        """The question of one row of the table: these codes of the variables of ``by``."""
        own = {name: (code,) for name, code in zip(self.by, codes, strict=True)}
        return Query({**self.where, **own}, of=self.of)

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON, the same for equal queries: ``where`` with its variables in the
        order of the alphabet, ``by`` and ``of`` where there are any."""
        fields: dict[str, Any] = {"where": {n: list(c) for n, c in sorted(self.where.items())}}
        if self.by:
            fields["by"] = list(self.by)
        if self.of is not None:
            fields["of"] = self.of.as_json()
        return fields

    @classmethod
    def from_json(cls, data: object) -> Query:
        """The query that :meth:`as_json` wrote.

        Raises:
            ValueError: the data are of another form.
        """
        if not isinstance(data, dict) or not data.keys() <= set(KEYS):
            raise ValueError(f"a query is an object with the keys {', '.join(KEYS)}")
        where, by, of = data.get("where", {}), data.get("by", []), data.get("of")
        if not isinstance(where, dict) or not all(map(_texts, (by, *where.values()))):
            raise ValueError("a query holds lists of texts: codes by variable, and variables")
        return cls(where, tuple(by), None if of is None else cls.from_json(of))


def _texts(codes: object) -> bool:
    return isinstance(codes, list) and all(isinstance(one, str) for one in codes)


# --------------------------------------------------------------------------------------------------
# The nearest question that has an answer: which measured tables lie inside a question.
#
# A view of some variables, those of its filters and of its chart, is answered well where a release
# measured the table of just these variables.  Where it did not, the answer is only "at most"; a
# question with one variable less may have a table.  The explorer's script has the same rule.

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
    tables = [tuple(name for name in asked if name in table) for table in kept]
    tables.sort(key=lambda names: (-len(names), [asked.index(name) for name in names]))
    return tuple(tables[:MOST])
