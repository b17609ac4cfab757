"""What one column of an unknown file holds and may be, as a rule with its reason or a doubt."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any

import pyarrow as pa

from ctdhub.core.i18n import Field, LocalName, Numeral, Several, Text, joined
from ctdhub.core.tables import fold
from ctdhub.schema import countries
from ctdhub.schema.countries import country_said, fold_name, look_up, resolve
from ctdhub.schema.labels import group_label
from ctdhub.schema.model import AGE, SEX, YEARS, load_schema
from ctdhub.sensitive.mapping.dates import DAY_FIRST, MONTH_FIRST, DateForm, serial_dates
from ctdhub.sensitive.mapping.drafting.vocabulary import (
    ROOTED,
    SEGMENT,
    plain_header,
    says,
    sexes,
    vocabulary,
    word,
)
from ctdhub.sensitive.mapping.drafting.written_ages import (
    AgeRange,
    band_holding,
    months_in,
    side,
    years_about,
    years_in,
)
from ctdhub.sensitive.mapping.parsers import OLDEST, band_of, elements_of, kinds_of, number_of

# --------------------------------------------------------------------------------------------------
# What stands in one column of an unknown file: its distinct texts, how often, and its lists.

FEW = 80
"""Up to so many distinct texts a column is taken to be coded, and its texts may be shown."""

LOOKED_AT = 5_000
"""Distinct texts of a column that are looked at."""

WORDY = 60
"""Characters from which a text is a sentence of somebody and is never shown."""

SENTENCE = 9
"""Words from which it is one; labels of choices are shorter."""

SEPARATORS = ("\n", ";", "|", ",", "،", "؛")

SORTED_LISTS = 3
"""Lists of several elements from which their order is evidence."""

_PLACEHOLDER = re.compile(r"[-\u2010-\u2015\u2212_.…/?]+")


@dataclass(frozen=True)
class Glance:
    """A column: its distinct texts with how often each stands, most frequent first.

    Attributes:
        name: its header.
        texts: texts that say something.
        empty: texts that mean "not recorded" in some language; of consent none does.
        rows: rows by text, of both.
        all: rows of the file.
        details: columns of the file that hold one choice each of this column's lists.
    """

    name: str
    texts: tuple[str, ...]
    empty: tuple[str, ...] = ()
    rows: dict[str, int] = field(default_factory=dict)
    all: int = 0
    details: tuple[str, ...] = ()

    def share(self, test: Callable[[str], object]) -> float:
        """Share of the distinct texts for which the test holds, 0 where there are none."""
        return sum(bool(test(text)) for text in self.texts) / max(len(self.texts), 1)

    def rows_of(self, texts: Iterable[str]) -> int:
        """Rows that hold one of the texts."""
        return sum(self.rows.get(text, 0) for text in texts)

    def weight(self, texts: Iterable[str]) -> float:
        """The rows of some texts as a share of the rows of all texts that say something."""
        return self.rows_of(texts) / max(self.rows_of(self.texts), 1)

    @property
    def covered(self) -> bool:
        """Whether every choice of its lists has a column of its own."""
        choices = sorted((re.split("[/.:]", name)[-1] for name in self.details), key=len)[::-1]
        made = "|".join(map(re.escape, choices))
        rest = (re.sub(made, "", text, flags=re.IGNORECASE) for text in self.texts)
        return bool(made) and not any(re.search(r"\w", text) for text in rest)

    @property
    def coded(self) -> bool:
        """Whether so few texts stand in the column that they are likely to be codes."""
        return 0 < len(self.texts) <= FEW

    @property
    def repeats(self) -> bool:
        """Whether a text stands in two rows or more on average; else texts may be names."""
        return sum(self.rows.values()) >= 2 * len(self.rows)

    @property
    def showable(self) -> bool:
        """Whether a draft may show the texts: few, repeated, and no sentences of somebody."""
        longest = max((len(text) for text in self.texts), default=0)
        most = max((len(text.split()) for text in self.texts), default=0)
        return self.coded and self.repeats and longest < WORDY and most < SENTENCE

    def separator(
        self,
        kinds: Callable[[str], Collection[str]] | None = None,
        marks: Iterable[str] = SEPARATORS,
    ) -> str | None:
        """The mark between elements of lists, None where the cells are no lists.

        The first mark that some texts hold; a comma, of any script, in every fifth, for sentences
        hold it too.  A blank only where every piece of every text names a kind, no text of several
        does as a whole, and two kinds meet in one cell.

        Args:
            kinds: the kinds that a text names.
            marks: the marks to try.
        """
        for mark in marks:
            share = sum(mark in text for text in self.texts) / max(len(self.texts), 1)
            if share > (0.2 if mark in ",،" else 0.0):
                return mark
        if kinds is None or len(self.texts) > FEW:
            return None
        cells = {text: [{*kinds(piece)} for piece in text.split()] for text in self.texts}
        if not all(piece for pieces in cells.values() for piece in pieces):
            return None
        whole = (text for text, of in cells.items() if len(of) > 1 and "_" not in text)
        if any(map(kinds, whole)):
            return None
        pairs = (pair for pieces in cells.values() for pair in combinations(pieces, 2))
        return " " if any(a.isdisjoint(b) for a, b in pairs) else None

    def sets(self, mark: str) -> bool:
        """Whether the lists are sorted and repeat nothing: sets, whose positions say nothing."""
        lists = [[e for e in elements_of(text, mark) if e] for text in self.texts if mark in text]
        lists = [elements for elements in lists if len(elements) > 1]
        return self.rows_of(t for t in self.texts if mark in t) >= SORTED_LISTS and all(
            [*map(fold, e)] == sorted({*map(fold, e)}) for e in lists
        )


def glance(table: pa.Table, name: str) -> Glance:
    """Look at a column of a raw table."""
    counts = Counter(
        {e["values"]: e["counts"] for e in table[name].drop_null().value_counts().to_pylist()}
    )
    meant = vocabulary().meant_by(name)
    texts = [text for text, _n in counts.most_common(LOOKED_AT) if fold(text)]
    consent = vocabulary().about_consent(name)  # "none" and "refused" are answers there
    country = vocabulary().is_country(name)  # DK is Denmark there, elsewhere "don't know"
    empty = {
        text
        for text in texts
        if not consent
        and means_nothing(text)
        and word(text) not in meant
        and not (country and text.isupper() and look_up(text).alpha3)
    }
    details = (other for other in table.column_names if re.match(rf"{re.escape(name)}[/.:]", other))
    return Glance(
        name,
        tuple(text for text in texts if text not in empty),
        tuple(text for text in texts if text in empty),
        {text: counts[text] for text in texts},
        table.num_rows,
        tuple(details),
    )


def means_nothing(text: str) -> bool:
    """Of numbers only -99 counts, for 99 may be an age; "NA" never does, for it is Namibia."""
    plain = fold(text)
    if plain in ("-99", "n/a", "#n/a", "n/d", "#n/d", "s/d") or _PLACEHOLDER.fullmatch(plain):
        return True
    return word(text) in vocabulary().empty and number_of(plain) is None


# --------------------------------------------------------------------------------------------------
# A rule for a variable with its reason, or a doubt that no rule can settle.

EXAMPLES = 10
"""Texts that a doubt names."""


SETS = Text("its lists are sorted and never repeat: sets, not lists, whose positions say nothing")
"""What to know of lists whose order is the alphabet's."""


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
        null_values: texts that the rule takes for "not recorded".
        also: further columns of the same list, such as "type 2" beside "type 1".
    """

    target: str
    column: str
    rule: dict[str, Any]
    score: float
    reason: Text
    doubts: tuple[Text, ...] = field(default=())
    null_values: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Every column that the rule reads."""
        return (self.column, *self.also)

    def whole(self) -> dict[str, Any]:
        """The rule with its columns."""
        return {"from": [*self.sources] if self.also else self.column, **self.rule}


