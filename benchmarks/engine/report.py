"""The page: what was run, targets beside figures, full tables.

Belongs here: words and layout of docs/explanation/benchmarks.md.  Does not belong here: figures.
The page names no machine and no path.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.acceptance import groups_of, label, verdicts
from engine.contenders import AIM, CPU_LIMIT, PAC, version
from engine.results import Results

INTRODUCTION = Path(__file__).with_name("introduction.md")
WIDE = Path(__file__).with_name("wide.md")
WIDE_NOTES = Path(__file__).with_name("wide_notes.md")
EXPLORER = Path(__file__).with_name("explorer.md")
INFERENCE = Path(__file__).with_name("inference.md")


def page(results: Results) -> str:
    """The whole page as Markdown."""
    lines = [INTRODUCTION.read_text("utf-8").rstrip()]
    lines += [
        f"- **Software**: {version()}; {PAC.version} (records with `use_synthetic_counts`, "
        f"reporting length 3, all else as shipped); AIM as in {AIM.version}, as shipped; "
        f"Python {platform.python_version()}.",
        "- Delta is 1 / (100 × people), for all. A figure is the mean over its runs. A run that "
        f"has not finished after {CPU_LIMIT // 60} CPU minutes is stopped: *did not finish*. Its "
        "counts are kept where it had written them.",
        *([EARLIER] if results.earlier else []),
        "- Runs of peers are kept and used again; `--fresh` measures all anew.",
        "",
        "## Targets",
    ]
    lines += table(
        ("", "figure", "target", "measured", "met"),
        [(v.point, v.what, v.target, v.measured, met(v.met)) for v in verdicts(results)],
    )
    plan = results.plan
    cases = [(plan.narrow, 1.0), (plan.narrow, 4.0)]
    cases += [(f"C-{rows}", 4.0) for rows in plan.ladder[:-1]]
    cases += [(plan.wide, 1.0), (plan.wide, 4.0), (plan.million, 1.0), ("adult", 1.0)]
    lines += ["", "## Wide columns and other shapes", *WIDE_WORDS, WIDE.read_text("utf-8").rstrip()]
    lines += ["", WIDE_NOTES.read_text("utf-8").rstrip()]
    lines += ["", "## Intervals of models", INFERENCE.read_text("utf-8").rstrip()]
    lines += ["", "## The explorer", EXPLORER.read_text("utf-8").rstrip()]
    lines += ["", "## Records", *full(results, cases, "records")]
    lines += ["", "## Counts", *full(results, cases, "counts")]
    lines += ["", "## Corridors", *corridor_table(results, cases)]
    lines += ["", "## Suppressed against fabricated", SUPPORT_WORDS, *curve_table(results)]
    lines += ["", "## Coverage of the 95 % intervals", *coverage_table(results, cases)]
    lines += ["", "## CPU and memory", *resource_table(results, cases)]
    lines += ["", "## Attacks", ATTACK_WORDS, *attack_table(results.attacks)]
    return "\n".join(lines) + "\n"


EARLIER = "- **Some figures of ctdhub were measured with an earlier state of the engine.**"
WIDE_WORDS = """\
Made by `benchmarks/wide.py`, which needs nothing but ctdhub: fictitious tables go through `ctdhub
domains` and `ctdhub protect` as they are, delta being 1 / (100 × people).  Corridors are heavy and
most cells empty in the case records.  The engine was tuned on them, and
never on the five shapes.""".splitlines()
SUPPORT_WORDS = """\
One setting (`--support`) goes from complete (0: every rare combination has its chance) to cautious
(4: a combination is shown only where the counts bear it out). Length 3; suppressed of those with
true count ≥ 10."""

ATTACK_WORDS = """\
Fictitious people are attacked by somebody who knows everybody else (`benchmarks/attack.py`, once
for each method of protection; ctdhub ships the figures and each release holds them). *Canaries* are
added or left out at random, and each draw is guessed. *Neighbouring datasets* differ by one very
wide record, and a release is assigned to one of them. *Inference* guesses a sensitive column of
people in the answer and of people held out; *copies* are synthetic records that equal a person. The
gain is the share of right guesses less that without the person, in percentage points; its 95 %
interval must reach below what the guarantee allows. An attack on neighbouring datasets, run against
pac-synth 0.0.8 in the study that this engine was designed from, proved ε ≥ 3.84 where 0.5 was
claimed (6,000 rows), and ≥ 1.79 where 1 was claimed (3,000 rows), at 95 %. It is not run again
here."""
ATTACKS = {"canary": "canaries", "worlds": "neighbouring datasets"}


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A Markdown table, or a sentence where there is nothing."""
    if not rows:
        return ["", "Not run."]
    first, *rest = ("| " + " | ".join(row) + " |" for row in (head, *rows))
    return ["", first, "|" + "---|" * len(head), *rest]


def met(value: bool | None) -> str:
    """In words."""
    return {True: "yes", False: "**no**", None: "–"}[value]


