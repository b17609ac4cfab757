"""What one column of an unknown file may be, judged by its header and its distinct texts.

A proposal is a rule; where the texts leave open which rule is right there is a doubt and no rule:
a rule that reads a value wrongly does more harm than none.
"""

from __future__ import annotations

from collections.abc import Iterator

from ctdhub.core.i18n import Named, Numeral, Text, joined
from ctdhub.core.text import fold
from ctdhub.schema import countries
from ctdhub.schema.country_names import fold_name, look_up, resolve
from ctdhub.schema.country_words import country_said
from ctdhub.schema.model import YEARS, load_schema
from ctdhub.schema.roles import AGE, SEX
from ctdhub.sensitive.mapping.age_proposals import MAJORITY, ages, durations
from ctdhub.sensitive.mapping.dates import DAY_FIRST, MONTH_FIRST, DateForm, serial_dates
from ctdhub.sensitive.mapping.glance import SEPARATORS, Glance
from ctdhub.sensitive.mapping.header_words import plain_header, word
from ctdhub.sensitive.mapping.kinds import kinds
from ctdhub.sensitive.mapping.parsers import elements_of
from ctdhub.sensitive.mapping.proposal import (
    SETS,
    Doubt,
    Proposal,
    null_codes,
    rejected,
    texts_with_rows,
)
from ctdhub.sensitive.mapping.sexes import sexes
from ctdhub.sensitive.mapping.values import number_of
from ctdhub.sensitive.mapping.vocabulary import vocabulary

MOST = 0.9
"""Share of the rows from which a column with some other texts is still what its header says."""


def proposals(column: Glance) -> Iterator[Proposal | Doubt]:
    """Everything that a column may be, and what leaves that open."""
    schema = load_schema()
    if not column.texts or vocabulary().about_others(column.name):
        return
    flag = vocabulary().flag_named(column.name)
    if flag and (found := list(_flag(column, flag, 1.0))):
        yield from found
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
    yield from _code_named(column)
    yield from _gender_by_texts(column)
    yield from kinds(column)


_ORDERS = (DAY_FIRST, MONTH_FIRST)
_TWO_DIGITS = DateForm(century=2000)


def _is_year(text: str | None) -> bool:
    """Whether a year is one of those that a hub may have; of another calendar it is not."""
    return text is not None and YEARS[0] <= int(text) <= YEARS[1]


def _year(column: Glance, target: str, score: float) -> Iterator[Proposal | Doubt]:
    ways = [[t for t in column.texts if _is_year(form.year(fold(t)))] for form in _ORDERS]
    if serial_dates(map(fold, column.texts), YEARS):
        ways.append(list(column.texts))
    read = max(ways, key=column.weight)
    if column.weight(read) < 0.6:
        reason = Text(
            "the header suggests a date, but only {n} of {all} texts are dates or years",
            n=Numeral(len(read)),
            all=Numeral(len(column.texts)),
        )
        if column.share(lambda text: DAY_FIRST.year(fold(text))) >= 0.6:
            reason = Text(
                "its years are outside {first} to {last}: of another calendar?",
                first=YEARS[0],
                last=YEARS[1],
            )
        elif column.share(lambda text: _is_year(_TWO_DIGITS.year(fold(text)))) >= 0.6:
            reason = Text("years of two digits: state under dates what they stand for")
        yield Doubt(column.name, reason)
        return
    reason = Text(
        "{n} of its {all} texts are years or dates",
        n=Numeral(len(read)),
        all=Numeral(len(column.texts)),
    )
    others = [text for text in column.texts if text not in read]
    doubts = rejected(column, others)
    yield Proposal(target, column.name, {"year": True}, score * column.weight(read), reason, doubts)


def month_first(column: Glance) -> bool:
    """Whether more texts are dates with the month first than with the day first."""
    first = column.share(lambda text: MONTH_FIRST.date(fold(text)))
    return first > column.share(lambda text: DAY_FIRST.date(fold(text)))


def _country(column: Glance, target: str, score: float) -> Iterator[Proposal | Doubt]:
    mark = column.separator(marks=SEPARATORS[:2])
    parts = {t: [e for e in elements_of(t, mark) if e] for t in column.texts}
    said = {part: country_said(part) for own in parts.values() for part in own}
    mapped = {part: code for part, code in said.items() if not look_up(part).alpha3 and code}
    nulls = null_codes(column) if not mark else []
    known = {
        t: bool(own) and all(look_up(p).alpha3 or p in mapped for p in own)
        for t, own in parts.items()
        if t not in nulls
    }
    share = column.weight(t for t, there in known.items() if there)
    share /= max(column.weight(known), 1e-9)
    if (
        not known
        or share < 0.5
        or (share < 1 and any(number_of(fold(t)) is not None for t in known))
    ):
        yield Doubt(
            column.name,
            Text(
                "the header suggests a country, but only {n} of {all} texts are countries",
                n=Numeral(sum(known.values())),
                all=Numeral(len(column.texts)),
            ),
            shows=True,
        )
        return
    unknown = [t for t, there in known.items() if not there]
    doubts = rejected(column, unknown, Text("no country: {texts}"), near=_near)
    rule: dict[str, object] = {"country": True}
    if mapped:
        rule = {"map": mapped} | rule
        doubts += (Text("adjectives or names in another language are written out: check each"),)
    if mark or any(len(own) > 1 for own in parts.values()):  # of lists in brackets none is needed
        rule |= {"split": mark or SEPARATORS[0], "take": "first"}
        doubts += (Text("of several countries the first is kept"),)
        if mark and column.sets(mark):
            doubts += (SETS,)
    reason = Text(
        "{n} of its {all} texts are countries",
        n=Numeral(sum(known.values())),
        all=Numeral(len(column.texts)),
    )
    yield Proposal(
        target, column.name, rule, score * share, reason, doubts, null_values=tuple(nulls)
    )


