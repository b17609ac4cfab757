"""Targets of the engine, each with what was measured and whether it is met.

Belongs here: the targets.  Does not belong here: how a figure is made, or how the page looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.contenders import AIM, PAC
from engine.plan import OURS, SUPPORTS
from engine.results import Group, Results, ratio, read_off

CPU_BUDGET = {"wide": (10.0, 400.0), "million": (20.0, 1500.0)}
NOMINAL = 95.0


@dataclass(frozen=True)
class Verdict:
    """One line of the table: `met` is None where something it needs has not been run."""

    point: str
    what: str
    target: str
    measured: str
    met: bool | None


def verdicts(results: Results) -> list[Verdict]:
    """Every target, in the order of the list."""
    parts = (beside_pac, corridors, large_tables, support, budgets, beside_aim, intervals, attack)
    return [verdict for part in parts for verdict in part(results)]


def judge(
    point: str,
    what: str,
    target: str,
    values: list[float | None],
    show: str,
    test: Callable[..., bool],
) -> Verdict:
    """A verdict from figures that may be missing; `show` is a format of all of them."""
    if any(value is None for value in values):
        return Verdict(point, what, target, "not run", None)
    return Verdict(point, what, target, show.format(*values), test(*values))


def largest_finished(results: Results) -> str | None:
    """The largest table with countries on which pac-synth made records within the limit."""
    names = [f"C-{rows}" for rows in results.plan.ladder]
    groups = [(name, results.group(PAC.name, name, 4.0)) for name in names]
    ended = [name for name, group in groups if group.made and group.finished]
    return ended[-1] if ended else None


def beside_pac(results: Results) -> Iterator[Verdict]:
    """Point 1."""
    wide = largest_finished(results) or results.plan.wide
    cases = ((results.plan.narrow, 1.0, 6), (wide, 4.0, 3))
    for data, epsilon, times in cases:
        ours, theirs = (results.group(name, data, epsilon) for name in (OURS, PAC.name))
        errors = [group.mean("records", "tvd3") for group in (theirs, ours)]
        where = f"{label(data)}, ε {epsilon:g}"
        yield judge(
            "1",
            f"{where}: 3-way TVD, pac-synth / ours",
            f"≥ {times} times",
            [*errors, ratio(*errors)],
            "{0:.4f} / {1:.4f} = {2:.1f}",
            lambda a, b, r, times=times: r >= times,
        )
        seconds = [group.used("cpu") for group in (theirs, ours)]
        yield judge(
            "1",
            f"{where}: CPU, pac-synth / ours",
            "≥ 10 times",
            [*seconds, ratio(*seconds)],
            "{0:.0f} s / {1:.1f} s = {2:.1f}",
            lambda a, b, r: r >= 10,
        )


def corridors(results: Results) -> Iterator[Verdict]:
    """Point 2."""
    for epsilon, least in ((1.0, 90), (4.0, 100)):
        ours = results.group(OURS, results.plan.wide, epsilon)
        for part in ("counts", "records"):
            yield judge(
                "2",
                f"corridors with ≥ 50 cases within 20 % of the truth, ε {epsilon:g}, {part}",
                f"≥ {least} %" if least < 100 else "100 %",
                [ours.mean(f"corridors_{part}", "right_ge50")],
                "{0:.1f} %",
                lambda right, least=least: right >= least,
            )
        false = ours.mean("corridors_counts", "false")
        shown = ours.mean("corridors_counts", "shown")
        yield judge(
            "2",
            f"false corridors among those shown in the counts, ε {epsilon:g}",
            "≤ 1 %",
            [false, shown],
            "{0:.1f} of {1:.0f}",
            lambda false, shown: false <= 0.01 * shown,
        )


def large_tables(results: Results) -> Iterator[Verdict]:
    """Point 3, error on C at epsilon 1, and beside pac-synth's largest at epsilon 4."""
    ours = results.group(OURS, results.plan.wide, 1.0)
    complete = results.group(OURS, results.plan.wide, 1.0, "0")
    rows = (
        (ours, "tvd3", "3-way TVD", 0.010, "{0:.4f}", ""),
        (ours, "mpe_ge10", "mean proportional error, length 3, true ≥ 10", 0.30, "{0:.3f}", ""),
        (complete, "supp_ge10", "suppressed, complete end", 2.0, "{0:.2f} %", " %"),
        (complete, "fab_mass_pct", "mass fabricated, complete end", 1.0, "{0:.2f} %", " %"),
    )
    for group, figure, what, limit, show, unit in rows:
        yield judge(
            "3",
            f"{label(results.plan.wide)}, ε 1: {what}",
            f"≤ {limit:g}{unit}",
            [group.mean("records", figure)],
            show,
            lambda value, limit=limit: value <= limit,
        )
    yield from beside_largest(results)


