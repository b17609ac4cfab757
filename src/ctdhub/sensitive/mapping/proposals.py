"""What one column of an unknown file may be, judged by its header and its distinct texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa
from babel.numbers import format_percent

from ctdhub.core.i18n import _, current
from ctdhub.core.text import fold
from ctdhub.schema import countries
from ctdhub.schema.country_names import fold_name, look_up, resolve
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, SEX
from ctdhub.sensitive.mapping.dates import DAY_FIRST, MONTH_FIRST
from ctdhub.sensitive.mapping.parsers import elements_of
from ctdhub.sensitive.mapping.values import OLDEST, band_of, number_of
from ctdhub.sensitive.mapping.vocabulary import vocabulary

FEW = 80
"""Up to so many distinct texts a column is taken to be coded, and its texts may be shown."""

LOOKED_AT = 5_000
"""Distinct texts of a column that are looked at."""

SEPARATORS = (";", "|", ",")


@dataclass(frozen=True)
class Glance:
    """A column: its distinct texts with how often each stands, most frequent first.

    Texts that mean "not recorded" in some language are apart, in ``empty``.  ``repeats`` says
    whether a text stands in two rows or more on average; where it does not, texts may be names.
    """

    name: str
    texts: tuple[str, ...]
    empty: tuple[str, ...]
    repeats: bool = True

    def share(self, test: Callable[[str], object]) -> float:
        """Share of the distinct texts for which the test holds, 0 where there are none."""
        return sum(bool(test(text)) for text in self.texts) / max(len(self.texts), 1)

    @property
    def coded(self) -> bool:
        """Whether so few texts stand in the column that they are likely to be codes."""
        return 0 < len(self.texts) <= FEW


def glance(table: pa.Table, name: str) -> Glance:
    """Look at a column of a raw table."""
    counts = Counter(
        {e["values"]: e["counts"] for e in table[name].drop_null().value_counts().to_pylist()}
    )
    empty = vocabulary().empty
    texts = [text for text, _n in counts.most_common(LOOKED_AT) if fold(text)]
    return Glance(
        name,
        tuple(text for text in texts if not _means_nothing(text, empty)),
        tuple(text for text in texts if _means_nothing(text, empty)),
        counts.total() >= 2 * len(counts),
    )


def _means_nothing(text: str, empty: frozenset[str]) -> bool:
    """Of numbers only -99 counts, for 99 may be an age; "NA" never does, for it is Namibia."""
    plain = fold(text)
    return plain in ("-99", "n/a") or (fold_name(text) in empty and number_of(plain) is None)


@dataclass(frozen=True)
class Proposal:
    """A rule for a hub variable.

    Attributes:
        target: the hub variable.
        column: the source column.
        rule: the rule in the words of a mapping.
        score: how sure, 0 to 1.
        reason: one sentence.
        doubts: what the steward should look at.
    """

    target: str
    column: str
    rule: dict[str, Any]
    score: float
    reason: str
    doubts: tuple[str, ...] = field(default=())


def proposals(column: Glance) -> Iterator[Proposal]:
    """Everything that a column may be."""
    schema = load_schema()
    if not column.texts or vocabulary().about_others(column.name):
        return
    for target, score in vocabulary().variables(column.name).items():
        if not schema.has(target):
            continue
        match schema.variable(target).kind:
            case "year":
                yield from _year(column, target, score)
            case "country":
                yield from _country(column, target, score)
            case "flag":
                yield from _flag(column, target, score)
            case "code" | "status":
                yield from _coded(column, target, score)
    yield from _gender_by_texts(column)
    yield from _kinds(column)


def _year(column: Glance, target: str, score: float) -> Iterator[Proposal]:
    dmy = column.share(lambda text: DAY_FIRST.year(fold(text)))
    share = max(dmy, column.share(lambda text: MONTH_FIRST.year(fold(text))))
    if share >= 0.6:
        reason = _("{share} of its texts are years or dates").format(share=_percent(share))
        yield Proposal(target, column.name, {"year": True}, score * share, reason)


def _percent(part: float) -> str:
    return str(format_percent(part, locale=current(), numbering_system="default"))


def month_first(column: Glance) -> bool:
    """Whether more texts are dates with the month first than with the day first."""
    first = column.share(lambda text: MONTH_FIRST.date(fold(text)))
    return first > column.share(lambda text: DAY_FIRST.date(fold(text)))


def _country(column: Glance, target: str, score: float) -> Iterator[Proposal]:
    mark = _separator(column, SEPARATORS[:2])
    parts = [e for t in column.texts for e in (elements_of(t, mark) if mark else [t]) if e]
    known = [part for part in parts if look_up(part).alpha3]
    share = len(known) / max(len(parts), 1)
    if share < 0.5:
        return
    unknown = list(dict.fromkeys(part for part in parts if not look_up(part).alpha3))
    doubts = [_("unknown: {text}{near}").format(text=t, near=_near(t)) for t in unknown[:10]]
    rule: dict[str, Any] = {"country": True}
    if mark:
        rule |= {"split": mark, "take": "first"}
        doubts.append(_("of several countries the first is kept"))
    reason = _("{share} of its texts are countries").format(share=_percent(share))
    yield Proposal(target, column.name, rule, score * share, reason, tuple(doubts))


def _near(text: str) -> str:
    code = resolve(text).nearest
    return f" → {countries.name(code, current())} ({code})?" if code else ""


def _flag(column: Glance, target: str, score: float) -> Iterator[Proposal]:
    if said := vocabulary().yes_no(column.texts):
        reason = _("its header names the flag and its texts are yes or no")
        yield Proposal(target, column.name, {"map": said}, score, reason)


def _coded(column: Glance, target: str, score: float) -> Iterator[Proposal]:
    bands = load_schema().domain(target)
    if target == AGE:
        share = column.share(lambda text: band_of(fold(text), bands))
        if share >= 0.5:
            doubts = [
                _("no band holds: {text}").format(text=text)
                for text in column.texts[:FEW]
                if band_of(fold(text), bands) is None
            ]
            if "0" in column.texts:
                doubts.append(_('0 may mean "unknown": then add null_values: ["0"]'))
            reason = _("{share} of its texts are ages up to {oldest} or age bands").format(
                share=_percent(share), oldest=OLDEST
            )
            yield Proposal(
                target, column.name, {"band": True}, score * share, reason, tuple(doubts[:10])
            )
        return
    yield from _by_codes(column, target, score, least=0.5)


def _by_codes(column: Glance, target: str, score: float, least: float) -> Iterator[Proposal]:
    codes = vocabulary().codes[target]
    known = {text: codes[key] for text in column.texts if (key := fold_name(text)) in codes}
    share = len(known) / len(column.texts)
    if not column.coded or share < least:
        return
    doubts = [_("no code for: {text}").format(text=t) for t in column.texts if t not in known]
    reason = _("{n} of its {all} texts are known words").format(n=len(known), all=len(column.texts))
    yield Proposal(target, column.name, {"map": known}, score * share, reason, tuple(doubts[:10]))


def _gender_by_texts(column: Glance) -> Iterator[Proposal]:
    """A column may hold genders whatever its header; one word alone is no evidence."""
    if len(column.texts) > 1 and SEX not in vocabulary().variables(column.name):
        yield from _by_codes(column, SEX, 0.6, least=1.0)


def _separator(column: Glance, marks: tuple[str, ...] = SEPARATORS) -> str | None:
    """The first mark that some texts hold; a comma, which sentences hold too, in every fifth."""
    shares = {mark: column.share(partial(_holds, mark)) for mark in marks}
    least = {",": 0.2}
    return next((mark for mark, share in shares.items() if share > least.get(mark, 0.0)), None)


def _holds(mark: str, text: str) -> bool:
    return mark in text


def _kinds(column: Glance) -> Iterator[Proposal]:
    """A column (of lists or not) whose texts name means of control or kinds of exploitation."""
    mark = _separator(column)
    known = vocabulary().flags
    lists = [elements_of(text, mark) if mark else [text] for text in column.texts]
    texts = list(dict.fromkeys(e for elements in lists for e in elements if e))
    meant = {text: known[key] for text in texts if (key := fold_name(text)) in known}
    if len(meant) < 2 or len(meant) < 0.5 * len(texts) or len(texts) > FEW:
        return
    schema = load_schema()
    group_of = {flag: schema.variable(flag).group for flags in meant.values() for flag in flags}
    sure = [group_of[flag] for flags in meant.values() if len(flags) == 1 for flag in flags]
    main = Counter(sure).most_common(1)[0][0] if sure else None
    chosen: dict[str, list[str]] = {}
    for text, flags in meant.items():
        fitting = [f for f in sorted(flags) if len(flags) == 1 or group_of[f] == main]
        if fitting:
            chosen.setdefault(fitting[0], []).append(text)
    settled = {text for found in chosen.values() for text in found}
    doubts = tuple(_("no flag for: {text}").format(text=t) for t in texts if t not in settled)[:10]
    reason = _("the column names kinds, of which {n} of {all} are known").format(
        n=len(meant), all=len(texts)
    )
    for flag, found in chosen.items():
        rule: dict[str, Any] = {"has": found} | ({"split": mark} if mark else {})
        yield Proposal(flag, column.name, rule, 0.7 * len(meant) / len(texts), reason, doubts)
        doubts = ()
