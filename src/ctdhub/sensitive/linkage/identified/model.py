"""The model of Fellegi and Sunter on files with identifiers: what is compared of a row, training,
scores, and links that are missing.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.core.errors import error
from ctdhub.core.i18n import Text
from ctdhub.schema.countries import fold_name
from ctdhub.schema.model import SEX
from ctdhub.sensitive.duck import CLOSED
from ctdhub.sensitive.ingest.identifiers import is_place, kind_of, words
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.linkage.pprl.columns import TokenPlan
from ctdhub.sensitive.linkage.pprl.derive import NAMES, Identity, read_birth
from ctdhub.sensitive.linkage.pprl.names import parts, romanised, skeleton
from ctdhub.sensitive.linkage.pprl.tokenise import people_of
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary

# --------------------------------------------------------------------------------------------------
# What is compared of a row: names, birth, place and the like, in one spelling for all scripts.
#
# Everything in these tables identifies people.  They live in memory and are never written.

MORE = ("telephone", "email", "document_number")
"""Kinds of identifiers that are compared beside names where two files or more hold them."""

TEXT, LIST = pa.string(), pa.list_(pa.string())
_TEXTS = ("given", "given_sound", "family", "family_sound", "birth", "birth_year", "place")
_LISTS = ("given_parts", "family_parts", "sounds", "both_sounds", "birth_days")
FEATURES = pa.schema(
    [
        ("unique_id", pa.int64()),
        *((name, TEXT) for name in (*_TEXTS, "place_sound", "sex")),
        *((name, LIST) for name in _LISTS),
    ]
)
"""Columns of every file; null where a row says nothing.

