"""Words of numbers, people, contributors, breaks and questions, in the language in force."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from fractions import Fraction
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from ctdhub.border import POSSIBLE, Guarantee
from ctdhub.core import format
from ctdhub.core.errors import printable
from ctdhub.core.i18n import Text, _, current, formula, joined, ngettext, said
from ctdhub.release.changes import BREAKS
from ctdhub.release.errata import Erratum
from ctdhub.release.manifest import PublicFacts
from ctdhub.release.open import Release
from ctdhub.schema.labels import code_label, group_label, label
from ctdhub.schema.model import ORIGIN, PERIOD, load_schema
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.query import Query
from ctdhub.stats.trend import DeclaredBreak, Turn, turns

if TYPE_CHECKING:
    from jinja2 import Environment

# --------------------------------------------------------------------------------------------------
# What readers of a language call the hub and its contributors.


class Named(Protocol):
    """A contributor, or its agreement."""

    @property
    def name(self) -> str: ...
    @property
    def names(self) -> Mapping[Any, str]: ...


def called(one: PublicFacts | Named) -> str:
    """The name of a hub, or of a contributor, in the language in force.

    For pages and documents of one language; files that all languages share have the one name.
    """
    if isinstance(one, PublicFacts):
        return one.hub_names.get(current(), one.hub)
    return one.names.get(current(), one.name)


def called_all(names: Sequence[str], facts: PublicFacts | None) -> tuple[str, ...]:
    """Contributors as readers of the language in force call them.

    Args:
        names: each contributor's one name, as numbers and breaks have it.
        facts: of the release; None keeps the one name, for files that all languages share.
    """
    here = {one.name: called(one) for one in facts.contributors} if facts else {}
    return tuple(here.get(name, name) for name in names)


# --------------------------------------------------------------------------------------------------
# Texts of several sentences are templates of this room: a line of a template is a paragraph.

Called = TypeVar("Called", bound=Callable[..., Any])


@cache
def templates() -> Environment:
    """The templates, and the functions that each may call by its name."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("ctdhub.report"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["isolated"] = format.isolated
    words = (
        _, ngettext, formula, called, called_all, ranged, sized, format.day, format.decimal,
        format.exact, format.inline, format.isolated, format.last_number, format.listed,
        format.number, format.people_words, format.share, format.set_apart, format.share_ranged,
        format.signed, format.span, format.tiny, format.year,
    )  # fmt: skip
    environment.globals |= {word.__name__: word for word in words}
    return environment


def word(function: Called) -> Called:
    """Let every template call a function by its name."""
    templates().globals[function.__name__] = function
    return function


def written(template: str, part: str, /, *values: object, **named: object) -> str:
    """What a part of a template says, as it stands.

    Args:
        template: name of the file.
        part: of its macros.
        values, named: what the macro takes.
    """
    said: str = getattr(templates().get_template(template).module, part)(*values, **named)
    return said


def paragraphs(template: str, part: str, /, *values: object, **named: object) -> tuple[str, ...]:
    """:func:`written` as its lines, without those that are empty."""
    said = written(template, part, *values, **named)
    return tuple(line.strip(" ") for line in said.split("\n") if line.strip(" "))


def paragraph(template: str, part: str, /, *values: object, **named: object) -> str:
    """The same as one paragraph; empty where the part says nothing."""
    return " ".join(paragraphs(template, part, *values, **named))


# --------------------------------------------------------------------------------------------------
# Notices about a release in words: what a citation says of them, and what pages show.

SHORT = 300
"""Characters of a note on a printed page."""


