"""What estimates of the hidden population say in words, in the language in force."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

from ctdhub.core.errors import printable
from ctdhub.core.format import decimal, listed, number, share, year
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current, formula
from ctdhub.document.charts.bars import dots_body
from ctdhub.document.document import Bar, Dots
from ctdhub.document.svg import EMPTY, round_top
from ctdhub.release.open import Release
from ctdhub.report.figures import alone
from ctdhub.schema.labels import code_label
from ctdhub.stats.mse.bootstrap import Method, Name, Why
from ctdhub.stats.mse.estimate import (
    QUESTIONS,
    WIDEST,
    Dependence,
    Label,
    Result,
    SensitivityChange,
    Strata,
    WrongLinks,
)
from ctdhub.stats.mse.lists import LEAST_OVERLAP, Gate
from ctdhub.stats.mse.of_release import doubles, list_names, years_of
from ctdhub.stats.trend import overlap

Names = Mapping[str, str]
"""How lists are shown, by their names in the table."""

FEW = 20
"""People on two or more lists below which a warning says how few they are."""


def method_name(name: Name) -> str:
    """Name of a method."""
    return {
        "independent": _("Lists taken as independent"),
        "stepwise": _("Pairs of lists chosen step by step"),
        "halved": _("If each list halves the odds of every other"),
        "doubled": _("If each list doubles the odds of every other"),
        "differ": _("If people differ strongly"),
        "at_least": _("If people differ: lower bound"),
        "independent_strata": _("Lists taken as independent within strata"),
        "stepwise_strata": _("Pairs of lists chosen within strata"),
    }[name]


def assumption(name: Name) -> str:
    """What a method assumes, in one plain sentence."""
    tied = _(
        "For people on one list the odds of being on any other are {odds} times those of the "
        "people who are not on it."
    )
    return {
        "independent": _(
            "Lists are independent: being on one does not change the chance of being on another, "
            "and everybody has the same chance of being on a given list."
        ),
        "stepwise": _(
            "Lists depend on each other in pairs only, and the pairs whose overlap is most "
            "surprising are the right ones."
        ),
        "halved": tied.format(odds=formula("½")),
        "doubled": tied.format(odds=formula("2")),
        "differ": _(
            "Some people are easier to find than others, in the same way on all lists; apart from "
            "that, lists are independent. Form: {form}."
        ).format(form=formula("h = −log(0.5 + k)")),
        "at_least": _(
            "A lower bound from people on one or two lists (Chao). It fails where being on one "
            "list makes being on another less likely."
        ),
        "independent_strata": _(
            "Within each stratum everybody has the same chance of being on a given list, and lists "
            "are independent."
        ),
        "stepwise_strata": _(
            "Within each stratum everybody has the same chance of being on a given list, and lists "
            "depend on each other only in the pairs that were chosen there."
        ),
    }[name]


def why_not(why: Why) -> str:
    """Why a method gives no number."""
    return {
        "no_finite_estimate": _(
            "No number: the overlaps are too few for this model to have a finite estimate."
        ),
        "few_lists": _("No number: at least three lists are needed."),
        "nobody_on_three": _("No number: too few people are on three lists or more."),
        "too_wide": _(
            "No number: the upper end of the interval is more than {n} times the lower end."
        ).format(n=number(WIDEST)),
    }[why]


# --------------------------------------------------------------------------------------------------
# What the organisations alone know, and why a range is given or not.


def question(name: str) -> str:
    """A question to the organisations, in one sentence."""
    return {
        "same_place": _("Do the lists work in the same place?"),
        "refer": _("Do they refer people to each other, or refuse each other’s people?"),
        "one_register": _("Do they share a register?"),
    }[name]


def answered(result: Result) -> str:
    """The three questions and their answers, which stand before any number."""
    said = {True: _("yes"), False: _("no"), None: _("not answered")}
    told = (f"{question(name)} {said[result.answers.get(name)]}." for name in QUESTIONS)
    return " ".join((_("Asked of the organisations:"), *told))


def _doubts(result: Result, names: Names) -> list[str]:
    """Why no range is claimed to hold the population."""
    found, depends = [], result.dependence
    if any(name not in result.answers for name in QUESTIONS):
        found.append(_("the organisations have not answered all three questions"))
    if any(result.answers.get(name, usual) != usual for name, usual in QUESTIONS.items()):
        found.append(_("by their answers the lists are not independent"))
    if result.pairs:
        pairs = listed([" – ".join(names.get(n, n) for n in pair) for pair in result.pairs])
        found.append(_("these lists depend on each other: {pairs}").format(pairs=pairs))
    if depends and depends.hinted > 0:
        found.append(_("some people seem to be harder to find, or to be referred"))
    if depends and depends.hinted < 0:
        found.append(_("the lists seem to avoid each other’s people"))
    if depends and not depends.hinted and not depends.asked:
        found.append(_("these lists cannot show how far people differ"))
    if result.links is not None and result.linked is None:
        found.append(_("too many links between the lists may be wrong"))
    return found


def spread(result: Result, names: Names | None = None) -> str:
    """The first thing to say: what was asked of the organisations, which way the numbers may err,
    and how far they go; empty where no method gave one."""
    if result.spread is None or result.intervals is None:
        return ""
    low, high = map(number, result.spread)
    found = (
        _(
            "Across methods the estimates go from {low} to {high} people, including people on no "
            "list."
        )
        if low != high
        else _("The estimate is {low} people, including people on no list.")
    ).format(low=low, high=high)
    if len(result.found) < len(result.methods):
        found += " " + _("{k} of {n} methods gave a number that can be used.").format(
            k=number(len(result.found)), n=number(len(result.methods))
        )
    alike = _(
        "If the lists are independent and all people equally easy to find, the intervals together "
        "go from {least} to {most}."
    ).format(least=number(result.intervals[0]), most=number(result.intervals[1]))
    said = (answered(result), direction(), found, alike, _tied(result), links(result))
    return " ".join(filter(None, (*said, _claim(result, names or {}))))


def _tied(result: Result) -> str:
    if result.tied is None:
        return ""
    return _(
        "If being on one list at most halves or doubles the odds of being on another, the "
        "intervals together go from {low} to {high}."
    ).format(low=number(result.tied[0]), high=number(result.tied[1]))


def links(result: Result) -> str:
    """What is known of the links, and how far the estimates go with it; empty where nothing is."""
    known = result.links
    if known is None:
        return ""
    if known.too_many:
        return _(
            "This release cannot tell how many links between these lists are missing or wrong: it "
            "may be more than half. With so many wrong links there may be no estimate at all."
        )
    told = _(
        "In this release about {missed} of the links between these lists are missing, at most "
        "{most}, and at most {false} join two different people."
    ).format(
        missed=share(known.missed, fine=True),
        most=share(known.missed_most, fine=True),
        false=share(known.false_most, fine=True),
    )
    if result.linked is None:
        return told + " " + _("With so many wrong links there may be no estimate at all.")
    low, high = map(number, result.linked)
    return f"{told} " + _("With these links the estimates go from {low} to {high}.").format(
        low=low, high=high
    )


def direction() -> str:
    """Which way the numbers err, and when."""
    return _(
        "These numbers are too low if some people are harder to find than others, or if lists "
        "refer people to each other; they are too high if lists avoid each other’s people, as "
        "shelters may."
    )


def _claim(result: Result, names: Names) -> str:
    """Which range is said to hold the population, or why none is."""
    if result.reach is not None:
        return _(
            "All intervals together, also those if the lists are not independent, go from {least} "
            "to {most}."
        ).format(least=number(result.reach[0]), most=number(result.reach[1]))
    reasons = _("; ").join(_doubts(result, names))
    return _("No range is given for the true number: {reasons}.").format(reasons=reasons)


def strata(found: Strata, variable: str = "") -> str:
    """Which strata were taken, and which of them together.

    Args:
        variable: whose codes the strata of a release are; of a file they are texts.
    """
    if not found.rows:
        return _("No estimate within strata: fewer than two strata overlap enough.")

    def named(part: Label) -> str:
        if not variable:
            return " / ".join(part)
        return code_label(variable, part[0], current()) if part[0] else _("not recorded")

    shown = [" + ".join(map(named, labels)) for labels, _n in found.parts]
    return _(
        "Strata: {strata}. Strata joined by “+” were taken together, because their lists overlap "
        "too little for an estimate of their own."
    ).format(strata=listed([printable(text) for text in shown]))


def seen(result: Result) -> str:
    """How many people are on the lists, and how many on several, with the noise of both."""
    lists = result.gate.lists or result.lists
    several = int((lists.on.sum(axis=1) > 1).sum())
    return _(
        "{seen} people are on at least one of {n} lists, {overlapping} of them on two or more."
    ).format(
        seen=_noisy(lists.seen, lists.sigma, len(lists.y), result.level),
        n=number(len(lists.names)),
        overlapping=_noisy(result.gate.overlapping, lists.sigma, several, result.level),
    )


def _noisy(people: float, sigma: float, cells: int, level: float) -> str:
    """A sum of cells, with half the width of its interval where they carry noise."""
    if not sigma:
        return number(people)
    half = NormalDist().inv_cdf((1 + level) / 2) * sigma * cells**0.5
    return formula(f"{number(max(0.0, people))} ± {number(math.ceil(half))}")


def refusal(gate: Gate, names: Names | None = None) -> str:
    """Why no number is given at all; empty where one is."""
    if gate.refused == "two-lists":
        return _(
            "No estimate: fewer than two lists share people with each other. What is not on any "
            "list can only be judged from people who are on several."
        )
    if gate.refused == "overlap":
        return _(
            "No estimate: {n} people are on two or more lists, and at least {least} are needed: "
            "with fewer, chance alone may double or halve the result. Where counts are protected, "
            "the lower end of the interval must reach that number; here it is {certain}."
        ).format(
            n=number(max(0.0, gate.overlapping)),
            least=number(LEAST_OVERLAP),
            certain=number(max(0.0, gate.certain)),
        )
    if gate.refused == "nested-lists":
        return _nested(gate, names or {})
    return ""


def _nested(gate: Gate, names: Names) -> str:
    nested = [printable(names.get(name, name)) for name in gate.nested]
    if len(gate.nested) == 1:
        return _(
            "No estimate: the number of people who are on other lists and not on the list “{list}” "
            "is {n}, and at least {least} are needed. A list that receives nearly everybody from "
            "the others says nothing about people on no list. Estimate from the other lists alone, "
            "or make it one list with the list that feeds it."
        ).format(
            n=number(max(0.0, gate.outside)),
            list=nested[0],
            least=number(LEAST_OVERLAP),
        )
    return _(
        "No estimate: everybody on the list “{inner}” is on the list “{outer}” as well, so the "
        "first list adds no information about people on no list. Leave it out, or make the two one "
        "list, and estimate again."
    ).format(inner=nested[0], outer=nested[1])


def warnings(result: Result, names: Names | None = None) -> list[str]:
    """All that a reader must know before using a number."""
    shown = names or {}
    found = []
    if alone := result.gate.alone:
        found.append(
            _(
                "Left out, because they share nobody with the other lists: {lists}. People on "
                "these lists only are not among those seen."
            ).format(lists=listed([shown.get(n, n) for n in alone]))
        )
    lists = result.gate.lists
    if lists is None:
        return found
    if len(lists.names) == 2:
        found.append(
            _("With two lists nobody can check whether they are independent, and the whole "
              "estimate depends on it.")
        )  # fmt: skip
    if lists.sigma:
        found.append(
            _(
                "The counts are protected by noise with a standard deviation of {sigma} people in "
                "each combination of lists. The intervals include it."
            ).format(sigma=decimal(lists.sigma))
        )
    if result.dependence is not None and result.dependence.hinted:
        found.append(_sign(result.dependence))
    if result.gate.overlapping < FEW:
        found.append(
            _(
                "Only {n} people are on two or more lists: chance alone can change these estimates "
                "a lot."
            ).format(n=number(result.gate.overlapping))
        )
    return found


def _sign(found: Dependence) -> str:
    """What the lists show of the direction."""
    text = {
        (1, True): _("The lists show signs that some people are harder to find (z = {z})."),
        (1, False): _("The lists hint that some people are harder to find (z = {z})."),
        (-1, True): _("The lists show signs that they avoid each other’s people (z = {z})."),
        (-1, False): _("The lists hint that they avoid each other’s people (z = {z})."),
    }[found.hinted, found.shown]
    return text.format(z=decimal(found.z or 0.0, "0.00"))


def bootstrap(method: Method, level: float) -> str:
    """How the interval of a bootstrap came about, in numbers; empty where there is none."""
    made = method.bootstrap
    if made is None:
        return ""
    return _(
        "{method}: {n} resampled tables; the ends of the {level} interval are plain quantiles. "
        "Bias-corrected and accelerated, as other software prints it, it would be {low} to {high} "
        "(z0 {z0}, acceleration {a}, shares {first} and {last} of the resampled estimates)."
    ).format(
        method=method_name(method.name),
        n=number(made.replicates),
        z0=decimal(made.z0, "0.00"),
        a=decimal(made.acceleration, "0.000"),
        level=share(level),
        low=number(made.corrected[0]),
        high=number(made.corrected[1]),
        first=share(made.mapped[0], fine=True),
        last=share(made.mapped[1], fine=True),
    )


def change(item: SensitivityChange, names: Names | None = None) -> str:
    """What was changed, and whether other pairs of lists are chosen then."""
    shown = [(names or {}).get(n, n) for n in item.names]
    rate = share(item.rate or 0.0, fine=bool(item.known)) if item.kind != "tied" else ""
    halved = item.rate is not None and item.rate < 1
    text = {
        "without": _("Without the list {a}"),
        "merged": _("{a} and {b} as one list"),
        "tied": _("If being on {a} halves the odds of {b}")
        if halved
        else _("If being on {a} doubles the odds of {b}"),
        "missed_links": _("If {rate} of the true links between records were missed"),
        "false_links": _("If {rate} of the links join two different people"),
    }[item.kind].format(a=shown[0] if shown else "", b=shown[-1] if shown else "", rate=rate)
    if item.known:
        text = {
            "about": _("{change} (about as many as in this release)"),
            "most": _("{change} (the most in this release)"),
        }[item.known].format(change=text)
    if not item.anew:
        return text
    if item.rate is None or item.others is None:
        return _("{change} (other pairs of lists were chosen)").format(change=text)
    return _("{change} (other pairs of lists would be chosen: {people})").format(
        change=text, people=number(item.others)
    )


def always() -> list[str]:
    """What is assumed by all methods, and what the number is not."""
    return [
        _("Everybody is equally easy to find, and apart from pairs that a method takes in, no list "
          "refers people to another or avoids its people."),
        direction(),
        _("The population is everybody whom the lists could have known in these years; people who "
          "had no chance at all of being on a list are in no estimate."),
        _("Nobody joined or left the population in between, and the records of each person "
          "were linked correctly; the table on changes shows the effect of wrong links."),
        _("These are estimates of people, not counts; doubt about the method comes on top of the "
          "intervals."),
    ]  # fmt: skip


def said_first(release: Release, found: dict[str, Any]) -> dict[str, Any]:
    """What a release adds to the plain data of its estimates: ``list_years`` ([first, last] by id),
    ``doubles`` (``people``, ``low``, ``high``; null where unknown), and before all other
    ``warnings`` what the lists are about."""
    first = [text for text in (scope(release), double_people(release)) if text]
    years = {id_: list(span) for id_, span in years_of(release).items()}
    told = doubles(release)
    as_keys = dict(zip(("people", "low", "high"), told, strict=True)) if told else None
    return {"list_years": years, "doubles": as_keys, "warnings": [*first, *found["warnings"]]}


def double_people(release: Release) -> str:
    """How many people of a release are another one of them; empty where nobody can tell."""
    told = doubles(release)
    if told is None:
        return ""
    value, low, high = map(number, told)
    return _(
        "Further tokens suggest that about {n} people of this release are another one of "
        "them (noise alone: {low} to {high}). The overlaps take that into account. The "
        "number of people is too high by about as many, and each other count by those of "
        "them that it includes; people whom no token finds come on top."
    ).format(n=value, low=low, high=high)


def scope(release: Release) -> str:
    """What must be said first: which years the lists are about; empty where these are all years.

    In releases that measured overlaps over all years, people whom a list could not know, because
    it did not exist in their year, look like people whom it missed.
    """
    found = overlap(release)
    if found is None:
        return ""
    if found.years:
        first, last = found.years
        return _(
            "A list counts those whom it knew in {first} to {last}, the years that all of these "
            "lists cover."
        ).format(first=year(first), last=year(last))
    return _different_years(release)


def _different_years(release: Release) -> str:
    spans, names = years_of(release), list_names(release)
    if len(set(spans.values())) < 2:
        return ""
    lists = listed(
        [
            _("{name} ({first} to {last})").format(
                name=names[id_], first=year(first), last=year(last)
            )
            for id_, (first, last) in spans.items()
        ]
    )
    first, last = max(s[0] for s in spans.values()), min(s[1] for s in spans.values())
    common = _("They have no year in common.")
    if first <= last:
        common = _("Only {first} to {last} is covered by all of them.").format(
            first=year(first), last=year(last)
        )
    return " ".join(
        (
            _("The lists are about different years: {lists}.").format(lists=lists),
            common,
            _(
                "The overlaps are measured over all years together, so people of a year "
                "that a list does not cover count as people whom it missed. That makes the "
                "estimates too high or too low by an unknown amount. Do not use them as "
                "the number of people in any one year or span of years."
            ),
        )
    )


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
    return alone(
        title(), subtitle, dots_body(methods(result), rtl=current() in RIGHT_TO_LEFT), notes
    )


def title() -> str:
    """The question."""
    return _("How large is the hidden population?")


def note(result: Result) -> str:
    """How to read a row."""
    return _(
        "Each point is the estimate of one method, including people on no list; the line is its "
        "{level} interval."
    ).format(level=share(result.level))


def ranged(method: Method) -> str:
    """Estimate and interval, or a dash."""
    if method.value is None or method.low is None or method.high is None:
        return "–"
    return _("{people} ({low} to {high})").format(
        people=number(method.value), low=number(method.low), high=number(method.high)
    )


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
    ``reach`` ([low, high] of all intervals with those of ``if_lists_depend``; null where no range
    is claimed to hold the population), ``level``, ``refused`` (rule and words, or null), ``lists``
    (name: people), ``left_out``, ``seen``, ``overlapping``, ``noise`` (standard deviation of each
    cell), ``cells`` (the table), ``methods``, ``if_lists_depend`` (``z``, ``rows``; null where
    refused), ``strata`` (``parts``, ``rows``; null where there are none),
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
        "reach": _rounded(result.reach),
        "level": result.level,
        "refused": {"rule": gate.refused, "why": refusal(gate)} if gate.refused else None,
        "lists": {name: round(people) for name, people in lists.sizes.items()},
        "left_out": list(gate.alone),
        "seen": round(lists.seen),
        "overlapping": round(gate.overlapping),
        "noise": lists.sigma,
        "cells": [
            {"lists": [n for n, k in zip(lists.names, on, strict=True) if k], "people": people}
            for on, people in zip(lists.on.tolist(), lists.counts, strict=True)
        ],
        "methods": [_method(m) for m in result.methods],
        "if_lists_depend": None if result.dependence is None else _depends(result.dependence),
        "strata": None if result.strata is None else _strata(result.strata),
        "links": None if result.links is None else _links(result.links, result.linked),
        "changes": [
            {
                "kind": c.kind,
                "lists": list(c.names),
                "rate": c.rate,
                "known": c.known or None,
                "seen": round(c.seen),
                "stepwise": None if c.stepwise is None else round(c.stepwise),
                "independent": None if c.independent is None else round(c.independent),
                "other_pairs": c.anew,
                "with_other_pairs": None if c.others is None else round(c.others),
            }
            for c in result.changes
        ],
        "warnings": warnings(result),
    }


def _method(method: Method) -> dict[str, Any]:
    made = method.bootstrap
    return {
        "name": method.name,
        "people": None if method.value is None else round(method.value),
        "low": None if method.low is None else round(method.low),
        "high": None if method.high is None else round(method.high),
        "why_not": method.why,
        "pairs": [list(pair) for pair in method.pairs],
        "assumes": assumption(method.name),
        "bootstrap": None
        if made is None
        else {
            "replicates": made.replicates,
            "z0": round(made.z0, 4),
            "acceleration": round(made.acceleration, 5),
            "mapped": [round(p, 5) for p in made.mapped],
            "corrected": _rounded(made.corrected),
        },
    }


def _depends(found: Dependence) -> dict[str, Any]:
    z = None if found.z is None else round(found.z, 3)
    return {"z": z, "rows": [_method(row) for row in found.rows]}


def _strata(found: Strata) -> dict[str, Any]:
    return {
        "parts": [
            {"strata": [list(label) for label in labels], "seen": round(seen)}
            for labels, seen in found.parts
        ],
        "rows": [_method(row) for row in found.rows],
    }


def _links(found: WrongLinks, linked: tuple[float, float] | None) -> dict[str, Any]:
    return {
        "missed": round(found.missed, 4),
        "missed_at_most": round(found.missed_most, 4),
        "false_at_most": round(found.false_most, 4),
        "linked": _rounded(linked),
    }


def _rounded(ends: tuple[float, float] | None) -> list[int | None] | None:
    if ends is None:
        return None
    return [None if end == float("inf") else round(end) for end in ends]
