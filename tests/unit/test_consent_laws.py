"""Ten thousand random sequences of withdrawals and re-contributions, against a plain model.

Each sequence has contributors and people of its own; 500 of them share one register, and 2,000 one
table, so that linking thousands of hubs takes seconds.  The model below knows numbers and tokens in
the clear and nothing of marks, keys or registers.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from ctdhub.core.errors import WithdrawalError
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.consent.register import (
    Filed,
    Register,
    Withdrawal,
    WitnessedHead,
    also_known,
    elsewhere,
    in_force,
    left_out,
    mark,
    read,
)
from ctdhub.sensitive.linkage.people import Linked, link, persons_of
from ctdhub.sensitive.mapping.identifiers import Keying, keyings
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import CASES

SCHEMA = load_schema()
SECRET = b"a person key of a test, 32 bytes"
SEQUENCES, TOGETHER, STEPS = 2_000, 200, 6
COLUMNS = "columns:\n  gender: {from: sex, map: {F: female, M: male}}\n"
MAPPINGS = {
    "both": "version: 1\nidentifiers: {case_no: case, link: token}\n" + COLUMNS,
    "token": "version: 1\nidentifiers: {case_no: strip, link: token}\n" + COLUMNS,
    "hash": "version: 1\nidentifiers: {case_no: hash}\n" + COLUMNS,
}
KINDS = {name: parse_mapping(text, f"{name}.yaml") for name, text in MAPPINGS.items()}


Told = tuple[str, str, str, str]


@dataclass(frozen=True)
class Row:
    """One row of a fictitious file; the person behind it is known to the test alone."""

    contributor: str
    case: str
    token: str | None
    gender: str
    year: int


@dataclass
class Sequence:
    """One hub of the model: rows by file, and what was told in the clear.

    Attributes:
        told: contributor, how, value and scope of each withdrawal in force, and the tokens that
            stood beside the case when it was told.
    """

    name: str
    files: list[list[Row]] = field(default_factory=list)
    told: dict[Told, set[str]] = field(default_factory=dict)

    def contributor(self, kind: str) -> str:
        return f"{self.name}-{kind}"

    def read(self) -> list[Row]:
        """Rows of contributors that did not withdraw."""
        left = {contributor for contributor, how, *_rest in self.told if how == "all"}
        return [row for file in self.files for row in file if row.contributor not in left]

    def gone(self) -> set[Row]:
        """Rows that may be in nothing any more, by the words of the documentation."""
        rows = self.read()
        out = {row for file in self.files for row in file} - set(rows)
        for (contributor, how, value, scope), beside in self.told.items():
            at = [row for row in rows if row.contributor == contributor]
            if scope == "records":
                out |= {r for r in at if value == (r.case if how == "case" else r.token)}
            elif scope == "person":
                hers = {r for r in at if how == "case" and r.case == value}
                tokens = beside | {r.token for r in hers if r.token}
                tokens |= {value} if how == "token" else set()
                out |= hers | {row for row in rows if row.token in tokens}
        return out


def keying(contributor: str, how: str) -> Keying:
    person, case = keyings(KINDS[contributor.rpartition("-")[2]], contributor, SECRET)
    found = person if how == "token" else case or person
    assert found is not None
    return found


def rows_of(sequence: Sequence, draw: random.Random) -> list[Row]:
    """A file of some of five people; people of earlier files come again, with the same numbers."""
    kind = draw.choice(list(KINDS))
    who = sequence.contributor(kind)
    rows = []
    for person in draw.sample(range(5), draw.randint(1, 4)):
        token = f"{sequence.name}-token-{person:08d}" if draw.random() < 0.9 else None
        for _twice in range(draw.choice([1, 1, 2])):
            rows.append(
                Row(
                    who,
                    f"A{person}",
                    None if kind == "hash" else token,
                    draw.choice(["female", "male"]),
                    draw.choice([2018, 2019]),
                )
            )
    return rows


def step(sequence: Sequence, draw: random.Random) -> list[Withdrawal]:
    """One thing that happens; gives the lines that a steward would write."""
    deed = draw.choice(["file", "instead", "person", "person", "person", "undo", "undo", "all"])
    if deed in ("file", "instead"):
        new = rows_of(sequence, draw)
        if deed == "instead":  # the contributor's earlier files are deleted
            who = new[0].contributor
            sequence.files = [f for f in sequence.files if f[0].contributor != who]
        sequence.files.append(new)
        return []
    if deed == "undo":
        if not sequence.told:
            return []
        told = draw.choice(sorted(sequence.told))
        return lines("undo", told, sequence.told.pop(told))
    if deed == "all":
        if draw.random() < 0.7:
            return []
        told = (sequence.contributor(draw.choice(list(KINDS))), "all", "", "contributor")
        sequence.told[told] = set()
        return lines("withdrawal", told, set())
    kind, person = draw.choice(list(KINDS)), draw.randrange(5)
    how = {"both": draw.choice(["case", "token"]), "token": "token", "hash": "case"}[kind]
    value = f"A{person}" if how == "case" else f"{sequence.name}-token-{person:08d}"
    told = (sequence.contributor(kind), how, value, draw.choice(["person", "person", "records"]))
    beside: set[str] = set()
    if kind == "both" and how == "case" and told[3] == "person":
        rows = [r for r in sequence.read() if r.contributor == told[0]]
        beside = {r.token for r in rows if r.case == value and r.token}
        file = [filed(rows, [str(i) for i in range(len(rows))])] if rows else []
        key = str(keying(told[0], how).of(value))
        assert also_known(file, [key]).get(key, set()) == beside
    sequence.told[told] = sequence.told.get(told, set()) | beside
    return lines("withdrawal", told, beside)


def lines(kind: Any, told: Told, beside: set[str]) -> list[Withdrawal]:
    """What the register gets: one line for what was told, one for each token beside the case."""
    contributor, how, value, scope = told
    text = "" if how == "all" else mark(SECRET, str(keying(contributor, how).of(value)))
    first = Withdrawal(kind, cast("Any", scope), contributor, text)
    also = sorted(mark(SECRET, token) for token in beside)
    return [first, *(replace(first, mark=other, because=text) for other in also)]


def filed(rows: list[Row], ids: list[str]) -> Filed:
    """A file as the hub holds it: hashed numbers, tokens, no person."""
    contributor = rows[0].contributor
    person, case = keyings(KINDS[contributor.rpartition("-")[2]], contributor, SECRET)
    assert person is not None
    texts = [r.case if person.action == "hash" else r.token for r in rows]
    keys = pa.array([person.of(text) if text else None for text in texts], pa.string())
    records = pa.table({"record_id": pa.array(ids, pa.string()), "person_key": keys})
    cases = [case.of(r.case) for r in rows] if case else []
    return Filed(contributor, records, pa.table([ids if case else [], cases], schema=CASES))


def recorded(files: list[Filed], rows: dict[str, Row]) -> pa.Table:
    """Records of all files in the hub's schema; what is not said is not recorded."""
    table = pa.concat_tables([file.records for file in files])
    mine = [rows[i] for i in table["record_id"].to_pylist()]
    said = {
        "reporting_entity": [r.contributor for r in mine],
        "gender": [r.gender for r in mine],
        "year_of_registration": [r.year for r in mine],
    }
    for v in SCHEMA.records:
        kind = pa.int16() if v.kind == "year" else pa.string()
        column = said.get(v.name, [None] * len(mine))
        table = table.append_column(v.name, pa.array(column, kind))
    return table


