"""A mapping's rules in words, with what they lose."""

from __future__ import annotations

import pyarrow as pa

from ctdhub.core.i18n import _, ngettext
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.result import Lineage
from ctdhub.sensitive.mapping.rule import Rule


def lineage_of(
    mapping: Mapping,
    records: pa.Table,
    perpetrators: pa.Table,
    folded: frozenset[str],
    ignored: dict[str, int],
) -> tuple[Lineage, ...]:
    """One entry per mapped hub variable, in the order of the mapping.

    Args:
        records: the harmonised records.
        perpetrators: the harmonised child rows.
        folded: source columns in which some name stands for a country that is published under
            another.
        ignored: source columns of lists, each with the number of elements that no rule knows.
    """
    found = [
        _entry(name, rules, records, folded, ignored) for name, rules in mapping.columns.items()
    ]
    if mapping.perpetrators:
        for name, rules in mapping.perpetrators.columns.items():
            found.append(_entry(name, rules, perpetrators, folded, ignored))
    return tuple(found)


def _entry(
    name: str,
    rules: tuple[Rule, ...],
    table: pa.Table,
    folded: frozenset[str],
    ignored: dict[str, int],
) -> Lineage:
    sources = [s for rule in rules for s in (*rule.columns(), rule.from_hub) if s is not None]
    notes = list(dict.fromkeys(note for rule in rules for note in losses(rule, folded)))
    searched = {column for rule in rules if rule.has for column in rule.source}
    strays = sum(ignored.get(column, 0) for column in searched)
    if strays and any(rule.doubts for rule in rules):
        said = ngettext(
            "{n} text is known to no rule: it never becomes “no”",
            "{n} texts are known to no rule: they never become “no”",
            strays,
        )
        notes.append(said.format(n=strays))
    elif strays:
        said = ngettext(
            "{n} element of a list is known to no rule and was passed over",
            "{n} elements of lists are known to no rule and were passed over",
            strays,
        )
        notes.append(said.format(n=strays))
    empty = table[name].null_count
    return Lineage(
        column=name,
        sources=tuple(dict.fromkeys(sources)),
        rule=_("; otherwise: ").join(in_words(rule) for rule in rules),
        lossy=bool(notes),
        note="; ".join(notes) or None,
        mapped=table.num_rows - empty,
        empty=empty,
        ignored=strays,
    )


def losses(rule: Rule, folded: frozenset[str]) -> list[str]:
    """What a rule loses, in words."""
    notes = [rule.lossy] if rule.lossy else []
    if rule.take:
        notes.append(_("of several values one is kept"))
    if rule.unknown == "null" and rule.value is None and not rule.has:
        notes.append(_("unknown texts become “not recorded”"))
    if rule.country and folded.intersection(rule.source):
        notes.append(_("some names stand for a territory that is counted under another country"))
    return notes


def in_words(rule: Rule) -> str:
    """A rule as a phrase.

    >>> in_words(Rule.model_validate({"from": "a", "map": {"x": "yes"}, "when": {"b": "1"}}))
    '1 text has a code; only where b is “1”'
    """
    said: list[str] = []
    if rule.value is not None:
        said.append(_("always {code}").format(code=rule.value))
    if rule.from_hub is not None:
        said.append(_("from the hub variable {name}").format(name=rule.from_hub))
    if rule.take:
        said.append(_("the first of a list") if rule.take == "first" else _("the last of a list"))
    if rule.map:
        n = len(rule.map)
        said.append(ngettext("{n} text has a code", "{n} texts have a code", n).format(n=n))
    if rule.year:
        said.append(_("the year of a date"))
    if rule.country:
        said.append(_("the country of a name or code"))
    if rule.at:
        said.append(_("the band of the age on the date in {column}").format(column=rule.at))
    elif rule.band:
        said.append(_("the band of a number"))
    if rule.has:
        said.append(_("yes where it says: {texts}").format(texts=", ".join(rule.has)))
        if rule.doubts:
            said.append(_("no where it says only other things that some rule knows"))
        elif rule.absent:
            said.append(_("no where it says anything else"))
    if len(rule.source) > 1:
        said.append(_("{n} columns are combined").format(n=len(rule.source)))
    for column, texts in rule.when.items():
        shown = ", ".join(f"“{text}”" for text in texts)
        said.append(_("only where {column} is {texts}").format(column=column, texts=shown))
    return "; ".join(phrase for phrase in said if phrase) or _("taken as it is")
