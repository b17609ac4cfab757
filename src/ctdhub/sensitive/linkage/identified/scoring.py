"""How likely two rows of different files are one person, by the model of Fellegi and Sunter.

The weights of Fellegi and Sunter (1969, "A theory for record linkage", JASA 64) compare how often
two rows of one person agree (m) and two rows of different people (u).  u is counted between
persons of one file, who are different people; m is fitted by Splink with expectation maximisation.
Nothing is drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text
from ctdhub.sensitive.linkage.identified.backend import check_installed, database, quiet
from ctdhub.sensitive.linkage.identified.comparisons import Comparison, candidates, comparisons
from ctdhub.sensitive.linkage.identified.features import present
from ctdhub.sensitive.linkage.identified.missed import unseen
from ctdhub.sensitive.linkage.identified.training import learn, not_too_sure

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROWS = 700
"""Persons of a file between whom chance is counted: about 250,000 pairs, evenly spread."""

EVERY = 1e12
"""More pairs than a sample has: Splink counts all of them and draws none."""

KNOWN = 10_000
"""Pairs that the u to start from counts as, so that few pairs do not pass for knowledge."""

START = 1e-4
"""Share of links that training starts from; :func:`share_of` finds what it is."""

LEAST = 1e-12
"""Share of links below which none is looked for."""


@dataclass(frozen=True)
class ScoredPairs:
    """Candidate pairs of rows, each once.

    Attributes:
        one, other: numbers of the rows, shape (n,).
        bits: base-2 logarithm of the odds that they are one person.
    """

    one: Ints
    other: Ints
    bits: Floats


@dataclass(frozen=True)
class Scored(ScoredPairs):
    """Candidate pairs of rows of different files for which more speaks than against, each once.

    Attributes:
        speaks: by feature, the part of ``bits`` that it gives: above 0 where it agrees, below
            where it differs, 0 where a row says nothing.
        worth: by feature, bits that its best and its worst level give.
        learnt: whether there was enough to learn m from; else it is what training starts from.
        inside: the same of rows of one file: pairs of different people, scored alike.
        unseen: share of rows of one person that no rule makes a candidate, by the model.
        sunk: whether the files do not tell how many links there are, see :func:`share_of`.
    """

    speaks: dict[str, Floats]
    worth: dict[str, tuple[float, float]]
    learnt: bool
    inside: ScoredPairs
    unseen: float = 0.0
    sunk: bool = False


def score(
    files: Sequence[pa.Table],
    persons: Sequence[Ints],
    more: Sequence[str],
    progress: Callable[[Text, float], None],
) -> Scored:
    """Fit the model on the files and score their candidate pairs.

    Args:
        files: features of each file, see ``features.FEATURES``.
        persons: for each file the places of one row for each of its persons.
        more: what the further features ``more_0``, ``more_1``, … are called.
        progress: called with a message and the fraction done.

    Raises:
        HubError: Splink is not installed, or the memory does not suffice.
    """
    check_installed()
    from splink.internals.exceptions import SplinkException

    with quiet(), database() as connection:
        try:
            return _score(connection, files, persons, more, progress)
        except (duckdb.Error, SplinkException):  # their words can quote a cell
            raise error("linking") from None


def _score(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[pa.Table],
    persons: Sequence[Ints],
    more: Sequence[str],
    progress: Callable[[Text, float], None],
) -> Scored:
    from splink import DuckDBAPI, Linker

    held = present(files)
    called = {name: text for i, text in enumerate(more) if (name := f"more_{i}") in held}
    chosen = comparisons(held, list(called))
    progress(Text("Counting what agrees by chance"), 0.15)
    _count_chance(connection, files, persons, chosen)
    progress(Text("Learning from the files"), 0.3)
    api = DuckDBAPI(connection)
    tables = [api.register(file, dataset_display_name=f"file_{i}") for i, file in enumerate(files)]
    settings = {
        "comparisons": chosen,
        "blocking_rules_to_generate_predictions": [
            rule.create_blocking_rule_dict("duckdb") for rule in candidates(held, list(called))
        ],
        "probability_two_random_records_match": START,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
    }
    linker = Linker(tables, {**settings, "link_type": "link_only"}, log_level=None)
    learnt = learn(connection, linker, held, files, persons)
    progress(Text("Comparing pairs"), 0.5)
    trained = not_too_sure(linker.misc.save_model_to_json()["comparisons"], chosen)
    both = Linker(
        tables, {**settings, "comparisons": trained, "link_type": "link_and_dedupe"}, log_level=None
    )
    found: pa.Table = both.inference.predict(
        threshold_match_weight=float(np.log2(START / (1 - START))), warning_mode="never"
    ).as_pyarrow_table()  # type: ignore[no-untyped-call]
    worth = _worth(trained)
    speaks = {name: _speaks(found, name) for name in worth}
    weight = sum(speaks.values(), np.zeros(found.num_rows))
    one, other = (found[f"unique_id_{side}"].to_numpy().astype(np.int64) for side in ("l", "r"))
    ends = np.cumsum([file.num_rows for file in files])
    between = np.searchsorted(ends, one, side="right") != np.searchsorted(ends, other, side="right")
    sizes = np.array([len(file) for file in persons])
    share = share_of(weight[between], int(sizes.sum() ** 2 - (sizes**2).sum()) // 2)
    bits = np.round(np.log2(share / (1 - share)) + weight, 6)
    return Scored(
        one[between],
        other[between],
        bits[between],
        {called.get(name, name): said[between] for name, said in speaks.items()},
        {called.get(name, name): bits for name, bits in worth.items()},
        learnt,
        ScoredPairs(one[~between], other[~between], bits[~between]),
        unseen(trained, pa.concat_tables(files), held),
        share <= LEAST,
    )


def _speaks(found: pa.Table, name: str) -> Floats:
    """Bits of evidence that a comparison gives, with what the frequency of the value adds."""
    columns = {f"mw_{name}", f"mw_tf_adj_{name}"} & set(found.column_names)
    return sum((found[c].to_numpy() for c in sorted(columns)), np.zeros(found.num_rows))


def probability(bits: Floats) -> Floats:
    """What the odds say, 0 to 1; shape as given."""
    return np.asarray(1 / (1 + np.exp2(-np.clip(bits, -500, 500))))


def share_of(weight: Floats, pairs: int) -> float:
    """Share of links among all pairs, at least :data:`LEAST` and at most a half.

    It is where it equals the mean probability: expectation maximisation of that one number, over
    all candidates.  Where it runs down to :data:`LEAST`, the evidence explains no pair as a link:
    files share nobody, or what agreements are worth does not fit them.

    Args:
        weight: base-2 logarithm of how much likelier the agreement is for one person, shape (n,).
        pairs: all pairs of persons of different files; those that are no candidates count as no
            links.
    """
    share = float((weight > 0).sum()) / max(pairs, 1)
    for _step in range(500):
        share, before = min(max(share, LEAST), 0.5), share
        bits = np.log2(share / (1 - share)) + weight
        share = float(probability(bits).sum()) / max(pairs, 1)
        if abs(share - before) < 1e-9 * before:
            break
    return min(max(share, LEAST), 0.5)


def _count_chance(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[pa.Table],
    persons: Sequence[Ints],
    chosen: Sequence[Comparison],
) -> None:
    """Put u into the comparisons: how often levels agree between different people of one file."""
    from splink import DuckDBAPI, Linker

    counts = [np.zeros(len(c["comparison_levels"]) - 1) for c in chosen]
    for at, (file, places) in enumerate(zip(files, persons, strict=True)):
        spread = np.linspace(0, len(places) - 1, min(len(places), ROWS)).astype(np.int64)
        sample = file.take(pa.array(places[spread]))
        if sample.num_rows < 2:
            continue
        table = DuckDBAPI(connection).register(sample, dataset_display_name=f"chance_{at}")
        settings = {"link_type": "dedupe_only", "comparisons": chosen}
        linker = Linker(table, settings, log_level=None)
        linker.training.estimate_u_using_random_sampling(
            max_pairs=EVERY, min_count_per_level=None, num_chunks=1
        )
        pairs = sample.num_rows * (sample.num_rows - 1) / 2
        learnt = linker.misc.save_model_to_json()["comparisons"]
        for count, comparison in zip(counts, learnt, strict=True):
            levels = comparison["comparison_levels"][1:]
            count += [pairs * (level.get("u_probability") or 0) for level in levels]
    for count, comparison in zip(counts, chosen, strict=True):
        for level, pairs in zip(comparison["comparison_levels"][1:], count, strict=True):
            known = KNOWN * level["u_probability"]
            level["u_probability"] = float((pairs + known) / (count.sum() + KNOWN))


def _worth(trained: Sequence[Comparison]) -> dict[str, tuple[float, float]]:
    found = {}
    for comparison in trained:
        bits = [
            float(np.log2(level["m_probability"] / level["u_probability"]))
            for level in comparison["comparison_levels"]
            if level.get("m_probability") and level.get("u_probability")
        ]
        found[str(comparison["output_column_name"])] = (round(max(bits), 1), round(min(bits), 1))
    return found
