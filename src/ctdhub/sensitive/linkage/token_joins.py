"""Persons joined by further tokens, and those who may be one and are not joined."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.tables import counts_of
from ctdhub.schema.model import ORIGIN, SEX
from ctdhub.sensitive.duck import run_whole
from ctdhub.sensitive.linkage.pprl.derive import CAPTURES, JOINING, QUALITIES, QUALITY

# --------------------------------------------------------------------------------------------------
# Persons who are one person by further tokens: any equal token joins, a few of each person count.
#
# A person is who has one person key.  She brings at most ``most`` tokens, which follow from her own
# records alone, and there is no rule about others: so without her those whom she held together fall
# into at most ``most`` people, and noise can cover that (decision 27).
#
# A token counts together with the gender and the citizenship of its record: that makes agreement by
# chance a score of times rarer, and is still a matter of her own records.

ORDER = f"{JOINING}iefhbdacg"
"""Kinds of tokens, those first that join first: since format 2 of tokens the contributor, who has
the names, ranks them (:data:`JOINING`); the rest are for tokens of format 1, in the order in which
they add most to the link token: see ``docs/explanation/linkage.md``."""

JOINS = pa.schema([pa.field("person", pa.string()), pa.field("one", pa.string())])
"""Persons who are another: their key, and the key that stands for both (the least of all)."""

MARKS = pa.schema([pa.field("person", pa.string()), pa.field("mark", pa.string())])
"""Persons and what they share with others."""

_SHARED = f"""
WITH marks AS (
    SELECT coalesce(r.person_key, r.record_id) AS person,
           CASE WHEN contains('{JOINING}', t.token[1]) THEN substr(t.token, 3) ELSE t.token END
           || ' ' || coalesce(r.{SEX}, '') || ' ' || coalesce(r.{ORIGIN}, '') AS mark,
           min(instr('{ORDER}', t.token[1])) AS kind, count(*) AS times
    FROM tokens t JOIN records r USING (record_id)
    WHERE contains('{ORDER}', t.token[1]) AND t.token IS DISTINCT FROM r.person_key
    GROUP BY 1, 2
), ranked AS (
    SELECT person, mark, kind,
           row_number() OVER (PARTITION BY person, kind ORDER BY times DESC, mark) AS nth
    FROM marks
), kept AS (
    SELECT person, mark FROM ranked
    QUALIFY row_number() OVER (PARTITION BY person ORDER BY nth, kind, mark) <= {{most:d}}
)
SELECT person, mark FROM kept
WHERE mark IN (SELECT mark FROM kept GROUP BY mark HAVING count(*) > 1)
ORDER BY 1, 2
"""


def joins(records: pa.Table, tokens: pa.Table, most: int) -> pa.Table:
    """Whom tokens join, schema :data:`JOINS`, sorted; each row is one person fewer.

    Args:
        records: ``record_id``, ``person_key``, ``gender``, ``citizenship``.
        tokens: schema ``ctdhub.sensitive.mapping.identifiers.TOKENS``.
        most: tokens of a person that count, one of each kind before a second and what more of her
            records have before what fewer have; 0 joins nobody.
    """
    return pieces(marks(records, tokens, most))


def marks(records: pa.Table, tokens: pa.Table, most: int) -> pa.Table:
    """The marks that persons share, of at most ``most`` of each person; sorted by person.

    Args:
        records, tokens, most: as in :func:`joins`.

    Returns:
        Schema :data:`MARKS`.
    """
    if not most:
        return MARKS.empty_table()
    return run_whole(_SHARED.format(most=most), records=records, tokens=tokens)


def pieces(shared: pa.Table) -> pa.Table:
    """Connected persons, schema :data:`JOINS`.

    Args:
        shared: schema :data:`MARKS`; sorted by person.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = shared["person"].combine_chunks().dictionary_encode()
    marks = shared["mark"].combine_chunks().dictionary_encode()
    n, m = len(rows.dictionary), len(marks.dictionary)
    ends = rows.indices.to_numpy(), marks.indices.to_numpy() + n
    ties = coo_array((np.ones(len(rows), np.int8), ends), shape=(n + m, n + m))
    piece = connected_components(ties, directed=False)[1][:n]
    __, first, which = np.unique(piece, return_index=True, return_inverse=True)
    least = first[which]  # the rows are sorted, so the first of a piece is its least
    others = np.flatnonzero(least != np.arange(n))
    names = (rows.dictionary.take(pa.array(at)) for at in (others, least[others]))
    return pa.table(list(names), schema=JOINS)


def joint_keys(persons: pa.Array, joined: pa.Table) -> pa.Array:
    """Persons by the key that stands for them.

    Args:
        persons: keys.
        joined: schema :data:`JOINS`.
    """
    if not joined.num_rows:
        return persons
    place = pc.index_in(persons, value_set=joined["person"].combine_chunks())
    return pc.coalesce(joined["one"].combine_chunks().take(place), persons)


