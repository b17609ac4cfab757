"""From a column of a contributor's file to a published number, by joining what is there already.

The reports of harmonised files say which column became which variable by which rule; the mapping is
named by its SHA-256; the manifest says which tables were measured; a number carries its query.  The
way ends at the noisy number.  It never leads to a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ctdhub.build.filenames import REPORT
from ctdhub.build.harmonised import contributor_of, date_of, report_of
from ctdhub.build.hub import Hub
from ctdhub.build.mapping_by_date import mapping_file
from ctdhub.build.rules import policy
from ctdhub.build.stages.harmonise import harmonise_file
from ctdhub.build.steps import hash_file
from ctdhub.core.i18n import Text, joined
from ctdhub.sensitive.mapping.lineage import in_words, losses
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.rule import Rule


@dataclass(frozen=True)
class ColumnSource:
    """How columns of a delivery become a variable.  Sensitive: counts are exact.

    Attributes:
        contributor, date: of the delivery.
        variable: of the schema.
        columns: of the file; none where the rule reads none.
        rule: in words; it may quote texts that the mapping names.
        loss: what the rule loses, or None.
        recorded, empty: records in which the variable is recorded, and others.
        mapping: SHA-256 of the mapping's file, hexadecimal.
        starts: from which date on the mapping reads, "" from the first delivery on.
    """

    contributor: str
    date: str
    variable: str
    columns: tuple[str, ...]
    rule: Text
    loss: Text | None
    recorded: int
    empty: int
    mapping: str
    starts: str


def column_sources(
    hub: Hub, variable: str | None = None, contributor: str | None = None
) -> list[ColumnSource]:
    """Every variable of every delivery that was read, or one variable of all, or one contributor's.

    Raises:
        HubError: a mapping or an agreement has faults.
    """
    years = policy(hub).years
    found = []
    for given in hub.contributions():
        if contributor not in (None, given.contributor):
            continue
        step = harmonise_file(hub, given, years)
        if not (step.output / REPORT).is_file():
            continue
        path = mapping_file(hub, contributor_of(step), date_of(step))
        rules, commit = dict(_rules(load_mapping(path))), hash_file(path)
        starts = "" if path == hub.mapping(given.contributor) else path.stem
        for line in report_of(step)["lineage"]:
            name = str(line["column"])
            if variable not in (None, name) or name not in rules:
                continue
            lost = [note for rule in rules[name] for note in losses(rule, frozenset())]
            found.append(
                ColumnSource(
                    contributor=given.contributor,
                    date=given.date,
                    variable=name,
                    columns=tuple(line["sources"]),
                    rule=joined([in_words(rule) for rule in rules[name]], Text("; otherwise: ")),
                    loss=joined(list(dict.fromkeys(lost)), "; ") if lost else None,
                    recorded=int(line["mapped"]),
                    empty=int(line["empty"]),
                    mapping=commit,
                    starts=starts,
                )
            )
    return found


def _rules(mapping: Mapping) -> Iterator[tuple[str, tuple[Rule, ...]]]:
    yield from mapping.columns.items()
    if mapping.perpetrators:
        yield from mapping.perpetrators.columns.items()


def tables_with(sigma: dict[str, float], variable: str) -> list[tuple[str, ...]]:
    """The measured tables of a release that a variable is a part of, those of fewest first.

    >>> tables_with({"": 1.0, "gender": 2.0, "gender*age_band": 3.0, "age_band": 1.0}, "gender")
    [('gender',), ('gender', 'age_band')]
    """
    found = [tuple(key.split("*")) for key in sigma if variable in key.split("*")]
    return sorted(found, key=lambda names: (len(names), names))
