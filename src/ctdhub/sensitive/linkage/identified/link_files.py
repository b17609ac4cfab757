"""From files of several contributors to copies without identifiers that share a person's token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ctdhub.core.atomic import made_whole
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Text
from ctdhub.core.tabular import ROW
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.linkage.identified.clerical_review import (
    ReviewAsked,
    check_groups,
    review_of,
)
from ctdhub.sensitive.linkage.identified.cluster_tokens import Own, stand_ins
from ctdhub.sensitive.linkage.identified.features import features, more_columns
from ctdhub.sensitive.linkage.identified.persons import persons_of
from ctdhub.sensitive.linkage.identified.report import earlier_tokens, summary_of, write_account
from ctdhub.sensitive.linkage.identified.resolve import resolve
from ctdhub.sensitive.linkage.identified.scoring import score
from ctdhub.sensitive.linkage.pprl.ages import AgeAt, check_ages
from ctdhub.sensitive.linkage.pprl.columns import TokenPlan
from ctdhub.sensitive.linkage.pprl.derive import Identity, Tokeniser
from ctdhub.sensitive.linkage.pprl.tokenise import people_of, tokenise
from ctdhub.sensitive.linkage.settings import LinkageSettings

LEAVES = "leaves"
"""Folder of the copies, which may leave; what lies beside it may not."""


@dataclass(frozen=True)
class Held:
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
    files: Sequence[Held],
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
    tables, own, cases, starts = [], list[Own](), [], [0]
    for at, file in enumerate(files):
        progress(Text("Reading the file"), 0.1 * at / len(files))
        columns = [held[at] for held in more.values()]
        raw = file.raw.whole()
        if file.age:
            check_ages(raw, file.plan, file.age)
        tables.append(features(raw, file.plan, columns, starts[-1]))
        said = [(who, tokeniser.tokens(who)) for who in people_of(raw.table, file.plan)]
        cases.append(_cases(file))
        if not any(tokens for _who, (_first, tokens) in said):
            raise error("no-identifiers", file=raw.file)
        own += [one if one[1] else _by_names(tokeniser, who) for who, one in said]
        starts.append(len(own))
    parts = [slice(a, b) for a, b in pairwise(starts)]
    persons = persons_of(tables, cases, [[first for first, _all in own[part]] for part in parts])
    rows = [persons.row[persons.file == i] - starts[i] for i in range(len(files))]
    scored = score(tables, rows, list(more), progress)
    progress(Text("Joining"), 0.8)
    found = alone = resolve(persons, scored, settings.cut, settings.look)
    review = None
    if asked:
        wholes = [(file.raw.whole(), file.plan) for file in files]
        further = [[held[at] for held in more.values()] for at in range(len(files))]
        review = review_of(asked, wholes, further, persons, scored, alone, own, settings)
        if review.decisions:
            decided = list(review.decisions.decided.values())
            found = resolve(persons, scored, settings.cut, settings.look, decided)
    stand = stand_ins(found.cluster[persons.of_row], own, tokeniser, before)
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
        summary = summary_of(made, persons, found, scored, settings)
        if review:
            summary |= {"review": review.account(scored.unseen, summary["clusters"])}
        if review and asked.sample:
            review.write(fresh, alone, persons, asked.sample)
        places = [(file.raw.file, row) for file in files for row in file.raw.table[ROW].to_pylist()]
        write_account(fresh, summary, found.review, places, own, stand, before, tokeniser.check)
    return summary


def _by_names(tokeniser: Tokeniser, who: Identity) -> Own:
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


def check_earlier(folder: Path, tokeniser: Tokeniser) -> None:
    """Refuse an earlier round that cannot be gone on with, before anything is read.

    Raises:
        FileError: it is no such folder, or is of another key or release.
    """
    earlier_tokens(folder, tokeniser.check)


def copy_name(file: str) -> str:
    """Name of the copy without identifiers."""
    return f"{Path(file).stem}.csv"


def _cases(file: Held) -> list[str]:
    column = file.plan.of("case")
    if column is None:
        return [""] * file.raw.table.num_rows
    return [cell.strip() for cell in file.raw.table[column].fill_null("").to_pylist()]