def together(batch: list[Sequence]) -> tuple[list[Filed], dict[str, Row]]:
    """All files of a batch; each id of a record leads to its row."""
    files, rows = [], {}
    for sequence in batch:
        for place, file in enumerate(sequence.files):
            ids = [f"{sequence.name}/{place}/{i}" for i in range(len(file))]
            rows |= dict(zip(ids, file, strict=True))
            files.append(filed(file, ids))
    return files, rows


@pytest.mark.parametrize("part", range(5))
def test_thousands_of_sequences_agree_with_a_plain_model(part: int, tmp_path: Path) -> None:
    draw, checked = random.Random(20260 + part), 0
    all_files: list[Filed] = []
    all_rows: dict[str, Row] = {}
    all_gone: set[str] = set()
    for number in range(part, SEQUENCES // TOGETHER, 5):
        batch = [Sequence(f"s{number * TOGETHER + i}") for i in range(TOGETHER)]
        for sequence in batch:
            sequence.files.append(rows_of(sequence, draw))
        register = Register(tmp_path / f"r{number}", tmp_path / f"head{number}", SECRET)
        for turn in range(STEPS):
            new = [entry for sequence in batch for entry in step(sequence, draw)]
            before = register.path.read_bytes() if register.path.exists() else b""
            register.append(new, WitnessedHead(turn, "0" * 64))
            assert register.path.read_bytes().startswith(before), "lines are only ever added"
        force = in_force(register.entries())
        assert sum(not e.because for e in force.entries) == sum(len(s.told) for s in batch)
        files, rows = together(batch)
        gone = set(left_out(files, force, SECRET).to_pylist())
        wanted = {s.name: s.gone() for s in batch}
        for name, row in rows.items():  # for each row by itself, so that a failure names it
            assert (name in gone) == (row in wanted[name.split("/")[0]]), (name, row)
        all_files, all_rows, all_gone = all_files + files, all_rows | rows, all_gone | gone
        checked += len(batch)
    assert checked == SEQUENCES // 5
    assert len(all_gone) > SEQUENCES / 10
    records = recorded(all_files, all_rows)
    kept = records.filter(pa.array([i not in all_gone for i in records["record_id"].to_pylist()]))
    assert len(all_rows) == kept.num_rows + len(all_gone), "every row is a record or withdrawn"
    linked = link(kept, SCHEMA)
    assert linked.totals.records == kept.num_rows
    _nobody_else_changed(all_files, all_gone, kept, linked)


def _nobody_else_changed(
    files: list[Filed], gone: set[str], kept: pa.Table, linked: Linked
) -> None:
    """People are those of the records that stay, joined as ever: nobody is split or joined."""
    persons: dict[str, set[str]] = {}
    for file in files:
        ids, keys = (file.records[c].to_pylist() for c in ("record_id", "person_key"))
        for one, key in zip(ids, keys, strict=True):
            persons.setdefault(key or one, set()).add(one)
    left = [frozenset(ids - gone) for ids in persons.values() if ids - gone]
    found: dict[str, set[str]] = {}
    for one, person in zip(
        kept["record_id"].to_pylist(), persons_of(kept).to_pylist(), strict=True
    ):
        found.setdefault(person, set()).add(one)
    assert set(left) == {frozenset(ids) for ids in found.values()}
    assert linked.people.num_rows == len(left)
    sizes = Counter(min(len(ids), 4) for ids in left)
    told = Counter(linked.people["records_per_person"].to_pylist())
    assert sorted(told.values()) == sorted(sizes.values())


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_token_that_comes_after_the_withdrawal(order: tuple[int, ...]) -> None:
    """Others' records with a token leave, though the case was told before anybody knew it."""
    sequence = Sequence("s")
    ours, others = sequence.contributor("both"), sequence.contributor("token")
    files = [
        [Row(ours, "A1", None, "female", 2018)],
        [Row(ours, "A1", "s-token-00000001", "female", 2019), Row(ours, "A2", None, "male", 2019)],
        [
            Row(others, "B7", "s-token-00000001", "female", 2018),
            Row(others, "B8", "s-token-00000002", "male", 2018),
        ],
    ]
    sequence.files = [files[i] for i in order]
    hers = {files[0][0], files[1][0]}
    for scope, wanted in (("person", hers | {files[2][0]}), ("records", hers)):
        told = (ours, "case", "A1", scope)
        sequence.told = {told: set()}
        held, rows = together([sequence])
        told_in = [replace(e, time="2026-02-01") for e in lines("withdrawal", told, set())]
        force = in_force(told_in)
        assert {rows[i] for i in left_out(held, force, SECRET).to_pylist()} == wanted
        assert sequence.gone() == wanted
        others_too = {(ours, "2026-Q1"): 1} if scope == "person" else {}
        assert elsewhere(held, force, SECRET) == others_too


def test_undoing_everything_gives_the_state_of_nothing(tmp_path: Path) -> None:
    register = Register(tmp_path / "r", tmp_path / "head", SECRET)
    entries = [
        Withdrawal("withdrawal", "person", "our-ngo", mark(SECRET, str(i))) for i in range(5)
    ]
    register.append(entries, WitnessedHead())
    assert in_force(register.entries()).state != in_force(()).state
    undone = [Withdrawal("undo", "person", "our-ngo", e.mark) for e in entries]
    register.append(undone, WitnessedHead(3, "a" * 64))
    force = in_force(register.entries())
    assert (force.state, force.charges, force.entries) == (in_force(()).state, 0, ())


def test_the_register_holds_no_number_and_no_token(tmp_path: Path) -> None:
    token = "b-0123456789abcdef01234567"
    entries = [
        *lines("withdrawal", ("our-hash", "case", "CASE-77", "person"), set()),
        *lines("withdrawal", ("our-both", "token", token, "person"), set()),
    ]
    register = Register(tmp_path / "r", tmp_path / "head", SECRET)
    register.append(entries, WitnessedHead())
    text = register.path.read_text("utf-8")
    assert "CASE-77" not in text
    assert token not in text
    key = keying("our-hash", "case").of("CASE-77")
    assert str(key) not in text, "nor the key that records carry"
    other = mark(b"another person key, of 32 bytes.", str(key))
    assert other not in text


def written(tmp_path: Path, batches: int = 3) -> Register:
    register = Register(tmp_path / "withdrawals", tmp_path / "ledger" / "head", SECRET)
    for batch in range(batches):
        marks = [mark(SECRET, f"{batch} {i}") for i in range(2)]
        register.append(
            [Withdrawal("withdrawal", "person", "our-ngo", m) for m in marks], WitnessedHead()
        )
    return register


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:-1],
        lambda lines: lines[:2],
        lambda lines: [],
        lambda lines: lines[1:],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines[:3], *lines[4:]],
        lambda lines: [lines[0].replace(b"person", b"records"), *lines[1:]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [*lines, b"not a line"],
        lambda lines: [*lines, b"[]"],
        lambda lines: [*lines[:-1], lines[-1][:-1]],
    ],
)
def test_every_change_of_the_register_is_found(tmp_path: Path, change) -> None:
    register = written(tmp_path)
    lines = register.path.read_bytes().splitlines()
    changed = change(lines)
    register.path.write_bytes(b"".join(one + b"\n" for one in changed))
    with pytest.raises(WithdrawalError) as caught:
        register.entries()
    assert caught.value.rule == "register-chain"