@dataclass(frozen=True)
class Doubt:
    """Why nothing is proposed for a column that looks like something.

    Attributes:
        shows: the texts of the column, as code lists are shown, help to decide.
        offer: the rule where the answer is yes.
    """

    column: str
    reason: Text
    shows: bool = False
    offer: Proposal | None = None


def _of_texts(message: Text, n: int, column: Glance) -> Text:
    """A message with a number of the texts of a column, and of all of them."""
    return message.holding(n=Numeral(n), all=Numeral(len(column.texts)))


def texts_with_rows(
    column: Glance, texts: Iterable[str], near: Callable[[str], Text | None] | None = None
) -> Field:
    """Texts of a column, each with the rows that hold it, as one field of a sentence."""
    shown: list[Field] = []
    for text in list(texts)[:EXAMPLES]:
        close = near(text) if near else None
        named = joined([text, close], " ") if close else text
        shown.append(Text("{text} (rows: {n})", text=named, n=Numeral(column.rows_of([text]))))
    return Several(tuple(shown))


def _noted(said: Text, column: Glance, texts: Collection[str]) -> tuple[Text, ...]:
    """A doubt on texts of a column, none where there are none."""
    return (said.holding(texts=texts_with_rows(column, texts)),) if texts else ()


def rejected(
    column: Glance,
    texts: list[str],
    said: Text | None = None,
    near: Callable[[str], Text | None] | None = None,
) -> tuple[Text, ...]:
    """Doubts on texts that a rule does not know, with the number of rows that it would reject.

    Args:
        said: a sentence with the field ``texts``; None where the texts are not to be shown.
        near: what a text may have meant.
    """
    if not texts:
        return ()
    rows = Text("rows that this rule would reject: {n} of {all}")
    rows = rows.holding(n=Numeral(column.rows_of(texts)), all=Numeral(column.all))
    named = (said.holding(texts=texts_with_rows(column, texts, near)),) if said else ()
    return (*named, rows)


