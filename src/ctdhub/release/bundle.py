"""Write a release beside its place with its README, sync it, rename it; an approved candidate is
published.
"""

from __future__ import annotations

import html
import math
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from ctdhub.border import DOUBLES, LISTS, Protected
from ctdhub.core.errors import error
from ctdhub.core.files import remove, sync
from ctdhub.core.i18n import LANGUAGES, Text
from ctdhub.release.approvals import APPROVALS, Approvals, Approvers
from ctdhub.release.catalogue import citation, croissant, dcat, frictionless, title
from ctdhub.release.changes import CHANGELOG, changelog_text, in_languages
from ctdhub.release.errata import Errata, errata_of, status
from ctdhub.release.manifest import (
    ATTACKS,
    MANIFEST,
    SUMS,
    VERSION_PATTERN,
    Accuracy,
    FileEntry,
    Manifest,
    ManifestFigure,
    ManifestOnce,
    ManifestPerpetrators,
    MeasuredSources,
    PublicFacts,
)
from ctdhub.release.tables import check_border, set_names, write_measured, write_sets, write_tables
from ctdhub.release.verify import digest, examine, sha256, sums
from ctdhub.schema.emit import write_codebook
from ctdhub.schema.model import ORIGIN

# --------------------------------------------------------------------------------------------------
# README of a release, in plain words.
#
# The file is English Markdown; site, changelog and codebook speak every language of the hub.

WHAT = {
    "records.parquet": "synthetic records, one row per person, for programs",
    "records.csv": "the same as text",
    "counts.parquet": "protected counts with their intervals, for programs",
    "counts.csv": "the same as text",
    "perpetrators.parquet": "protected perpetrators, not linked to the rows of records",
    "perpetrators.csv": "the same as text",
    "perpetrator_counts.parquet": "protected counts of perpetrators with their intervals",
    "perpetrator_counts.csv": "the same as text",
    "measurements.parquet": "noisy counts by year, for statistics on series, for programs",
    "measurements.csv": "the same as text: a row per group, a column per year",
    "sources.parquet": "noisy counts by contributor and year, and the overlap of lists",
    "sources.csv": "the same as text",
    "codebook.csv": "every variable and code in every language (UTF-8 with byte order mark)",
    CHANGELOG: "what changed since the last release",
}
_LATER = {
    "README.md": "this text",
    "manifest.json": "exact parameters, facts, and the hash of every file",
    "SHA256SUMS": "the hashes, for `sha256sum --check SHA256SUMS`",
    "datapackage.json": "Frictionless Data Package",
    "dcat.jsonld": "DCAT, for data catalogues",
    "croissant.json": "Croissant, for machine-learning tools",
    "attacks.json": "what attacks on this method of protection achieved, on fictitious people",
}


def readme(manifest: Manifest, facts: PublicFacts) -> str:
    """README.md of a release."""
    warning = (
        "> **Practice data: invented.** No row describes anybody.\n\n" if facts.invented else ""
    )
    files = {n: WHAT.get(n, "codebook") for n in manifest.files} | _LATER
    files |= dict.fromkeys(set_names(manifest.imputations), "a set of records for inference")
    return _README.format(
        title=_plain(title(manifest, facts)),
        warning=warning,
        people=_figure(manifest.people),
        once=_once(manifest),
        twice=_TWICE if manifest.people_once else _TWICE_UNKNOWN,
        cases=_figure(manifest.case_records),
        same=_SAME,
        mentioned=_mentioned(manifest.perpetrators),
        perpetrators=_perpetrators(manifest.perpetrators),
        measurements=_measurements(manifest),
        sets=_SETS.format(sets=manifest.imputations) if manifest.imputations else "",
        level=f"{manifest.interval_level:.0%}",
        files="\n".join(f"| `{name}` | {words} |" for name, words in sorted(files.items())),
        epsilon=f"{manifest.epsilon:g}",
        delta=f"{manifest.delta:g}",
        unit=_plain(manifest.unit),
        rows=_rows(manifest),
        mechanism=_plain(manifest.mechanism),
        factor=f"{math.exp(manifest.epsilon):.2f}",
        reason=_reason(facts),
        accuracy=_accuracy(manifest.accuracy),
        first=facts.covered(int(manifest.created[:4]))[0],
        last=facts.covered(int(manifest.created[:4]))[1],
        contributors="\n".join(f"- {_plain(c.name)}" for c in facts.contributors),
        caveats="".join(f"- {_plain(c)}\n" for c in facts.caveats),
        citation=_plain(citation(manifest.version, manifest.created[:4], facts)),
        licence=_plain(f"{facts.licence} {facts.licence_url}".strip()),
        software=manifest.software,
    )


