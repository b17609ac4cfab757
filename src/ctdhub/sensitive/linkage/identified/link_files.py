"""From files of several contributors, through a clerical review, to copies without identifiers that
share a person's token.
"""

import csv
import io
import json
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ctdhub.core.errors import FileError, error
from ctdhub.core.files import made_whole, write_new
from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT, Text, _, current, language, said
from ctdhub.core.tables import ROW, as_csv, fold, harmless, trim
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.linkage.identified import pairs as identified_pairs
from ctdhub.sensitive.linkage.identified.model import Scored, features, more_columns, score
from ctdhub.sensitive.linkage.pprl.columns import ROLES, TokenPlan
from ctdhub.sensitive.linkage.pprl.derive import AgeAt, Identity, Tokeniser, check_ages
from ctdhub.sensitive.linkage.pprl.tokenise import Made, people_of, tokenise
from ctdhub.sensitive.linkage.settings import LinkageSettings

# --------------------------------------------------------------------------------------------------
# Pairs for a clerical review as a workbook, and the decisions that come back in it.
#
# The workbook holds names: it stays with whoever may see them.  It shows neither the model's
# opinion nor why a pair was chosen, and its pairs are in random order, so that nothing but the rows
# decides. Row 2 is hidden and says which column is which, so that columns may be moved and rows
# sorted; a hidden sheet holds the run and which pairs are the random sample.

PAIRS, RUN = "pairs", "ctdhub"
"""The sheet that people decide on, and the hidden one."""

ID, SAME, PLACES = "id", "same_person", ("file_a", "row_a", "file_b", "row_b")

_RUN_ID, _SAMPLE = "run", "sample"
_TITLE, _KEY_ROW, _HEAD = 1, 2, 3
_GREY, _YELLOW = PatternFill("solid", fgColor="FFE8E8E8"), PatternFill("solid", fgColor="FFFFF2CC")


class ShownRow(NamedTuple):
    """What the workbook shows of a row: its file, its row there, and cells by what they are."""

    file: str
    row: int
    cells: dict[str, str]


class Decisions(NamedTuple):
    """What a workbook says: decided pairs of the frame, and those of its random sample."""

    decided: dict[int, identified_pairs.DecidedPair]
    drawn: set[int]


def write_review_book(
    path: Path,
    frame: identified_pairs.PairFrame,
    shown: Sequence[ShownRow],
    unsure: Collection[int],
    drawn: Collection[int],
    chance: identified_pairs.PairSampler,
) -> None:
    """Write the workbook, in the language in force; only its owner may read it.

    Args:
        path: a new file.
        frame: all pairs of the run.
        shown: every row of all files.
        unsure: pairs that are asked for because nobody is sure of them.
        drawn: pairs of the random sample.
        chance: puts the pairs into an order that says nothing.
    """
    asked = sorted({*unsure, *drawn})
    chance.shuffle(asked)
    names = list(dict.fromkeys(name for row in shown for name in row.cells))
    keys = [ID, SAME, "remark", *(f"{name}_{side}" for name in names for side in "ab"), *PLACES]
    book = Workbook()
    target = book.active
    target.title = PAIRS
    target.sheet_view.rightToLeft = current() in RIGHT_TO_LEFT
    title = _(
        "Is each pair one person? Write “{yes}”, “{no}” or “{unsure}” under “{same}”. "
        "Decide by the two rows alone. Rows and columns may be sorted and moved; add no "
        "formulas. This file contains names: do not pass it to anyone who may not see them."
    ).format(yes=_("yes"), no=_("no"), unsure=_("unsure"), same=_("same person"))
    _put(target, _TITLE, 1, title).font = Font(bold=True)
    for column, (key, head) in enumerate(zip(keys, _heads(keys), strict=True), 1):
        _put(target, _KEY_ROW, column, key)
        cell = _put(target, _HEAD, column, head)
        cell.font, cell.fill = Font(bold=True), _GREY
        target.column_dimensions[get_column_letter(column)].width = 18
    for number, at in enumerate(asked, _HEAD + 1):
        one, other = (shown[row] for row in frame.rows[at].tolist())
        cells = [frame.id_of(at), None, None]
        cells += [row.cells.get(name) for name in names for row in (one, other)]
        cells += _places(one, other)
        for column, value in enumerate(cells, 1):
            _put(target, number, column, value).alignment = Alignment(wrap_text=True)
        target.cell(number, 2).fill = _YELLOW
    last = _HEAD + max(len(asked), 1)
    choices = ",".join((_("yes"), _("no"), _("unsure")))
    rule = DataValidation("list", formula1=f'"{choices}"', allow_blank=True)
    target.add_data_validation(rule)
    rule.add(f"B{_HEAD + 1}:B{last}")
    target.row_dimensions[_KEY_ROW].hidden = True
    target.freeze_panes = target.cell(_HEAD + 1, 3)
    target.auto_filter.ref = f"A{_HEAD}:{get_column_letter(len(keys))}{last}"
    hidden = book.create_sheet(RUN)
    hidden.sheet_state = "hidden"
    sample = [frame.id_of(at) for at in asked if at in drawn]
    for number, (run, pair) in enumerate(
        [(_RUN_ID, _SAMPLE), (frame.run, None), *((None, pair) for pair in sample)], 1
    ):
        _put(hidden, number, 1, run)
        _put(hidden, number, 2, pair)
    content = io.BytesIO()
    book.save(content)
    write_new(path, content.getvalue())