def null_codes(column: Glance, numbers: tuple[str, ...] = ()) -> list[str]:
    """Numbers such as 0 or 99 that stand for "not recorded" among texts that are no numbers.

    Args:
        numbers: the numbers that say something in such a column.
    """
    codes = vocabulary().null_codes - {*numbers}
    nulls = [text for text in column.texts if fold(text) in codes]
    others = [fold(text) for text in column.texts if text not in nulls]
    counted = any(number_of(text) is not None and text not in numbers for text in others)
    return nulls if others and not counted else []


# --------------------------------------------------------------------------------------------------
# What a column whose header speaks of an age, or of months, may be: ages, or codes of a list.

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
        why = Text("codes of the publisher’s code book, not ages: leave them out or write a map")
        yield Doubt(column.name, why, shows=True)
        return
    nulls = _null_ages(column, numbers)
    texts = [text for text in column.texts if text not in nulls]
    bands = load_schema().domain(AGE)
    plain = [text for text in texts if band_of(fold(text), bands)]
    wordy = [text for text in texts if text not in plain]
    meant = {t: years for t in wordy if (years := years_in(t) or years_about(t))}
    within = {text: band for text, years in meant.items() if (band := band_holding(years, bands))}
    across = [text for text in meant if text not in within]
    words = [t for t in texts if t not in plain and word(t) in vocabulary().codes[MAJORITY]]
    band_texts = [*plain, *within]
    sided = [*words, *(text for text in across if side(meant[text]))]
    if not band_texts or column.weight([*band_texts, *sided]) < 0.5 * column.weight(texts):
        yield from _minors(column, texts, meant, score)
        return
    others = [t for t in texts if t not in (*band_texts, *across, *words)]
    doubts = rejected(column, others, Text("no age: {texts}"))
    said = Text("more than one band, so not recorded: {texts}")
    doubts += _noted(said, column, [*across, *words])
    if "0" in plain:
        doubts += (Text('0 may mean “not recorded”: then add null_values: ["0"]'),)
    rule: dict[str, object] = {"band": True}
    if mapped := within | dict.fromkeys((*across, *words)):
        rule = {"map": mapped} | rule
    aged = Text("{n} of its {all} texts are ages up to {oldest} or age bands")
    n, every = Numeral(len(band_texts)), Numeral(len(column.texts))
    reason = aged.holding(n=n, all=every, oldest=OLDEST)
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