# --------------------------------------------------------------------------------------------------
# Persons who may be one of the others: counts from which a release estimates what joins miss.
#
# Tokens of :data:`CAPTURES` leave out one fact each of what makes a person (own name, family name,
# year or day of birth).  Persons whom they join beyond the released rows are *possible doubles*.
# Each kind is a capture: who agrees on the other facts is found although that one differs.  How
# often that happens says how often two facts differ at once, which no kind finds.
#
# One token of each kind counts for a person, of her own records alone, so that taking her away
# changes the counts by a bounded number (decision 63).

CELLS = {"n": "names", "o": "own_name", "p": "family_name", "r": "year_and_place"}
"""What the captures are called in a release."""

SHARED = "shared"
"""Among them: people of the released rows whom two contributors or more know."""

_CAPTURED = f"""
WITH marks AS (
    SELECT coalesce(r.person_key, r.record_id) AS person, t.token AS mark, count(*) AS times
    FROM tokens t JOIN records r USING (record_id)
    WHERE contains('{CAPTURES}', t.token[1]) GROUP BY 1, 2
), kept AS (
    SELECT person, mark FROM marks
    QUALIFY row_number() OVER (PARTITION BY person, mark[1] ORDER BY times DESC, mark) = 1
)
SELECT person, mark FROM kept
WHERE mark IN (SELECT mark FROM kept GROUP BY mark HAVING count(*) > 1)
"""

_FACTS = f"""
WITH said AS (
    SELECT coalesce(person_key, record_id) AS person, min({ORIGIN}) AS of
    FROM records GROUP BY 1
), known AS (
    SELECT DISTINCT coalesce(r.person_key, r.record_id) AS person, TRUE AS known
    FROM tokens t JOIN records r USING (record_id)
    WHERE starts_with(t.token, '{QUALITY}') AND t.token <> '{QUALITIES["no_key"]}'
)
SELECT person, coalesce(of, '') AS of, coalesce(known, FALSE) AS known
FROM said LEFT JOIN known USING (person) ORDER BY 1
"""

_CONTRIBUTORS = """
SELECT DISTINCT coalesce(r.person_key, r.record_id) AS person, t.contributor AS by
FROM tokens t JOIN records r USING (record_id)
"""


@dataclass(frozen=True)
class PossibleDoubles:
    """Exact counts.  Sensitive.

    Attributes:
        citizenship: possible doubles by citizenship, "" where not recorded.
        without_key: persons without any token of :data:`CAPTURES`: each may be a double, and is
            among those by citizenship.
        captures: persons whom each kind alone joins beyond the rows, and :data:`SHARED`.
    """

    citizenship: Mapping[str, int] = field(default_factory=dict)
    without_key: int = 0
    captures: Mapping[str, int] = field(default_factory=dict)


def possible_doubles(
    records: pa.Table, tokens: pa.Table, rows: pa.Table, most: int
) -> PossibleDoubles:
    """Count the possible doubles among released rows.

    Args:
        records: those that have tokens: ``record_id``, ``person_key``, ``gender``, ``citizenship``.
        tokens: schema ``ctdhub.sensitive.mapping.identifiers.TOKENS``.
        rows: whom released rows join, schema ``token_joins.JOINS``.
        most: tokens of a person by which they join.
    """
    kept = marks(records, tokens, most)
    captured = run_whole(_CAPTURED, records=records, tokens=tokens)
    of_kind = {
        kind: pieces(_sorted(kept, captured.filter(pc.starts_with(captured["mark"], kind))))
        for kind in CAPTURES
    }
    every = pieces(_sorted(kept, captured))
    twice = every.filter(pc.invert(pc.is_in(every["person"], rows["person"].combine_chunks())))
    facts = run_whole(_FACTS, records=records, tokens=tokens)
    without = pc.invert(facts["known"])
    inside = pc.is_in(facts["person"], twice["person"].combine_chunks())
    possible = pc.or_(inside, without)
    by = run_whole(_CONTRIBUTORS, records=records, tokens=tokens)
    known = pa.table({"person": joint_keys(by["person"].combine_chunks(), rows), "by": by["by"]})
    times = known.group_by("person").aggregate([("by", "count_distinct")])["by_count_distinct"]
    captures = {CELLS[kind]: piece.num_rows - rows.num_rows for kind, piece in of_kind.items()}
    return PossibleDoubles(
        counts_of(facts["of"].filter(possible)),
        pc.sum(without).as_py() or 0,
        captures | {SHARED: pc.sum(pc.greater(times, 1)).as_py() or 0},
    )


def _sorted(*parts: pa.Table) -> pa.Table:
    return pa.concat_tables(parts).sort_by([("person", "ascending"), ("mark", "ascending")])
