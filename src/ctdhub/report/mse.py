"""What estimates of the hidden population say in words, in the language in force."""

import math
from collections.abc import Mapping
from functools import partial
from statistics import NormalDist
from typing import Any

from ctdhub.core.errors import printable
from ctdhub.core.format import number, share
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current, formula
from ctdhub.document.charts.bars import draw_dots
from ctdhub.document.document import Bar, Dots
from ctdhub.document.svg import EMPTY, round_top
from ctdhub.release.open import Release
from ctdhub.report.figures import alone
from ctdhub.report.wording import paragraph, paragraphs, people_ranged
from ctdhub.schema.labels import code_label
from ctdhub.stats.mse.estimate import (
    QUESTIONS,
    WIDEST,
    Label,
    Method,
    Result,
    SensitivityChange,
    Strata,
    Why,
)
from ctdhub.stats.mse.lists import LEAST_OVERLAP, Gate
from ctdhub.stats.mse.of_release import doubles, list_names, years_of

Names = Mapping[str, str]
"""How lists are shown, by their names in the table."""

words_of = partial(paragraph, "mse.txt")
"""What a part of the template says, by the name of the part."""
LONGEST = 200
"""Letters of a list's name that are said."""
FEW = 20
"""People on two or more lists below which a warning says how few they are."""


method_name = partial(words_of, "method")
"""What a method is called: of its name."""
assumption = partial(words_of, "assumption")
"""What a method assumes, in one plain sentence: of its name."""
direction = partial(words_of, "direction")
"""Which way the numbers err, and when."""
always = partial(paragraphs, "mse.txt", "always")
"""What is assumed by all methods, and what the number is not."""


def why_not(why: Why) -> str:
    """Why a method gives no number."""
    return words_of("why_not", why, WIDEST)


# --------------------------------------------------------------------------------------------------
# What the organisations alone know, and why no range is given.


def spread(result: Result, names: Names | None = None) -> str:
    """The first thing to say: what was asked of the organisations, which way the numbers may err,
    and how far they go; empty where no method gave one."""
    if result.spread is None or result.intervals is None:
        return ""
    shown = names or {}
    unanswered = any(name not in result.answers for name in QUESTIONS)
    dependent = any(result.answers.get(name, usual) != usual for name, usual in QUESTIONS.items())
    pairs = [" – ".join(printable(shown.get(n, n), LONGEST) for n in pair) for pair in result.pairs]
    reasons = paragraphs("mse.txt", "doubts", result, unanswered, dependent, pairs)
    return words_of("spread", result, _("; ").join(reasons))


def links(result: Result) -> str:
    """What is known of the links, and how far the estimates go with it; empty where nothing is."""
    return words_of("links", result.links, result.linked)


def strata(estimates: Strata, variable: str = "") -> str:
    """Which strata were taken, and which of them together.

    Args:
        variable: whose codes the strata of a release are; of a file they are texts.
    """

    def part_name(part: Label) -> str:
        if not variable:
            return " / ".join(part)
        return code_label(variable, part[0], current()) if part[0] else _("not recorded")

    parts = (" + ".join(map(part_name, labels)) for labels, _n in estimates.parts)
    return words_of("strata", [printable(text) for text in parts] if estimates.rows else [])


def seen(result: Result) -> str:
    """How many people are on the lists, and how many on several, with the noise of both."""
    lists = result.gate.lists or result.lists
    several = int((lists.on.sum(axis=1) > 1).sum())
    return words_of(
        "seen",
        _noisy(lists.people, lists.sigma, len(lists.y), result.level),
        len(lists.names),
        _noisy(result.gate.overlapping, lists.sigma, several, result.level),
    )


def _noisy(people: float, sigma: float, cells: int, level: float) -> str:
    """A sum of cells, with half the width of its interval where they carry noise."""
    if not sigma:
        return number(people)
    half = NormalDist().inv_cdf((1 + level) / 2) * sigma * cells**0.5
    return formula(f"{number(max(0.0, people))} ± {number(math.ceil(half))}")


def refusal(gate: Gate, names: Names | None = None) -> str:
    """Why no number is given at all; empty where one is."""
    nested = [printable((names or {}).get(name, name)) for name in gate.nested]
    return words_of("refusal", gate, nested, LEAST_OVERLAP)