def sets_doubt(column: Glance) -> Text | None:
    """What to know of a column of lists that are sets in truth, None where it has none."""
    mark = column.separator(marks=SEPARATORS[:2])
    return SETS if mark and column.sets(mark) else None


def _near(text: str) -> Text | None:
    code = resolve(text).nearest
    if code is None:
        return None
    named = Named.of(lambda language: countries.name(code, language))
    return joined(["→ ", named, f" ({code})?"], "")


def _flag(column: Glance, target: str, score: float) -> Iterator[Proposal | Doubt]:
    nulls = null_codes(column, numbers=("0", "1"))
    texts = [text for text in column.texts if text not in nulls]
    known = {text: codes for text in texts if (codes := vocabulary().yes_no([text]))}
    both = {codes[text] for text, codes in known.items()} == {"yes", "no"}
    if not known or (len(known) < len(texts) and not (both and column.weight(known) >= MOST)):
        return
    if score < 1:
        reason = Text(
            "the header resembles {name}, but a yes-or-no variable is not guessed", name=target
        )
        yield Doubt(column.name, reason)
        return
    said = vocabulary().yes_no(known) or {}
    letters = {word(text) for text in known}
    if letters & {"o", "s"} and "n" not in letters:
        yield Doubt(
            column.name,
            Text("a single letter without its counterpart is not taken for yes"),
            shows=True,
        )
        return
    reason = Text("column name matches this yes/no variable; values are yes or no")
    others = [text for text in texts if text not in known]
    doubts = rejected(column, others, Text("neither yes nor no: {texts}"))
    yield Proposal(
        target, column.name, {"map": said}, score, reason, doubts, null_values=tuple(nulls)
    )


def _coded(column: Glance, target: str, score: float) -> Iterator[Proposal | Doubt]:
    if target == AGE:
        yield from ages(column, score)
    elif durations_of(target):
        yield from durations(column, target, score)
    elif target == SEX:
        yield from _by_codes(column, target, score, sexes(column.name, column.texts))
    else:
        codes = vocabulary().codes[target]
        known = {text: codes[key] for text in column.texts if (key := word(text)) in codes}
        yield from _by_codes(column, target, score, known)


def durations_of(target: str) -> bool:
    """Whether the codes of a variable are bands of something that is counted."""
    schema = load_schema()
    return all(code[0].isdigit() for code in schema.domain(target))


def _by_codes(
    column: Glance, target: str, score: float, known: dict[str, str]
) -> Iterator[Proposal | Doubt]:
    nulls = null_codes(column) if known else []
    texts = [text for text in column.texts if text not in nulls]
    others = [text for text in texts if text not in known]
    if not column.coded or not known or (others and len(texts) <= 2):
        if column.coded:
            reason = Text(
                "codes whose meaning is not sure: {texts}", texts=texts_with_rows(column, texts)
            )
            if not column.shown:
                reason = Text("codes whose meaning is not sure")
            yield Doubt(column.name, reason)
        return
    share = column.weight(known) / max(column.weight(texts), 1e-9)
    if share < 0.5:
        return
    doubts = rejected(column, others, Text("no code for: {texts}"))
    reason = Text(
        "{n} of its {all} texts are known words",
        n=Numeral(len(known)),
        all=Numeral(len(column.texts)),
    )
    yield Proposal(target, column.name, {"map": known}, score * share, reason, doubts, tuple(nulls))


def _gender_by_texts(column: Glance) -> Iterator[Doubt]:
    """A column may hold sexes whatever its header, but whose?"""
    if SEX in vocabulary().variables(column.name):
        return
    codes = vocabulary().codes[SEX]
    found = {codes.get(word(text)) for text in column.texts}
    if len(found) > 1 and None not in found:
        yield Doubt(column.name, Text("its texts are sexes; of the person?"), shows=True)


def _code_named(column: Glance) -> Iterator[Proposal]:
    """A header that names one of two codes and is answered yes or no: ``minor``, ``adult``."""
    codes = vocabulary().answered
    key = next((k for k in (fold_name(column.name), plain_header(column.name)) if k in codes), "")
    answers = vocabulary().yes_no(column.texts)
    if key and answers:
        other = next(code for code in load_schema().domain(MAJORITY) if code != codes[key])
        said = {"yes": codes[key], "no": other}
        rule = {"map": {text: said[answer] for text, answer in answers.items()}}
        reason = Text("column name matches this yes/no variable; values are yes or no")
        yield Proposal(MAJORITY, column.name, rule, 0.9, reason)
