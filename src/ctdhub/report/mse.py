"""What estimates of the hidden population say in words, in the language in force."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

from ctdhub.core.format import decimal, listed, number, share, year
from ctdhub.core.i18n import _, formula
from ctdhub.release.open import Release
from ctdhub.stats.mse import decomposable
from ctdhub.stats.mse.estimate import Doubt, Method, Name, Result, Why
from ctdhub.stats.mse.of_release import doubles, list_names, years_of
from ctdhub.stats.mse.overlap_check import LEAST_OVERLAP, Gate
from ctdhub.stats.mse.sensitivity import SensitivityChange
from ctdhub.stats.series import overlap

Names = Mapping[str, str]
"""How lists are shown, by their names in the table."""

FAR = 1.5
"""Where the largest estimate is so many times the smallest, the first sentence says so."""


def method_name(name: Name) -> str:
    """Name of a method."""
    return {
        "independent": _("Lists taken as independent"),
        "stepwise": _("Pairs of lists chosen step by step"),
        "bic": _("Best single model (BIC)"),
        "average": _("Average of models (BIC)"),
        "graphs": _("Average of decomposable graphs"),
    }[name]


def assumption(name: Name) -> str:
    """What a method assumes, in one plain sentence."""
    return {
        "independent": _(
            "To be on one list makes nobody more or less likely to be on another, and each list "
            "reaches everybody alike."
        ),
        "stepwise": _(
            "Lists depend on each other in pairs only, and the pairs whose overlap is most "
            "surprising are the right ones."
        ),
        "bic": _(
            "Lists depend on each other in pairs only, and the one model that fits best for its "
            "size is the right one."
        ),
        "average": _(
            "Lists depend on each other in pairs only, and each model counts for as much as it "
            "fits well for its size."
        ),
        "graphs": _(
            "Lists depend on each other in groups that overlap in an orderly way, and before the "
            "lists are seen all such arrangements are equally likely."
        ),
    }[name]


def why_not(why: Why) -> str:
    """Why a method gives no number."""
    return {
        "no_finite_estimate": _(
            "No number: the overlaps are too few for this model to have a finite estimate."
        ),
        "too_many_lists": _(
            "No number: beyond {n} lists there are too many arrangements to go through."
        ).format(n=number(decomposable.MOST)),
    }[why]


def doubt(name: Name, kind: Doubt) -> str:
    """What speaks against the interval of a method."""
    method = method_name(name)
    return {
        "low_end": _(
            "{method}: the lower end of the interval hangs on the few smallest resampled "
            "estimates. It would move if other tables were drawn; do not rely on it."
        ),
        "high_end": _(
            "{method}: the upper end of the interval hangs on the few largest resampled "
            "estimates. It would move if other tables were drawn; do not rely on it."
        ),
        "edge": _(
            "{method}: part of the answer lies beyond the largest population that was considered, "
            "so the upper end is too low."
        ),
    }[kind].format(method=method)


def spread(result: Result) -> str:
    """The first thing to say: how far the methods lie apart; empty where none gave a number."""
    if result.spread is None or result.reach is None:
        return ""
    low, high = result.spread
    text = _(
        "Across methods the estimates go from {low} to {high} people, seen and unseen; their "
        "intervals together reach from {least} to {most}."
    ).format(
        low=number(low),
        high=number(high),
        least=number(result.reach[0]),
        most=number(result.reach[1]),
    )
    if high >= FAR * low:
        text += " " + _(
            "The largest is {times} times the smallest: the lists alone do not decide between "
            "the methods."
        ).format(times=decimal(high / low))
    return text + " " + _("No one of them is the answer.")


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


def refusal(gate: Gate) -> str:
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
    return ""


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
            _("With two lists nobody can check whether they are independent; everything hangs on "
              "it.")
        )  # fmt: skip
    if lists.sigma:
        found.append(
            _(
                "The counts are protected by noise with a standard deviation of {sigma} people in "
                "each combination of lists. The intervals include it."
            ).format(sigma=decimal(lists.sigma))
        )
    found += [doubt(m.name, d) for m in result.methods for d in m.doubts]
    return found


def bootstrap(method: Method, level: float) -> str:
    """How the interval of a bootstrap came about, in numbers; empty where there is none."""
    made = method.bootstrap
    if made is None:
        return ""
    return _(
        "{method}: {n} tables; bias correction z0 {z0}, acceleration {a}; the ends of the {level} "
        "interval are the shares {low} and {high} of the resampled estimates (without correction "
        "the interval would be {plain_low} to {plain_high})."
    ).format(
        method=method_name(method.name),
        n=number(made.replicates),
        z0=decimal(made.z0, "0.00"),
        a=decimal(made.acceleration, "0.000"),
        level=share(level),
        low=share(made.mapped[0], fine=True),
        high=share(made.mapped[1], fine=True),
        plain_low=number(made.plain[0]),
        plain_high=number(made.plain[1]),
    )


def change(item: SensitivityChange, names: Names | None = None) -> str:
    """What was changed."""
    shown = [(names or {}).get(n, n) for n in item.names]
    rate = share(item.rate or 0.0)
    return {
        "without": _("Without the list {a}"),
        "merged": _("{a} and {b} as one list"),
        "missed_links": _("If {rate} of the true links between records were missed"),
        "false_links": _("If {rate} of the links join two different people"),
    }[item.kind].format(a=shown[0] if shown else "", b=shown[-1] if shown else "", rate=rate)


def always() -> list[str]:
    """What is assumed by all methods, and what the number is not."""
    return [
        _("The population is everybody whom the lists could have known in these years; who had no "
          "chance at all to be on a list is in no estimate."),
        _("Nobody came or left for good in between, and the records of a person were linked "
          "rightly; the table on changes shows what wrong links would do."),
        _("These are estimates of people, with doubt about the method on top of the intervals; "
          "they are no count."),
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
        "Further tokens suggest that about {n} people of this release are another one of them "
        "(noise alone: {low} to {high}). The overlaps take that into account. The number of people "
        "is too high by about as many, and each other count by those of them whom it holds; people "
        "whom no token finds come on top."
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
                "The overlaps are measured over all years together, so people of a year that a "
                "list does not cover count as people whom it missed. That makes the estimates too "
                "high or too low by an amount that nobody can tell. Do not use them as the number "
                "of people in any one year or span of years."
            ),
        )
    )