def beside_largest(results: Results) -> Iterator[Verdict]:
    """Point 3, the three figures together at one support setting: the first that meets them all."""
    data = largest_finished(results) or results.plan.wide
    theirs = results.group(PAC.name, data, 4.0)
    settings = [("default", results.group(OURS, data, 4.0))]
    settings += [(f"support {s}", results.group(OURS, data, 4.0, s)) for s in SUPPORTS]
    figures = ("mpe_ge10", "fab_mass_pct", "supp_ge10")
    limits = [theirs.mean("records", figure) for figure in figures]
    chosen, ours = settings[0]
    for name, group in settings:
        found = [group.mean("records", figure) for figure in figures]
        if all(
            a is not None and b is not None and a <= b for a, b in zip(found, limits, strict=True)
        ):
            chosen, ours = name, group
            break
    words = (
        "mean proportional error, length 3, true ≥ 10",
        "mass fabricated (%)",
        "suppressed (%)",
    )
    for figure, limit, what in zip(figures, limits, words, strict=True):
        yield judge(
            "3",
            f"{label(data)}, ε 4, records, {chosen}: {what}, ours / pac-synth",
            "less" if figure == "supp_ge10" else "no worse",
            [ours.mean("records", figure), limit],
            "{0:.3f} / {1:.3f}",
            lambda a, b, strict=figure == "supp_ge10": a < b if strict else a <= b,
        )


def support(results: Results) -> Iterator[Verdict]:
    """Point 3, fabricated at pac-synth's suppression."""
    for data in (results.plan.narrow, results.plan.wide):
        for epsilon in (1.0, 4.0):
            theirs = results.group(PAC.name, data, epsilon)
            part = "records" if theirs.mean("records", "fab_pct") is not None else "counts"
            suppressed, made_up = (theirs.mean(part, f) for f in ("supp_ge10", "fab_pct"))
            curve = results.curve(data, epsilon)
            ours = (
                read_off(curve, "records", suppressed, "fab_pct")
                if suppressed is not None
                else None
            )
            yield judge(
                "3",
                f"{label(data)}, ε {epsilon:g}: fabricated at pac-synth's suppression "
                f"(its {part}), ours / pac-synth",
                "≤ half",
                [ours, made_up, suppressed],
                "{0:.2f} % / {1:.2f} % at {2:.1f} %",
                lambda a, b, _: a <= b / 2,
            )


def budgets(results: Results) -> Iterator[Verdict]:
    """Point 3, time and memory."""
    for key, data in (("wide", results.plan.wide), ("million", results.plan.million)):
        seconds, megabytes = CPU_BUDGET[key]
        ours = results.group(OURS, data, 1.0)
        yield judge(
            "3",
            f"{label(data)}, ε 1: CPU and peak memory of the whole process",
            f"≤ {seconds:g} s, {megabytes:g} MB",
            [ours.used("cpu"), ours.used("peak_mb")],
            "{0:.1f} s, {1:.0f} MB",
            lambda s, m, limits=(seconds, megabytes): s <= limits[0] and m <= limits[1],
        )


def beside_aim(results: Results) -> Iterator[Verdict]:
    """Point 4."""
    ours, theirs = (results.group(name, "adult", 1.0) for name in (OURS, AIM.name))
    for figure, what in (("tvd2", "2-way"), ("tvd3", "3-way")):
        yield judge(
            "4",
            f"Adult, ε 1: {what} TVD, ours / AIM",
            "no worse",
            [group.mean("records", figure) for group in (ours, theirs)],
            "{0:.4f} / {1:.4f}",
            lambda a, b: a <= b,
        )
    seconds = [group.used("cpu") for group in (theirs, ours)]
    yield judge(
        "4",
        "Adult, ε 1: CPU, AIM / ours",
        "≥ 40 times",
        [*seconds, ratio(*seconds)],
        "{0:.0f} s / {1:.1f} s = {2:.0f}",
        lambda a, b, r: r >= 40,
    )


def intervals(results: Results) -> Iterator[Verdict]:
    """Point 5."""
    for data, epsilons in (("adult", (1.0,)), (results.plan.wide, (1.0, 4.0))):
        for epsilon in epsilons:
            ours = results.group(OURS, data, epsilon)
            names = ("all", "ge10", "ge1000")
            yield judge(
                "5",
                f"{label(data)}, ε {epsilon:g}: intervals that hold the truth, "
                "over all / true ≥ 10 / ≥ 1000",
                f"≥ {NOMINAL:g} %",
                [ours.mean("coverage", name) for name in names],
                "{0:.2f} / {1:.2f} / {2:.2f} %",
                lambda *found: min(found) >= NOMINAL,
            )


def attack(results: Results) -> Iterator[Verdict]:
    """Point 6."""
    proved = [a["proved"] / a["epsilon"] for a in results.attacks if a["proved"] is not None]
    yield judge(
        "6",
        f"attacks, {len(proved)} settings: largest lower bound / claimed ε",
        "< 1",
        [max(proved)],
        "{0:.2f}",
        lambda value: value < 1,
    )


def label(data: str) -> str:
    """How the page calls a data set.

    >>> label("C-200000")
    'C, 200,000 × 27'
    """
    kind, _, rows = data.partition("-")
    if kind == "adult":
        return "Adult"
    return f"{'C' if kind == 'C' else 'narrow'}, {int(rows):,} × {27 if kind == 'C' else 19}"


def groups_of(results: Results, data: str, epsilon: float) -> list[tuple[str, Group]]:
    """Every contender that was run on this table, by name: ours, our settings, the peers."""
    named = [("ctdhub", results.group(OURS, data, epsilon))]
    named += [(f"ctdhub, support {s}", results.group(OURS, data, epsilon, s)) for s in SUPPORTS]
    named += [(peer.version, results.group(peer.name, data, epsilon)) for peer in (PAC, AIM)]
    return [(name, group) for name, group in named if group.made]
