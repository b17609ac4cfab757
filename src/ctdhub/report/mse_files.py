"""The result as plain data for programs, with keys that stay."""

from __future__ import annotations

from typing import Any

from ctdhub.report.mse import assumption, refusal, spread, warnings
from ctdhub.stats.mse.estimate import Result
from ctdhub.stats.mse.heterogeneity import Uneven
from ctdhub.stats.mse.methods import Method
from ctdhub.stats.mse.sensitivity import WrongLinks
from ctdhub.stats.mse.strata import Strata


def report(result: Result) -> dict[str, Any]:
    """Everything that was found; sentences are in the language in force.

    Keys: ``says`` (the spread in words), ``spread`` and ``intervals`` ([low, high] of the estimates
    and of their intervals, if people are equally easy to find; null where there are none),
    ``reach`` ([low, high] of all intervals with those of ``if_people_differ``; null where no range
    is claimed to hold the population), ``level``, ``refused`` (rule and words, or null), ``lists``
    (name: people), ``left_out``, ``seen``, ``overlapping``, ``noise`` (standard deviation of each
    cell), ``cells`` (the table), ``methods``, ``if_people_differ`` (``z``, ``seem_to``, ``rows``,
    ``what_if``; null where refused), ``strata`` (``parts``, ``rows``; null where there are none),
    ``links`` (``missed``, ``missed_at_most``, ``false_at_most``, and ``linked``, [low, high] of
    the estimates with them; null where nothing is known of links), ``changes``, ``warnings``.
    """
    gate, lists = result.gate, result.gate.lists or result.lists
    return {
        "says": spread(result),
        "spread": _rounded(result.spread),
        "intervals": _rounded(result.intervals),
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
        "if_people_differ": None if result.uneven is None else _uneven(result.uneven),
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
        "doubts": list(method.doubts),
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


def _uneven(found: Uneven) -> dict[str, Any]:
    return {
        "z": None if found.z is None else round(found.z, 3),
        "seem_to": found.hinted,
        "rows": [_method(row) for row in found.rows],
        "what_if": [{"times_harder": k, "people": round(n)} for k, n in found.what_if],
    }


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