@dataclass(frozen=True)
class ShownNotice:
    """A notice as a page shows it.

    Attributes:
        heading: what happened, when and to which version, in the language in force.
        note: the text of the two people who signed.
        lang: language of ``note``, the one in force where the note was given in it.
        concerns: what it is about, in words; empty where it is about the whole release.
        withdrawn: whether the numbers must not be used.
    """

    heading: str
    note: str
    lang: str
    concerns: str
    withdrawn: bool

    @property
    def text(self) -> str:
        """Everything in one paragraph."""
        return self._joined(self.note)

    @property
    def short(self) -> str:
        """The same for a printed page: of a long note its beginning."""
        return self._joined(printable(self.note, SHORT))

    def _joined(self, note: str) -> str:
        return " ".join(
            part for part in (self.heading, format.isolated(note), self.concerns) if part
        )


def citation_mark(release: Release) -> str:
    """What a citation adds about notices; empty where there are none."""
    if not release.errata:
        return ""
    if release.withdrawn:
        first = next(e for e in release.errata if e.notice.sort == "withdrawn")
        return _("Withdrawn on {day}: not to be used.").format(day=_day(first))
    return _("Corrected on {day}: see the notice.").format(day=_day(release.errata[-1]))


def notices(release: Release) -> tuple[ShownNotice, ...]:
    """All notices in the language in force, a withdrawal first, then the newest first."""
    last_first = sorted(
        release.errata, key=lambda e: (e.notice.sort != "withdrawn", -e.notice.number)
    )
    return tuple(in_words(release, erratum) for erratum in last_first)


def in_words(release: Release, erratum: Erratum) -> ShownNotice:
    """One notice about a release in the language in force."""
    notice = erratum.notice
    withdrawn = notice.sort == "withdrawn"
    heading = (
        _("Release {version} was withdrawn on {day}. Do not use its numbers.")
        if withdrawn
        else _("Correction of release {version}, {day}.")
    )
    note, lang = notice.text(current())
    names = _(", ").join(_name(name) for name in notice.concerns)
    return ShownNotice(
        heading=heading.format(version=release.version, day=_day(erratum)),
        note=note,
        lang=lang,
        concerns=_("It concerns: {names}.").format(names=names) if names else "",
        withdrawn=withdrawn,
    )


def _name(name: str) -> str:
    """A column or a table in words; of a chart, its file."""
    try:
        return " × ".join(label(column, current()) for column in name.split("*"))
    except KeyError:
        return format.isolated(name)


def _day(erratum: Erratum) -> str:
    return format.day(date.fromisoformat(erratum.notice.date))


# --------------------------------------------------------------------------------------------------
# A number card in the words of one language: its size, its range, and what stands beside it.

Kind = Literal["value", "not_recorded", "imprecise", "protected", "nobody_reports", "not_measured"]

_STATES: dict[Kind, Text] = {
    "imprecise": Text("not precise enough"),
    "protected": Text("not shown (below the reporting threshold)"),
    "nobody_reports": Text("nobody reports here"),
    "not_measured": Text("not measured in this release"),
    "not_recorded": Text("not recorded"),
}
UNSAID = ("query", "width")
"""Attributes of a card that :func:`card_data` leaves out."""


def caveat() -> str:
    """The sentence that stands beside every figure."""
    return _("Identified people, not prevalence.")


def citation(release: Release) -> str:
    """How to cite a figure of a release: its version, and whether it was corrected or withdrawn."""
    text = _("{hub} ({year}). Protected trafficking case data, release {version}.").format(
        hub=format.isolated(called(release.facts)), year=release.year, version=release.version
    )
    practice = _("Practice data: fictitious.") if release.facts.invented else ""
    return " ".join(part for part in (text, practice, citation_mark(release)) if part)


def card_data(card: NumberCard, release: Release) -> dict[str, Any]:
    """Every attribute of a card but its query, ready for JSON, and what must stand beside it."""
    data = {f.name: getattr(card, f.name) for f in fields(card) if f.name not in UNSAID}
    data["contributors"] = list(card.contributors)
    return data | {"caveat": caveat(), "citation": citation(release)}


def attributes(one: object, *names: str) -> dict[str, Any]:
    """Some attributes of a value by their names, as files for programs have them."""
    return {name: getattr(one, name) for name in names}