def read_review_book(
    path: Path, frame: identified_pairs.PairFrame, shown: Sequence[ShownRow]
) -> Decisions:
    """The decisions of a workbook.

    Args:
        path: the workbook as it came back.
        frame: all pairs of this run.
        shown: every row of all files.

    Raises:
        FileError: it is no such workbook or of another run, a cell is no decision, a row is about
            another pair than its id says, or decisions contradict each other; names the row.
    """
    known = {frame.id_of(at): at for at in range(len(frame.one))}
    listed = _read(path, ReadOptions(sheet=RUN, kobo=False))
    runs = {row[_RUN_ID] for _n, row in listed if row.get(_RUN_ID)}
    if len(runs) != 1:
        raise error("review-book", file=path)
    drawn = {known.get(row.get(_SAMPLE) or "") for _n, row in listed if row.get(_SAMPLE)}
    if runs != {frame.run} or None in drawn:
        raise error("review-book/other-run", file=path)
    rows = _read(path, ReadOptions(sheet=PAIRS, header_row=_KEY_ROW, kobo=False))
    if not rows or rows[0][0] != _HEAD or not _are_heads(rows[0][1]):
        raise error("review-book", file=path)
    words = _words()
    decided: dict[int, identified_pairs.DecidedPair] = {}
    said: dict[str, tuple[str, int]] = {}
    for number, row in rows[1:]:
        word, pair = row.get(SAME), row.get(ID) or ""
        at = known.get(pair)
        if at is None:
            raise error("review-book/pair", file=path, row=number, column=ID)
        one, other = (shown[i] for i in frame.rows[at].tolist())
        if [row.get(key) for key in PLACES] != [_cell(text) for text in _places(one, other)]:
            raise error("review-book/pair", file=path, row=number, column=ID)
        if word is None:
            continue
        answer = words.get(fold(word))
        if answer is None:
            raise error("review-book/decision", file=path, row=number, column=SAME)
        before, first = said.setdefault(pair, (answer, number))
        if before != answer:
            raise error("review-book/twice", file=path, row=number, column=SAME, n=first)
        if answer != "unsure":
            persons = int(frame.one[at]), int(frame.other[at])
            decided.setdefault(at, identified_pairs.DecidedPair(*persons, answer == "yes", number))
    identified_pairs.check_decisions(list(decided.values()), path)
    return Decisions(decided, {at for at in drawn if at is not None})


def _places(one: ShownRow, other: ShownRow) -> list[str]:
    return [one.file, str(one.row), other.file, str(other.row)]


def _cell(text: str) -> str:
    """A text as a workbook can hold it, harmless if a spreadsheet would run it as a formula."""
    return str(harmless(ILLEGAL_CHARACTERS_RE.sub("·", text)[:32_000]))


def _words() -> dict[str, str]:
    """Decisions by their folded words, in every language."""
    words = {word: word for word in ("yes", "no", "unsure")}
    for code in LANGUAGES:
        with language(code):
            words |= {fold(_("yes")): "yes", fold(_("no")): "no", fold(_("unsure")): "unsure"}
    return words


