"""What a column whose header speaks of an age, or of months, may be: ages, or codes of a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ctdhub.core.i18n import Numeral, Text
from ctdhub.core.text import fold
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, CHILD_BANDS
from ctdhub.sensitive.mapping.ages import AgeRange, months_in, years_in
from ctdhub.sensitive.mapping.glance import Glance
from ctdhub.sensitive.mapping.header_words import says, word
from ctdhub.sensitive.mapping.proposal import Doubt, Proposal, rejected, texts_with_rows
from ctdhub.sensitive.mapping.values import OLDEST, band_of, holds, number_of
from ctdhub.sensitive.mapping.vocabulary import vocabulary

MAJORITY = next(v.name for v in load_schema().records if v.codes == "majority")
"""The variable that says minor or adult at the time of the age."""

CODES = 15
"""A dense list of small numbers has at most so many, all below it."""

DENSE = 0.6
"""Share of the numbers from the smallest to the largest that a dense list has."""

GAP = 15
"""Years by which 88 or 99 lie above every other age where they stand for "not recorded"."""

INFANTS = 6
"""Age in years; where every other is above it, 0 stands for "not recorded"."""

HIGH_CODES = ("77", "88", "97", "98", "99")


def ages(column: Glance, score: float) -> Iterator[Proposal | Doubt]:
    """A rule for ages, one for minors and adults, or a doubt."""
    numbers = {text: age for text in column.texts if (age := number_of(fold(text))) is not None}
    if _codes_of_a_list(column, numbers):
        yield Doubt(
            column.name,
            Text("codes of the publisher’s code book, not ages: leave them out or write a map"),
            shows=True,
        )
        return
    nulls = _null_ages(column, numbers)
    texts = [text for text in column.texts if text not in nulls]
    bands = load_schema().domain(AGE)
    plain = [text for text in texts if band_of(fold(text), bands)]
    meant = {t: years for t in texts if t not in plain and (years := years_in(t))}
    within = {text: band for text, years in meant.items() if (band := band_holding(years, bands))}
    across = [text for text in meant if text not in within]
    words = [t for t in texts if t not in plain and word(t) in vocabulary().codes[MAJORITY]]
    told = [*plain, *within]
    if column.weight(told) < 0.5 * column.weight(texts):
        yield from _minors(column, texts, meant, score)
        return
    others = [t for t in texts if t not in (*told, *across, *words)]
    doubts = rejected(column, others, Text("no age: {texts}"))
    if across or words:
        said = Text("more than one band, so not recorded: {texts}")
        doubts += (said.holding(texts=texts_with_rows(column, [*across, *words])),)
    if "0" in plain:
        doubts += (Text('0 may mean “not recorded”: then add null_values: ["0"]'),)
    rule: dict[str, object] = {"band": True}
    if mapped := within | dict.fromkeys((*across, *words)):
        rule = {"map": mapped} | rule
    reason = Text(
        "{n} of its {all} texts are ages up to {oldest} or age bands",
        n=Numeral(len(told)),
        all=Numeral(len(column.texts)),
        oldest=OLDEST,
    )
    yield Proposal(AGE, column.name, rule, score, reason, doubts, tuple(nulls))


def unit_beside(columns: Iterable[Glance]) -> str | None:
    """The column that says in which unit bare ages are counted, row by row; None where none does.

    A column that says years alone changes nothing.
    """
    years = {fold(text) for text in vocabulary().ages["years"]}
    others = {*vocabulary().ages["months"], *vocabulary().age_units["cells"]}
    units = {unit for unit in years | {fold(text) for text in others} if len(unit) > 1}
    for column in columns:
        said = {fold(text) for text in column.texts}
        named = says(column.name, vocabulary().age_units["headers"])
        if not said <= years and (said <= units or (named and len(said) < CODES)):
            return column.name
    return None


def in_units(found: Iterable[Proposal | Doubt], unit: str | None) -> Iterator[Proposal | Doubt]:
    """What was found, with a doubt in place of ages of which another column says the unit."""
    for each in found:
        if unit and isinstance(each, Proposal) and each.target == AGE and each.column != unit:
            reason = Text("ages in the unit that another column states for each row: {unit}")
            yield Doubt(each.column, reason.holding(unit=unit))
        else:
            yield each


def _codes_of_a_list(column: Glance, numbers: dict[str, float]) -> bool:
    """A dense set of small numbers, or bare numbers where the header speaks of a band.

    The ages of a children's shelter look so too: its steward writes the rule by hand.
    """
    if not numbers or len(numbers) < len(column.texts) - 1:
        return False
    if says(column.name, vocabulary().bands):
        return True
    small = {int(age) for age in numbers.values() if age == int(age) and age < CODES}
    return len(small) == len(numbers) and len(small) >= DENSE * (max(small) - min(small) + 1)


def _null_ages(column: Glance, numbers: dict[str, float]) -> list[str]:
    """Numbers that are no ages, or so far from every other age that they mean something else."""
    own = [age for text, age in numbers.items() if fold(text) not in vocabulary().null_codes]
    written = len(numbers) < len(column.texts)
    found = []
    for text in column.texts:
        plain = fold(text)
        if plain not in vocabulary().null_codes:
            continue
        age = numbers.get(text, -1.0)
        far = bool(own) and age in map(float, HIGH_CODES) and age > max(own) + GAP
        none = age < 0 or age > OLDEST or plain in ("00", "000")
        zero = plain == "0" and (min(own) >= INFANTS if own else written)
        if none or far or zero:
            found.append(text)
    return found


def band_holding(years: AgeRange, bands: tuple[str, ...]) -> str | None:
    """The one band that holds all ages of a range."""
    return next((b for b in bands if holds(b, years.low) and holds(b, years.high)), None)


def side(years: AgeRange) -> str | None:
    """Minor or adult, None where a range holds both."""
    minor, adult = load_schema().codes["majority"]
    eighteen = 1 + max(int(band.partition("-")[2]) for band in CHILD_BANDS)
    return minor if years.high < eighteen else adult if years.low >= eighteen else None


def _minors(
    column: Glance, texts: list[str], meant: dict[str, AgeRange], score: float
) -> Iterator[Proposal | Doubt]:
    """Ranges that fit no band still tell minors from adults, where none lies on both sides."""
    known: dict[str, str | None] = {}
    for text in texts:
        if code := vocabulary().codes[MAJORITY].get(word(text)):
            known[text] = code
        elif years := meant.get(text):
            known[text] = side(years)
    others = [text for text in texts if text not in known]
    if column.weight(known) < 0.5 * column.weight(texts) or not any(known.values()):
        reason = Text("the header suggests an age, but its texts are not ages that fit a band")
        yield Doubt(column.name, reason, shows=True)
        return
    reason = Text("its age ranges fit no band, but distinguish minors from adults")
    doubts = rejected(column, others, Text("no age: {texts}"))
    yield Proposal(MAJORITY, column.name, {"map": known}, score * 0.9, reason, doubts)


def durations(column: Glance, target: str, score: float) -> Iterator[Proposal | Doubt]:
    """A rule for a number of months, where the header says that months are counted."""
    bands = load_schema().domain(target)
    fitting = [text for text in column.texts if band_of(fold(text), bands)]
    bare = [text for text in fitting if number_of(fold(text)) is not None]
    meant = {t: band for t in column.texts if (band := band_of(str(months_in(t)), bands))}
    if not fitting and not meant:
        return
    if bare and not says(column.name, vocabulary().ages["months"]):
        yield Doubt(
            column.name, Text("a duration, but its header does not say that it is in months")
        )
        return
    others = [text for text in column.texts if text not in fitting and text not in meant]
    reason = Text(
        "{n} of its {all} texts are durations",
        n=Numeral(len(fitting) + len(meant)),
        all=Numeral(len(column.texts)),
    )
    doubts = rejected(column, others, Text("no duration: {texts}"))
    rule: dict[str, object] = {"map": meant, "band": True} if meant else {"band": True}
    yield Proposal(target, column.name, rule, score, reason, doubts)