def _figure(figure: ManifestFigure) -> str:
    """A number with its interval; the interval alone where it may be nobody."""
    number = f"{figure.value:,}" if figure.low > 0 else "no single number"
    return f"{number} (between {figure.low:,} and {figure.high:,})"


def _once(manifest: Manifest) -> str:
    """The second interval of the number of people, empty where it was not measured."""
    if not manifest.people_once:
        return ""
    figure = _figure(manifest.people_once)
    return f"| people, if everybody is counted once (second interval) | {figure} |\n"


def _rows(manifest: Manifest) -> str:
    """For how many rows of one person the noise is, and what more of them mean."""
    rows, of = manifest.rows_per_person, manifest.epsilon_by_rows
    noise = "one row of each person" if rows == 1 else f"up to {rows} rows of one person"
    each = "; ".join(f"{n} → {math.ceil(round(e * 100, 6)) / 100:g}" for n, e in of.items())
    return _ROWS.format(noise=noise) + _MORE_ROWS.format(each=each)


def _mentioned(figure: ManifestPerpetrators | None) -> str:
    """The line of the first table, empty where perpetrators are not released."""
    return f"| perpetrators whom case records mention | {_figure(figure)} |\n" if figure else ""


def _perpetrators(figure: ManifestPerpetrators | None) -> str:
    return _PERPETRATORS.format(rows=figure.rows_per_person) if figure else ""


def _measurements(manifest: Manifest) -> str:
    """What noisy measurements are for."""
    text = _MEASUREMENTS
    if found := manifest.sources:
        text += _SOURCES
        if found.lists:
            lists = ", ".join(_plain(name) for name in found.lists)
            text += _OVERLAP.format(lists=lists, sigma=f"{found.sigma[LISTS]:.1f}")
            for name in (
                t.removeprefix(f"{LISTS}*") for t in found.sigma if t.startswith(f"{LISTS}*")
            ):
                text += _STRATA.format(name=name, sigma=f"{found.sigma[f'{LISTS}*{name}']:.1f}")
        if found.list_years:
            text += _LIST_YEARS.format(first=found.list_years[0], last=found.list_years[1])
        if found.tokens:
            text += _TOKENS.format(tokens=found.tokens)
        if DOUBLES in found.sigma:
            text += _DOUBLES.format(sigma=f"{found.sigma[DOUBLES]:.1f}")
        if manifest.people_once:
            text += _possible(manifest.people_once, found)
        if found.without_key:
            text += _WITHOUT_KEY.format(**found.without_key.model_dump())
    return text


def _possible(once: ManifestOnce, found: MeasuredSources) -> str:
    """How many may be counted twice, by birth and by citizenship those that are surely some."""
    text = _POSSIBLE.format(
        **once.model_dump(), review=_REVIEWED if once.reviewed else _CAPTURED.format(once.found)
    )
    by = found.by_quality_of_birth
    for what, cells in (
        ("how exactly the birth is known", {_BIRTHS[of]: told for of, told in by.items()}),
        (ORIGIN, {of: told for of, told in found.possible_doubles.items() if told.low}),
    ):
        rows = [f"| {of} | {d.value:,} ({d.low:,} to {d.high:,}) |" for of, d in cells.items()]
        text += _POSSIBLE_BY.format(what=what, rows="\n".join(rows)) if rows else ""
    return text


