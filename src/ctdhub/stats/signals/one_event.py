"""One event is one signal: the false discovery rate over what is told once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ctdhub.stats.signals.discovery import q_values
from ctdhub.stats.signals.find import Finding, Found, Test, ordered
from ctdhub.stats.signals.judging import Verdict

_ROUNDS = 10


@dataclass(frozen=True)
class Lead:
    """A signal with those told in the same breath, and those to see as well."""

    finding: Finding
    also: tuple[Finding, ...] = ()
    see: tuple[Finding, ...] = ()


def each_event_once(found: Found, leads: Callable[[Found], tuple[Lead, ...]]) -> Found:
    """The false discovery rate over leads.

    A large event makes a hundred tests true, and these would lend their weight to others that are
    not: so the tests that are told with a lead leave the list, and what is believed is chosen among
    the rest, until nothing changes.  What is told with a lead stays believed; no q-value falls.

    Args:
        leads: all signals of a result, each once as a lead or under one.
    """
    rate = found.settings.rate
    for _round in range(_ROUNDS):
        told = leads(found)
        under = {f.row for lead in told for f in lead.also}
        rest = [k for k, f in enumerate(found.findings) if f.row not in under]
        findings = list(found.findings)
        for kind in ("count", "share"):
            tests = [(k, t) for k in rest for t in findings[k].tests if t.what == kind]
            q = q_values(
                np.array([t.p for _k, t in tests]), np.array([t.weight for _k, t in tests])
            )
            for (k, test), value in zip(tests, q, strict=True):
                findings[k] = _with_q(findings[k], test, max(test.q, float(value)), rate)
        new = replace(found, findings=ordered(findings, rate))
        if len(leads(new)) == len(told):
            return new
        found = new
    return found


def _with_q(finding: Finding, test: Test, q: float, rate: float) -> Finding:
    verdict: Verdict = "break" if q <= rate else "" if test.verdict == "break" else test.verdict
    new = replace(test, q=q, verdict=verdict)
    return replace(finding, tests=tuple(new if t is test else t for t in finding.tests))
