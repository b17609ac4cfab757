"""What of a contributor's file leaves its computer: only what the mapping reads.

The file that leaves has a row for each row that was read, so that the hub's account of rows is the
contributor's own, but not each cell:

- a column that no rule of the mapping reads stays, and so does every stripped one;
- a cell out of which the mapping reads a year, an age band or a country leaves as that, where the
  mapping reads the same from it and the value from no other column, and else as it is;
- a number of a case becomes a code under a secret that stays with the contributor (HMAC-SHA256):
  the same number gives the same code in each delivery, and nobody else can make it;
- of a row that a rule excludes, for want of consent for example, nothing leaves but the key of the
  person and the cells by which the rule excludes it: a person of whom an older delivery had a
  record goes.  Tokens that find her at other contributors stay here.
"""

import hashlib
import hmac
import json
import re
import secrets
import tempfile
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import yaml
from pydantic import Field, ValidationError

from ctdhub.core.errors import error
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.keys.signing import SigningKey, is_signed
from ctdhub.core.tables import FILE_ROW, as_csv, fold, trim
from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import STANDING
from ctdhub.sensitive.bundle.pack import HubCard, Signable, grouped
from ctdhub.sensitive.ingest.delimited import unescaped
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RULE as NOTES
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.mapping.identifiers import Keying
from ctdhub.sensitive.mapping.mapping import Exclusion, Mapping, PerpetratorRule
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.parsers import Header
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

# --------------------------------------------------------------------------------------------------
# The mapping that goes with what leaves: the same rules, for a file that is plain by now.

PLAIN = {
    "delimiter": ",",
    "encoding": "utf-8",
    "kobo": "false",
    "footer": "none",
    "notes": "records",
}
"""How the file that leaves is read, with nothing left to be found out."""


def leaving_mapping(mapping: Mapping) -> str:
    """The YAML of a mapping with another way of reading, written anew: comments may quote cells.

    Child rows leave as lists in the cells of their record, and are read as such.
    """
    lists = {"lists": mapping.read.lists} if mapping.read.lists else {}
    update = {"perpetrators": _in_lists(mapping), "name": "mapping"}
    wanted = mapping.model_copy(update=update | {"read": ReadOptions.model_validate(PLAIN | lists)})
    values = wanted.model_dump(mode="json", by_alias=True, exclude_unset=True)
    values |= {"read": PLAIN | lists}
    values.pop("name", None)
    made = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)
    if parse_mapping(made, "mapping.yaml").model_copy(update={"name": "mapping"}) != wanted:
        raise ValueError("the mapping cannot be written for what leaves")
    return made


def _in_lists(mapping: Mapping) -> PerpetratorRule | None:
    """The rules of child rows for the lists that these were folded into."""
    rule = mapping.perpetrators
    if rule is None or rule.child is None:
        return rule
    return PerpetratorRule(split=mapping.read.mark, aligned=True, columns=rule.columns)


SECRET_BYTES = 32
"""Bytes that the secret of codes has at least."""

Fate = Literal["leaves", "coarse", "coded", "birth", "token", "stripped", "unread"]
"""leaves: as it is.  coarse: no more of a cell than the year, age band or country that is read out
of it.  coded: as a code.  birth: as it is, a date of birth.  token: a keyed token.
stripped: a decision of the mapping keeps it here.  unread: no rule reads it, so it stays here."""


@dataclass(frozen=True)
class ColumnFate:
    """What becomes of a column of the contributor's file."""

    name: str
    fate: Fate

    @property
    def stays(self) -> bool:
        """Whether nothing of it leaves."""
        return self.fate in ("stripped", "unread")


@dataclass(frozen=True)
class WhatLeaves:
    """What would leave.  Sensitive.

    Attributes:
        cases: the file, CSV in UTF-8.
        mapping: text of the mapping that reads it.
        columns: what becomes of each column of the contributor's file, in its order.
        rows: rows of what leaves, notes left out.
        withheld: rows of which only the code and the reason leaves, since a rule or their status
            excludes them.
        report: the account of the rows, counts only.
    """

    cases: bytes
    mapping: str
    columns: tuple[ColumnFate, ...]
    rows: int
    withheld: int
    report: dict[str, Any]


