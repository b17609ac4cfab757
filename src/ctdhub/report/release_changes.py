"""What changed between two releases, in words, as rows of a file, and as a message about the new
one.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial

from ctdhub.border import Estimate
from ctdhub.core.format import signed
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, _, current, language, said
from ctdhub.document.text import escaped
from ctdhub.release.catalogue import place
from ctdhub.release.changes import CHANGELOG, changes, newest_changes, newest_note
from ctdhub.release.errata import status
from ctdhub.release.open import Release
from ctdhub.report import wording
from ctdhub.report.sentences import headline_sentence
from ctdhub.schema.labels import code_label, label
from ctdhub.stats.answers import Answers
from ctdhub.stats.estimator import memoised
from ctdhub.stats.release_changes import CellChange, ReleaseChanges, compare
from ctdhub.stats.tables import headline

# --------------------------------------------------------------------------------------------------
# What changed between two releases, in words and as rows of a file.

words_of = partial(wording.paragraph, "release.txt")
"""What a part of the template says, by the name of the part."""
HEADING = (
    *("variables", "values", "before", "before_low", "before_high"),
    *("now", "now_low", "now_high", "difference", "difference_low", "difference_high"),
    *("beyond_noise", "counted_once_low", "counted_once_high"),
)
"""Columns of :func:`rows`."""


def compared(before: Answers, now: Answers) -> ReleaseChanges:
    """The changes between two releases, computed once for all pages and files.

    They are kept with the newer release and go with it: a process that opens one release after the
    other, as the desk's does, must not hold them all.
    """
    return _changes(now, before)


@memoised
def _changes(now: Answers, before: Answers) -> ReleaseChanges:
    return compare(before, now)


def earlier(now: Release, series: Sequence[Answers]) -> tuple[Answers, ...]:
    """The releases that a release can be compared with: older, not withdrawn, the newest first."""

    def place(release: Release) -> list[int]:
        return [int(part) for part in release.version.split(".")]

    older = [
        each
        for each in series
        if place(each.release) < place(now) and status(each.release.errata) != "withdrawn"
    ]
    return tuple(sorted(older, key=lambda each: place(each.release), reverse=True))


@dataclass(frozen=True)
class VersionNote:
    """What a version says of itself: the steward's note, and sentences of the hub."""

    version: str
    note: str
    told: tuple[str, ...]


def public_changes(
    before: Release, now: Release, comparison: ReleaseChanges | None = None
) -> list[str]:
    """Contributors, years, definitions and, where numbers were compared, measured tables that
    changed, a sentence for each."""
    texts = [said(text) for text in changes(before.facts, now.facts)]
    only = (comparison.only_now, comparison.only_before) if comparison else ()
    for release, tables in zip((now, before), only, strict=False):
        if tables:
            text = _("Tables that only release {version} has: {names}")
            texts.append(text.format(version=release.version, names=_tables(tables)))
    return texts


NAMED_TABLES = 5


def _tables(keys: Sequence[str]) -> str:
    names = [" × ".join(label(name, current()) for name in key.split("*")) for key in keys]
    return _("; ").join([*names[:NAMED_TABLES], *(["…"] if len(names) > NAMED_TABLES else [])])


def notes(releases: Sequence[Release], said_already: Sequence[str]) -> list[VersionNote]:
    """What each of some releases says of itself, without what is said already."""
    known = {f"- {escaped(text)}" for text in said_already}
    entries = []
    for release in releases:
        file = release.path / CHANGELOG
        text = file.read_text("utf-8") if file.is_file() else ""
        if not text:
            continue
        lines = [line for line in newest_changes(text, current()).splitlines() if line]
        texts = tuple(line.removeprefix("- ") for line in lines if line not in known)
        if (note := newest_note(text)) or texts:
            entries.append(VersionNote(release.version, note, texts))
    return entries


def corrections(releases: Sequence[Release]) -> list[wording.ShownNotice]:
    """The notices about some releases, in the language in force."""
    return [notice for release in releases for notice in wording.notices(release)]


def summary(comparison: ReleaseChanges) -> str:
    """How many cells differ by more than the noise, of how many."""
    return words_of("summary", len(comparison.cells), len(comparison.beyond))


fresh_noise = partial(words_of, "fresh_noise")
"""What new noise does to a comparison, in one sentence."""


def counted_once(comparison: ReleaseChanges) -> str:
    """What people who may be counted twice do to the differences; empty where none is known."""
    ends = [c.once for c in comparison.beyond if c.once is not None]
    if not ends:
        return ""
    return words_of("perhaps_none", sum(low <= 0 <= high for low, high in ends))


