"""What stays with whoever links: the summary, doubtful pairs, tokens for the next round.

None of these files holds an identifier.  They are sensitive all the same: exact counts, and which
rows are one person.
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from ctdhub.core.datafiles import put_rows
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import said
from ctdhub.sensitive.linkage.identified.cluster_tokens import Own, fingerprint
from ctdhub.sensitive.linkage.identified.persons import IdentifiedPersons
from ctdhub.sensitive.linkage.identified.resolve import Doubtful, Resolved
from ctdhub.sensitive.linkage.identified.scoring import Scored
from ctdhub.sensitive.linkage.pprl.tokenise import Made
from ctdhub.sensitive.linkage.settings import LinkageSettings

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
    ``review_accuracy``.
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
    with _private(folder / SUMMARY_FILE) as file:
        json.dump(summary, file, indent=2, ensure_ascii=False)
    with _private(folder / REVIEW_FILE) as file:
        pairs = (
            [*places[pair.one], *places[pair.other], pair.probability, pair.agree, pair.differ,
             "yes" if pair.joined else "no", said(pair.reason)]
            for pair in review
        )  # fmt: skip
        put_rows(file, REVIEW, pairs, end="\r\n")
    now: dict[str, set[str]] = {}
    for (first, tokens), token in zip(own, stand, strict=True):
        for known in (fingerprint(tokens), first) if token else ():
            if known:
                now.setdefault(known, set()).add(token)
    with _private(folder / TOKENS_FILE) as file:
        stood = sorted({**before, **now}.items())
        rows = [(known, token) for known, tokens in stood for token in sorted(tokens)]
        put_rows(file, TOKENS, [(check, check), *rows], end="\r\n", as_is=True)


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


@contextmanager
def _private(path: Path) -> Iterator[TextIO]:
    """A new file that its owner alone can read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        yield file