def leaving(
    raw: RawTable,
    mapping: Mapping,
    contributor: str,
    years: tuple[int, int],
    secret: bytes,
    private: Path,
) -> WhatLeaves:
    """What leaves of a file.

    Args:
        raw: the file as read.
        mapping: how it is read.
        contributor: id of the contributor.
        years: first and last year of the hub's public bounds, both included.
        secret: by which numbers of cases become codes; at least 32 bytes.
        private: a folder where case data may be, in which what leaves is for a moment.

    Raises:
        FileError: child rows are not folded into a list (rule "leaves-children"); every row is left
            out for want of an answer that no row has ("leaves-nothing"); or what would leave does
            not give the same records ("leaves-differ").
        HubError: as :func:`ctdhub.sensitive.mapping.run.harmonise`.
    """
    if len(secret) < SECRET_BYTES:
        raise ValueError("the secret of the codes needs at least 32 bytes")
    _check_lists(raw, mapping)
    done = harmonise(raw, mapping, contributor, years, secret)
    again = partial(harmonise, mapping=mapping, contributor=contributor, years=years, key=secret)
    fates = column_fates(raw, mapping)
    raw, coarse = _coarsened(raw, mapping, fates, done, again)
    fates = [replace(f, fate="coarse") if f.name in coarse else f for f in fates]
    table, unread = _without_notes(unescaped(raw.table), done, raw.rejects.num_rows)
    rows = table["_row"].combine_chunks()
    kept = pc.is_in(rows, value_set=done.records["source_row"].combine_chunks())
    faulty = pc.is_in(rows, value_set=done.rejects["source_row"].combine_chunks())
    whole = pc.or_(kept, faulty)
    telling, standing = _told_of_excluded(mapping), _told_of_standing(mapping)
    outside = pc.is_in(rows, value_set=pa.array(done.not_victims, pa.int64()))
    columns: dict[str, list[str | None]] = {FILE_ROW: [str(row) for row in rows.to_pylist()]}
    for column in (one for one in fates if not one.stays):
        cells = table[column.name].combine_chunks()
        if column.fate == "coded":
            columns[column.name] = _codes(mapping, contributor, secret, column.name, cells)
            continue
        if fold(column.name) not in telling:
            mask = pc.or_(whole, outside) if fold(column.name) in standing else whole
            cells = pc.if_else(mask, cells, pa.scalar(None, pa.string()))
        columns[column.name] = cells.to_pylist()
    cases = as_csv(list(columns), zip(*columns.values(), strict=True)).encode()
    withheld = len(rows) - pc.sum(whole.cast(pa.int64())).as_py() if len(rows) else 0
    if withheld == len(rows) > 0 and (silent := _unanswered(table, mapping)):
        raise error("leaves-nothing", file=raw.file, column=silent)
    plain = leaving_mapping(mapping)
    back, rules = _read_back(cases, plain, private)
    if _content(harmonise(back, rules, contributor, years, bytes(32)), 0) != _content(done, unread):
        raise error("leaves-differ", file=raw.file)
    return WhatLeaves(cases, plain, tuple(fates), len(rows), withheld, _account(done, unread))


def _read_back(cases: bytes, plain: str, private: Path) -> tuple[RawTable, Mapping]:
    """What would leave, read as the hub will, and the mapping that goes with it."""
    rules = parse_mapping(plain, "mapping.yaml")
    with tempfile.TemporaryDirectory(dir=private, prefix=".leaving-") as folder:
        file = Path(folder) / "cases.csv"
        file.write_bytes(cases)
        return read_isolated(file, rules.read), rules


def _unanswered(table: pa.Table, mapping: Mapping) -> str | None:
    """The first column by which rows are excluded that says nothing in any row, or is not there.

    Corrections leave cells empty where nothing changed: their rows would all stay here.
    """
    header, empty = Header(table.column_names), {"", *map(fold, mapping.empty)}
    for _place, rule in mapping.uses():
        for column in rule.columns() if isinstance(rule, Exclusion) else ():
            name = header.find(column)
            if name is None or {fold(t or "") for t in pc.unique(table[name]).to_pylist()} <= empty:
                return column
    return None