def group(cell: CellChange) -> str:
    """Who is in a cell, in words."""
    parts = [
        _("{question}: {answers}").format(
            question=label(name, current()),
            answers=code_label(name, code, current())
            if code
            else wording.state_words("not_recorded"),
        )
        for name, code in zip(cell.variables, cell.values, strict=True)
    ]
    return _("; ").join(parts) or _("all people")


def count(estimate: Estimate | None) -> str:
    """A published count with its interval, or that it is not shown."""
    if estimate is None:
        return wording.state_words("protected")
    return wording.people_ranged(estimate.value, estimate.low, estimate.high)


def difference(cell: CellChange) -> str:
    """A difference with its interval; the interval alone where one count is not shown."""
    low, high = ends(cell)
    if cell.difference is None:
        return _("between {low} and {high}").format(low=low, high=high)
    return _("{people} ({low} to {high})").format(
        people=signed(cell.difference), low=low, high=high
    )


def verdict(cell: CellChange) -> str:
    """The difference, or that there is none beyond the noise, with the interval."""
    if cell.beyond:
        return difference(cell)
    low, high = ends(cell)
    return _("no difference beyond the noise ({low} to {high})").format(low=low, high=high)


def ends(cell: CellChange) -> tuple[str, str]:
    """The ends of an interval: the whole numbers of people that lie in it, so that one that leaves
    out zero is never printed with a zero."""
    low, high = math.ceil(cell.low), math.floor(cell.high)
    return signed(min(low, high)), signed(max(low, high))


def rows(comparison: ReleaseChanges) -> Iterator[tuple[object, ...]]:
    """Rows of a file: all that differ by more than the noise, and all of one variable at most."""
    for cell in comparison.cells:
        if not cell.beyond and len(cell.variables) > 1:
            continue
        once = [round(end, 1) for end in cell.once] if cell.once else ["", ""]
        yield (
            "*".join(cell.variables),
            "|".join(cell.values),
            *_ends(cell.before),
            *_ends(cell.now),
            "" if cell.difference is None else cell.difference,
            round(cell.low, 1),
            round(cell.high, 1),
            "yes" if cell.beyond else "no",
            *once,
        )


def _ends(estimate: Estimate | None) -> tuple[object, ...]:
    return ("", "", "") if estimate is None else (estimate.value, estimate.low, estimate.high)


# --------------------------------------------------------------------------------------------------
# A message to a mailing list about a new release, in every language of the hub.


def subject(release: Release) -> str:
    """The line that readers of a list see first, in the language in force."""
    words = _("{hub}: release {version}").format(
        hub=wording.called(release.facts), version=release.version
    )
    practice = _("Practice data")
    return f"[{practice}] {words}" if release.facts.invented else words


def text(answers: Answers, series: Sequence[Answers], site: str = "") -> str:
    """The message in the language in force.

    Args:
        answers: of the release.
        series: of all releases of the hub.
        site: public address of the site; empty where it is not known.
    """
    release, older = answers.release, earlier(answers.release, series)
    before, texts = "", list[str]()
    if older:
        comparison, before = compared(older[0], answers), older[0].release.version
        texts = [*public_changes(older[0].release, release, comparison), summary(comparison)]
    return wording.written(
        "release.txt",
        "message",
        release.facts,
        release.version,
        headline_sentence(headline(answers)),
        wording.caveat(),
        before,
        texts,
        site and f"{place(site, release.version)}en/index.html",
        f"{site.rstrip('/')}/feed.xml",
    )


def in_all(
    answers: Answers, series: Sequence[Answers], site: str = "", only: Sequence[str] = LANGUAGES
) -> str:
    """The message in all languages of the hub that are wanted, one after the other."""
    parts = []
    for code in [c for c in LANGUAGES if c in answers.release.facts.languages and c in only]:
        with language(code):
            own = text(answers, series, site).replace("/en/index.html", f"/{code}/index.html")
            parts.append(f"{NATIVE_NAMES[code]}\n{'=' * len(NATIVE_NAMES[code])}\n\n{own}")
    return "\n\n".join(parts)


def message(answers: Answers, body: str) -> bytes:
    """A draft that mail programs open (RFC 5322): add who receives it, and send it."""
    mail = EmailMessage(policy=SMTP)
    with language(LANGUAGES[0]):
        mail["Subject"] = subject(answers.release)
    mail["X-Unsent"] = "1"
    mail.set_content(body, charset="utf-8", cte="base64")
    return mail.as_bytes()
