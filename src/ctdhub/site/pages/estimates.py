"""How many people are not seen: estimates from the overlaps of the contributors' lists.

The page is there in every site; where the release did not measure overlaps, or the lists overlap
too little, it says why and gives no number.
"""

import math
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ctdhub.core.format import listed, number
from ctdhub.core.i18n import RIGHT_TO_LEFT, Text, _, current, formula
from ctdhub.core.tables import write_csv, write_json
from ctdhub.document.charts.bars import draw_dots
from ctdhub.release.open import Release
from ctdhub.report import mse as words
from ctdhub.report.figures import Chart
from ctdhub.report.wording import citation, state_words
from ctdhub.site.chart_files import CHARTS
from ctdhub.site.edition import EXPLORE, MenuEntry, PageKind
from ctdhub.site.frame import FIGURES, Page, card
from ctdhub.stats.answers import Answers
from ctdhub.stats.mse.estimate import Method
from ctdhub.stats.mse.lists import Lists
from ctdhub.stats.mse.of_release import estimate_in, list_names, measured_strata

PATH, FILE = "estimates.html", "estimates"
COLUMNS = ("method", "people", "low", "high", "why_not")
COLUMNS_OF = ("name", *COLUMNS[1:])

KIND = PageKind(
    "estimates",
    lambda content: [page(content.answers)],
    menu=MenuEntry(EXPLORE, PATH, Text("Hidden population")),
    cards=lambda content: _cards(content.release),
    files=lambda folder, content: write_estimates(folder / CHARTS, content.release),
    translated=lambda folder, content: write_estimates_picture(
        folder / CHARTS / current(), content.release
    ),
)


def page(answers: Answers) -> Page:
    """The page of estimates."""
    release = answers.release
    result, names = estimate_in(release), list_names(release)
    values: dict[str, Any] = {"result": result, "names": names, "words": words}
    values["charts"] = _charts(release)
    if result is None:
        values["refusal"] = _(
            "This release did not measure how the lists of its contributors overlap, so it says "
            "nothing about people whom no list knows."
        )
    else:
        values["refusal"] = words.refusal(result.gate, names)
        values["overlaps"] = _overlaps(result.lists, names, answers.z)
        values["pairs"] = partial(_pairs, names)
    return Page(
        path=PATH,
        title=words.title(),
        description=_(
            "Estimated total, including people on no list, by several methods side by side."
        ),
        values=values,
        scripts=FIGURES,
    )


def _cards(release: Release) -> Iterator[Page]:
    """The chart with all that must be known before one uses its numbers."""
    if charts := _charts(release):
        values: dict[str, Any] = {"result": estimate_in(release), "names": list_names(release)}
        values["words"] = words
        part, after = "estimates_chart.html", ("estimates_before.html",)
        yield card(PATH, charts, part, words.title(), after=after, **values)


def _charts(release: Release) -> list[dict[str, Any]]:
    """The methods side by side; [] where there is no estimate."""
    result, names = estimate_in(release), list_names(release)
    if result is None or result.gate.refused:
        return []
    what = _("Estimated total, including people on no list, by several methods side by side.")
    said = (words.scope(release), words.seen(result), words.note(result))
    chart = Chart(
        id=FILE,
        file=FILE,
        headline=words.spread(result, names).rstrip("."),
        subtitle=what.rstrip("."),
        note=" ".join(filter(None, said)),
    )
    svg = draw_dots(words.methods(result), rtl=current() in RIGHT_TO_LEFT).chart(FILE)
    by = measured_strata(release)[0] if result.strata else ""
    return [
        {
            "figure": chart,
            "svg": svg,
            "strata": words.strata(result.strata, by) if result.strata else "",
        }
    ]


def write_estimates(folder: Path, release: Release) -> None:
    """Write ``estimates.json`` and ``estimates.csv``; nothing where no overlaps were measured."""
    result = estimate_in(release)
    if result is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    facts = {**words.report(result), "citation": citation(release), "assumed": words.always()}
    facts |= words.said_first(release, facts)
    write_json(folder / f"{FILE}.json", facts)
    depend = facts["if_lists_depend"] or {"rows": []}
    rows = ([m[c] for c in COLUMNS_OF] for m in (*facts["methods"], *depend["rows"]))
    write_csv(folder / f"{FILE}.csv", COLUMNS, rows)


def write_estimates_picture(folder: Path, release: Release) -> None:
    """Write ``estimates.svg`` in the language in force, where there is an estimate."""
    result = estimate_in(release)
    if result is None or result.gate.refused:
        return
    folder.mkdir(parents=True, exist_ok=True)
    text = words.chart_file(result, list_names(release), citation(release), words.scope(release))
    (folder / f"{FILE}.svg").write_text(text, "utf-8")


def _pairs(names: Mapping[str, str], method: Method) -> str:
    """The lists that a method lets depend on each other."""
    return listed([" – ".join(names.get(n, n) for n in pair) for pair in method.pairs])


def _overlaps(lists: Lists, names: Mapping[str, str], z: float) -> list[tuple[str, str]]:
    """People on each combination of lists, the noisy ones with their interval, few lists first."""
    half = z * lists.sigma
    rows = []
    order = sorted(range(len(lists.y)), key=lambda c: (int(lists.on[c].sum()), c))
    for c in order:
        people = float(lists.y[c])
        titles = [names.get(n, n) for n, k in zip(lists.names, lists.on[c], strict=True) if k]
        label = _("{list} only").format(list=titles[0]) if len(titles) == 1 else listed(titles)
        text = formula(f"{number(people)} ± {number(math.ceil(half))}")
        rows.append((label, text if people - half > 0 else state_words("protected")))
    return rows
