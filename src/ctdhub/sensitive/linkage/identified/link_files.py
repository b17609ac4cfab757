"""From files of several contributors to copies without identifiers that share a person's token."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ctdhub.core.errors import error
from ctdhub.core.files import made_whole, write_new
from ctdhub.core.i18n import Text, said
from ctdhub.core.tables import ROW, as_csv
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.linkage.identified.clerical_review import ReviewAsked, check_groups, review_of
from ctdhub.sensitive.linkage.identified.model import Scored, features, more_columns, score
from ctdhub.sensitive.linkage.identified.resolve import (
    Doubtful,
    IdentifiedPersons,
    Own,
    Resolved,
    fingerprint,
    persons_of,
    resolve,
    stand_ins,
)
from ctdhub.sensitive.linkage.pprl.columns import TokenPlan
from ctdhub.sensitive.linkage.pprl.derive import AgeAt, Identity, Tokeniser, check_ages
from ctdhub.sensitive.linkage.pprl.tokenise import Made, people_of, tokenise
from ctdhub.sensitive.linkage.settings import LinkageSettings

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
    persons: IdentifiedPersons,
    found: Resolved,
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
    missed = None if found.missed_links is None else round(found.missed_links, 2)
    sizes = Counter(int(file) for file in persons.file)
    known: dict[int, list[str]] = {}
    for cluster, file in sorted(zip(found.cluster.tolist(), persons.file.tolist(), strict=True)):
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
        "links": found.links,
        "expected_false_links": round(found.false_links, 2),
        "expected_missed_links": missed,
        "to_review": len(found.review),
        "candidates": sum(found.bands.values()),
        "bands": {str(low): pairs for low, pairs in found.bands.items()},
        "cut": settings.cut,
        "look": settings.look,
        "learnt": scored.learnt,
        "fields": scored.worth,
    }


def write_account(
    folder: Path,
    summary: Mapping[str, Any],
    review: Sequence[Doubtful],
    places: Sequence[tuple[str, int]],
    own: Sequence[Own],
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
        for known in (fingerprint(tokens), first) if token else ():
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
    found: dict[str, set[str]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError):
        rows = []
    if not rows or tuple(rows[0]) != TOKENS or any(len(row) != 2 for row in rows):
        raise error("earlier", file=folder)
    if rows[1:2] != [[check, check]]:
        raise error("earlier/other-key", file=folder)
    for first, token in rows[2:]:
        found.setdefault(first, set()).add(token)
    return found


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
    further = [[held[at] for held in more.values()] for at in range(len(files))]
    tables, own, cases, starts = [], list[Own](), [], [0]
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
    persons = persons_of(tables, cases, [[first for first, _all in own[part]] for part in parts])
    rows = [persons.row[persons.file == i] - starts[i] for i in range(len(files))]
    scored = score(tables, rows, list(more), progress)
    progress(Text("Joining"), 0.8)
    found = alone = resolve(persons, scored, settings.cut, settings.look)
    review = None
    if asked:
        plans = [(file.raw, file.plan) for file in files]
        review = review_of(asked, plans, further, persons, scored, alone, own, settings)
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


def copy_name(file: str) -> str:
    """Name of the copy without identifiers."""
    return f"{Path(file).stem}.csv"


def _cases(file: Held) -> list[str]:
    column = file.plan.of("case")
    if column is None:
        return [""] * file.raw.table.num_rows
    return [cell.strip() for cell in file.raw.table[column].fill_null("").to_pylist()]
