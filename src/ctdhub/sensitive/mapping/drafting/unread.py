"""Columns that no rule of a draft reads: why, and what they may mean."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ctdhub.core.i18n import Numeral, Text, joined
from ctdhub.core.tables import fold
from ctdhub.schema.countries import country_said, look_up
from ctdhub.schema.model import AGE, load_schema
from ctdhub.sensitive.ingest.identifiers import kind_of
from ctdhub.sensitive.mapping.dates import DAY_FIRST, MONTH_FIRST
from ctdhub.sensitive.mapping.drafting.proposals import (
    FEW,
    Doubt,
    Glance,
    is_year,
    known_codes,
    sets_doubt,
    years_in,
)
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary
from ctdhub.sensitive.mapping.parsers import kinds_of

if TYPE_CHECKING:
    from ctdhub.sensitive.mapping.drafting.suggest import Draft

TEXTS = 8
"""Texts of a column without a rule that are shown."""

LIKELY = 3
"""Variables that are named for such a column."""

_BY_HEADER, _BY_TEXTS = 2.0, 1.5


def questions(draft: "Draft") -> Iterator[Text]:
    """What nobody reads, with why, and what it may mean: the first question of a draft."""
    if draft.unmatched:
        yield Text("No rule reads these columns: write a rule for what each means, or leave it out")
    for name in draft.unmatched:
        column = draft.glances[name]
        doubts = [one for one in draft.found if isinstance(one, Doubt) and one.column == name]
        replaced = bool(column.details) and draft.used.issuperset(column.details) and column.covered
        reasons = [Text("its choices have columns of their own, which are used instead")]
        if not replaced:
            reasons = [_why(column, doubts), *filter(None, [sets_doubt(column)])]
            about_them = column.texts and not vocabulary().about_others(name)
            if about_them and (likely := likeliest(column)):
                reasons.append(Text("perhaps {variables}", variables=joined(likely, ", ")))
        yield joined(["  ", name, ": ", joined(reasons, "; ")], "")
        for offer in (one.offer for one in doubts if one.offer):
            rule = json.dumps({offer.target: offer.whole()}, ensure_ascii=False)[1:-1]
            yield joined(["    ", Text("if it was received: {rule}", rule=rule)], "")


def likeliest(column: Glance) -> list[str]:
    """Up to :data:`LIKELY` variables, by the roots of the header and by the texts.

    >>> likeliest(Glance("Home", ("Ghana", "Togo"), (), {"Ghana": 2, "Togo": 2}, 4))
    ['citizenship', 'country_of_exploitation']
    """
    own, schema = vocabulary(), load_schema()
    found: dict[str, float] = dict.fromkeys(_fitting(column), _BY_TEXTS)
    group = own.group_of(column.name)
    mark = column.separator(own.kinds)
    said = {part: text for text in column.texts[:FEW] for part in kinds_of(text, mark)}
    weighed = [
        (flag, _BY_TEXTS * column.weight([text]))
        for part, text in said.items()
        for flag in (own.flags_in(group, part) if group else own.kinds(part))
    ]
    headed = own.rooted(column.name) | dict.fromkeys(own.variables(column.name), True)
    for name, sure in headed.items():
        if not sure and name not in found and schema.has(name) and _is_told(name):
            continue
        flags = [v.name for v in schema.records if name in (v.name, v.group)][:LIKELY]
        weighed += [(f, _BY_HEADER * (1 if sure else 0.6) / (1 + n)) for n, f in enumerate(flags)]
    for name, weight in weighed:
        found[name] = found.get(name, 0.0) + weight
    names = sorted((name for name in found if schema.has(name)), key=lambda name: -found[name])
    return names[:LIKELY]


def _is_told(name: str) -> bool:
    """Whether the texts of a column of a variable show what it is: dates, countries, ages."""
    return name == AGE or load_schema().variable(name).kind in ("year", "country")


def _fitting(column: Glance) -> list[str]:
    """Variables whose values most texts of a column are."""
    schema = load_schema()

    def most(test: Callable[[str], object]) -> bool:
        return column.weight(t for t in column.texts if test(t)) > 0.5

    if most(lambda t: len(t) > 1 and (look_up(t).alpha3 or country_said(t))):
        return [v.name for v in schema.records if v.kind == "country"]
    coded = [
        v.name
        for v in schema.records
        if v.kind in ("code", "status") and column.weight(known_codes(column, v.name)) > 0.5
    ]
    if coded:
        return coded
    if most(lambda t: is_year(DAY_FIRST.year(fold(t)) or MONTH_FIRST.year(fold(t)))):
        return [v.name for v in schema.records if v.kind == "year"]
    return [AGE] if column.repeats and len(column.texts) > 2 and most(years_in) else []


def _why(column: Glance, doubts: list[Doubt]) -> Text:
    if not column.texts:
        return Text("it is empty")
    if vocabulary().about_others(column.name):
        return Text("it is about someone other than the person of the record")
    shown = column.shown and kind_of(column.name) != "name"
    texts = joined(column.texts[:TEXTS], ", ")
    if doubts:
        why = doubts[-1]
        return joined([why.reason, texts], ": ") if why.shows and shown else why.reason
    if column.share(lambda text: len(text) > 3 and look_up(text).alpha3) >= 0.8:
        return Text("countries; of citizenship or of exploitation?")
    if shown:
        return texts
    return Text("{n} different texts", n=Numeral(len(column.texts)))
