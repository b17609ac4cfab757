"""The answers of a release: a number card for a question, a table for a question with parts.

Every number that a release publishes of people is asked here, so that the same question has the
same answer on every page, in every file and for every program.  How the numbers and their intervals
come about says ``estimator``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product

from ctdhub.core.errors import HubError, error
from ctdhub.schema.countries import find_place, resolve
from ctdhub.schema.model import PERIOD, load_schema
from ctdhub.stats import cards
from ctdhub.stats.cards import card, outside
from ctdhub.stats.estimator import Estimator, memoised
from ctdhub.stats.query import Query, Where


class Answers(Estimator):
    """The questions that one release answers.

    Raises:
        TypeError: not a Release (which holds a Protected answer and nothing else).
    """

    @memoised
    def card(self, query: Query, *, missing: float | None = None) -> cards.NumberCard:
        """The people of a query, or their share of those of its ``of``.

        Args:
            missing: what the card says of people whose answer is not recorded, in 0..1.

        Raises:
            ValueError: the query asks for a table.
        """
        if query.by:
            raise ValueError("a number answers a query without parts; ask for its table")
        if query.of is None:
            answer, own = self.count(query.where), self.is_published(query.where)
            return card(self.release, answer, "people", query, missing=missing, published=own)
        answer, whole = self.share(query.where, query.of.where), self.count(query.of.where)
        return self._share(query, answer, whole, missing)

    def outside(self, query: Query, *, missing: float | None = None) -> cards.NumberCard:
        """The people of a query's ``of`` who do not meet its conditions.

        Raises:
            ValueError: the query has no ``of``.
        """
        if query.of is None:
            raise ValueError("people are outside of others: the query names whom it is of")
        answer = outside(self.count(query.where), self.count(query.of.where))
        return card(self.release, answer, "people", query, missing=missing)

    def missing(self, recorded: Query) -> float | None:
        """Share, in 0..1, of the people of ``recorded.of``, or of all, who are outside the query.

        Args:
            recorded: the people whose answers are recorded.

        Returns:
            None where it is not known.
        """
        among = recorded.of.where if recorded.of else {}
        total, known = self.count(among).value, self.count(recorded.where).value
        if not total or known is None:
            return None
        return min(1.0, max(0.0, 1 - known / total))

    @memoised
    def table(self, query: Query, *, shares: bool = True) -> cards.Table:
        """People by the values of some variables, "not recorded" last.

        Every combination of values has a row, also one that is too few to show; years after the
        last that a contributor covers have none unless the query names them.  Shares refer to the
        people for whom all variables of ``by`` are recorded and who meet the other conditions, or
        to those of the query's ``of``.

        Args:
            query: a condition on a variable of its ``by`` keeps some of the rows.
            shares: False leaves them out, for large tables.

        Raises:
            ValueError: the query has no ``by``.
        """
        if not query.by:
            raise ValueError("a table divides people by some variable")
        among = {name: codes for name, codes in query.where.items() if name not in query.by}
        known = {**among, **{name: self.domain(name) for name in query.by}}
        of = query.of or Query(known)
        missing = self.missing(Query(known, of=Query(among)))
        whole = self.count(of.where)
        rows, answers = [], self._by_row(query, among)
        own = any(self.is_published({**among, **_cell(query, codes)}) for codes in [*answers][:1])
        for codes, answer in answers.items():
            asked, kind = Query({**among, **_cell(query, codes)}), self.kind(query.by, codes)
            people = card(self.release, answer, "people", asked, missing=missing, published=own)
            share = None
            if shares and kind != "not_recorded":
                asked = Query(asked.where, of=of)
                part = self.share_of(answer, whole, asked.where, of.where)
                share = self._share(asked, part, whole, missing)
            rows.append(cards.Row(codes, kind, people, share))
        base = card(self.release, whole, "people", of, missing=missing)
        return cards.Table(query.by, tuple(rows), base, missing, query=query)

    def axes(self, query: Query) -> tuple[tuple[str, ...], ...]:
        """The codes of each variable of a table, in the order of the codebook."""
        return tuple(self._axis(name, query) for name in query.by)

    def is_measured(self, query: Query) -> bool:
        """Whether the rows of a table are cells of one that was measured, and no sums."""
        return self._measured_as(query) is not None

    def is_published(self, where: Where) -> bool:
        """Whether a number of people is a cell of a measured table, and no sum of cells."""
        asked = dict(self._question(where))
        single = all(len(codes) == 1 for codes in asked.values())
        return not asked or (single and self.measured(*asked) is not None)

    def reports(self, variable: str, code: str) -> bool:
        """Whether some contributor covers a year; other variables are covered by all."""
        if variable != PERIOD or code == cards.NOT_RECORDED:
            return True
        spans = [c.years or self.years for c in self.release.facts.contributors]
        return any(first <= int(code) <= last for first, last in spans)

    def kind(self, variables: tuple[str, ...], codes: tuple[str, ...]) -> cards.Kind:
        """What kind of row these codes are: a value, people without one, nobody's to report."""
        if cards.NOT_RECORDED in codes:
            return "not_recorded"
        covered = all(self.reports(*pair) for pair in zip(variables, codes, strict=True))
        return "value" if covered else "nobody_reports"

    def _share(
        self, query: Query, answer: cards.Interval, whole: cards.Interval, missing: float | None
    ) -> cards.NumberCard:
        denominator = None if whole.value is None else round(whole.value)
        return card(self.release, answer, "share", query, denominator=denominator, missing=missing)

    def _axis(self, name: str, query: Query) -> tuple[str, ...]:
        codes, wanted = self.domain(name), query.where.get(name)
        if name == PERIOD and wanted is None:
            codes = tuple(year for year in codes if int(year) <= self.release.years[1])
        return tuple(c for c in (*codes, cards.NOT_RECORDED) if wanted is None or c in wanted)

    def _measured_as(self, query: Query) -> str | None:
        """The key of the measured table whose cells are the rows, None where they are sums."""
        rest = {name: codes for name, codes in query.where.items() if name not in query.by}
        single = all(len(codes) == 1 for codes in rest.values())
        return self.measured(*query.by, *rest) if single else None

    def _by_row(self, query: Query, among: Where) -> dict[tuple[str, ...], cards.Interval]:
        """The answer of every row: as it was measured where it was, else as a sum."""
        cells = list(product(*self.axes(query)))
        key = self._measured_as(query)
        if key is None:
            return {codes: self.count({**among, **_cell(query, codes)}) for codes in cells}
        shown = self.cells(*query.by, *among)
        end = tuple(next(iter(codes)) for codes in among.values())
        estimates = {codes: shown.get((*codes, *end)) for codes in cells}
        return {
            c: cards.Interval(e.value, e.low, e.high)
            if e
            else self.count({**among, **_cell(query, c)})
            for c, e in estimates.items()
        }


