"""How likely two rows of different files are one person, by the model of Fellegi and Sunter.

Belongs here: comparisons and their levels, candidate pairs, training, scores; the use of Splink.
Does not belong here: normalised values (``features``), what becomes of a pair (``resolve``).

The weights are those of Fellegi and Sunter (1969, "A theory for record linkage", JASA 64), fitted
by Splink 5 with expectation maximisation.  Nothing is drawn at random: u, how often chance makes
two values agree, is counted between rows of one file, which are different people, on every n-th
row.  DuckDB runs in memory, writes nothing, and may load nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.errors import HubError
from ctdhub.i18n import _
from ctdhub.link.identities.features import present

if TYPE_CHECKING:
    import duckdb

ROWS = 700
"""Rows of a file between which chance is counted: about 250,000 pairs."""

EVERY = 1e12
"""More pairs than a sample has: none is left out, so nothing is drawn."""

LEAST = 1e-6
"""Least u: what no pair of a million shows."""

_MACROS = """
CREATE MACRO near(a, b) AS length(a) > 2 AND length(b) > 2 AND abs(length(a) - length(b)) < 2
    AND damerau_levenshtein(a, b) <= 1;
CREATE MACRO alike(a, b) AS jaro_winkler_similarity(a, b) >= 0.88;
CREATE MACRO shares(a, b) AS CASE WHEN list_has_any(a, b) THEN 1 ELSE 0 END;
"""

_CROSSWISE = (
    "shares(given_parts_l, family_parts_r) + shares(family_parts_l, given_parts_r)"
    " > shares(given_parts_l, given_parts_r) + shares(family_parts_l, family_parts_r)"
)
"""Given and family name agree better when one side's are swapped."""

_CLOSED = (
    ("temp_directory", "''"),
    ("autoinstall_known_extensions", "false"),
    ("autoload_known_extensions", "false"),
    ("enable_external_access", "false"),
    ("enable_progress_bar", "false"),
)
"""Settings under which DuckDB writes no file, reads none and loads nothing."""


def _names(name: str, other: str, agree: str) -> str:
    """A condition on a name of both sides, read crosswise where that agrees better."""
    straight, crossed = (agree.replace("A", f"{name}{{0}}_l").replace("B", f"{of}{{0}}_r") for of in (name, other))
    return f"CASE WHEN {_CROSSWISE} THEN {crossed} ELSE {straight} END"


@dataclass(frozen=True)
class Scored:
    """Candidate pairs of rows of different files, each once.

    Attributes:
        one, other: numbers of the rows.
        probability: that they are one person, 0 to 1.
        levels: by feature, how far it agrees: -1 where a row says nothing, 0 where it differs.
        pairs: all pairs of rows of different files, candidates or not.
    """

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    probability: NDArray[np.float64]
    speaks: dict[str, NDArray[np.float64]]
    pairs: int


def _level(sql: str, m: float, tf: str = "") -> dict[str, Any]:
    level = {"sql_condition": sql, "label_for_charts": sql[:40], "m_probability": m}
    if tf:
        level |= {"tf_adjustment_column": tf, "disable_tf_exact_match_detection": True}
    return level


def _comparison(name: str, null: str, levels: Sequence[dict[str, Any]]) -> dict[str, Any]:
    empty = {"sql_condition": null, "label_for_charts": "null", "is_null_level": True}
    rest = max(1 - sum(level["m_probability"] for level in levels), 0.01)
    return {
        "output_column_name": name,
        "comparison_levels": [empty, *levels, _level("ELSE", rest)],
    }


