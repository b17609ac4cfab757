"""One pass over a file: tokens are added, identifiers go, the rest stays as it was."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ctdhub.core.errors import error
from ctdhub.core.files import made_whole
from ctdhub.core.i18n import Text
from ctdhub.core.tables import ROW, trim
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.linkage.pprl import derive
from ctdhub.sensitive.linkage.pprl.columns import TokenPlan
from ctdhub.sensitive.linkage.pprl.names import parts
from ctdhub.sensitive.mapping.identifiers import SEPARATOR, TOKEN_COLUMN, TOKENS_COLUMN

BATCH = 10_000
FORMS = (".csv", ".parquet")


@dataclass(frozen=True)
class Made:
    """The account of one file; no value of it.

    Attributes:
        rows: rows read and written.
        tokens: tokens made of what rows say, by kind; every row has the same number with those that
            fill it up.
        without_token: rows without the one token that stands for a person.
        without_any: rows that say too little for any token.
        births_unread: rows with a birth date that could not be read for certain.
        without_age: rows without an age, by reason; None where no age is added.
    """

    rows: int
    tokens: dict[str, int]
    without_token: int
    without_any: int
    births_unread: int
    without_age: dict[derive.Lack, int] | None = None


def tokenise(
    raw: RawTable,
    plan: TokenPlan,
    tokeniser: derive.Tokeniser,
    out: Path,
    age: derive.AgeAt | None = None,
    progress: Callable[[Text, float], None] | None = None,
    persons: Sequence[str] | None = None,
) -> Made:
    """Write the file that may leave: case columns and tokens, never an identifier.

    Args:
        raw: the file as read.
        plan: what happens to each column.
        tokeniser: the key, for one release.
        out: a new file, .csv or .parquet; readable by its owner alone.
        age: adds a column ``age``, since the birth date is stripped.
        progress: called with a message and the fraction done.
        persons: by row, the token that stands for the person in place of the row's own.

    Raises:
        UnreadableFile: a row cannot be read; no row is left out silently.
        FileError: ``out`` exists, or ends in something else; no row would get an age.
    """
    raw.whole()
    check_new(out)
    if age:
        derive.check_ages(raw, plan, age)
    leaves = [c.name for c in plan.columns if c.fate in ("stay", "code")]
    schema = pa.schema(
        [
            (n, pa.string())
            for n in (*leaves, *((derive.AGE,) if age else ()), TOKEN_COLUMN, TOKENS_COLUMN)
        ]
    )
    counts, ageless = Counter[str](), Counter[derive.Lack]()
    total = max(raw.table.num_rows, 1)
    with _writer(out, schema) as write:
        for done in range(0, raw.table.num_rows, BATCH):
            if progress:
                progress(Text("Making tokens"), done / total)
            rows = raw.table.slice(done, BATCH)
            columns = {name: rows[name] for name in plan.fated("stay")}
            columns |= {name: _codes(rows[name], tokeniser) for name in plan.fated("code")}
            of_rows = None if persons is None else persons[done : done + BATCH]
            columns |= _tokens(rows, plan, tokeniser, of_rows, counts)
            if age:
                columns[derive.AGE] = derive.ages(rows, plan, age, ageless)
            write(pa.table([columns[name] for name in schema.names], schema=schema))
    return Made(
        rows=raw.table.num_rows,
        tokens={kind: counts[kind] for kind in sorted(counts.keys() & {*derive.EACH})},
        without_token=counts["no token"],
        without_any=counts["none"],
        births_unread=counts["unread"],
        without_age=dict(sorted(ageless.items())) if age else None,
    )


def check_new(out: Path) -> None:
    """Refuse a name that cannot be written before anything is read.

    Raises:
        FileError: it exists, or ends in something else than .csv or .parquet.
    """
    if out.suffix.lower() not in FORMS:
        raise error("format-suffix/tokens", file=out)
    if out.exists():
        raise error("no-overwrite/tokens", file=out)


def _tokens(
    rows: pa.Table,
    plan: TokenPlan,
    tokeniser: derive.Tokeniser,
    persons: Sequence[str] | None,
    counts: Counter[str],
) -> dict[str, pa.Array]:
    """Both columns of tokens; ``counts`` has them by kind, and rows that lack something."""
    one, every = [], []
    cells = zip(*(rows[name].to_pylist() for name in rows.column_names if name != ROW),
                strict=True)  # fmt: skip
    for at, (person, row) in enumerate(zip(people_of(rows, plan), cells, strict=True)):
        first, tokens = tokeniser.tokens(person)
        if persons is not None and (first := persons[at]):
            tokens = (first, *(token for token in tokens if token[0] != derive.PERSON))
        counts.update(token[0] for token in tokens)
        counts["no token"] += not first
        counts["none"] += not tokens
        counts["unread"] += bool(person.birth and derive.read_birth(person.birth) is None)
        one.append(first or None)
        filled = tokeniser.filled(tokens, json.dumps([rows.column_names, row]))
        birth = derive.QUALITIES[derive.quality_of(person)]
        every.append(SEPARATOR.join((tokeniser.check, birth, *filled)))
    return {TOKEN_COLUMN: pa.array(one, pa.string()), TOKENS_COLUMN: pa.array(every, pa.string())}


def people_of(rows: pa.Table, plan: TokenPlan) -> Iterator[derive.Identity]:
    """What each row says of a person, read from the columns of the plan."""

    def cells(column: str | None) -> list[str]:
        if column is None:
            return [""] * rows.num_rows
        return rows[column].fill_null("").to_pylist()  # type: ignore[no-any-return]

    births, places = cells(plan.of("birth")), cells(plan.of("place"))
    if whole := plan.of("name"):
        for name, birth, place in zip(cells(whole), births, places, strict=True):
            *forenames, family = parts(name) or ("",)
            yield derive.Identity(" ".join(forenames), family, trim(birth), place)
        return
    for forename, family, birth, place in zip(
        cells(plan.of("given")), cells(plan.of("family")), births, places, strict=True
    ):
        yield derive.Identity(forename, family, trim(birth), place)


def _codes(column: pa.ChunkedArray, tokeniser: derive.Tokeniser) -> pa.Array:
    codes = [tokeniser.case(cell) if cell else None for cell in column.to_pylist()]
    return pa.array(codes, pa.string())


@contextmanager
def _writer(out: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Write beside the file and put it in place at the end, so that no half file is ever seen."""
    with made_whole(out) as part:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            if out.suffix.lower() == ".csv":
                options = pa_csv.WriteOptions(quoting_style="needed")
                with pa_csv.CSVWriter(file, schema, write_options=options) as csv:
                    yield csv.write_table
            else:
                with pq.ParquetWriter(file, schema, compression="zstd") as parquet:
                    yield parquet.write_table