given, family: romanised parts that count, in order of the alphabet.  *_sound, *_parts: their
skeletons, joined and apart.  sounds: skeletons of all names.  both_sounds: of a given and a family
name, in order of the alphabet: all pairs.  birth: year and both numbers of the
day, the smaller first.  sex: ``female`` or ``male``.
"""

_DAY = re.compile(r"^(\d{4})\D{0,2}(\d\d?)\D{0,2}(\d\d?)$|^(\d\d?)\D{1,2}(\d\d?)\D{1,2}(\d{4})$")


def more_columns(plans: Sequence[TokenPlan]) -> dict[str, list[str | None]]:
    """Further columns that are compared: what they are called, and the column of each file or None.

    Telephones, addresses of mail, numbers of documents, and exact places of one name; only columns
    that the plan strips, and only where two files or more have them.
    """
    extras: dict[str, list[str | None]] = {}
    for at, plan in enumerate(plans):
        for column in plan.fated("strip"):
            kind = kind_of(column)
            same = kind if kind in MORE else " ".join(words(column)) if is_place(column) else None
            if same and not extras.setdefault(same, [None] * len(plans))[at]:
                extras[same][at] = column
    return {same: columns for same, columns in extras.items() if sum(map(bool, columns)) > 1}


def features(raw: RawTable, plan: TokenPlan, more: Sequence[str | None], first: int) -> pa.Table:
    """The rows of one file, schema :data:`FEATURES` and a text for each of ``more``.

    The texts are called ``more_0``, ``more_1`` and so on: a column may be called anything.

    Args:
        raw: the file.
        plan: its columns.
        more: further columns that are compared, None where this file has none.
        first: number of the first row; the others follow.
    """
    rows = [_row(who) for who in people_of(raw.table, plan)]
    sex = plan.of("sex")
    said = raw.table[sex].fill_null("").to_pylist() if sex else [""] * len(rows)
    columns: dict[str, Sequence[object]] = {
        name: [row.get(name) for row in rows] for name in FEATURES.names
    }
    columns["unique_id"] = list(range(first, first + len(rows)))
    columns["sex"] = _sexes(said)
    fields = list(FEATURES)
    for at, column in enumerate(more):
        cells = raw.table[column].fill_null("").to_pylist() if column else [""] * len(rows)
        columns[f"more_{at}"] = [_plain(cell) for cell in cells]
        fields.append(pa.field(f"more_{at}", TEXT))
    return pa.table(columns, pa.schema(fields))


def _row(who: Identity) -> dict[str, object]:
    row: dict[str, object] = {}
    sounds: list[list[str]] = []
    for name, text in (("given", who.given), ("family", who.family)):
        if pieces := parts(text):
            heard = sorted({skeleton(part) for part in pieces})
            row |= {name: " ".join(sorted(pieces)), f"{name}_sound": " ".join(heard)}
            row[f"{name}_parts"] = [part for part in heard if len(part) > 1]
            sounds.append([skeleton(part) for part in pieces[:NAMES]])
    row["sounds"] = sorted({part for some in sounds for part in some if len(part) > 1}) or None
    if len(sounds) > 1:
        row["both_sounds"] = sorted({" ".join(sorted(two)) for two in product(*sounds)})
    if where := parts(who.place):
        row |= {"place": " ".join(where), "place_sound": " ".join(skeleton(p) for p in where)}
    return row | _birth(who.birth)


def _birth(cell: str) -> dict[str, object]:
    """Year and day; a day that no calendar has is compared as it is written, to find slips."""
    if (born := read_birth(cell)) is not None:
        year, days = str(born.year), list(born.day or ())
    elif match := _DAY.match(cell):
        year = match[1] or match[6]
        days = sorted(int(part) for part in (match[2] or match[4], match[3] or match[5]))
    else:
        return {}
    if not days:
        return {"birth_year": year}
    written = [f"{day:02d}" for day in days]
    return {"birth": year + "".join(written), "birth_year": year, "birth_days": written}


def _sexes(cells: Sequence[str]) -> list[str | None]:
    """``female`` or ``male``; where a file writes H for a man and no F, its M is a woman."""
    said = [fold_name(cell) for cell in cells]
    codes = {"f": "female", "m": "male"} | vocabulary().codes[SEX]
    if "h" in said:
        codes |= {"h": "male"} if "f" in said else {"h": "male", "m": "female"}
    sexes = {word: code for word, code in codes.items() if code in ("female", "male")}
    return [sexes.get(word) for word in said]


def _plain(cell: str) -> str | None:
    """Letters and digits, romanised and small; nothing else."""
    letters = romanised(cell)
    plain = "".join(str(int(c)) if c.isdecimal() else c for c in cell.casefold() if c.isalnum())
    if letters and not plain.isascii():
        plain = letters.replace(" ", "") + "".join(c for c in plain if c.isdecimal())
    return plain or None


def present(tables: Iterable[pa.Table], least: int = 2) -> set[str]:
    """Features that at least so many files hold."""
    counts = Counter(n for t in tables for n in t.column_names if t[n].null_count < t.num_rows)
    return {name for name, files in counts.items() if files >= least}


# --------------------------------------------------------------------------------------------------
# How features are compared, and which pairs are compared at all, as Splink takes it.
#
# What training starts from, m and u, was counted on fictitious people in four scripts
# (``practice.naming``): how often a level is met by two rows of one person, and of two people.

MACROS = """
SET enable_progress_bar = false;
CREATE MACRO near(a, b) AS length(a) > 2 AND length(b) > 2 AND abs(length(a) - length(b)) < 2
    AND damerau_levenshtein(a, b) <= 1;