def in_units(hints: Iterable[Proposal | Doubt], unit: str | None) -> Iterator[Proposal | Doubt]:
    """What was found, with a doubt in place of ages of which another column says the unit."""
    for each in hints:
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
    if vocabulary().says(column.name, "bands"):
        return True
    small = {int(age) for age in numbers.values() if age == int(age) and age < CODES}
    return len(small) == len(numbers) and len(small) >= DENSE * (max(small) - min(small) + 1)


def _null_ages(column: Glance, numbers: dict[str, float]) -> list[str]:
    """Numbers that are no ages, or so far from every other age that they mean something else."""
    own = [age for text, age in numbers.items() if fold(text) not in vocabulary().null_codes]
    written = len(numbers) < len(column.texts)
    nulls = []
    for text in column.texts:
        plain = fold(text)
        if plain not in vocabulary().null_codes:
            continue
        age = numbers.get(text, -1.0)
        far = bool(own) and age in map(float, HIGH_CODES) and age > max(own) + GAP
        none = age < 0 or age > OLDEST or plain in ("00", "000")
        zero = plain == "0" and (min(own) >= INFANTS if own else written)
        if none or far or zero:
            nulls.append(text)
    return nulls


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
        why = Text("a duration, but its header does not say that it is in months")
        yield Doubt(column.name, why)
        return
    others = [text for text in column.texts if text not in fitting and text not in meant]
    n = len(fitting) + len(meant)
    reason = _of_texts(Text("{n} of its {all} texts are durations"), n, column)
    doubts = rejected(column, others, Text("no duration: {texts}"))
    rule: dict[str, object] = {"map": meant, "band": True} if meant else {"band": True}
    yield Proposal(target, column.name, rule, score, reason, doubts)


# --------------------------------------------------------------------------------------------------
# A column, of lists or not, whose texts name kinds: of exploitation, of control, of recruiters.


BESIDE = 0.5
"""Score of a list whose choices have columns of their own, below that of each such column."""


def kinds(column: Glance) -> Iterator[Proposal | Doubt]:
    """Flags of a column whose header names a group and whose texts name kinds of it.

    Known texts under any other header leave a doubt: "friend" may be who called, "threats" what
    somebody fears, "farming" what she did before.
    """
    own = vocabulary()
    mark = column.separator(own.kinds)
    elements = _labels(column, mark)
    texts = list(dict.fromkeys(e for parts in elements.values() for e in parts))
    whole = any(mark in text for text in texts if mark)  # no rule could take such lists apart
    lists = elements if whole else {text: [text] for text in texts}
    mark = None if whole else mark
    group = own.group_of(column.name)
    meant, main = _flags_of(texts, group)
    if column.covered or all(word(text) in own.other for text in meant) or len(texts) > FEW:
        return
    if group is None and len(meant) < 0.5 * len(texts):
        return
    if group is None and main is not None:
        named = LocalName.of(lambda language: group_label(main, language))
        why = Text("its texts are words of “{group}”, but the header does not say so", group=named)
        yield Doubt(column.name, why, shows=True)
        return
    chosen: dict[str, list[str]] = {}
    for text, parts in lists.items():
        known = [meant[e] for e in parts] if meant.keys() >= {*parts} else []
        for flag in dict.fromkeys(flag for flags in known for flag in flags):
            chosen.setdefault(flag, []).append(text)
    doubts = _doubts(column, elements, [t for t in texts if t not in meant], mark)
    named_kinds = Text("the column names kinds, of which {n} of {all} are known")
    reason = named_kinds.holding(n=Numeral(len(meant)), all=Numeral(len(texts)))
    share = (BESIDE if column.details else 0.9) * len(meant) / len(texts)
    for flag, has in chosen.items():
        rule: dict[str, Any] = {"has": has} | ({"split": mark} if mark else {})
        yield Proposal(flag, column.name, rule, share, reason, doubts)
        doubts = ()


_OPEN = re.compile(r'\([^)]*$|^"[^"]*$')