def _heads(keys: Sequence[str]) -> list[str]:
    """What people read above the columns, in the language in force."""
    kinds = {
        "name": _("name"),
        "given": _("given name"),
        "family": _("family name"),
        "birth": _("birth date"),
        "place": _("place"),
        "sex": _("sex"),
        "case": _("case number"),
        "file": _("file"),
        "row": _("row"),
    }
    fixed = {ID: _("pair"), SAME: _("same person"), "remark": _("remark")}
    heads = []
    for key in keys:
        kind, _line, side = key.rpartition("_")
        heads.append(fixed.get(key) or f"{kinds.get(kind, kind)} {side.upper()}")
    return heads


def _are_heads(row: dict[str, str | None]) -> bool:
    """Whether people read above each column of a sheet what its hidden key calls it."""
    known: set[tuple[str, ...]] = set()
    for code in LANGUAGES:
        with language(code):
            known.add(tuple(map(fold, _heads(list(row)))))
    return {ID, SAME, *PLACES} <= row.keys() and tuple(fold(t or "") for t in row.values()) in known


def _read(path: Path, options: ReadOptions) -> list[tuple[int, dict[str, str | None]]]:
    try:
        raw = read_isolated(path, options)
    except FileError as met:
        if met.rule == "formula":
            raise
        raise error("review-book", file=path) from met
    if raw.rejects.num_rows:
        raise error("review-book", file=path)
    return [(int(row.pop(ROW)), row) for row in raw.table.to_pylist()]


def _put(target: Worksheet, row: int, column: int, value: str | None) -> Cell:
    """Write a cell; a text is text, and no formula or number."""
    cell = target.cell(row, column)
    if value is not None:
        cell.value = _cell(value)
        cell.data_type, cell.number_format = "s", "@"
    return cell


BOOK_FILE = "pairs.xlsx"
"""The workbook in the folder of a round; unlike all else there, it holds names."""

ERRORS = 0.05
"""Share of decisions that may be wrong, at most, where nobody has measured it."""


class ReviewAsked(NamedTuple):
    """What a round is asked to do.

    Attributes:
        sample: pairs of the random sample of a workbook to write; 0 for none.
        decisions: a workbook that came back, or None.
        by: column of each file by which pairs are grouped, empty for the script of the names.
        errors: share of decisions that may be wrong, at most, 0 to 0.5.
    """

    sample: int = 0
    decisions: Path | None = None
    by: Sequence[str] = ()
    errors: float = ERRORS

    def __bool__(self) -> bool:
        return bool(self.sample or self.decisions)


def check_groups(asked: ReviewAsked, raws: Sequence[RawTable]) -> None:
    """Refuse a column to group by that a file does not have.

    Raises:
        FileError: names the file and the column.
    """
    for raw, column in zip(raws, asked.by, strict=bool(asked.by)):
        if column and column not in raw.column_names():
            raise error("review-book/group", file=raw.file, column=column)


@dataclass(frozen=True)
class RoundReview:
    """The pairs of a round and, of a workbook that came back, the decisions."""

    frame: identified_pairs.PairFrame
    shown: list[ShownRow]
    decisions: Decisions | None
    errors: float

    def write(
        self,
        folder: Path,
        unsure: identified_pairs.Resolved,
        persons: identified_pairs.IdentifiedPersons,
        size: int,
    ) -> None:
        """Write the workbook.

        Args:
            folder: of the round.
            unsure: of the model alone; its doubtful pairs are asked for.
            persons: of all files.
            size: pairs of the random sample.
        """
        pairs = zip(self.frame.one.tolist(), self.frame.other.tolist(), strict=True)
        at = {pair: i for i, pair in enumerate(pairs)}
        asked = {
            at[tuple(sorted(persons.of_row[[row.one, row.other]].tolist()))]
            for row in unsure.review
            if row.probability is not None  # two cases of one file are one by their token
        }
        chance = secrets.SystemRandom()
        drawn = self.frame.draw(size, chance)
        write_review_book(folder / BOOK_FILE, self.frame, self.shown, asked, drawn, chance)

    def account(self, unseen: float, people: int) -> dict[str, Any]:
        """What the decisions say, as JSON.

        Args:
            unseen: share of links that no rule made a pair, by the model.
            people: clusters after the decisions.
        """
        if self.decisions is None:
            return {}
        decided = {at: pair.same for at, pair in self.decisions.decided.items()}
        cells = identified_pairs.reviewed_cells(self.frame, self.decisions.drawn, decided)
        yes = sum(decided.values())
        return {
            "yes": yes,
            "no": len(decided) - yes,
            **identified_pairs.accuracy_json(cells, unseen, self.errors, people),
        }