def file_numbers(
    card: NumberCard | None, digits: int | None = None
) -> tuple[float | None, float | None, float | None]:
    """Value and ends as files for programs have them; None where there is no number.

    Args:
        digits: after the point; None rounds to whole numbers.
    """
    value, low, high = (card.value, card.low, card.high) if card else (None, None, None)
    return (
        None if value is None else round(value, digits),
        None if low is None else round(low, digits),
        None if high is None else round(high, digits),
    )


def state_words(kind: Kind) -> str:
    """Why there is no number, in words."""
    return said(_STATES[kind]) if kind in _STATES else ""


def sized(card: NumberCard) -> str:
    """Value and half-width, which is never rounded down, or why there is no number.

    Two ends stand instead of a half-width where they are not as far from the value, or where
    value ± half-width would leave what the figure can be (0 to 1 for a share).
    """
    if card.value is None:
        return _silent(card)
    if not _even(card):
        return ranged(card)
    if card.unit != "share":
        return formula(f"{format.number(card.value)} ± {format.number(card.half_width)}")
    _low, wide = format.interval(0, card.half_width, fine=is_fine(card))
    return formula(f"{format.share(card.value, fine=is_fine(card))} ± {wide}")


def ranged(card: NumberCard) -> str:
    """Value and interval, rounded outwards; the interval alone where it is too wide for a value;
    or why there is no number."""
    if card.value is None:
        return _silent(card)
    if card.unit == "share":
        return format.share_ranged(card.value, card.low or 0, card.high or 0)
    return people_ranged(card.value, card.low or 0, card.high or 0)


def people_ranged(
    value: float, low: float, high: float, written: Callable[[float], str] = format.number
) -> str:
    """A number of people, or another one, and its interval.

    Args:
        written: how each of the three is written.
    """
    return _("{people} ({low} to {high})").format(
        people=written(value), low=written(low), high=written(high)
    )


def ends(card: NumberCard) -> tuple[str, str]:
    """The ends of a card that has an interval; those of a share are rounded outwards, to whole
    per cent or, where :func:`is_fine`, to one decimal: one card has one text everywhere."""
    low, high = card.low or 0, card.high or 0
    if card.unit == "share":
        return format.interval(low, high, fine=is_fine(card))
    return format.number(low), format.number(high)


def printed(card: NumberCard) -> tuple[str, ...]:
    """What is printed of a card: value and ends, the ends alone, or nothing."""
    if not card.has_range:
        return ()
    if card.value is None:
        return ends(card)
    if card.unit == "share":
        return format.share_parts(card.value, card.low or 0, card.high or 0)
    return (format.number(card.value), *ends(card))


def _silent(card: NumberCard) -> str:
    if card.state == "imprecise":
        low, high = ends(card)
        return _("between {low} and {high}").format(low=low, high=high)
    return state_words(card.state if card.state == "not_measured" else "protected")


def _even(card: NumberCard) -> bool:
    """Whether the value lies in the middle of its interval, as far as rounding lets see, and the
    half-width that is printed stays within what the figure can be."""
    value, low, high = card.value or 0, card.low or 0, card.high or 0
    if card.unit != "share":
        return abs((high - value) - (value - low)) <= 1 and low > 0
    steps = 1000 if is_fine(card) else 100
    wide = math.ceil(card.half_width * steps - 1e-9) / steps
    uneven = abs((high - value) - (value - low)) > 0.5 / steps
    return not uneven and value - wide >= 0 and value + wide <= 1


def is_fine(card: NumberCard) -> bool:
    """Whether a share is written with a decimal: where its interval is that narrow."""
    return card.value is not None and format.is_narrow(card.value, card.low or 0, card.high or 0)