CREATE MACRO alike(a, b) AS jaro_winkler_similarity(a, b) >= 0.88;
CREATE MACRO shares(a, b) AS CASE WHEN list_has_any(a, b) THEN 1 ELSE 0 END;
"""
"""One slip of the pen; the likeness of Winkler (1990), with the bound that Splink's own
comparison of names has; whether two lists meet."""

_CROSSWISE = (
    "shares(given_parts_l, family_parts_r) + shares(family_parts_l, given_parts_r)"
    " > shares(given_parts_l, given_parts_r) + shares(family_parts_l, family_parts_r)"
)
"""Names agree better where given and family name of one side are exchanged."""

Comparison = dict[str, Any]


def comparisons(columns: Collection[str], more: Sequence[str]) -> list[Comparison]:
    """The comparisons of the features that are held, each with m and u to start from.

    Args:
        columns: names of features that two files or more hold.
        more: names of further features, compared as texts.
    """
    made = [
        _comparison(name, name, _names(name, other))
        for name, other in (("given", "family"), ("family", "given"))
        if name in columns
    ]
    if "birth_year" in columns:
        made.append(_comparison("birth", "birth_year", _BIRTH))
    if "place" in columns:
        made.append(_comparison("place", "place", _PLACE))
    if "sex" in columns:
        made.append(_comparison("sex", "sex", [_level("sex_l = sex_r", 0.99, 0.5)], fixed=True))
    return made + [_comparison(name, name, _text(name)) for name in more]


def candidates(columns: Collection[str], more: Sequence[str]) -> list[Any]:
    """Rules of which a pair must meet one to be compared.

    One name by sound, given or family, and the year, the day or the place; a given and a family
    name by sound; the whole birth date; or a further feature.  Where files hold none of these, one
    name by sound.
    """
    from splink import block_on

    rules = [block_on(name) for name in ("birth", *more) if name in columns]
    for name in ("birth_year", "birth_days", "place_sound"):
        if name in columns:
            rules.append(block_on("sounds", name, arrays_to_explode=["sounds"]))
    if {"given", "family"} <= set(columns):
        rules.append(block_on("both_sounds", arrays_to_explode=["both_sounds"]))
    return rules or [block_on("sounds", arrays_to_explode=["sounds"])]


def _names(name: str, other: str) -> list[Comparison]:
    def level(agree: str, feature: str, m: float, u: float, frequency: str = "") -> Comparison:
        straight, crossed = (
            agree.format(f"{name}{feature}_l", f"{right}{feature}_r") for right in (name, other)
        )
        agree = f"CASE WHEN {_CROSSWISE} THEN {crossed} ELSE {straight} END"
        return _level(agree, m, u, frequency)

    return [
        level("{} = {}", "", 0.15, 0.002, f"{name}_sound"),
        level("{} = {}", "_sound", 0.65, 0.007, f"{name}_sound"),
        level("list_has_any({}, {})", "_parts", 0.07, 0.002),
        level("near({}, {})", "_sound", 0.04, 0.005),
        level("alike({}, {})", "", 0.01, 0.0005),
    ]


def _level(condition: str, m: float, u: float, frequency: str = "") -> Comparison:
    """A level of agreement.

    Args:
        condition: on a pair, in SQL.
        m, u: how often two rows of one person, and of two people, are on it, to start from.
        frequency: feature whose rare values say more than its frequent ones.
    """
    level: Comparison = {"sql_condition": condition, "label_for_charts": condition}
    level |= {"m_probability": m, "u_probability": u}
    if frequency:
        level |= {"tf_adjustment_column": frequency, "disable_tf_exact_match_detection": True}
    return level


def _comparison(
    name: str, feature: str, levels: Sequence[Comparison], fixed: bool = False
) -> Comparison:
    """A comparison; where it is ``fixed``, m is not fitted.

    Sex is: it is hardly ever wrong, and a fitted m of 0 would hide what somebody should look at.
    """
    unknown = f"{feature}_l IS NULL OR {feature}_r IS NULL"
    rest = [1 - sum(level[f"{one}_probability"] for level in levels) for one in "mu"]
    return {
        "output_column_name": name,
        "comparison_levels": [
            {"sql_condition": unknown, "label_for_charts": "unknown", "is_null_level": True},
            *({**level, "fix_m_probability": fixed} for level in (*levels, _level("ELSE", *rest))),
        ],
    }


_BIRTH = [
    _level("birth_l = birth_r", 0.93, 0.0001),
    _level("birth_year_l = birth_year_r AND (birth_l IS NULL OR birth_r IS NULL)", 0.01, 0.0001),
    _level(
        "birth_days_l = birth_days_r AND damerau_levenshtein(birth_year_l, birth_year_r) <= 1",
        0.03,
        0.001,
    ),
    _level(
        "birth_year_l = birth_year_r AND list_has_any(birth_days_l, birth_days_r)", 0.015, 0.004
    ),
    _level("birth_year_l = birth_year_r", 0.005, 0.018),
]

_PLACE = [
    _level("place_sound_l = place_sound_r", 0.8, 0.018, "place_sound"),
    _level("near(place_sound_l, place_sound_r) OR alike(place_l, place_r)", 0.07, 0.007),
]


def _text(name: str) -> list[Comparison]:
    one, other = f'"{name}_l"', f'"{name}_r"'
    return [
        _level(f"{one} = {other}", 0.8, 0.001, name),
        _level(f"near({one}, {other}) OR alike({one}, {other})", 0.1, 0.005),
    ]


# --------------------------------------------------------------------------------------------------
# Where Splink runs: silent, in a database that is shut off from files and networks.


def check_installed() -> None:
    """Refuse before anything is read.

    Raises:
        HubError: Splink is not installed.
    """
    if find_spec("splink") is None:
        raise error("no-splink")


# --------------------------------------------------------------------------------------------------
# What agreements are worth between rows of one person: m, learnt from the files themselves.
#
# Not here: u and the scores (``scoring``).

Ints = NDArray[np.int64]

ENOUGH = 30
"""Pairs that agree on names and birth date, below which there is nothing to learn m from."""

PART = 0.2
"""Part of the m to start from that is never lost."""

MOST = 2e6
"""Pairs that m is learnt from, at most; Splink takes rows by a hash of their number."""


def learn(
    connection: duckdb.DuckDBPyConnection,
    linker: Any,
    columns: set[str],
    files: Sequence[pa.Table],
    persons: Sequence[Ints],
) -> bool:
    """Fit m, where enough pairs agree on names and birth: among fewer, chance would teach.

    Births are learnt from pairs of equal names, and names from pairs of equal births.  Where too
    few pairs agree on a whole date, equal births are equal years, with the sex and the place as far
    as they are held.
    """
    from splink import block_on
    from splink.internals.exceptions import SplinkException

    if not {"given", "family", "birth_year"} <= columns:
        return False
    known = [file.take(pa.array(places)) for file, places in zip(files, persons, strict=True)]
    names = ["given_sound", "family_sound"]
    year = ["birth_year", *(name for name in ("sex", "place_sound") if name in columns)]
    rules: list[list[str]] = []
    if _beyond_chance(connection, known, [*names, "birth"]) >= ENOUGH:
        rules = [names, ["birth"]]
    elif _beyond_chance(connection, known, [*names, *year]) >= ENOUGH:
        rules = [names, year]
    learnt = False
    for rule in rules:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(*rule), estimate_without_term_frequencies=True, max_pairs=MOST
            )
            learnt = True
        except SplinkException:  # all pairs of the rule are links: it has nothing to compare
            continue
    return learnt


def not_too_sure(trained: Sequence[Comparison], start: Sequence[Comparison]) -> list[Comparison]:
    """What was learnt, with a part of what training starts from.

    Where few pairs teach, training may end where it takes for one person only rows that agree on
    everything: so each m is at least :data:`PART` of where it started.
    """
    made = []
    for one, two in zip(trained, start, strict=True):
        levels = list(zip(one["comparison_levels"], two["comparison_levels"], strict=True))
        least = [PART * first.get("m_probability", 0.0) for _level, first in levels]
        most = [
            max(level.get("m_probability") or 0.0, m)
            for (level, _first), m in zip(levels, least, strict=True)
        ]
        kept = [
            {**level, "m_probability": m / sum(most)} if m else level
            for (level, _first), m in zip(levels, most, strict=True)
        ]
        made.append({**one, "comparison_levels": kept})
    return made


def _beyond_chance(
    connection: duckdb.DuckDBPyConnection, files: Sequence[pa.Table], same: Sequence[str]
) -> float:
    """Pairs of persons of different files that agree on features, less those that chance makes.

    Persons of one file are different people: their pairs, twice as many as chance makes between
    files to be on the safe side, are taken off.
    """
    numbered = [
        file.select(list(same)).append_column("file", pa.array([at] * file.num_rows, pa.int32()))
        for at, file in enumerate(files)
    ]
    every = pa.concat_tables(numbered)
    connection.register("agreeing", every)
    by = ", ".join(same)
    where = " AND ".join(f"{name} IS NOT NULL" for name in same)
    between, within = connection.execute(
        f"""
        WITH each AS (SELECT {by}, file, count(*) AS n FROM agreeing WHERE {where} GROUP BY ALL),
        met AS (SELECT sum(n) ** 2 - sum(n ** 2) AS apart, sum(n ** 2) - sum(n) AS inside
                FROM each GROUP BY {by})
        SELECT coalesce(sum(apart), 0) / 2, coalesce(sum(inside), 0) / 2 FROM met
        """
    ).fetchall()[0]
    connection.unregister("agreeing")
    sizes = np.array([file.num_rows for file in files], float)
    inside = (sizes**2 - sizes).sum()
    ratio = (sizes.sum() ** 2 - (sizes**2).sum()) / inside if inside else 0.0
    return float(between) - 2 * ratio * float(within)


# --------------------------------------------------------------------------------------------------
# How many links are missing: among the candidates that were not joined, and beyond them.
#
# A model that is one for all people misjudges those whose names it fits worse: what it believes of
# pairs below the cut is too low for them.  Pairs of one file are different people and are scored
# alike, so what pairs between files have in excess of them are people: that corrects the sum.

Floats = NDArray[np.float64]

DOUBT = 0.01
"""Share of links by which the model may be wrong where it believes that none is missing."""

SHARED = 3
"""Levels of the comparison of a name, the best, on which the two rows share a name by sound."""

BIRTH_DATE, BIRTH_YEAR, BIRTH_DAY = (0,), (0, 1, 3, 4), (0, 2, 3)
"""Levels of the comparison of births that agree on the date, the year, and a number of the day."""


def among(
    between: Floats, each: Floats, inside: Floats, one: Floats, ratio: float, links: int
) -> float:
    """Links expected among candidate pairs that were not joined.

    What the model believes and what is in excess of chance are weighed by how far each may be
    wrong: the model by as much as it says and :data:`DOUBT` of the links, the excess by its
    standard deviation.  The excess is taken over the likeliest pairs, as many as make it surest.

    Args:
        between: bits of each pair of different files that was not joined.
        each: what a pair counts: pairs of the same two clusters are one link.
        inside: bits of pairs of one file.
        one: what these count.
        ratio: pairs of different files for each pair of one file.
        links: pairs that were joined.
    """
    model = float((each / (1 + np.exp2(-np.clip(between, -500, 500)))).sum())
    bits = np.concatenate([between, inside])
    counts = np.concatenate([each, -ratio * one])
    order = np.argsort(-bits, kind="stable")
    last = np.flatnonzero(np.diff(bits[order], append=-np.inf))  # ties come in together
    excess, spread = np.cumsum(counts[order])[last], np.cumsum(counts[order] ** 2)[last] ** 0.5
    if not len(last):
        return model
    best = int(np.argmax(excess - spread))
    doubt = (model + DOUBT * links) ** 2
    total = excess[best] * doubt + model * spread[best] ** 2
    return float(max(total / (doubt + spread[best] ** 2), 0.0))


def unseen(trained: Sequence[Mapping[str, Any]], rows: pa.Table, columns: set[str]) -> float:
    """Share of pairs of rows of one person that no rule of ``comparisons.candidates`` finds.

    By the levels' m, as if comparisons were independent.

    Args:
        trained: comparisons with their m.
        rows: the features, for how often they are missing.
        columns: names of features that two files or more hold.
    """
    m = {str(c["output_column_name"]): _levels(c) for c in trained}
    if not {"given", "family"} <= m.keys():
        return 0.0
    both = {name: (1 - rows[name].null_count / max(rows.num_rows, 1)) ** 2 for name in columns}
    shares = [sum(m[name][:SHARED]) for name in ("given", "family")]
    neither = (1 - shares[0]) * (1 - shares[1])
    alone = shares[0] + shares[1] - 2 * shares[0] * shares[1]
    apart = 1 - both.get("place", 0.0) * m["place"][0] if "place" in m else 1.0
    births: list[tuple[int | None, float]] = [(None, 1 - both.get("birth_year", 0.0))]
    births += [(i, both["birth_year"] * p) for i, p in enumerate(m.get("birth", ()))]
    missed = sum(
        p * (neither + (0.0 if level in (*BIRTH_YEAR, *BIRTH_DAY) else alone * apart))
        for level, p in births
        if level not in BIRTH_DATE
    )
    for name, levels in m.items():
        if name.startswith("more_"):
            missed *= 1 - both.get(name, 0.0) * levels[0]
    return float(missed)


def _levels(comparison: Mapping[str, Any]) -> list[float]:
    return [float(level.get("m_probability") or 0) for level in comparison["comparison_levels"][1:]]


# --------------------------------------------------------------------------------------------------
# How likely two rows of different files are one person, by the model of Fellegi and Sunter.
#
# The weights of Fellegi and Sunter (1969, "A theory for record linkage", JASA 64) compare how often
# two rows of one person agree (m) and two rows of different people (u).  u is counted between
# persons of one file, who are different people; m is fitted by Splink with expectation
# maximisation. Nothing is drawn at random.

ROWS = 700
"""Persons of a file between whom chance is counted: about 250,000 pairs, evenly spread."""

EVERY = 1e12
"""More pairs than a sample has: Splink counts all of them and draws none."""

PRIOR_PAIRS = 10_000
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
        files: features of each file, see ``FEATURES``.
        persons: for each file the places of one row for each of its persons.
        more: what the further features ``more_0``, ``more_1``, … are called.
        progress: called with a message and the fraction done.

    Raises:
        HubError: Splink is not installed, or the memory does not suffice.
    """
    check_installed()
    from splink.internals.exceptions import SplinkException

    logging.getLogger("splink").setLevel(logging.CRITICAL + 1)  # its words can quote values
    with duckdb.connect(config=CLOSED) as connection:
        connection.execute(MACROS)
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

    columns = present(files)
    called = {name: text for i, text in enumerate(more) if (name := f"more_{i}") in columns}
    chosen = comparisons(columns, list(called))
    progress(Text("Counting what agrees by chance"), 0.15)
    _count_chance(connection, files, persons, chosen)
    progress(Text("Learning from the files"), 0.3)
    api = DuckDBAPI(connection)
    tables = [api.register(file, dataset_display_name=f"file_{i}") for i, file in enumerate(files)]
    settings = {
        "comparisons": chosen,
        "blocking_rules_to_generate_predictions": [
            rule.create_blocking_rule_dict("duckdb") for rule in candidates(columns, list(called))
        ],
        "probability_two_random_records_match": START,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
    }
    linker = Linker(tables, {**settings, "link_type": "link_only"}, log_level=None)
    learnt = learn(connection, linker, columns, files, persons)
    progress(Text("Comparing pairs"), 0.5)
    trained = not_too_sure(linker.misc.save_model_to_json()["comparisons"], chosen)
    both = Linker(
        tables, {**settings, "comparisons": trained, "link_type": "link_and_dedupe"}, log_level=None
    )
    pairs: pa.Table = both.inference.predict(
        threshold_match_weight=float(np.log2(START / (1 - START))), warning_mode="never"
    ).as_pyarrow_table()  # type: ignore[no-untyped-call]
    worth = _worth(trained)
    speaks = {name: _speaks(pairs, name) for name in worth}
    weight = sum(speaks.values(), np.zeros(pairs.num_rows))
    one, other = (pairs[f"unique_id_{side}"].to_numpy().astype(np.int64) for side in ("l", "r"))
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
        unseen(trained, pa.concat_tables(files), columns),
        share <= LEAST,
    )


def _speaks(pairs: pa.Table, name: str) -> Floats:
    """Bits of evidence that a comparison gives, with what the frequency of the value adds."""
    columns = {f"mw_{name}", f"mw_tf_adj_{name}"} & set(pairs.column_names)
    return sum((pairs[c].to_numpy() for c in sorted(columns)), np.zeros(pairs.num_rows))


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
            known = PRIOR_PAIRS * level["u_probability"]
            level["u_probability"] = float((pairs + known) / (count.sum() + PRIOR_PAIRS))


def _worth(trained: Sequence[Comparison]) -> dict[str, tuple[float, float]]:
    worth = {}
    for comparison in trained:
        bits = [
            float(np.log2(level["m_probability"] / level["u_probability"]))
            for level in comparison["comparison_levels"]
            if level.get("m_probability") and level.get("u_probability")
        ]
        worth[str(comparison["output_column_name"])] = (round(max(bits), 1), round(min(bits), 1))
    return worth