def _coarsened(
    raw: RawTable,
    mapping: Mapping,
    fates: Collection[ColumnFate],
    done: Harmonised,
    again: Callable[[RawTable], Harmonised],
) -> tuple[RawTable, set[str]]:
    """The file with cells that say no more than is read out of them, and the columns they are of.

    Args:
        fates: what would become of its columns.
        done: what the mapping reads from the file.
        again: reads another file by it; a column of which it reads anything else stays as it is.
    """
    apart = {fold(name) for name in mapping.names_people()}
    apart |= {fold(name) for rows in raw.children.values() for name in rows.column_names}
    plain = [c.name for c in fates if c.fate == "leaves"]
    changes: dict[str, pa.ChunkedArray] = {}
    for name in (c for c in plain if fold(c) not in apart):
        for variable, rules in mapping.columns.items():
            alone = all({*map(fold, rule.source)} == {fold(name)} for rule in rules)
            if alone and any(rule.year or rule.band or rule.country for rule in rules):
                changes.setdefault(name, _as_read(raw.table, done, name, variable))

    def less(names: Collection[str]) -> RawTable:
        each = {n: changes[n] if n in names else raw.table[n] for n in raw.table.column_names}
        return replace(raw, table=pa.table(each))

    def same(names: Collection[str]) -> bool:
        return _content(again(less(names)), 0) == _content(done, 0)

    coarse = [name for name, cells in changes.items() if not cells.equals(raw.table[name])]
    if coarse and not same(coarse):
        kept: list[str] = []
        for name in coarse:
            kept += [name] if same([*kept, name]) else []
        coarse = kept
    return less(coarse), set(coarse)


def _as_read(table: pa.Table, done: Harmonised, name: str, variable: str) -> pa.ChunkedArray:
    """The cells of a column, each text that is read to one value as that value."""
    rows = pc.index_in(table["_row"], value_set=done.records["source_row"].combine_chunks())
    values = done.records[variable].cast(pa.string()).take(rows)
    pairs = pa.table({"text": table[name], "value": values}).filter(pc.is_valid(rows))
    read: dict[str | None, list[str | None]] = {}
    for pair in pairs.group_by(["text", "value"]).aggregate([]).to_pylist():
        read.setdefault(pair["text"], []).append(pair["value"])
    plain = {text: each[0] for text, each in read.items() if len(each) == 1 and each[0]}
    cells = [plain.get(text, text) if text else text for text in table[name].to_pylist()]
    return pa.chunked_array([pa.array(cells, pa.string())])


def _check_lists(raw: RawTable, mapping: Mapping) -> None:
    """See that child rows can leave as lists in the cells of their record.

    Raises:
        FileError: a column of theirs is folded into one text, or into none ("leaves-children").
    """
    rule = mapping.perpetrators
    if rule is None or rule.child is None or rule.child not in raw.children:
        return
    child = mapping.read.children.get(rule.child)
    header = Header(raw.children[rule.child].column_names)
    for column in filter(None, map(header.find, rule.sources())):
        if child and child.fold.get(column.removeprefix(f"{rule.child}."), "list") != "list":
            raise error("leaves-children", file=raw.file, column=column)


def _without_notes(table: pa.Table, done: Harmonised, unread: int) -> tuple[pa.Table, int]:
    """The rows that leave, and how many could not be read or are notes about which nobody decided.

    Notes are no rows of what leaves: without the cells that stay, nothing would tell them from
    records.
    """
    asked = pc.sum(pc.equal(done.rejects["rule"], NOTES)).as_py() or 0
    keep = pc.invert(pc.is_in(table["_row"], value_set=pa.array(done.notes, pa.int64())))
    return table.filter(keep), unread + asked


