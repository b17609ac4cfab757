"""The hidden population behind the overlapping lists of a release.

Where the overlap was counted by strata too, each of these tables says as much of the whole when it
is added up.  The whole is their mean, weighed by inverse variance, and strata are moved by equal
parts of what they lack to add up to it: the least-squares answer.

What is known of the links comes from possible doubles (``release.manifest``).  Missed are those
of the doubles that the lists' own tokens do not join.  At most, all of them are people of these
lists in these years; about, they are missed as often there as among all people whom two
contributors or more share.
"""

import math
from statistics import NormalDist

import numpy as np
import pyarrow.compute as pc

from ctdhub.border import CAPTURE_CELLS, CAPTURES, LIST_JOIN, LISTS
from ctdhub.release.manifest import LinkErrors
from ctdhub.release.open import Release
from ctdhub.stats.mse.estimate import REPLICATES, Label, Result, WrongLinks, remembered
from ctdhub.stats.mse.lists import Lists


def lists_in(release: Release) -> Lists | None:
    """The release's overlaps; None where they were not measured."""
    overlaps = _measured(release)
    if overlaps is None:
        return None
    one, strata = overlaps
    weights, sums = [one.sigma**-2], [one.y]
    for tables in strata.values():
        each = list(tables.values())
        weights.append(1 / (len(each) * each[0].sigma ** 2))
        sums.append(np.sum([part.y for part in each], axis=0))
    if len(sums) == 1:
        return one
    mean = np.average(sums, axis=0, weights=weights)
    return Lists(one.names, tuple(mean.tolist()), sum(weights) ** -0.5)


def strata_in(release: Release, variable: str = "") -> dict[Label, Lists]:
    """The same within the values of a variable, which add up to it; {} where they were not counted.

    Args:
        variable: "" is the first that was.
    """
    overlaps, whole = _measured(release), lists_in(release)
    parts = overlaps[1].get(variable or next(iter(overlaps[1]), "")) if overlaps else None
    if whole is None or parts is None:
        return {}
    n = len(parts)
    lacks = (whole.y - sum(part.y for part in parts.values())) / n
    return {
        (value,): Lists(
            part.names,
            tuple((part.y + lacks).tolist()),
            math.sqrt(part.sigma**2 * (1 - 1 / n) + (whole.sigma / n) ** 2),
        )
        for value, part in parts.items()
    }


def measured_strata(release: Release) -> tuple[str, ...]:
    """Variables by whose values overlaps were counted."""
    overlaps = _measured(release)
    return tuple(overlaps[1]) if overlaps else ()


def _measured(release: Release) -> tuple[Lists, dict[str, dict[str, Lists]]] | None:
    """The overlaps as they were measured, and by variable those within each of its values."""
    sources = release.protected.sources
    if sources is None or not sources.lists:
        return None
    cells: dict[tuple[str, ...], dict[tuple[bool, ...], float]] = {(): {}}
    measured = sources.measurements
    of_lists = pc.equal(pc.list_element(measured["columns"], 0), LISTS)
    for row in measured.filter(of_lists).to_pylist():
        known, *value = row["values"]
        on = tuple(name in known.split(LIST_JOIN) for name in sources.lists)
        cells.setdefault((*row["columns"][1:], *value), {})[on] = row["noisy"]
    whole = Lists.of(sources.lists, cells.pop(()), sources.sigma[LISTS])
    strata: dict[str, dict[str, Lists]] = {}
    for (name, value), table in cells.items():
        part = Lists.of(sources.lists, table, sources.sigma[f"{LISTS}*{name}"])
        strata.setdefault(name, {})[value] = part
    return whole, strata


def links_in(release: Release) -> WrongLinks | None:
    """What a release tells of the links behind its lists; None where it tells nothing."""
    errors, sources, lists = LinkErrors.of(release.protected), release.protected.sources, None
    if errors is None or sources is None or (lists := lists_in(release)) is None:
        return None
    level = release.protected.guarantee.level
    joined = sources.doubles(level)
    least, about = (joined.low, joined.value) if joined else (0, 0)
    most, middle = max(0.0, errors.doubles - least), max(0.0, errors.middle - about)
    z = NormalDist().inv_cdf((1 + level) / 2)
    weights = lists.on.sum(axis=1) - 1
    made = float(weights @ lists.y)
    fewest = max(1.0, made - z * lists.sigma * float((weights**2).sum()) ** 0.5)
    shared = sources.cells(CAPTURES).get(CAPTURE_CELLS[-1])
    alike = max(1.0, made if shared is None else shared + about)
    missed_most = most / (most + fewest)
    return WrongLinks(
        missed=min(missed_most, middle / (middle + alike)),
        missed_most=missed_most,
        false_most=min(1.0, errors.merged / fewest),
    )


def estimate_in(release: Release) -> Result | None:
    """Estimates at the level of the release; None where no overlaps were measured.

    The same release always gives the same numbers, in every language, at every build and by the
    command, which takes as many tables of the bootstrap by default.
    """
    lists = lists_in(release)
    if lists is None:
        return None
    strata = tuple(strata_in(release).items())
    level = release.protected.guarantee.level
    answers = tuple(release.facts.list_answers.items())
    return remembered(lists, level, REPLICATES, strata, links_in(release), answers)


def list_names(release: Release) -> dict[str, str]:
    """Names of contributors by the id that stands for their list."""
    return {c.id: c.name for c in release.facts.contributors if c.id}


def years_of(release: Release) -> dict[str, tuple[int, int]]:
    """First and last year of each list whose overlap was measured, by the id of its contributor."""
    sources, facts = release.protected.sources, release.facts
    wanted = sources.lists if sources else ()
    return {c.id: c.years or facts.years for c in facts.contributors if c.id in wanted}


def doubles(release: Release) -> tuple[int, int, int] | None:
    """How many people of a release are another one of them, with the interval at the level of the
    release, rounded outwards; None where nobody can tell."""
    protected = release.protected
    estimate = protected.sources.doubles(protected.guarantee.level) if protected.sources else None
    return (estimate.value, estimate.low, estimate.high) if estimate else None