# --------------------------------------------------------------------------------------------------
# Which words a number allows: "at least N", "more than N", "about two in three", "most", "mainly".
#
# One rule holds for all of them: the whole interval lies inside the claim, so the claim is as sure
# as the interval; and no number is rounded upwards.
#
# - "at least N": N is the lower end, rounded down to ``DIGITS`` significant digits.
# - "more than N": N is the largest such number strictly below the lower end.
# - "about two in three": a half, thirds, quarters, fifths or tenths, where the share is at most
#   ``NEAR`` away from the fraction and its interval nowhere more than ``AROUND``.  Where the
#   interval
#   lies wholly above the fraction the words are "more than two in three", where it lies wholly
#   below
#   them "nearly two in three".
# - "more than half", "most", "mainly": the lower end is above a half.
# - Where a release measured how many people count twice, "the interval" is the second one, if
#   everybody is counted once (``NumberCard.ends``): who is counted twice is not two people.
# - Anything else is said in digits; a share that is not precise enough, as a range.

DIGITS, NEAR, AROUND = 2, 0.03, 0.07
HALF, MOST = 0.5, 0.65
"""A majority below ``MOST`` is called "more than half", from there on "most"."""
_EXACT = 1e-9
FRACTIONS = tuple(
    Fraction(k, n) for n in (2, 3, 4, 5, 10) for k in range(1, n) if Fraction(k, n).denominator == n
)
"""Shares that have words of their own."""


def at_least(low: float) -> int:
    """The lower end of an interval of people, rounded down to two significant digits.

    >>> at_least(9789), at_least(9799.9), at_least(62), at_least(7.9), at_least(0.4)
    (9700, 9700, 62, 7, 0)
    """
    whole = math.floor(low + _EXACT)
    step = int(10 ** max(0, len(str(whole)) - DIGITS))
    return whole // step * step


def more_than(low: float) -> int | None:
    """The largest number of two significant digits strictly below the lower end, None below 1.

    >>> more_than(9789), more_than(9700), more_than(100), more_than(10.5), more_than(1)
    (9700, 9600, 99, 10, None)
    """
    below = math.ceil(low - _EXACT) - 1
    return at_least(below) if below >= 1 else None


def surely(card: NumberCard) -> int:
    """The number of people of which a card is sure, rounded down; 0 where it is printed nowhere."""
    return at_least(card.ends[0]) if card.has_range and card.ends else 0


def least_claim(card: NumberCard) -> str:
    """A number of people as "at least 9,700"; empty where not even one is sure."""
    sure = surely(card)
    return _("at least {n}").format(n=format.number(sure)) if sure else ""


def people_claim(card: NumberCard) -> str:
    """A number of people as a claim: "more than 9,700", "at least 7"; empty where none is sure."""
    most = more_than(card.ends[0]) if card.has_range and card.ends else None
    if most is None or most < 10:
        return least_claim(card)
    return _("more than {n}").format(n=format.number(most))


def _fraction(card: NumberCard) -> Fraction | None:
    """The fraction that a share is near enough to, to be called by it."""
    if card.value is None or card.ends is None:
        return None
    value = card.value
    near = min(FRACTIONS, key=lambda f: (abs(value - float(f)), f.denominator))
    far = max(abs(end - float(near)) for end in card.ends)
    fits = abs(value - float(near)) <= NEAR + _EXACT and far <= AROUND + _EXACT
    return near if fits else None


def claimed(card: NumberCard) -> int:
    """How many the words of a share name, with which what is said of them agrees: one of "one in
    three", several of any other."""
    near = _fraction(card)
    return 1 if near and near.numerator == 1 and near != HALF else 2


def fraction_claim(card: NumberCard) -> str:
    """A share as a fraction: "about two in three"; empty where no fraction is near enough."""
    near = _fraction(card)
    if near is None or card.ends is None:
        return ""
    fraction = paragraph("release.txt", "fraction", str(near))
    if card.ends[0] > float(near):
        return _("more than {fraction}").format(fraction=fraction)
    if card.ends[1] < float(near):
        return _("nearly {fraction}").format(fraction=fraction)
    return _("about {fraction}").format(fraction=fraction)