def comparisons(held: set[str], more: Sequence[str]) -> list[dict[str, Any]]:
    """The comparisons of features that are held; m starts as here and is then fitted."""
    made = []
    for name, other in (("given", "family"), ("family", "given")):
        if name in held:
            null = f"{name}_l IS NULL OR {name}_r IS NULL"
            made.append(
                _comparison(
                    name,
                    null,
                    [
                        _level(_names(name, other, "A = B").format(""), 0.4, f"{name}_sound"),
                        _level(_names(name, other, "A = B").format("_sound"), 0.35, f"{name}_sound"),
                        _level(_names(name, other, "list_has_any(A, B)").format("_parts"), 0.1),
                        _level(_names(name, other, "near(A, B)").format("_sound"), 0.08),
                        _level(_names(name, other, "alike(A, B)").format(""), 0.03),
                    ],
                )
            )
    if "birth_year" in held:
        near = "damerau_levenshtein(birth_year_l, birth_year_r) <= 1"
        made.append(
            _comparison(
                "birth",
                "birth_year_l IS NULL OR birth_year_r IS NULL",
                [
                    _level("birth_l = birth_r", 0.85),
                    _level(
                        "birth_year_l = birth_year_r AND (birth_l IS NULL OR birth_r IS NULL)", 0.04
                    ),
                    _level(f"birth_days_l = birth_days_r AND {near}", 0.05),
                    _level(
                        "birth_year_l = birth_year_r AND list_has_any(birth_days_l, birth_days_r)",
                        0.03,
                    ),
                    _level("birth_year_l = birth_year_r", 0.01),
                ],
            )
        )
    if "place" in held:
        made.append(
            _comparison(
                "place",
                "place_l IS NULL OR place_r IS NULL",
                [
                    _level("place_sound_l = place_sound_r", 0.8, "place_sound"),
                    _level("near(place_sound_l, place_sound_r) OR alike(place_l, place_r)", 0.1),
                ],
            )
        )
    if "sex" in held:
        made.append(
            _comparison("sex", "sex_l IS NULL OR sex_r IS NULL", [_level("sex_l = sex_r", 0.99)])
        )
    for name in more:
        made.append(
            _comparison(
                name,
                f"{name}_l IS NULL OR {name}_r IS NULL",
                [
                    _level(f"{name}_l = {name}_r", 0.8, name),
                    _level(f"near({name}_l, {name}_r) OR alike({name}_l, {name}_r)", 0.1),
                ],
            )
        )
    return made


def _rules(held: set[str], more: Sequence[str]) -> list[dict[str, Any]]:
    """Candidate pairs: one name by sound and a part of the birth date or the place, and so on."""
    from splink import block_on

    rules = []
    if "birth" in held:
        rules += [block_on("birth")]
    if "birth_year" in held:
        rules += [block_on("sounds", "birth_year", arrays_to_explode=["sounds"])]
        rules += [block_on("sounds", "birth_days", arrays_to_explode=["sounds"])]
    if "place" in held:
        rules += [block_on("sounds", "place_sound", arrays_to_explode=["sounds"])]
    if {"given", "family"} <= held:
        rules += [
            block_on("given_sound", "family_sound"),
            _crosswise("given_sound", "family_sound"),
        ]
    return rules + [block_on(name) for name in more]


def _crosswise(one: str, other: str) -> Any:
    from splink.blocking_rule_library import CustomRule

    return CustomRule(f"l.{one} = r.{other} AND l.{other} = r.{one}")


def score(
    files: Sequence[pa.Table],
    persons: Sequence[NDArray[np.int64]],
    more: Sequence[str],
    progress: Callable[[str, float], None],
) -> Scored:
    """Fit the model on the files and score their candidate pairs.

    Args:
        files: features of each file, see ``features.FEATURES``.
        persons: for each file the places of one row for each of its persons.
        more: names of further features.
        progress: called with a message and the fraction done.

    Raises:
        HubError: the extra is missing, or the memory does not suffice.
    """
    try:
        import splink  # noqa: F401
    except ImportError:
        raise HubError(
            _("Splink, which links by identifiers, is not installed."),
            _("Install it: pip install 'ctdhub[splink]'. Or use `ctdhub tokens`, which needs none."),
            rule="no-splink",
        ) from None
    held = present(files)
    with _quiet(), _database() as connection:
        return _score(connection, files, persons, held, more, progress)