def review_of(
    asked: ReviewAsked,
    files: Sequence[tuple[RawTable, TokenPlan]],
    more: Sequence[Sequence[str | None]],
    persons: identified_pairs.IdentifiedPersons,
    scored: Scored,
    links: identified_pairs.Resolved,
    own: Sequence[identified_pairs.Own],
    settings: LinkageSettings,
) -> RoundReview:
    """The review of a round, with decisions where a workbook came back.

    Args:
        asked: what is asked for.
        files: each file as read and what its columns are.
        more: further columns that are compared, of each file, None where one has none.
        persons, scored: of all files.
        links: by the model alone.
        own: tokens of each row.
        settings: cut-offs.

    Raises:
        FileError: the workbook cannot be taken, see ``read_review_book``.
    """
    shown: list[ShownRow] = []
    labels: list[str] = []
    by = asked.by or [""] * len(files)
    for (raw, plan), column, further in zip(files, by, more, strict=True):
        rows = _sheet_rows(raw, plan, further)
        shown += rows
        if column:
            labels += [trim(cell or "") for cell in raw.table[column].to_pylist()]
        else:
            labels += [_script(row) for row in rows]
    said = [f"{raw.file} {raw.sha256} {plan}" for raw, plan in files]
    frame = identified_pairs.frame_of(
        persons, scored, links.cluster, own, labels, "\0".join([*said, str(settings.cut)])
    )
    decisions = read_review_book(asked.decisions, frame, shown) if asked.decisions else None
    return RoundReview(frame, shown, decisions, asked.errors)


def _sheet_rows(raw: RawTable, plan: TokenPlan, more: Sequence[str | None]) -> list[ShownRow]:
    columns: dict[str, str] = {role: column for role in ROLES if (column := plan.of(role))}
    columns |= {column: column for column in more if column}
    cells = [raw.table[column].fill_null("").to_pylist() for column in columns.values()]
    every = zip(*cells, strict=True) if cells else [()] * raw.table.num_rows
    return [
        ShownRow(raw.file, row, dict(zip(columns, some, strict=True)))
        for row, some in zip(raw.table[ROW].to_pylist(), every, strict=True)
    ]


def _script(row: ShownRow) -> str:
    return identified_pairs.script_of(
        "".join(row.cells.get(role, "") for role in ("name", "given", "family"))
    )


# --------------------------------------------------------------------------------------------------
# From files of several contributors to copies without identifiers that share a person's token.


# --------------------------------------------------------------------------------------------------
# What stays with whoever links: the summary, doubtful pairs, tokens for the next round.
#
# None of these files holds an identifier.  They are sensitive all the same: exact counts, and which
# rows are one person.

REVIEW_FILE, SUMMARY_FILE, TOKENS_FILE = "review.csv", "summary.json", "tokens.csv"
REVIEW = (
    "file_a", "row_a", "file_b", "row_b", "probability", "agree", "differ", "joined", "reason",
)  # fmt: skip
TOKENS = ("row", "stands_in")


def summary_of(
    made: Mapping[str, Made],
    persons: identified_pairs.IdentifiedPersons,
    outcome: identified_pairs.Resolved,
    scored: Scored,
    settings: LinkageSettings,
) -> dict[str, Any]:
    """Counts of a round, as JSON; no value of a row.

    ``files``: by file, the account of its copy and its persons.  ``overlap``: persons once linked,
    by the files that know them.  ``expected_missed_links``: by how many the persons once linked are
    more than people; None where the files teach nothing about it.  ``bands``: candidate pairs by
    the lower end of their band of probability.  ``fields``: by feature, bits of evidence that its
    best agreement and its disagreement give.  ``learnt``: whether the files taught the model
    anything, see ``training``.  A round with a clerical review adds ``review``, see
    ``clerical_review``.
    """
    names = list(made)
    missed = None if outcome.missed_links is None else round(outcome.missed_links, 2)
    sizes = Counter(int(file) for file in persons.file)
    known: dict[int, list[str]] = {}
    for cluster, file in sorted(zip(outcome.cluster.tolist(), persons.file.tolist(), strict=True)):
        known.setdefault(cluster, []).append(names[file])
    return {
        "files": {
            name: {"persons": sizes[at], **asdict(one)}
            for at, (name, one) in enumerate(made.items())
        },
        "persons": len(persons.row),
        "clusters": len(known),
        "overlap": [
            {"files": list(files), "persons": people}
            for files, people in sorted(Counter(map(tuple, known.values())).items())
        ],
        "links": outcome.links,
        "expected_false_links": round(outcome.false_links, 2),
        "expected_missed_links": missed,
        "to_review": len(outcome.review),
        "candidates": sum(outcome.bands.values()),
        "bands": {str(low): pairs for low, pairs in outcome.bands.items()},
        "cut": settings.cut,
        "look": settings.look,
        "learnt": scored.learnt,
        "fields": scored.worth,
    }