def _reason(facts: PublicFacts) -> str:
    """Why the guarantee is weaker than usual, empty where it is not."""
    if not facts.promise_reason:
        return ""
    return f" The publisher says why epsilon is higher than usual: {_plain(facts.promise_reason)}"


def _accuracy(accuracy: Accuracy) -> str:
    rows = {
        "number of people": accuracy.people,
        "a count in a table of one variable": accuracy.one_column,
        "a count in a table of two variables": accuracy.two_columns,
        "a count in a table of three variables": accuracy.three_columns,
        "a corridor (citizenship by country of exploitation)": accuracy.corridor,
    }
    return "\n".join(
        f"| {what} | ± {half:,.0f} |" for what, half in rows.items() if half is not None
    )


def _plain(text: str) -> str:
    """Text from outside as Markdown that cannot become markup."""
    return "".join(f"\\{c}" if c in r"\`*_[]|#" else c for c in html.escape(text, quote=False))


_PERPETRATORS = """
## Perpetrators

`perpetrators` and `perpetrator_counts` say whom case records mention: alleged perpetrators, not
findings of a court.

- Of one person at most {rows} perpetrators count, and two of the same person who are described
  alike count once. One perpetrator who is mentioned by two persons counts twice.
- A row of `perpetrators` belongs to **no row** of `records`: the two are protected apart, and
  nothing in these files joins them.
- The guarantee is the same, and its unit stays the person who was identified.
"""

_SAME = """Each is the
   number of `records` in its cell, so that parts add up to their whole. `sigma` in `manifest.json`
   is the standard deviation of a cell after all tables were fitted together, `drawn` that of the
   noise that was added to its table. """

_MEASUREMENTS = """
## Noisy measurements

`measurements` holds unbiased counts by year: the true count plus noise of mean zero.
They may be negative, and a single one says little: **do not quote a number from this file**. They
are there for statistics on whole series (trends, sums over years, models), which need inputs that
were not chosen for being large. The standard deviation of the noise stands in the CSV file, and by
table in `manifest.json` under `sigma`. A group is listed where its total is shown in `counts`.
"""

_SETS = """
## Sets for inference

A model that is fitted to `records` alone gets intervals that know of sampling and not of the noise.
`imputation-01.parquet` to the last are {sets} sets of records, each with noise of its own added
once more. Fit the model in each and pool the estimates by Rubin's rule for missing data (1987): in
Python `ctdhub.client.open_imputations` reads them and `pool` does that. Do not stack the sets, and
do not pool `records` with them. The guarantee covers them: they are made of the same noisy counts.
A set can have fewer rows than `records`: a value that fewer people have than three standard
deviations of its noise is in no set. Take totals from `counts`, never from the sets.
"""

_SOURCES = """
`sources` holds the same by contributor (`reporting_entity`; empty: all contributors without counts
of their own). A person counts with the contributor of her earliest record, once. The noise stands
in `manifest.json` under `sources`.
"""

_OVERLAP = """
Its table `lists` counts people by the set of lists that know them, of {lists}; people on none of
these are not in it. The standard deviation of its noise is {sigma} people.
"""

_STRATA = """\
The table of `lists` and `{name}` counts the same by {name} (standard deviation {sigma} people).
"""

_LIST_YEARS = """\
A list counts those whom it knew in {first} to {last}, the years that all of these lists cover.
"""

_TOKENS = """\
People are joined there by their keys and by at most {tokens} further tokens of each.
"""

_DOUBLES = """\
The table `doubles` says how many people of the release are, by these tokens, another one of them
(standard deviation {sigma} people): the number of people is too high by about as many, and each
other count by those of them whom it holds.
"""

_POSSIBLE = """
## Who may be counted twice

At most {counted_twice:,} people are another one of the people of this release, and at most
{share_a_row:,} share a row with somebody else. {review}

**Compare groups by the second interval.** For a count with the interval *low* to *high* it is
*low − D* to *high + {share_a_row:,}*. D is {counted_twice:,}; for people of certain citizenships it
is the upper end of their possible doubles (`possible_doubles` in `manifest.json`) divided by
{found}, if that is less. A share of n people, of whom x have something, lies between
(x − D) / (n − D + {share_a_row:,}) and (x + {share_a_row:,}) / (n − D + {share_a_row:,}).
"""