def _labels(column: Glance, mark: str | None) -> dict[str, list[str]]:
    """The choices in each cell; one whose label holds the comma between them is whole.

    A bracket or a quotation mark is open before the comma, or both sides only ever stand together.
    """
    lists = {t: [e for e in kinds_of(t, mark) if e] for t in column.texts}
    cells = Counter(e for elements in lists.values() for e in {*elements})
    pairs = Counter(pair for elements in lists.values() for pair in pairwise(elements))
    for text, elements in lists.items() if mark in (",", "،") else ():
        labels = elements[:1]
        for before, element in pairwise(elements):
            twins = cells[before] == cells[element] == pairs[before, element] > 1
            if twins or _OPEN.search(labels[-1]):
                labels[-1] += f"{mark} {element}"
            else:
                labels.append(element)
        lists[text] = labels
    return lists


def _flags_of(texts: list[str], group: str | None) -> tuple[dict[str, list[str]], str | None]:
    """The flags of each known text, and the group that most of them are of."""
    own, schema = vocabulary(), load_schema()
    if group:
        return {t: flags for t in texts if (flags := own.flags_in(group, t))}, group
    sure = (of for text in texts if (of := own.flags.get(word(text))))
    groups = [schema.variable(f).group for of in sure if len(of) == 1 for f in of]
    counted = Counter(name for name in groups if name)
    if not counted:
        return {}, None
    main = counted.most_common(1)[0][0]
    return {t: flags for t in texts if (flags := own.flags_in(main, t))}, main


def _doubts(
    column: Glance, elements: dict[str, list[str]], unknown: list[str], mark: str | None
) -> tuple[Text, ...]:
    """What the lists hold beyond the known kinds, and what they do not say."""
    doubts: tuple[Text, ...] = ()
    if unknown:
        rows = {
            t: sum(column.rows_of([c]) for c, es in elements.items() if t in es) for t in unknown
        }
        part = Glance(column.name, tuple(unknown), rows=rows, all=column.all)
        doubts += _noted(Text("no yes/no variable for: {texts}"), part, unknown)
    doubts += (Text("what the cells do not name stays not recorded, unless you add absent: no"),)
    if mark and column.sets(mark):
        doubts += (SETS,)
    return doubts


# --------------------------------------------------------------------------------------------------
# What follows from what was proposed: a form from a sector, minor or adult from an age.

Rules = dict[str, dict[str, Any]]
"""A rule for each variable, whole, in the words of a mapping."""


def with_implied(rules: Rules) -> tuple[Rules, dict[str, list[dict[str, Any]]]]:
    """Rules that were proposed together, with the texts that follow, and rules behind them.

    Where one list names both, the texts of the one are texts of the other too, so that silence
    about the other is never a "no" beside them.
    """
    draft, more = dict(rules), dict[str, Rules]()
    for of, codes, name, code in load_schema().implied():
        if (basis := rules.get(of)) is None:
            continue
        behind, own = more.setdefault(name, {}), draft.get(name, {})
        alike = {key: basis[key] for key in ("from", "split") if key in basis}
        if "has" in basis and "has" in own and alike.items() <= own.items():
            has = [*dict.fromkeys((*own["has"], *basis["has"]))]
            known = [text for text in own.get("known", ()) if text not in has]
            draft[name] = own | {"has": has} | ({"known": known} if "known" in own else {})
        elif "has" in basis:
            same = behind.setdefault(str(alike), alike | {"has": []})
            same["has"] = [*dict.fromkeys((*same["has"], *basis["has"]))]
        elif load_schema().variable(of).kind == "flag":
            behind[of] = {"from_hub": of, "has": [*codes]}
        else:
            same = behind.setdefault(of, {"from_hub": of, "map": {}})
            same["map"] |= dict.fromkeys(codes, code)
    follows = {name: [*behind.values()] for name, behind in more.items() if behind}
    if sides := list(_sides(rules.get(AGE, {}))):
        follows[MAJORITY] = [*sides, *follows[MAJORITY]]
    return draft, follows