def write_account(
    folder: Path,
    summary: Mapping[str, Any],
    review: Sequence[identified_pairs.Doubtful],
    places: Sequence[tuple[str, int]],
    own: Sequence[identified_pairs.Own],
    stand: Sequence[str],
    before: Mapping[str, set[str]],
    check: str,
) -> None:
    """Write the three files.

    Args:
        folder: where.
        summary: of :func:`summary_of`.
        review: doubtful pairs.
        places: of each row of all files, the file and the row that a spreadsheet shows.
        own: tokens of each row.
        stand: the token that stands for each row's person, empty without one.
        before: of :func:`earlier_tokens`.
        check: the check token of the key and the release.
    """
    write_new(folder / SUMMARY_FILE, json.dumps(summary, indent=2, ensure_ascii=False).encode())
    pairs = (
        [*places[pair.one], *places[pair.other], pair.probability, pair.agree, pair.differ,
         "yes" if pair.joined else "no", said(pair.reason)]
        for pair in review
    )  # fmt: skip
    write_new(folder / REVIEW_FILE, as_csv(REVIEW, pairs, end="\r\n").encode())
    now: dict[str, set[str]] = {}
    for (first, tokens), token in zip(own, stand, strict=True):
        for known in (identified_pairs.fingerprint(tokens), first) if token else ():
            if known:
                now.setdefault(known, set()).add(token)
    stood = sorted({**before, **now}.items())
    rows = [(known, token) for known, tokens in stood for token in sorted(tokens)]
    write_new(folder / TOKENS_FILE, as_csv(TOKENS, [(check, check), *rows], end="\r\n").encode())