def _cell(query: Query, codes: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {name: (code,) for name, code in zip(query.by, codes, strict=True)}


# --------------------------------------------------------------------------------------------------
# What somebody asks a release, read into a query: the one place that knows what is asked for.

Condition = str | int | bool | None | Iterable[str | int | None]
"""A value or several: a code, a year, True or False for a yes/no variable, a country or region by
name or code; None stands for "not recorded"."""


def read_query(
    answers: Answers,
    where: Mapping[str, Condition] | None = None,
    by: Sequence[str] = (),
    of: Mapping[str, Condition] | None = None,
) -> Query:
    """The query that somebody asks for.

    Args:
        where: conditions by variable.
        by: variables of a table.
        of: conditions of the people that a share refers to; None for no share.

    Raises:
        QuestionError: the release has no such variable (``no-such-variable``), the variable no
            such value (``no-such-value``), or there is no such place (``no-such-place``).
        ValueError: what no query may be, see :class:`Query`.
    """
    return Query(
        conditions(answers, where or {}),
        tuple(checked(answers, name) for name in by),
        None if of is None else Query(conditions(answers, of)),
    )


def conditions(answers: Answers, where: Mapping[str, Condition]) -> dict[str, tuple[str, ...]]:
    """Codes by variable, both in the order in which they were given.

    Raises:
        QuestionError: as :func:`read_query`.
    """
    return {checked(answers, name): _values(answers, name, value) for name, value in where.items()}


def checked(answers: Answers, name: str) -> str:
    """The name of a variable that the release holds.

    Raises:
        QuestionError: it holds none of that name (``no-such-variable``).
    """
    if name not in answers.variables:
        raise error("no-such-variable", names=", ".join(sorted(answers.variables)))
    return name


def recorded(answers: Answers, names: Iterable[str]) -> Query:
    """The people for whom these variables are recorded.

    An empty yes/no variable of a group cannot be told from "no": its group's indicator decides.
    """
    where: dict[str, tuple[str, ...]] = {}
    for name in names:
        variable = load_schema().variable(name)
        group = load_schema().groups.get(variable.group or "")
        if group and group.indicator:
            where[group.indicator] = (cards.YES,)
        elif load_schema().is_indicator(name):
            where[name] = (cards.YES,)
        else:
            where[name] = answers.domain(name)
    return Query(where)


def codes_of(
    answers: Answers, name: str, text: str, countries: Callable[[str], tuple[str, ...]]
) -> tuple[str, ...]:
    """The codes of a variable that a text means, () where it means none.

    Args:
        countries: those that the text means, () where it is no place; asked of variables whose
            codes are countries, and for texts that are no code themselves.
    """
    if text in (cards.NOT_RECORDED, *answers.domain(name)):
        return (text,)
    return countries(text) if load_schema().variable(name).kind == "country" else ()


def _values(answers: Answers, name: str, value: Condition) -> tuple[str, ...]:
    several = value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    codes = dict.fromkeys(code for one in several for code in _codes(answers, name, one))
    if not codes:
        raise _no_such_value(answers, name)
    return tuple(codes)


def _codes(answers: Answers, name: str, value: str | int | bool | None) -> tuple[str, ...]:
    if value is None:
        return (cards.NOT_RECORDED,)
    text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    codes = codes_of(answers, name, text, _countries)
    if not codes:
        raise _no_such_value(answers, name)
    return codes


def _countries(text: str) -> tuple[str, ...]:
    return find_place(text, lambda country: resolve(country).alpha3).members


def _no_such_value(answers: Answers, name: str) -> HubError:
    return error("no-such-value", name=name, names=", ".join(answers.domain(name)))