def warnings(result: Result, names: Names | None = None) -> tuple[str, ...]:
    """All that a reader must know before using a number."""
    alone = [printable((names or {}).get(name, name), LONGEST) for name in result.gate.alone]
    return paragraphs("mse.txt", "warnings", result, alone, FEW)


def bootstrap(method: Method, level: float) -> str:
    """How the interval of a bootstrap came about, in numbers; empty where there is none."""
    made = method.bootstrap
    return words_of("bootstrap", method_name(method.name), made, level) if made else ""


def change(item: SensitivityChange, names: Names | None = None) -> str:
    """What was changed, and whether other pairs of lists are chosen then."""
    shown = [(names or {}).get(n, n) for n in item.names]
    rate = share(item.rate or 0.0, fine=bool(item.known)) if item.kind != "tied" else ""
    return words_of("change", item, shown, rate)


def said_first(release: Release, data: dict[str, Any]) -> dict[str, Any]:
    """What a release adds to the plain data of its estimates: ``list_years`` ([first, last] by id),
    ``doubles`` (``people``, ``low``, ``high``; null where unknown), and before all other
    ``warnings`` what the lists are about."""
    first = [text for text in (scope(release), double_people(release)) if text]
    years = {id_: list(span) for id_, span in years_of(release).items()}
    numbers = doubles(release)
    as_keys = dict(zip(("people", "low", "high"), numbers, strict=True)) if numbers else None
    return {"list_years": years, "doubles": as_keys, "warnings": [*first, *data["warnings"]]}


def double_people(release: Release) -> str:
    """How many people of a release are another one of them; empty where nobody can tell."""
    numbers = doubles(release)
    return words_of("double_people", *numbers) if numbers else ""


def scope(release: Release) -> str:
    """What must be said first: which years the lists are about; empty where these are all years.

    In releases that measured overlaps over all years, people whom a list could not know, because
    it did not exist in their year, look like people whom it missed.
    """
    sources = release.protected.sources
    if sources is None or not sources.lists:
        return ""
    if sources.list_years:
        return words_of("common_years", *sources.list_years)
    spans, names = years_of(release), list_names(release)
    if len(set(spans.values())) < 2:
        return ""
    first, last = max(s[0] for s in spans.values()), min(s[1] for s in spans.values())
    lists = [(names[id_], *years) for id_, years in spans.items()]
    return words_of("different_years", lists, first, last)


# --------------------------------------------------------------------------------------------------
# The methods that estimate the hidden population side by side: a block to draw, a file.


def methods(result: Result) -> Dots:
    """The methods side by side, then the rows if lists depend and those of strata."""
    rows = (*result.methods, *depending(result))
    top = float(round_top(max((m.high for m in rows if m.high is not None), default=1.0)))
    return Dots(
        rows=tuple(_row(method) for method in rows),
        top=top,
        axis=(number(0.0), number(top / 2), number(top)),
    )


def depending(result: Result) -> tuple[Method, ...]:
    """The rows that allow for lists that are not independent."""
    rows = result.dependence.rows if result.dependence else ()
    return (*rows, *(result.strata.rows if result.strata else ()))


def chart_file(result: Result, names: Mapping[str, str], source: str, first: str = "") -> str:
    """The chart as an SVG file that stands alone, in the language in force.

    Args:
        names: how lists are shown, by their names in the table.
        source: where the table came from.
        first: a warning that stands before all others.
    """
    notes = [seen(result), *warnings(result, names), *always()]
    notes.append(_("Source: {source}.").format(source=printable(source)))
    if result.gate.refused:
        return alone(title(), refusal(result.gate, names), EMPTY, notes)
    subtitle = f"{first} {spread(result, names)} {note(result)}".strip()
    drawn = draw_dots(methods(result), rtl=current() in RIGHT_TO_LEFT)
    return alone(title(), subtitle, drawn, notes)


def title() -> str:
    """The question."""
    return _("How large is the hidden population?")


def note(result: Result) -> str:
    """How to read a row."""
    return words_of("note", result.level)


def ranged(method: Method) -> str:
    """Estimate and interval, or a dash."""
    if method.value is None or method.low is None or method.high is None:
        return "–"
    return people_ranged(method.value, method.low, method.high)