def column_fates(raw: RawTable, mapping: Mapping) -> list[ColumnFate]:
    """What becomes of each column of a file, in its order."""
    used = {fold(c) for _place, rule in mapping.uses() for c in rule.columns()}
    columns, action = mapping.key_columns() or ((), "")
    keyed = {fold(c) for c in (*(columns if action == "hash" else ()), mapping.case_column()) if c}
    tokens = {fold(c) for c in (*mapping.tokens, *(columns if action == "token" else ()))}
    births = {fold(c) for c, d in mapping.identifiers.items() if d.action == "band"}
    of: dict[Fate, set[str]] = {  # the first that a column is of
        "stripped": {*map(fold, mapping.stripped())},
        "coded": keyed - used,
        "token": tokens,
        "birth": (used | keyed) & births,
        "leaves": used | keyed,
    }
    names = [name for name in raw.column_names() if name != "_row"]
    fates = [next((fate for fate, own in of.items() if fold(n) in own), None) for n in names]
    return [ColumnFate(n, fate or "unread") for n, fate in zip(names, fates, strict=True)]


def check_case_codes(mapping: Mapping) -> None:
    """See that a hub finds people by the codes of the numbers of their cases.

    Raises:
        WithdrawalError: it does not: these numbers leave as they are, or no one column has them
            (rule "withdrawal-codes").
    """
    key, case = mapping.key_columns(), mapping.case_column()
    if case is None and key and key[1] == "hash" and len(key[0]) == 1:
        (case,) = key[0]
    used = {fold(c) for _place, rule in mapping.uses() for c in rule.columns()}
    if case is None or fold(case) in used:
        raise error("withdrawal-codes/kit")


def codes_print(secret: bytes) -> str:
    """Fingerprint of the secret of codes: another one means that codes are not comparable."""
    return grouped(hmac.digest(secret, b"ctdhub codes of cases", hashlib.sha256).hex()[:16], "-")


def _codes(
    mapping: Mapping, contributor: str, secret: bytes, column: str, cells: pa.Array
) -> list[str | None]:
    """The code of each cell of a key column, None where it names no case."""
    empty = frozenset({"", "-99", *map(fold, mapping.empty)})
    key, texts = mapping.key_columns(), cells.to_pylist()
    if not key or fold(column) not in {fold(c) for c in key[0][1:]}:
        keying = Keying((column,), "hash", contributor, secret, empty)
        return [code_of(text, keying) for text in texts]
    plain = [trim(text or "") for text in texts]  # it counts people of a case: 0 is a number
    codes = (hmac.digest(secret, b"further\0" + text.encode(), hashlib.sha256) for text in plain)
    both = zip(plain, codes, strict=True)
    return [None if fold(text) in empty else code.hex()[:32] for text, code in both]


CODE = "c[0-9a-f]{31}"
"""How a code is written."""


def code_of(text: str | None, keying: Keying) -> str | None:
    """The code of a number of a case, None where it names no case."""
    code = keying.of(text)
    return f"c{code[:31]}" if code else None


def is_code(text: str) -> bool:
    """Whether a text is such a code."""
    return re.fullmatch(CODE, text) is not None


def _told_of_excluded(mapping: Mapping) -> set[str]:
    """Folded names of the columns by which rows are excluded, and by which people are known."""
    columns, action = mapping.key_columns() or ((), "")
    rules = [rule for _place, rule in mapping.uses() if isinstance(rule, Exclusion)]
    by = [*(columns if action == "token" else ()), *(c for rule in rules for c in rule.columns())]
    return {*map(fold, by)}


def _told_of_standing(mapping: Mapping) -> set[str]:
    """Folded names of the columns that say who is not a victim."""
    columns, waiting = set[str](), [STANDING]
    while waiting:  # from_hub leads in no circle
        for rule in mapping.columns.get(waiting.pop(), ()):
            columns |= {fold(column) for column in rule.columns()}
            waiting += [rule.from_hub] if rule.from_hub else []
    return columns


def _account(done: Harmonised, unread: int) -> dict[str, Any]:
    """Counts of the contributor's own rows; those that could not be read cannot leave."""
    excluded = {rule: n for rule, n in sorted(done.conservation.excluded.items()) if n}
    return asdict(done.conservation) | {"unread": unread, "excluded": excluded}