_CAPTURED = """\
Tokens are taken to find at least {:.0%} of those who count twice, estimated by capture and
recapture from the table `captures`. Names in two scripts may differ in more ways than that allows
for."""

_REVIEWED = "The policy states what share of them tokens find at least."

_BIRTHS = {
    "full": "birth date in full",
    "january": "born on 1 January",
    "year": "year of birth alone",
    "none": "birth not recorded",
    "no_key": "too little recorded to compare",
}

_POSSIBLE_BY = """
| {what} | people who may be another one of them, as counted |
|---|---|
{rows}
"""

_WITHOUT_KEY = """
{value:,} rows (between {low:,} and {high:,}) have no key at all: each counts as a person, and no
token can find whom it is about.
"""

_TWICE = "how many may, is below, and in the second interval."
_TWICE_UNKNOWN = """\
how many do was not measured, and comparisons of groups do not allow for it."""

_ROWS = """
Noise is for {noise}. Records with the same person key are one row; a
record without a key is a row of its own."""

_MORE_ROWS = """ A person whom contributors know under different keys
has several rows. Epsilon of a person by the number of rows: {each}."""

_README = """\
# {title}

{warning}**Identified cases, not prevalence.** These are people whom an organisation identified or
assisted. Most trafficking is never identified: a higher number may mean better identification.

| what is counted | how many |
|---|---|
| people identified (records with one person key count once) | {people} |
{once}| case records received (a person may have several) | {cases} |
{mentioned}
Intervals hold at the {level} level. Years {first} to {last}.

## Read this before you count

1. **A row stands for a person**, not for a case record. The rows are *protected records*: made from
   noisy counts, they agree with them, and no row is a real person. A person whom contributors know
   under different keys, or without one, may count more than once; {twice}
2. **Use `counts` where it holds the table you need**: its numbers have intervals. {same}Use
   `records` for combinations that `counts` does not hold, and expect errors of at least the same
   size.
3. **Denominators.** In a group of flags (means of control, type of exploitation, sector, recruiter)
   divide by the people for whom some flag of the group is yes (`any_means`, `any_exploitation`, …),
   not by all people.
4. **Four blanks differ.** *Zero*: known to be none. *Protected*: a cell that is missing from
   `counts`, too few to show reliably, never zero. *Nobody reports here*: no contributor covers that
   year or place. *Not recorded*: an empty cell, or an empty value in `counts`; the person is
   counted, the answer is not known.
5. Two numbers differ only where their intervals leave room for it; the second intervals, where
   there are such.
{caveats}{perpetrators}{measurements}{sets}
## Files

| file | what it is |
|---|---|
{files}

In CSV files of counts the variables of a cell are joined with `*` and its values with `|`, in the
same order: `gender*age_band` and `female|9-17`; `gender*age_band` and `female|` is "female, age not
recorded". The CSV files are UTF-8 without byte order mark (they hold ASCII codes only); values that
a spreadsheet would run as a formula begin with an apostrophe.

## How to read them

Python (pandas):

    import pandas as pd
    records = pd.read_parquet("records.parquet")
    counts = pd.read_parquet("counts.parquet")
    text = pd.read_csv("records.csv", dtype="string", keep_default_na=False, na_values=[""])

`NA` is Namibia in two-letter codes; the files use three letters (`NAM`), and the line above is safe
in any case.

R:

    records <- arrow::read_parquet("records.parquet")
    text <- read.csv("records.csv", colClasses = "character", na.strings = "")

Excel: do not open the CSV files by double click, it turns the age band `9-17` into a date. Choose
Data, From Text/CSV, then set the data type of every column to Text (or "Do not detect data types").

## How people are protected

Differential privacy, epsilon {epsilon} and delta {delta}, for each {unit}; mechanism:
{mechanism}. Whether or not any one person was in the data, the chance of seeing this release
changes by at most a factor of {factor}, apart from the small probability delta.{reason}
{rows}

Typical intervals:

| number | at the {level} level |
|---|---|
{accuracy}

Exact values for every table are in `manifest.json`.

## Who contributed

{contributors}

People may withdraw, and contributors too. A release is made without those who had withdrawn by
then; earlier releases stay as they are, under the guarantee they were made with. How many people
withdrew is not published.

## Cite and reuse

{citation}

Licence: {licence}. Made with {software}. Do not try to recognise anybody, and do not combine these
data with others in order to do so.
"""