def number(value: float | None, digits: int) -> str:
    """With that many decimals; a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def full(results: Results, cases: list[tuple[str, float]], part: str) -> list[str]:
    """Error of records or of counts."""
    columns = [("mpe_ge10", 3), ("supp_ge10", 2), ("fab_pct", 2), ("fab_mass_pct", 3)]
    head = ["data", "ε", "contender", "runs"]
    head += ["TVD 2-way", "TVD 3-way"] if part == "records" else []
    head += ["mean prop. error", "suppressed %", "fabricated %", "mass %"]
    if part == "records":
        columns = [("tvd2", 4), ("tvd3", 4), *columns]
    rows: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for data, epsilon in cases:
        for name, group in groups_of(results, data, epsilon):
            figures = [number(group.mean(part, f), digits) for f, digits in columns]
            if part == "records" and not group.finished:
                figures[0] = group.ended
            if any(f != "–" for f in figures):
                rows.append((label(data), f"{epsilon:g}", name, str(group.made), *figures))
        floor = results.floor(data) if data not in seen else {}
        seen.add(data)
        if floor and part == "records":
            figures = [number(floor.get(f), digits) for f, digits in columns]
            rows.append((label(data), "none", "sampling floor", "1", *figures))
    return table(tuple(head), rows)


def corridor_table(results: Results, cases: list[tuple[str, float]]) -> list[str]:
    """Corridors in counts and in records."""
    columns = ("true_ge50", "right_ge50", "true_ge100", "right_ge100", "shown", "false")
    rows: list[tuple[str, ...]] = []
    for data, epsilon in cases:
        for name, group in groups_of(results, data, epsilon):
            for part in ("counts", "records"):
                figures = [group.mean(f"corridors_{part}", column) for column in columns]
                if figures[0] is not None:
                    shown = [
                        number(value, 1 if "right" in column else 0)
                        for column, value in zip(columns, figures, strict=True)
                    ]
                    rows.append((label(data), f"{epsilon:g}", name, part, *shown))
    head = ("data", "ε", "contender", "in", "with ≥ 50", "right %", "with ≥ 100", "right %")
    return table((*head, "shown", "false"), rows)


def curve_table(results: Results) -> list[str]:
    """Our five settings and pac-synth."""
    rows: list[tuple[str, ...]] = []
    for data in (results.plan.narrow, results.plan.wide):
        for epsilon in (1.0, 4.0):
            for name, group in groups_of(results, data, epsilon):
                for part in ("records", "counts") if name == PAC.version else ("records",):
                    figures = [
                        number(group.mean(part, f), digits)
                        for f, digits in (("supp_ge10", 2), ("fab_pct", 2), ("fab_mass_pct", 3))
                    ]
                    if "support" in name or (name == PAC.version and figures[0] != "–"):
                        rows.append((label(data), f"{epsilon:g}", f"{name}, {part}", *figures))
    return table(("data", "ε", "contender", "suppressed %", "fabricated %", "mass %"), rows)


def coverage_table(results: Results, cases: list[tuple[str, float]]) -> list[str]:
    """Ours only: no peer publishes intervals."""
    columns = ("all", "ge10", "ge1000", "order1", "order2", "order3", "worst")
    rows: list[tuple[str, ...]] = []
    for data, epsilon in cases:
        for name, group in groups_of(results, data, epsilon):
            cells = group.mean("coverage", "cells")
            if cells is not None and "support" not in name:
                figures = [number(group.mean("coverage", c), 2) for c in columns]
                worst = group.word("coverage", "worst_column")
                rows.append((label(data), f"{epsilon:g}", f"{cells:,.0f}", *figures, worst))
    head = ("data", "ε", "cells", "all %", "true ≥ 10", "true ≥ 1000", "1-way", "2-way", "3-way")
    return table((*head, "worst: tables with one column", "which"), rows)


def resource_table(results: Results, cases: list[tuple[str, float]]) -> list[str]:
    """CPU seconds and peak MB; ratios to ours in the same benchmark."""
    return table(
        ("data", "ε", "contender", "CPU s", "/ ours", "without imports", "peak MB", "ended"),
        list(resource_rows(results, cases)),
    )


def resource_rows(results: Results, cases: list[tuple[str, float]]) -> Iterator[tuple[str, ...]]:
    """One row per contender and table."""
    for data, epsilon in cases:
        named = [(n, g) for n, g in groups_of(results, data, epsilon) if "support" not in n]
        ours = next((g.used("cpu") for n, g in named if n == "ctdhub"), None)
        for name, group in named:
            cpu = group.used("cpu")
            times = number(cpu / ours, 1) if cpu and ours else "–"
            alone = number(group.without_imports(results.start), 1)
            peak = number(group.used("peak_mb"), 0)
            where = (label(data), f"{epsilon:g}", name)
            yield (*where, number(cpu, 1), times, alone, peak, group.ended)


def attack_table(attacks: list[dict[str, Any]]) -> list[str]:
    """The figures that benchmarks/attack.py wrote."""
    rows = [
        (
            ATTACKS.get(a["attack"], a["attack"]),
            a["seen"],
            f"{a['people']:,} × {a['columns']}",
            f"{a['epsilon']:g}",
            f"{a['right']} of {a['trials']}",
            f"{100 * a['gain']:+.1f} ({100 * a['low']:+.1f} to {100 * a['high']:+.1f})",
            f"{100 * a['allowed']:.1f}",
            "–" if a["proved"] is None else f"{a['proved']:.2f}",
        )
        for a in attacks
    ]
    head = ("attack", "seen", "people × columns", "claimed ε", "right", "gain", "allowed")
    return table((*head, "proved ε"), rows)