def _sides(ages: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Minor and adult by texts of a column of ages that are no band."""
    of: dict[str, list[str]] = {}
    for text in (t for t, band in ages.get("map", {}).items() if band is None):
        years = years_in(text) or years_about(text)
        if code := vocabulary().codes[MAJORITY].get(word(text)) or (years and side(years)):
            of.setdefault(code, []).append(text)
    for code, texts in of.items():
        yield {"value": code, "when": {ages["from"]: texts}}


# --------------------------------------------------------------------------------------------------
# What one column of an unknown file may be, judged by its header and its distinct texts.
#
# A proposal is a rule; where the texts leave open which rule is right there is a doubt and no rule:
# a rule that reads a value wrongly does more harm than none.

RECEIVED = "received"
"""The code of assistance that somebody got."""

MOST = 0.9
"""Share of the rows from which a column with some other texts is still what its header says."""


def proposals(column: Glance) -> Iterator[Proposal | Doubt]:
    """Everything that a column may be, and what leaves that open."""
    schema = load_schema()
    if not column.texts or vocabulary().about_others(column.name):
        return
    flag = vocabulary().flag_named(column.name)
    if flag and (hints := list(_flag(column, flag, 1.0))):
        yield from hints
        return
    for target, score in vocabulary().variables(column.name).items():
        made = _BY_KIND.get(schema.variable(target).kind) if schema.has(target) else None
        if made:
            yield from made(column, target, score)
    yield from _code_named(column)
    yield from _gender_by_texts(column)
    yield from kinds(column)


_ORDERS = (DAY_FIRST, MONTH_FIRST)
CENTURY = 2000
"""The century of registrations."""

_TWO_DIGITS = DateForm(century=CENTURY)


def is_year(text: str | None) -> bool:
    """Whether a year is one of those that a hub may have; of another calendar it is not."""
    return text is not None and YEARS[0] <= int(text) <= YEARS[1]


def _year(column: Glance, target: str, score: float) -> Iterator[Proposal | Doubt]:
    ways = [[t for t in column.texts if is_year(form.year(fold(t)))] for form in _ORDERS]
    if serial_dates(map(fold, column.texts), YEARS):
        ways.append(list(column.texts))
    read = max(ways, key=column.weight)
    nearly = {t: year for t in column.texts if t not in read and (year := year_about(t))}
    short = short_years(column, read)
    if column.weight([*read, *nearly, *short]) < 0.5 or not read:
        few = Text("the header suggests a date, but only {n} of {all} texts are dates or years")
        reason = _of_texts(few, len(read), column)
        if column.share(lambda text: DAY_FIRST.year(fold(text))) >= 0.6:
            outside = Text("its years are outside {first} to {last}: of another calendar?")
            reason = outside.holding(first=YEARS[0], last=YEARS[1])
        elif column.share(lambda text: is_year(_TWO_DIGITS.year(fold(text)))) >= 0.6:
            reason = Text("years of two digits: state under dates what they stand for")
        yield Doubt(column.name, reason)
        return
    dates = [*read, *nearly, *short]
    reason = _of_texts(Text("{n} of its {all} texts are years or dates"), len(dates), column)
    others = [text for text in column.texts if text not in dates]
    doubts = rejected(column, others, Text("no year for certain: {texts}"))
    doubts += _noted(Text("the day is not sure, the year is: {texts}"), column, nearly)
    doubts += _noted(Text("years of two digits, read as the others: {texts}"), column, short)
    rule = ({"map": nearly} if nearly else {}) | {"year": True}
    yield Proposal(target, column.name, rule, score * column.weight(dates), reason, doubts)


def year_about(text: str, *, sure: bool = True) -> str | None:
    """The year of a date that a text names as not exact.

    Args:
        text: the text.
        sure: only of a month from which no other year is as near.

    >>> year_about("vers mars 2020"), year_about("about 06/2020"), year_about("vers déc. 2020")
    ('2020', '2020', None)
    >>> year_about("vers 2020"), year_about("mars 2020")
    (None, None)
    >>> [year_about(t, sure=False) for t in ("vers 2020", "حوالي ٢٠١٩", "déc. 2020 ?", "2020")]
    ['2020', '2019', '2020', None]
    """
    plain = fold(text)
    for about_ in map(fold, vocabulary().ages["about"]):
        for rest in (plain.removeprefix(about_).strip(), plain.removesuffix(about_).strip()):
            dates = (DAY_FIRST.date(day) for day in (f"15 {rest}", f"15/{rest}", rest))
            near = next((d[:4] for d in dates if d and "02" <= d[5:7] <= "11"), None)
            year = near if sure and rest != plain else None if sure else DAY_FIRST.year(rest)
            if rest != plain and is_year(year):
                return year
    return None


NEAR = 2
"""Years around those that are written out within which two digits mean one of them."""


def short_years(column: Glance, read: Iterable[str]) -> list[str]:
    """Dates with a year of two digits that lie among dates that all end in one of four, else none:
    among dates that begin with it, "21-03-19" may be of 2021.  Those of its own sign tell first."""
    known = {t: int(year) for t in read if (year := DAY_FIRST.year(fold(t)))}
    others = {t: _TWO_DIGITS.year(fold(t)) for t in column.texts if t not in known}
    short = {text: int(year) for text, year in others.items() if year}
    for text in short:
        alike = [one for one in known if {*"-/."} & {*fold(text)} & {*fold(one)}]
        if not all(re.search(r"\b\d{4}$", fold(one)) for one in alike or known):
            return []
    first, last = min(known.values(), default=0) - NEAR, max(known.values(), default=0) + NEAR
    return [*short] if all(first <= year <= last for year in short.values()) else []


def month_first(column: Glance) -> bool:
    """Whether more texts are dates with the month first than with the day first."""
    first = column.share(lambda text: MONTH_FIRST.date(fold(text)))
    return first > column.share(lambda text: DAY_FIRST.date(fold(text)))


def _country(column: Glance, target: str, score: float) -> Iterator[Proposal | Doubt]:
    mark = column.separator(marks=SEPARATORS[:3])
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
    numbered = any(number_of(fold(t)) is not None for t in known)
    if not known or share < 0.5 or (share < 1 and numbered):
        few = Text("the header suggests a country, but only {n} of {all} texts are countries")
        yield Doubt(column.name, _of_texts(few, sum(known.values()), column), shows=True)
        return
    unknown = [t for t, there in known.items() if not there]
    doubts = rejected(column, unknown, Text("no country: {texts}"), near=_near)
    rule: dict[str, object] = {"country": True}
    if mapped:
        rule = {"map": mapped} | rule
        doubts += (Text("adjectives or names in another language are written out: check each"),)
    if mark or any(len(own) > 1 for own in parts.values()):  # of lists in brackets none is needed
        rule |= {"split": mark or SEPARATORS[1], "take": "first"}
        doubts += (Text("of several countries the first is kept"),)
        if mark and column.sets(mark):
            doubts += (SETS,)
    reason = _of_texts(Text("{n} of its {all} texts are countries"), sum(known.values()), column)
    yield Proposal(target, column.name, rule, score * share, reason, doubts, tuple(nulls))


def sets_doubt(column: Glance) -> Text | None:
    """What to know of a column of lists that are sets in truth, None where it has none."""
    mark = column.separator(marks=SEPARATORS[:3])
    return SETS if mark and column.sets(mark) else None


def _near(text: str) -> Text | None:
    code = resolve(text).nearest
    if code is None:
        return None
    named = LocalName.of(lambda language: countries.name(code, language))
    return joined(["→ ", named, f" ({code})?"], "")


def _flag(column: Glance, target: str, score: float) -> Iterator[Proposal | Doubt]:
    choice = fold(SEGMENT.split(column.name)[-1])
    own = {text: "yes" for text in column.texts if fold(text) == choice}
    known = vocabulary().yes_no(column.texts) or own
    nulls = [text for text in null_codes(column, numbers=("0", "1")) if text not in known]
    texts = [text for text in column.texts if text not in nulls]
    both = {*known.values()} == {"yes", "no"}
    if not known or (len(known) < len(texts) and not (both and column.weight(known) >= MOST)):
        return
    if score < ROOTED:
        reason = Text("the header resembles {name}, but a yes-or-no variable is not guessed")
        yield Doubt(column.name, reason.holding(name=target))
        return
    letters = {word(text) for text in known}
    if letters & {"o", "s"} and "n" not in letters:
        why = Text("a single letter without its counterpart is not taken for yes")
        yield Doubt(column.name, why, shows=True)
        return
    reason = Text("column name matches this yes/no variable; values are yes or no")
    others = [text for text in texts if text not in known]
    doubts = rejected(column, others, Text("neither yes nor no: {texts}"))
    if "yes" not in known.values():
        doubts += (Text("no cell says yes: if a text of the file means it, add it to the map"),)
    yield Proposal(target, column.name, {"map": known}, score, reason, doubts, tuple(nulls))


def _coded(column: Glance, target: str, score: float) -> Iterator[Proposal | Doubt]:
    if target == AGE:
        yield from ages(column, score)
    elif all(code[0].isdigit() for code in load_schema().domain(target)):  # bands of a number
        yield from durations(column, target, score)
    elif load_schema().variable(target).kind == "status" and (codes := received(column)):
        made = Proposal(target, column.name, {"map": codes}, score, _ASSISTED)
        sure = score >= ROOTED and vocabulary().was_given(column.name)
        yield made if sure else Doubt(column.name, _NEEDED, offer=made)
    else:
        yield from _by_codes(column, target, score, known_codes(column, target))


_ASSISTED = Text("yes or a tick under assistance that was given: it was received")
_NEEDED = Text("was this assistance received, offered, or needed?")


def received(column: Glance) -> dict[str, str | None]:
    """Received for a yes or a tick, nothing for a no; empty where other texts stand there too."""
    answers = vocabulary().yes_no(column.texts)
    if len(answers) < len(column.texts) or "yes" not in answers.values():
        return {}
    return {text: RECEIVED if answer == "yes" else None for text, answer in answers.items()}


def known_codes(column: Glance, variable: str) -> dict[str, str]:
    """The texts of a column whose code of a variable is sure, each with the code."""
    if variable == SEX:
        return sexes(column.name, column.texts)
    codes = vocabulary().codes.get(variable, {})
    return {text: codes[key] for text in column.texts if (key := word(text)) in codes}


def _by_codes(
    column: Glance, target: str, score: float, known: dict[str, str]
) -> Iterator[Proposal | Doubt]:
    nulls = null_codes(column) if known else []
    texts = [text for text in column.texts if text not in nulls]
    others = [text for text in texts if text not in known]
    if not column.coded or not known or (others and len(texts) <= 2):
        if column.coded:
            reason = Text("codes whose meaning is not sure")
            if column.showable:
                reason = Text("codes whose meaning is not sure: {texts}")
            yield Doubt(column.name, reason.holding(texts=texts_with_rows(column, texts)))
        return
    share = column.weight(known) / max(column.weight(texts), 1e-9)
    if share < 0.5:
        return
    doubts = rejected(column, others, Text("no code for: {texts}"))
    reason = _of_texts(Text("{n} of its {all} texts are known words"), len(known), column)
    yield Proposal(target, column.name, {"map": known}, score * share, reason, doubts, tuple(nulls))


def _gender_by_texts(column: Glance) -> Iterator[Proposal | Doubt]:
    """A column may hold sexes whatever its header; whose, unless that names the person alone?"""
    if SEX in vocabulary().variables(column.name):
        return
    codes = vocabulary().codes[SEX]
    genders = {codes.get(word(text)) for text in column.texts}
    if len(genders) > 1 and None not in genders:
        if vocabulary().says(column.name, "persons") and not plain_header(column.name):
            yield from _by_codes(column, SEX, 0.9, known_codes(column, SEX))
        else:
            yield Doubt(column.name, Text("its texts are sexes; of the person?"), shows=True)


def _code_named(column: Glance) -> Iterator[Proposal]:
    """A header that names one of two codes and is answered yes or no: ``minor``, ``adult``."""
    codes = vocabulary().answered
    key = next((k for k in (fold_name(column.name), plain_header(column.name)) if k in codes), "")
    answers = vocabulary().yes_no(column.texts)
    if key and answers and len(answers) == len(column.texts):
        other = next(code for code in load_schema().domain(MAJORITY) if code != codes[key])
        said = {"yes": codes[key], "no": other}
        rule = {"map": {text: said[answer] for text, answer in answers.items()}}
        reason = Text("column name matches this yes/no variable; values are yes or no")
        yield Proposal(MAJORITY, column.name, rule, 0.9, reason)


_BY_KIND = {
    "year": _year, "country": _country, "flag": _flag, "code": _coded, "status": _coded,
}  # fmt: skip
"""What a column may be whose header means a variable of a kind."""