# --------------------------------------------------------------------------------------------------
# Write a release: build it beside its place, sync it to disk, rename it, make it read-only.

Progress = Callable[[Text, float], None]
_NUMBERED = re.compile(r"(\d{4})\.([1-9]\d{0,5})")


def write_release(  # noqa: PLR0913
    protected: Protected,
    releases: Path,
    version: str,
    changelog: str,
    progress: Progress | None = None,
    *,
    changed: tuple[Text, ...] = (),
    candidates: Path | None = None,
    site: str = "",
    attacks: bytes = b"",
) -> Path:
    """Write ``releases/<version>/`` in one step; a reader sees all of it or nothing.

    Args:
        protected: the answer to publish.
        releases: folder of all releases of the hub, made if needed.
        version: name of the release, for example "2026.1"; see :func:`next_version`.
        changelog: what changed since the last release, in words for readers.
        changed: what the hub itself has to say of that, see ``changes.changes``.
        progress: told (message, fraction).
        candidates: where the bundle waits for approval instead of being published at once.
        site: public address of the hub's site, for catalogues; empty where it is not known.
        attacks: what attacks on the method of protection achieved (JSON); empty where not known.

    Returns:
        The folder of the release; its files can be read only.

    Raises:
        TypeError: ``protected`` is not a Protected value.
        ReleaseError: the version exists or is no version; a column may not be public; a public
            fact is missing.
    """
    check_border(protected)
    facts = PublicFacts.of(protected.facts)
    place = candidates or releases
    free(releases, version)
    target = free(place, version)
    report = progress or (lambda message, fraction: None)
    place.mkdir(parents=True, exist_ok=True)
    for leftover in place.glob(f".writing-{version}-*"):
        with suppress(OSError):
            remove(leftover)
    fresh = Path(tempfile.mkdtemp(prefix=f".writing-{version}-", dir=place))
    try:
        report(Text("Writing records and counts"), 0.0)
        write_tables(protected, fresh)
        write_measured(protected, fresh)
        write_sets(protected, fresh)
        report(Text("Writing codebook and metadata"), 0.5)
        created = datetime.now(UTC)
        languages = [g for g in LANGUAGES if g == LANGUAGES[0] or g in facts.languages]
        write_codebook(fresh, "html", languages)
        write_codebook(fresh, "csv", languages)
        words = in_languages(changed, languages)
        (fresh / CHANGELOG).write_text(
            changelog_text(releases, version, created, changelog, words), "utf-8"
        )
        if attacks:
            (fresh / ATTACKS).write_bytes(attacks)
        _describe(protected, facts, fresh, version, created, site)
        report(Text("Closing the release"), 0.9)
        _close(protected, fresh, version, created)
        sync(fresh)
        free(place, version)
        fresh.rename(target)
    finally:
        with suppress(OSError):
            remove(fresh)
    sync(place)
    report(Text("Release written"), 1.0)
    return target


def next_version(releases: Path, today: date | None = None, candidates: Path | None = None) -> str:
    """The version after the last one of this year: "2026.1", "2026.2", …

    Args:
        releases: folder of all releases; it need not exist yet.
        today: the day that decides the year; the present day in UTC by default.
        candidates: folder of those that wait for approval; their versions are taken too.
    """
    year = (today or datetime.now(UTC).date()).year
    folders = [releases, *([candidates] if candidates else [])]
    numbers = [n for folder in folders for y, n in _numbered(folder) if y == year]
    return f"{year}.{max(numbers, default=0) + 1}"