def _row(method: Method) -> Bar:
    name = method_name(method.name)
    if method.value is None or method.low is None or method.high is None:
        return Bar(name, _("no number; the table says why"))
    return Bar(name, ranged(method), method.value, method.low, method.high)


# --------------------------------------------------------------------------------------------------
# The result as plain data for programs, with keys that stay.


def report(result: Result) -> dict[str, Any]:
    """Everything that was found; sentences are in the language in force.

    Keys: ``answers`` (of the organisations to the three questions, null where there is none),
    ``says`` (the spread in words), ``spread`` and ``intervals`` ([low, high] of the estimates
    and of their intervals, if the lists are independent; null where there are none), ``tied``
    (the same with odds ratios of the lists between 1/2 and 2),
    ``level``, ``refused`` (rule and words, or null), ``lists`` (name: people), ``left_out``,
    ``seen``, ``overlapping``, ``noise`` (standard deviation of each cell), ``cells`` (the table),
    ``methods``, ``if_lists_depend`` (``z``, ``rows``; null where refused), ``strata`` (``parts``,
    ``rows``; null where there are none),
    ``links`` (``missed``, ``missed_at_most``, ``false_at_most``, and ``linked``, [low, high] of
    the estimates with them; null where nothing is known of links), ``changes``, ``warnings``.
    """
    gate, lists = result.gate, result.gate.lists or result.lists
    return {
        "answers": {name: result.answers.get(name) for name in QUESTIONS},
        "says": spread(result),
        "spread": _rounded(result.spread),
        "intervals": _rounded(result.intervals),
        "tied": _rounded(result.tied),
        "level": result.level,
        "refused": {"rule": gate.refused, "why": refusal(gate)} if gate.refused else None,
        "lists": {name: round(people) for name, people in lists.sizes.items()},
        "left_out": list(gate.alone),
        "seen": round(lists.people),
        "overlapping": round(gate.overlapping),
        "noise": lists.sigma,
        "cells": [
            {"lists": [n for n, k in zip(lists.names, on, strict=True) if k], "people": people}
            for on, people in zip(lists.on.tolist(), lists.counts, strict=True)
        ],
        "methods": [_method(m) for m in result.methods],
        **_allowances(result),
        "changes": [
            {
                "kind": c.kind,
                "lists": list(c.names),
                "rate": c.rate,
                "known": c.known or None,
                "seen": round(c.seen),
                "stepwise": _whole(c.stepwise),
                "independent": _whole(c.independent),
                "other_pairs": c.anew,
                "with_other_pairs": _whole(c.others),
            }
            for c in result.changes
        ],
        "warnings": list(warnings(result)),
    }


def _allowances(result: Result) -> dict[str, Any]:
    """What is said if lists depend on each other, within strata, and with wrong links."""
    depends, parts, known = result.dependence, result.strata, result.links
    return {
        "if_lists_depend": depends
        and {
            "z": None if depends.z is None else round(depends.z, 3),
            "rows": [_method(row) for row in depends.rows],
        },
        "strata": parts
        and {
            "parts": [
                {"strata": [list(label) for label in labels], "seen": round(seen)}
                for labels, seen in parts.parts
            ],
            "rows": [_method(row) for row in parts.rows],
        },
        "links": known
        and {
            "missed": round(known.missed, 4),
            "missed_at_most": round(known.missed_most, 4),
            "false_at_most": round(known.false_most, 4),
            "linked": _rounded(result.linked),
        },
    }


def _method(method: Method) -> dict[str, Any]:
    made = method.bootstrap
    return {
        "name": method.name,
        "people": _whole(method.value),
        "low": _whole(method.low),
        "high": _whole(method.high),
        "why_not": method.why,
        "pairs": [list(pair) for pair in method.pairs],
        "assumes": assumption(method.name),
        "bootstrap": made
        and {
            "replicates": made.replicates,
            "z0": round(made.z0, 4),
            "acceleration": round(made.acceleration, 5),
            "mapped": [round(p, 5) for p in made.mapped],
            "corrected": _rounded(made.corrected),
        },
    }


def _rounded(ends: tuple[float, float] | None) -> list[int | None] | None:
    return None if ends is None else [_whole(end) for end in ends]


def _whole(people: float | None) -> int | None:
    return None if people is None or people == math.inf else round(people)