def _score(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[pa.Table],
    persons: Sequence[NDArray[np.int64]],
    held: set[str],
    more: Sequence[str],
    progress: Callable[[str, float], None],
) -> Scored:
    from splink import Linker, block_on

    progress(_("Counting what chance makes agree"), 0.1)
    chosen = comparisons(held, more)
    samples = [file.take(pa.array(_every(places))) for file, places in zip(files, persons, strict=True)]
    chosen = _with_chance(connection, samples, chosen)
    api = _api(connection)
    tables = [api.register(f, dataset_display_name=f"file_{i}") for i, f in enumerate(files)]
    linker = Linker(
        tables,
        {
            "link_type": "link_only",
            "comparisons": chosen,
            "blocking_rules_to_generate_predictions": [
                rule.create_blocking_rule_dict("duckdb") for rule in _rules(held, more)
            ],
            "retain_matching_columns": False,
            "retain_intermediate_calculation_columns": True,
        },
        log_level=None,
    )
    training = [block_on("given_sound", "family_sound"), block_on("birth")]
    for at, rule in enumerate(training):
        progress(_("Learning from the files"), 0.3 + 0.1 * at)
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True
        )
    import json as j
    global MODEL
    MODEL = linker.misc.save_model_to_json()
    progress(_("Comparing pairs"), 0.6)
    found = linker.inference.predict(warning_mode="never").as_pyarrow_table()
    speaks = {
        name: sum(found[c].to_numpy() for c in found.column_names if c in (f"mw_{name}", f"mw_tf_adj_{name}"))
        for name in (c["output_column_name"] for c in chosen)
    }
    sizes = [f.num_rows for f in files]
    pairs = (sum(sizes) ** 2 - sum(n * n for n in sizes)) // 2
    prior = linker._settings_obj.core_model_settings.probability_two_random_records_match
    weight = found["match_weight"].to_numpy() - np.log2(prior / (1 - prior))
    return Scored(
        found["unique_id_l"].to_numpy().astype(np.int64),
        found["unique_id_r"].to_numpy().astype(np.int64),
        calibrated(weight, pairs),
        speaks,
        pairs,
    )


def calibrated(weight: NDArray[np.float64], pairs: int) -> NDArray[np.float64]:
    """Probabilities from weights of evidence, with the share of links that they imply.

    The share of links among all pairs is where it equals the mean probability of pairs: the last
    step of expectation maximisation, over all candidates.

    Args:
        weight: base-2 logarithm of how much likelier the agreement is for one person, shape (n,).
        pairs: all pairs, candidates or not; the others count as no links.
    """
    share = min(max((weight > 0).sum() / max(pairs, 1), 1e-12), 0.5)
    for _step in range(200):
        odds = np.log2(share / (1 - share)) + weight
        probability = 1 / (1 + np.exp2(-np.clip(odds, -60, 60)))
        share, before = max(probability.sum() / max(pairs, 1), 1e-12), share
        if abs(share - before) < 1e-6 * before:
            break
    return np.round(probability, 9)


def _every(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most :data:`ROWS` of them, evenly spread."""
    return places[np.linspace(0, len(places) - 1, min(len(places), ROWS)).astype(np.int64)]


def _with_chance(
    connection: duckdb.DuckDBPyConnection,
    samples: Sequence[pa.Table],
    chosen: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """The comparisons with u: how often levels agree between different people of one file."""
    from splink import Linker

    counts = [np.zeros(len(c["comparison_levels"]) - 1) for c in chosen]
    for at, sample in enumerate(samples):
        if sample.num_rows < 2:
            continue
        table = _api(connection).register(sample, dataset_display_name=f"sample_{at}")
        settings = {"link_type": "dedupe_only", "comparisons": chosen}
        linker = Linker(table, settings, log_level=None)
        linker.training.estimate_u_using_random_sampling(
            max_pairs=EVERY, min_count_per_level=None, num_chunks=1
        )
        learnt = linker.misc.save_model_to_json()["comparisons"]
        for count, comparison in zip(counts, learnt, strict=True):
            levels = comparison["comparison_levels"][1:]
            count += [level.get("u_probability") or 0 for level in levels]
    for count, comparison in zip(counts, chosen, strict=True):
        share = np.maximum(count / max(count.sum(), 1), LEAST)
        for level, u in zip(comparison["comparison_levels"][1:], share, strict=True):
            level["u_probability"] = float(u)
    return chosen


def _api(connection: duckdb.DuckDBPyConnection) -> Any:
    from splink import DuckDBAPI

    return DuckDBAPI(connection)


@contextmanager
def _database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that writes no file, reads none and loads no extension."""
    import duckdb

    connection = duckdb.connect()
    for name, value in _CLOSED:
        connection.execute(f"SET {name} = {value}")
    try:
        connection.execute(_MACROS)
        yield connection
    finally:
        connection.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Splink's own words go nowhere: they can quote values."""
    log = logging.getLogger("splink")
    before = log.disabled, log.propagate, log.level
    log.setLevel(logging.CRITICAL + 1)
    log.propagate = False
    try:
        yield
    finally:
        log.disabled, log.propagate, log.level = before