def _content(done: Harmonised, unread: int) -> tuple[Any, ...]:
    """All that a hub takes from a harmonised file, whatever its keys are made with.

    Notes are no rows of what leaves.

    Args:
        unread: rows that could not be read at all, and so cannot leave.
    """
    names = [n for n in arrow_schema("records").names if n in done.records.column_names]
    perpetrators = done.perpetrators.drop_columns(["record_id"])
    return (
        done.records.select(names).to_pylist(),
        _groups(done.records["person_key"]),
        perpetrators.to_pylist(),
        done.tokens.num_rows,
        pc.sum(done.no_record["excluded"]).as_py(),
        done.no_record.num_rows,
        done.births.num_rows,
        done.conservation.rejected - unread,
        {rule: n for rule, n in done.conservation.excluded.items() if rule != NOTES},
    )


def _groups(keys: pa.ChunkedArray) -> list[int | None]:
    """Which rows have one key, whatever it is; None for a row without."""
    coded = keys.combine_chunks().dictionary_encode()
    return list(coded.indices.to_pylist())


# --------------------------------------------------------------------------------------------------
# The report of a withdrawal by an organisation that sends codes: a small signed file of them.
#
# Apart from the bundle: it is not encrypted, for without the organisation's own secret a code tells
# nothing of a person.


WITHDRAWAL_SUFFIX = ".ctdwithdrawal"
MOST_CODES = 100
"""Codes of one file: a hub asks about each."""
LARGEST = 2**14
"""Bytes of a file, read before anything of it is understood."""

Reach = Literal["person", "records"]
"""A person at every contributor, or in the records of this one alone."""


class WithdrawalFile(Signable):
    """What the organisation signs.

    Attributes:
        kind: the form of the file.
        hub: name of the hub that it is for.
        contributor: id of the organisation.
        scope: see :data:`Reach`.
        codes: of the numbers of cases, in the order in which these were written.
        number: drawn for this file, so that the same one is not taken twice.
        signer: public key of the organisation.
    """

    kind: Literal["ctdhub-withdrawal-1"] = "ctdhub-withdrawal-1"
    hub: str = Field(min_length=1, max_length=200)
    contributor: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    scope: Reach = "person"
    codes: tuple[Annotated[str, Field(pattern=f"^{CODE}$")], ...] = Field(
        min_length=1, max_length=MOST_CODES
    )
    number: str = Field(pattern="^[0-9a-f]{32}$")
    signer: str = Field(max_length=200)


class SignedWithdrawal(FrozenModel):
    """What was signed, and the signature in base64."""

    withdrawal: WithdrawalFile
    signature: str


def write_withdrawal(
    card: HubCard, numbers: Sequence[str], scope: Reach, key: SigningKey, secret: bytes
) -> bytes:
    """The file of a report.

    Args:
        card: of the hub that it is for.
        numbers: of the cases, as the organisation's own file has them.
        scope: see :data:`Reach`.
        key, secret: the organisation's own, with which it signs and makes codes.

    Raises:
        WithdrawalError: there is none, more than :data:`MOST_CODES`, or one names no case.
    """
    if not 0 < len(numbers) <= MOST_CODES:
        raise error("told-numbers", n=MOST_CODES)
    keying = Keying(("case",), "hash", card.contributor, secret, frozenset({"", "-99"}))
    codes: list[str] = []
    for place, number in enumerate(numbers, 1):
        code = code_of(number, keying)
        if code is None:
            raise error("no-number", place=place)
        codes.append(code)
    made = WithdrawalFile(
        hub=card.hub, contributor=card.contributor, scope=scope, codes=tuple(codes),
        number=secrets.token_hex(16), signer=key.public,
    )  # fmt: skip
    signed = SignedWithdrawal(withdrawal=made, signature=key.sign(made.message()))
    return json.dumps(signed.model_dump(mode="json"), indent=1).encode() + b"\n"


def is_withdrawal(content: bytes) -> bool:
    """Whether a file means to be one; a list of numbers does not begin so."""
    return content.lstrip().startswith(b"{")


def parse_withdrawal(content: bytes) -> WithdrawalFile:
    """What an organisation signed.

    Raises:
        FileError: it is no such file, it is too large, or it was changed (rule "withdrawal-file").
    """
    with suppress(ValidationError, RecursionError):
        signed = SignedWithdrawal.model_validate_json(content if len(content) <= LARGEST else b"")
        file = signed.withdrawal
        if is_signed(file.message(), signed.signature, file.signer):
            return file
    raise error("withdrawal-file", n=MOST_CODES)