def earlier_tokens(folder: Path, check: str) -> dict[str, set[str]]:
    """By what a row is known by, the tokens that stood for its persons in an earlier round.

    Args:
        folder: that :func:`write_account` wrote.
        check: the check token of this round's key and release.

    Raises:
        FileError: it is no such folder, or its tokens are of another key or release.
    """
    path = folder / TOKENS_FILE
    tokens: dict[str, set[str]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        rows = []
    if not rows or tuple(rows[0]) != TOKENS or any(len(row) != 2 for row in rows):
        raise error("earlier", file=folder)
    if rows[1:2] != [[check, check]]:
        raise error("earlier/other-key", file=folder)
    for first, token in rows[2:]:
        tokens.setdefault(first, set()).add(token)
    return tokens


LEAVES = "leaves"
"""Folder of the copies, which may leave; what lies beside it may not."""


@dataclass(frozen=True)
class LinkFile:
    """One contributor's file with identifiers.

    Attributes:
        raw: the file as read; ``raw.file`` is its name.
        plan: what happens to each column.
        age: adds a column ``age``.
    """

    raw: RawTable
    plan: TokenPlan
    age: AgeAt | None = None


def link_files(
    files: Sequence[LinkFile],
    tokeniser: Tokeniser,
    out: Path,
    settings: LinkageSettings,
    earlier: Path | None,
    progress: Callable[[Text, float], None],
    asked: ReviewAsked | None = None,
) -> dict[str, Any]:
    """Link the persons of the files and write a folder.

    In :data:`LEAVES` is a copy of each file as `ctdhub tokens` writes it, in which ``link_token``
    stands for a person of all files.  Beside it lies the account, see ``report``.  The folder is
    there whole or not at all.

    Args:
        files: two or more.
        tokeniser: the key and the release.
        out: a new folder; readable by its owner alone.
        settings: cut-offs.
        earlier: the folder of an earlier round with the same key and release, or None.
        progress: called with a message and the fraction done.
        asked: a clerical review, to be written or read back.

    Returns:
        The summary: counts, no value of a row.

    Raises:
        FileError: there is one file only, two have one name, a file has no identifiers, or
            nobody of it would get the age that is asked for; or a workbook of decisions cannot
            be taken.
        HubError: the extra is missing.
    """
    names = [file.raw.file for file in files]
    check_files(names, out)
    before = earlier_tokens(earlier, tokeniser.check) if earlier else {}
    asked = asked or ReviewAsked()
    check_groups(asked, [file.raw for file in files])
    more = more_columns([file.plan for file in files])
    further = [[columns[at] for columns in more.values()] for at in range(len(files))]
    tables, own, cases, starts = [], list[identified_pairs.Own](), [], [0]
    for at, file in enumerate(files):
        progress(Text("Reading the file"), 0.1 * at / len(files))
        raw = file.raw.whole()
        if file.age:
            check_ages(raw, file.plan, file.age)
        tables.append(features(raw, file.plan, further[at], starts[-1]))
        said = [(who, tokeniser.tokens(who)) for who in people_of(raw.table, file.plan)]
        cases.append(_cases(file))
        if not any(tokens for _who, (_first, tokens) in said):
            raise error("no-identifiers", file=raw.file)
        own += [one if one[1] else _by_names(tokeniser, who) for who, one in said]
        starts.append(len(own))
    parts = [slice(a, b) for a, b in pairwise(starts)]
    persons = identified_pairs.persons_of(
        tables, cases, [[first for first, _all in own[part]] for part in parts]
    )
    rows = [persons.row[persons.file == i] - starts[i] for i in range(len(files))]
    scored = score(tables, rows, list(more), progress)
    progress(Text("Joining"), 0.8)
    links = alone = identified_pairs.resolve(persons, scored, settings.cut, settings.look)
    review = None
    if asked:
        plans = [(file.raw, file.plan) for file in files]
        review = review_of(asked, plans, further, persons, scored, alone, own, settings)
        if review.decisions:
            decided = list(review.decisions.decided.values())
            links = identified_pairs.resolve(persons, scored, settings.cut, settings.look, decided)
    stand = identified_pairs.stand_ins(links.cluster[persons.of_row], own, tokeniser, before)
    with made_whole(out) as fresh:
        fresh.mkdir(mode=0o700, parents=True)
        (fresh / LEAVES).mkdir(mode=0o700)
        made = {}
        for at, (file, part) in enumerate(zip(files, parts, strict=True)):
            progress(Text("Making tokens"), 0.85 + 0.1 * at / len(files))
            copy = fresh / LEAVES / copy_name(file.raw.file)
            made[file.raw.file] = tokenise(
                file.raw, file.plan, tokeniser, copy, file.age, persons=stand[part]
            )
        summary = summary_of(made, persons, links, scored, settings)
        if review:
            summary |= {"review": review.account(scored.unseen, summary["clusters"])}
        if review and asked.sample:
            review.write(fresh, alone, persons, asked.sample)
        places = [(file.raw.file, row) for file in files for row in file.raw.table[ROW].to_pylist()]
        write_account(fresh, summary, links.review, places, own, stand, before, tokeniser.check)
    return summary


def _by_names(tokeniser: Tokeniser, who: Identity) -> identified_pairs.Own:
    """Where a row says too little for any token: its names alone, so that its cluster has one.

    It stays here; what leaves for the cluster is made of it and tells nothing without the key.
    """
    names = f"{who.given}\0{who.family}"
    return "", (tokeniser.stand_in(names),) if who.given or who.family else ()


def check_files(names: Sequence[str], out: Path) -> None:
    """Refuse what cannot be linked or written before anything is read.

    Raises:
        FileError: there is one file only, two have one name, or ``out`` exists.
    """
    if len(names) < 2:
        raise error("one-file")
    copies = [copy_name(name) for name in names]
    if twice := [n for n, copy in zip(names, copies, strict=True) if copies.count(copy) > 1]:
        raise error("one-name", file=twice[0])
    if out.exists():
        raise error("no-overwrite/new-folder", file=out)


def copy_name(file: str) -> str:
    """Name of the copy without identifiers."""
    return f"{Path(file).stem}.csv"


def _cases(file: LinkFile) -> list[str]:
    column = file.plan.of("case")
    if column is None:
        return [""] * file.raw.table.num_rows
    return [cell.strip() for cell in file.raw.table[column].fill_null("").to_pylist()]
