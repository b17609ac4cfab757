"""The charts of assistance in the words of one language, and their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ctdhub.core.datafiles import write_json
from ctdhub.core.format import share
from ctdhub.core.i18n import _, current
from ctdhub.report import equity_rows
from ctdhub.report.figures import Figure, FigureBar
from ctdhub.report.gaps import gap_headline, gap_sentence, group_name, not_compared_sentence
from ctdhub.report.wording import sized, state_words
from ctdhub.schema.labels import code_label, definition, group_definition, label
from ctdhub.schema.roles import DESTINATION, SERVICE
from ctdhub.stats import equity
from ctdhub.stats.answers import Answers
from ctdhub.stats.equity import RECEIVED, Assistance, EquityGroup
from ctdhub.stats.gaps import By
from ctdhub.stats.table import Table


@dataclass(frozen=True)
class Chart:
    """One grouping: a panel for each kind of assistance, on one scale, and the table of all.

    Attributes:
        panels: figures of the share who received; each has the id of the chart and a number.
        heads: names of the table's columns.
        lines: the table's rows, texts; the first two cells are headings.
        gaps: sentences, the surest first; ``heads_of_gaps`` the same as one line each.
    """

    id: str
    headline: str
    subtitle: str
    panels: tuple[Figure, ...]
    heads: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    note: str
    definition: str
    gaps: tuple[str, ...]
    heads_of_gaps: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Name of its file, without its ending."""
        return self.id


def file_of(by: By) -> str:
    """Name of the file of a grouping, without its ending."""
    return "assistance-" + "-".join(name.replace("_", "-") for name in by)


def charts(answers: Answers) -> tuple[Chart, ...]:
    """A chart for each grouping that was measured, in the language in force."""
    return tuple(
        _chart(answers, by, equity.assistance(answers, by)) for by in equity.groupings(answers)
    )


def write_assistance(folder: Path, answers: Answers) -> None:
    """Write ``<file>.csv`` and ``<file>.metadata.json`` of every grouping into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for by in equity.groupings(answers):
        found, name = equity.assistance(answers, by), file_of(by)
        (folder / f"{name}.csv").write_text(equity_rows.as_csv(found, answers.release), "utf-8")
        facts = equity_rows.as_data(found, answers.release)
        del facts["rows"]
        facts |= {"id": name, "title": _subtitle(by), "definition": _meaning(by)}
        facts["denominator"] = "people of the group whose status of this kind is recorded"
        facts["method"] = _method(answers)
        write_json(folder / f"{name}.metadata.json", facts)


def _chart(answers: Answers, by: By, found: tuple[Assistance, ...]) -> Chart:
    name, subtitle = file_of(by), _subtitle(by)
    clear = equity.clear_gaps(found)
    gaps = tuple(gap_sentence(gap) for gap in clear)
    statuses, left_out = answers.domain(found[0].kind), equity.not_compared(found)
    return Chart(
        id=name,
        headline=gaps[0] if gaps else subtitle,
        subtitle=subtitle,
        panels=tuple(_panel(a, f"{name}-{k}", subtitle) for k, a in enumerate(found, 1)),
        heads=(
            _("Assistance"),
            _("Group"),
            _("Recorded"),
            state_words("not_recorded"),
            *(code_label(found[0].kind, status, current()) for status in statuses),
            _("received, of those who needed it"),
        ),
        lines=tuple(_line(a, group) for a in found for group in (a.everybody, *a.groups)),
        note=" ".join(
            (
                _note(found),
                _method(answers),
                not_compared_sentence(left_out),
                _countries(by),
            )
        ).strip(),
        definition=_meaning(by),
        gaps=gaps,
        heads_of_gaps=tuple(gap_headline(gap) for gap in clear),
    )


def _subtitle(by: By) -> str:
    names = " · ".join(label(name, current()) for name in by)
    return _(
        "Received assistance: share of the people whose status is recorded, by: {variable}"
    ).format(variable=names)


def _meaning(by: By) -> str:
    lang = current()
    return " ".join([group_definition(SERVICE, lang), *(definition(n, lang) for n in by)])


def _note(found: tuple[Assistance, ...]) -> str:
    parts = [a.everybody.unknown.value for a in found if a.everybody.unknown.value is not None]
    if not parts:
        return ""
    return _(
        "n: the people whose status is recorded, in the table for each kind and group. Not "
        "recorded for {low} to {high} of people, by kind of assistance."
    ).format(low=share(min(parts)), high=share(max(parts)))


def _method(answers: Answers) -> str:
    return _(
        "A gap between two groups is reported where the interval of the difference does "
        "not contain zero. It allows for the noise of protection and for chance among few "
        "people, and all pairs of groups of all kinds of one chart are compared at once "
        "(Bonferroni), so that all gaps of a chart hold together with {level} confidence. "
        "“Of those who needed it” leaves out people who declined."
    ).format(level=share(answers.release.protected.guarantee.level))


def _countries(by: By) -> str:
    if by != (DESTINATION,):
        return ""
    return _("Of countries the {n} with most people are compared.").format(n=equity.MOST)


def _panel(a: Assistance, id_: str, subtitle: str) -> Figure:
    bars = [_bar(a, group) for group in a.groups]
    unknown = a.everybody.unknown
    if unknown.value is not None:
        ends, name = (
            (unknown.value, unknown.low, unknown.high),
            _("nothing recorded, of all people"),
        )
        bars.append(FigureBar(name, sized(unknown), *ends, True, "not_recorded"))
    empty = Table(a.by, (), a.everybody.recorded, unknown.value)
    return Figure(id_, label(a.kind, current()), subtitle, tuple(bars), "", "", empty)


def _bar(a: Assistance, group: EquityGroup) -> FigureBar:
    name, part = group_name(a.by, group.codes), group.shares[RECEIVED]
    if not group.codes[0]:
        name = _("group not recorded")
    if part.state != "shown":
        return FigureBar(name, sized(part), kind=part.state)
    return FigureBar(name, sized(part), part.value, part.low, part.high)


def _line(a: Assistance, group: EquityGroup) -> tuple[str, ...]:
    name = group_name(a.by, group.codes) if group.codes else _("All people")
    if group.codes and not group.codes[0]:
        name = _("group not recorded")
    parts = (*group.shares.values(), group.of_need)
    return (
        label(a.kind, current()),
        name,
        sized(group.recorded),
        sized(group.unknown),
        *(sized(part) for part in parts),
    )