def test_a_register_that_was_deleted_or_put_back_is_found(tmp_path: Path) -> None:
    register = written(tmp_path, 1)
    old = register.path.read_bytes()
    register.append([Withdrawal("withdrawal", "contributor", "our-ngo")], WitnessedHead())
    register.path.write_bytes(old)
    with pytest.raises(WithdrawalError):
        register.entries()
    register.path.unlink()
    with pytest.raises(WithdrawalError):
        register.entries()
    register.head.unlink()  # both gone: nothing says that there ever was one
    assert register.entries() == ()


def test_another_person_key_is_refused(tmp_path: Path) -> None:
    register = written(tmp_path)
    other = Register(register.folder, register.head, b"another person key, of 32 bytes.")
    with pytest.raises(WithdrawalError) as caught:
        other.entries()
    assert caught.value.rule == "register-key"


def test_tokens_that_were_made_anew_are_noticed() -> None:
    old = Withdrawal("withdrawal", "person", "our-ngo", "a", made=("z-1",))
    new = Withdrawal("withdrawal", "person", "our-ngo", "b", made=("z-2",))
    plain = Withdrawal("withdrawal", "person", "other", "c")
    renewal = Withdrawal("renewal", "contributor", "our-ngo", made=("z-1", "z-2"))
    assert in_force([plain]).told_for("other") is None
    assert in_force([old]).told_for("our-ngo") == {"z-1"}
    assert in_force([old, new]).told_for("our-ngo") == set(), "neither covers both"
    assert in_force([old, new, renewal]).told_for("our-ngo") == {"z-1", "z-2"}