def is_majority(card: NumberCard) -> bool:
    """Whether "more than half", "most" and "mainly" are true of a share: all of its interval."""
    return card.has_range and card.ends is not None and card.ends[0] > HALF


def share_words(card: NumberCard) -> str:
    """A share in words: a fraction, "more than half" or "most"; empty where none is sure."""
    if words := fraction_claim(card):
        return words
    if card.value is None or not is_majority(card):
        return ""
    return _("most") if card.value >= MOST else _("more than half")


# --------------------------------------------------------------------------------------------------
# The question behind a number, in the words of one language.

FEW_CODES = 3


def query(of: Query | None) -> str:
    """The question of a card in words: each condition with its answers, or how many there are."""
    if of is None:
        return "–"
    parts = []
    for name, values in of.where.items():
        codes = tuple(values)
        if name == PERIOD and all(codes):
            answers = format.span((int(codes[0]), int(codes[-1])))
        elif len(codes) <= FEW_CODES:
            answers = format.listed([code_label(name, c, current()) for c in codes])
        else:
            answers = _("{n} values").format(n=format.number(len(codes)))
        parts.append(
            _("{question}: {answers}").format(question=label(name, current()), answers=answers)
        )
    return _("; ").join(parts) or _("all people")


# --------------------------------------------------------------------------------------------------
# Breaks that contributors declared, in the words of one language.


def break_sentence(break_: DeclaredBreak, facts: PublicFacts | None = None) -> str:
    """Who declared a break, from which day on, why, and for what.

    Args:
        facts: for the contributor's name in the language in force; its one name without them.
    """
    why = said(BREAKS[break_.kind])
    if break_.note:
        why = _("{why} ({note})").format(why=why, note=format.set_apart(break_.note))
    name = format.set_apart(called_all((break_.name,), facts)[0])
    when = format.day(date.fromisoformat(break_.day))
    variables = [_quoted_name(variable) for variable in break_.variables]
    return paragraph("release.txt", "declared_break", name, when, why, variables)


def _quoted_name(variable: str) -> str:
    """A variable or a group in quotation marks; one of another schema by its own name."""
    lang = current()
    try:
        name = (group_label if variable in load_schema().groups else label)(variable, lang)
    except KeyError:
        name = variable
    return _("“{name}”").format(name=name)


def break_data(breaks: Sequence[DeclaredBreak]) -> list[dict[str, Any]]:
    """Breaks as plain values, with their sentences."""
    return [
        {
            "contributor": one.name,
            "date": one.day,
            "kind": one.kind,
            "variables": list(one.variables),
            "note": one.note,
            "sentence": break_sentence(one),
        }
        for one in breaks
    ]


# --------------------------------------------------------------------------------------------------
# Which contributors joined or left in which year, in the words of one language.


def turned(release: Release, between: tuple[int, int] | None = None) -> tuple[str, ...]:
    """Sentences on the years in which contributors joined or left.

    Args:
        between: only those after the first and up to the second year, () where there are none;
            all by default.
    """
    texts: list[str] = []
    for turn in turns(release):
        if between is not None and not between[0] < turn.year <= between[1]:
            continue
        texts += turn_sentences(turn, release)
    if not texts and between is not None:
        return ()
    if not texts:
        return (_("The same contributors cover all years."),)
    return (*texts, _("A rise or fall around these years may come from that."))


def turn_sentences(turn: Turn, release: Release) -> tuple[str, ...]:
    """Who joined in a year, and who no longer reports from it on."""
    joined, left = (
        [format.set_apart(name) for name in called_all(names, release.facts)]
        for names in (turn.joined, turn.left)
    )
    return paragraphs("release.txt", "turn", turn.year, joined, left)


# --------------------------------------------------------------------------------------------------
# Kinds of tables of a release in words.