def versions(releases: Path) -> tuple[str, ...]:
    """Versions <year>.<number> of the releases in a folder, the oldest first."""
    return tuple(f"{year}.{number}" for year, number in sorted(_numbered(releases)))


def latest_release(releases: Path) -> Path | None:
    """The folder of the release with the highest version <year>.<number>, None if there is none."""
    if not (numbered := _numbered(releases)):
        return None
    year, number = max(numbered)
    return releases / f"{year}.{number}"


def latest_standing(folder: Path) -> Path | None:
    """The newest release of a hub that was not withdrawn, the newest where all were.

    Nothing is verified: open it next.

    Args:
        folder: of all releases.

    Returns:
        Its folder, None where there is no release.
    """
    found = [folder / version for version in reversed(versions(folder))]
    for path in found:
        sums = path / SUMS
        known = errata_of(path, digest(path)) if sums.is_file() else Errata()
        if status(known.given) != "withdrawn":
            return path
    return found[0] if found else None


def _numbered(releases: Path) -> list[tuple[int, int]]:
    names = (p.parent.name for p in releases.glob(f"*/{MANIFEST}"))
    return [(int(m[1]), int(m[2])) for name in names if (m := _NUMBERED.fullmatch(name))]


def free(releases: Path, version: str) -> Path:
    """Where a new version goes.

    Raises:
        ReleaseError: the version exists, or is no version.
    """
    if not re.fullmatch(VERSION_PATTERN, version):
        raise error("version")
    target = releases / version
    if target.exists() or target.is_symlink():
        raise error("immutable", file=target, version=version, next=next_version(releases))
    return target


def _describe(
    protected: Protected,
    facts: PublicFacts,
    fresh: Path,
    version: str,
    created: datetime,
    site: str,
) -> None:
    """README and catalogue metadata; they carry the hashes of the tables, so they come after."""
    files = _entries(fresh)
    manifest = Manifest.describe(protected, version, created, files)
    found = protected.perpetrators
    columns = protected.records.column_names
    of_perpetrators = found.records.column_names if found else None
    texts = {
        "README.md": readme(manifest, facts),
        "datapackage.json": frictionless(manifest, facts, columns, of_perpetrators),
        "dcat.jsonld": dcat(manifest, facts, site),
        "croissant.json": croissant(manifest, facts, columns, of_perpetrators),
    }
    for name, text in texts.items():
        (fresh / name).write_text(text, "utf-8")


def _close(protected: Protected, fresh: Path, version: str, created: datetime) -> None:
    """Manifest and list of hashes last, then every file read-only and on disk."""
    manifest = Manifest.describe(protected, version, created, _entries(fresh))
    (fresh / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", "utf-8")
    (fresh / SUMS).write_bytes(sums(fresh, manifest))
    for file in fresh.iterdir():
        file.chmod(0o444)
        sync(file)
    fresh.chmod(0o755)


def _entries(folder: Path) -> dict[str, FileEntry]:
    return {
        f.name: FileEntry(sha256=sha256(f), bytes=f.stat().st_size)
        for f in sorted(folder.iterdir())
    }


# --------------------------------------------------------------------------------------------------
# Publish: an approved candidate becomes a release by one rename.


def publish(candidate: Path, releases: Path, approvers: Approvers) -> Path:
    """Move ``candidates/<version>`` to ``releases/<version>``; a reader sees it there or not.

    Raises:
        ReleaseError: the candidate is damaged, lacks an approval or carries a false one; or the
            version was published before.
    """
    _manifest, problems = examine(candidate, approvers.model_copy(update={"former": ()}))
    if problems:
        first = problems[0]
        raise error(
            "not-publishable",
            file=candidate,
            rule=first.kind,
            version=candidate.name,
            first=first.text,
            part=first.file,
            approvals=APPROVALS,
        )
    if Approvals.read(candidate).missing:
        raise error("approval/missing", file=candidate, version=candidate.name)
    releases.mkdir(parents=True, exist_ok=True)
    target = free(releases, candidate.name)
    candidate.rename(target)
    sync(releases)
    sync(candidate.parent)
    return target