@pytest.mark.parametrize("field", ["kind", "scope", "reason"])
def test_a_line_holds_words_of_closed_lists_alone(field: str) -> None:
    """Free text could tell of a person; a line that holds some is none, however sealed."""
    good = replace(Withdrawal("withdrawal", "person", "our-ngo"), number=1).sealed()
    assert read(good.line(), None) == good
    told = replace(good, **{field: "what happened to her"}).sealed()
    assert read(told.line(), None) is None


def test_another_column_is_noticed() -> None:
    def way(*columns: str, action: str = "hash") -> str:
        return Keying(columns, action, "a", b"").way

    def lost(told: str, now: str, *renewed: str) -> bool:
        lines = [Withdrawal("withdrawal", "person", "a", "ab", made=(told,))]
        if renewed:
            lines.append(Withdrawal("renewal", "contributor", "a", made=renewed))
        return in_force(lines).lost("a", frozenset({now}))

    case, other = way("Case"), way("Other")
    assert "case" not in case.casefold(), "the register holds no text of anybody's choice"
    assert lost(case, other)
    assert not lost(case, other, other)
    assert lost(case, other, case)
    assert not lost(case, way(" CASE "))
    assert lost(case, way("Case", "Line"))
    assert lost(way("Case", "Line"), way("Line", "Case")), "a key of a list hangs on its order"
    assert not lost(way("x", action="token"), way("y", action="token"))
    assert lost("by-token", case)