kind_name = partial(paragraph, "release.txt", "kind")
"""The kind of a table in words, of a code of the plan of a release."""


# --------------------------------------------------------------------------------------------------
# The unit of a release in words: who is protected, for how many rows, and who has more of them.


def unit_words(unit: str, rows: int) -> Text:
    """Who is protected.

    Args:
        unit: as a guarantee has it.
        rows: the most rows of one person that noise is for.
    """
    if rows > 1:
        return Text("person with at most {n} rows", n=rows)
    known = {"person": Text("person"), "row of a contributor": Text("row of a contributor")}
    return known.get(unit) or joined([unit], "")


def noise_is_for(rows: int) -> Text:
    """For how many rows of one person noise is, and what a row is."""
    if rows == 1:
        return Text(
            "Noise is for one row of each person: records with the same person key are one row, "
            "and a record without a key is a row of its own."
        )
    return Text(
        "Noise is for up to {n} rows of one person: records with the same person key are one row, "
        "and a record without a key is a row of its own.",
        n=rows,
    )


def with_more_rows(by_rows: Mapping[str, float]) -> Text:
    """Epsilon of a person by the number of rows.

    Args:
        by_rows: as a guarantee has it, not empty.
    """
    return Text(
        "A person whom several contributors know under different keys has several rows. Epsilon "
        "of a person by the number of rows: {list}.",
        list=rows_and_epsilon(by_rows),
    )


def rows_and_epsilon(by_rows: Mapping[str, float]) -> str:
    """Numbers of rows and epsilon of each, rounded up.

    >>> rows_and_epsilon({"1": 4.0, "2": 8.6174})
    '1 row: 4; 2 rows: 8.62'
    """
    return _("; ").join(
        ngettext("{n} row: {epsilon}", "{n} rows: {epsilon}", int(rows)).format(
            n=format.number(int(rows)), epsilon=epsilon_words(of)
        )
        for rows, of in by_rows.items()
    )


def sentences(guarantee: Guarantee) -> list[Text]:
    """What a release says of its unit, beside naming it."""
    return [noise_is_for(guarantee.rows), with_more_rows(guarantee.by_rows)]


def epsilon_words(epsilon: float) -> str:
    """Epsilon with two decimals, rounded up."""
    return format.decimal(math.ceil(round(epsilon * 100, 6)) / 100, "0.##")


# --------------------------------------------------------------------------------------------------
# How many people of a release may be counted more than once, in words.


even_more = partial(paragraph, "release.txt", "even_more")
"""That the second interval may not hold the people, as far as a release can tell."""


def counted_twice(release: Release) -> tuple[str, ...]:
    """Sentences on who counts more than once, with the second interval of the number of people."""
    errors, people = release.link_errors, release.protected.people
    if errors is None:
        return paragraphs("release.txt", "counted_twice", None, 0, 0, 0)
    doubles, once = math.ceil(errors.most(people.low)), errors.once(people.low, people.high)
    return paragraphs("release.txt", "counted_twice", errors, doubles, *once)


def comparison_note(release: Release) -> str:
    """By which interval groups are compared; one sentence for every page that compares."""
    return paragraph("release.txt", "comparison", release.link_errors)


def uncertain_people(release: Release) -> str:
    """That there may be fewer people than a release says, where it cannot tell; else empty."""
    return "" if release.link_errors else comparison_note(release)


def twice_by_citizenship(release: Release) -> list[tuple[str, str]]:
    """Citizenships of which some people surely may count more than once: name, and from how many
    to how many; [] where that was not measured."""
    protected = release.protected
    if protected.sources is None:
        return []
    return [
        (
            code_label(ORIGIN, of, current()) if of else _("not recorded"),
            _("{low} to {high}").format(low=format.number(size.low), high=format.number(size.high)),
        )
        for of, size in protected.sources.estimates(
            protected.guarantee.level, POSSIBLE, ORIGIN
        ).items()
        if size.low
    ]
