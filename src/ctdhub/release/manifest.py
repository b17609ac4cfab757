"""The manifest and the public facts of a release: what it is, what was guaranteed, the hash of
every file.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import NormalDist, median
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
)

import ctdhub
from ctdhub import border
from ctdhub.core.errors import error, printable
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import LANGUAGES
from ctdhub.schema.model import ORIGIN

# --------------------------------------------------------------------------------------------------
# The public facts of a release, read into checked values.

LICENCES = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
}
"""Addresses of the licences that a hub may name by their SPDX identifier."""

LONGEST_NAME, LONGEST_TEXT = 120, 500
SITE_ADDRESS = (
    r"^(https://[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?"
    r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,99}){0,9}/?)?$"
)
"""Where a site may lie: https, a host, folders; no query, no user, no step up; or nothing."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


def _name(text: str) -> str:
    return printable(text.strip(), LONGEST_NAME)


def _sentence(text: str) -> str:
    return printable(text.strip(), LONGEST_TEXT)


def _names(names: dict[str, str]) -> dict[str, str]:
    return {code: _name(name) for code, name in names.items()}


def _day(day: Any) -> Any:
    return day.isoformat() if type(day) is date else day


def _real_day(day: str) -> str:
    date.fromisoformat(day)
    return day


Name = Annotated[str, AfterValidator(_name)]
Sentence = Annotated[str, AfterValidator(_sentence)]
Names = Annotated[dict[str, str], AfterValidator(_names)]
"""A name by language."""
Day = Annotated[
    str, BeforeValidator(_day), Field(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(_real_day)
]


class SeriesBreak(_Facts):
    """A day from which on a contributor's figures are not comparable with earlier ones.

    ``variables`` are names of variables or groups that it concerns, () for all figures; ``note``
    is a sentence of the steward, in whatever language.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: Day
    kind: Literal["operator", "law", "form", "definition", "other"] = "other"
    variables: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")], ...] = ()
    note: Annotated[str, Field(max_length=300), AfterValidator(_sentence)] = ""

    def as_facts(self) -> dict[str, Any]:
        """As plain values; without ``variables`` where it concerns all figures."""
        facts = self.model_dump(mode="json")
        return facts if self.variables else {k: v for k, v in facts.items() if k != "variables"}


class Contributor(_Facts):
    """An organisation that contributed: its name, kind and the years that it reports on.

    ``id`` is what measurements by contributor call it, empty where the facts name it alone.
    ``deliveries`` are the days on which its files were received, None where older software made
    the release.  ``rows_per_person`` is the most rows that one person may have here.
    ``names`` are its name by language, where it has one.
    """

    id: Annotated[str, Field(max_length=60), AfterValidator(_name)] = ""
    name: Name
    kind: Name = ""
    years: tuple[int, int] | None = None
    deliveries: tuple[str, ...] | None = None
    breaks: tuple[SeriesBreak, ...] = ()
    rows_per_person: int = 1
    names: Names = Field(default_factory=dict)


class PublicFacts(_Facts):
    r"""Facts that need no protection; every text is cut and freed of control characters.

    Attributes:
        hub: name of the hub, who publishes.
        hub_names: its name by language, where it has one.
        contributors: the organisations whose case records went in.
        years: first and last year covered, both included: of the policy, that an agreement
            covers, none after the year of the version.  Older releases hold those of the policy.
        schema_version: of the hub's schema.
        languages: languages of the site.
        invented: whether the data are practice data about nobody.
        licence: SPDX identifier; see :data:`LICENCES`.
        caveats: sentences that every reader must see.
        homepage, helpline: shown where given.
        promise_reason: why the guarantee is weaker than usual, in the words of the policy; empty
            where it is not, or where older software made the release.
        list_answers: what the organisations whose lists overlap say of how they work together, by
            the policy; a question that is not there is not answered.

    >>> PublicFacts.of({"hub": "A\u202e hub", "contributors": ["One"], "years": [2010, 2012],
    ...                 "schema_version": "1.0"}).hub
    'A· hub'
    """

    hub: Annotated[str, Field(min_length=1), AfterValidator(_name)]
    contributors: tuple[Contributor, ...]
    years: tuple[int, int]
    schema_version: Name
    languages: tuple[str, ...] = LANGUAGES
    invented: bool = False
    licence: Name = "CC-BY-4.0"
    caveats: tuple[Sentence, ...] = ()
    homepage: str = Field(default="", pattern=r"^(https://\S{1,300})?$")
    helpline: Name = ""
    promise_reason: Sentence = ""
    list_answers: dict[Literal["same_place", "refer", "one_register"], bool] = Field(default={})
    hub_names: Names = Field(default_factory=dict)

    @field_validator("contributors", mode="before")
    @classmethod
    def _contributor_entries(cls, contributors: Any) -> Any:
        return [{"name": c} if isinstance(c, str) else c for c in contributors]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> PublicFacts:
        """Read the facts of a protected answer.

        Raises:
            ReleaseError: a fact is missing or has the wrong form.
        """
        try:
            return cls.model_validate(dict(facts))
        except ValidationError as cause:
            names = ", ".join(sorted({str(e["loc"][0]) for e in cause.errors()}))
            raise error("facts", names=names) from None

    def covered(self, until: int) -> tuple[int, int]:
        """First and last year that some contributor reports on, none after a year.

        Args:
            until: the year in which the release was made.

        >>> facts = PublicFacts.of({"hub": "A", "contributors": ["One"], "years": [2002, 2030],
        ...                         "schema_version": "1.0"})
        >>> facts.covered(2026)
        (2002, 2026)
        """
        spans = [c.years or self.years for c in self.contributors] or [self.years]
        first = max(self.years[0], min(s[0] for s in spans))
        last = min(self.years[1], max(s[1] for s in spans), until)
        return first, max(first, last)

    @property
    def licence_url(self) -> str:
        """Address of the licence, empty where the hub names one of its own."""
        return LICENCES.get(self.licence, "")


# --------------------------------------------------------------------------------------------------
# How many people a count holds if everybody is counted once: the second interval.
#
# Records of one person may be several rows, and one row may hold two people.  For a count with the
# interval of noise [low, high] the second interval is [low - D, high + F]: D is the most people of
# the count who are another one of its people, F the most people of it who share a row.
#
# D.  A release counts, through noise, *captures*: persons whom tokens find that leave out one fact
# each of what makes a person (own name, family name, year or day of birth), and all that have too
# little for any token.  What two differing facts hide is estimated by capture and recapture. With s
# people shared by two contributors or more, whose rows agree in all facts, and n_i found although
# fact i differs, facts that differ independently give
#
#     shared people in all = s (1 + n_1 / s) (1 + n_2 / s) …
#
# Those beyond s are doubles, and D is as many over :data:`SHORT`, for facts that differ together.
# It is the most that any numbers give whose distance from the noisy ones is that of their interval,
# as long as no fact differs in more than half of the records of a person (n_i <= s); where the
# numbers say that one does, :data:`LEAST` of the doubles is found, which is so if each does in
# half.  Where the policy states the share found after a clerical review, D is what was found over
# that.
#
# A person has at most as many rows as all agreements together allow; of few people in a large hub,
# that says more than D.
#
# F.  People who agree on both names and on a part of the birth, but not on the whole of it, are for
# the most part different people.  Those who agree on the whole by chance, and share a row for it,
# are at most :data:`CHANCE` of them.
#
# SHORT and CHANCE are what fictitious people of twelve cultures show, and worlds of other kinds
# (``benchmarks/people_once.py``, decision 127).

SHORT = 0.7
"""The estimate finds at least this share of all doubles, where names are of one script or known."""

LEAST = SHORT * 4 / 15
"""The share found where four facts differ independently, each in half of the records."""

CHANCE = 0.1
"""The most of those who agree on all but a part of the birth who agree on that too by chance."""

FEW = 0.42
"""Where no more of the doubles are found, facts differ so often, or so few people are shared, that
:data:`SHORT` may not do: there may be more doubles than D."""

UNREAD = (
    *("ARM", "BGD", "BTN", "CHN", "ERI", "ETH", "GEO", "HKG", "IND", "ISR", "JPN", "KHM", "KOR"),
    *("LAO", "LKA", "MAC", "MDV", "MMR", "NPL", "PRK", "THA", "TWN"),
)
"""Countries whose people have names in a script that tokens compare as written: by one office in it
and by another in Latin letters, both names differ at once, and no token finds them."""

SOME = 0.05
"""Where so many of the people shown are citizens of these, there may be more doubles than D."""


@dataclass(frozen=True)
class LinkErrors:
    """What links of a release miss and merge wrongly, at most.

    Attributes:
        doubles: the most people of the release who are another one of them.
        middle: about how many.
        merged: the most people who share a row with another one.
        found: share of all doubles that is found, at least.
        reviewed: whether a clerical review gave that share.
        by_citizenship: noisy possible doubles by citizenship ("" where not recorded).
        spread: half-width of the interval of one of these.
        rows: the most rows that one person may have; infinite where no agreement bounds them.
        unread: whether many people shown are citizens of :data:`UNREAD`.
    """

    doubles: int
    middle: int
    merged: int
    found: float
    reviewed: bool
    by_citizenship: Mapping[str, float]
    spread: float
    rows: float = math.inf
    unread: bool = False

    @classmethod
    def of(cls, protected: border.Protected) -> LinkErrors | None:
        """What a release says of its links; None where the second interval does not exist."""
        sources, level = protected.sources, protected.guarantee.level
        if sources is None or not (captures := sources.cells(border.CAPTURES)):
            return None
        z = NormalDist().inv_cdf((1 + level) / 2)
        half, alone = (
            z * sources.sigma[border.CAPTURES],
            max(0.0, sources.cells(border.UNKEYED)["people"]),
        )
        *differ, shared = (captures[name] for name in border.CAPTURE_CELLS)
        middle, _share = _every(differ, max(shared, *differ), 0.0)
        most, share = _every(differ, shared, half)
        if sources.found is not None:
            share = sources.found
            middle, most = (max(0.0, sum(differ) + more) / share for more in (0.0, 2 * half))
        merged = CHANCE * max(0.0, differ[0] + half)
        if sources.merged is not None:
            merged = sources.merged * protected.people.high
        return cls(
            doubles=math.ceil(most + alone + z * sources.sigma[border.UNKEYED]),
            middle=round(middle + alone),
            merged=math.ceil(merged),
            found=share,
            reviewed=sources.found is not None,
            by_citizenship=sources.cells(border.POSSIBLE, ORIGIN),
            spread=z * sources.sigma[f"{border.POSSIBLE}*{ORIGIN}"],
            rows=_most_rows(protected.facts),
            unread=_unread(protected) > SOME * protected.people.value,
        )

    @property
    def even_more(self) -> bool:
        """Whether there may be more doubles than ``doubles``, as far as the release can tell."""
        return not self.reviewed and (self.found < FEW or self.unread)

    def most(self, number: float, citizenships: Collection[str] | None = None) -> float:
        """The most doubles among so many people, all of some citizenships where these are said."""
        most = float(self.doubles)
        if citizenships is not None:
            counts = [self.by_citizenship[c] for c in citizenships if c in self.by_citizenship]
            high = max(0.0, sum(counts) + self.spread * math.sqrt(len(counts)))
            most = min(most, math.ceil(high / self.found))
        return min(most, max(0.0, number) * (1 - 1 / self.rows))

    def once(
        self, low: float, high: float, citizenships: Collection[str] | None = None
    ) -> tuple[float, float]:
        """The second interval of a number of people.

        Args:
            low, high: the interval of noise.
            citizenships: that all of them have; None where any.
        """
        return max(0.0, low - self.most(low, citizenships)), high + self.merged

    def share_once(
        self, low: float, high: float, whole: float, citizenships: Collection[str] | None = None
    ) -> tuple[float, float]:
        """The second interval of a share: all doubles may be in the part, or all outside of it.

        Args:
            low, high: the interval of noise, in 0..1.
            whole: the people that the share is of.
            citizenships: that these have; None where any.
        """
        doubles = self.most(whole, citizenships)
        if whole <= doubles:
            return 0.0, 1.0
        least = max(0.0, low * whole - doubles) / (whole - doubles + self.merged)
        most = (high * whole + self.merged) / (whole - doubles + self.merged)
        return min(low, least), max(high, min(1.0, most))


_STEPS = 40


def _every(differ: Sequence[float], shared: float, half: float) -> tuple[float, float]:
    """The most doubles that numbers within ``half`` of these give, and the share of them found."""
    shared, best = max(0.0, shared), (0.0, 1.0)
    if max(differ) - half > shared + half:
        return (max(0.0, sum(differ)) + 2 * half) / LEAST, LEAST
    for step in range(-_STEPS, _STEPS + 1):
        at = step / _STEPS
        agree = max(0.0, shared + half * at)
        rest = half * math.sqrt(1 - at**2) / math.sqrt(len(differ))
        some = [min(max(0.0, n + rest), agree) for n in differ]
        if sum(some) > 0:
            every = agree * (math.prod(1 + n / agree for n in some) - 1) / SHORT
            best = max(best, (every, sum(some) / every))
    return best


def widening(sigma: Mapping[str, float], level: float) -> int:
    """By how many people noise alone makes the second interval wider, where nobody is double."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    many = 1e12
    most, _found = _every((0.0,) * 4, many, z * sigma[border.CAPTURES])
    return math.ceil(most + z * sigma[border.UNKEYED])


def _unread(protected: border.Protected) -> int:
    """People shown who are citizens of :data:`UNREAD`."""
    alone = protected.counts.filter(pc.equal(pc.list_value_length(protected.counts["columns"]), 1))
    of = alone.filter(pc.equal(pc.list_element(alone["columns"], 0), ORIGIN))
    some = pc.is_in(pc.list_element(of["values"], 0), value_set=pa.array(UNREAD))
    return pc.sum(of["count"].filter(some)).as_py() or 0


def _most_rows(facts: Mapping[str, Any]) -> float:
    """The most rows of one person at all contributors together, as their agreements say."""
    contributors = [c for c in facts.get("contributors") or () if isinstance(c, Mapping)]
    if not contributors or not all(c.get("keyed", True) for c in contributors):
        return math.inf
    return float(sum(int(c.get("rows_per_person") or 1) for c in contributors))


# --------------------------------------------------------------------------------------------------
# The manifest: what a release is, what was promised, and the hash of every file.

MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
ATTACKS = "attacks.json"
"""What attacks on the method of protection achieved."""
CORRIDOR = "citizenship*country_of_exploitation"
VERSION_PATTERN = r"^\d{4}\.[1-9]\d{0,5}$"
"""A version is also the name of a folder: no separators, no leading dot, no "..", 80 at most."""


class ManifestFigure(FrozenModel):
    """A protected figure: an estimate inside its interval, with what it counts in words."""

    value: int = Field(ge=0)
    low: int
    high: int
    counts: str

    def estimate(self) -> border.Estimate:
        """The figure as the type of the border."""
        return border.Estimate(self.value, self.low, self.high)


class ManifestPerpetrators(ManifestFigure):
    """Perpetrators whom case records mention, at most ``rows_per_person`` of each person."""

    rows_per_person: int = Field(ge=1)
    sigma: dict[str, float]


class ManifestOnce(ManifestFigure):
    """The number of people with its second interval, and what it is made of.

    ``counted_twice`` are the most people who are another one of them, ``share_a_row`` the most who
    share a row, ``found`` the share of the former that tokens find at least, and ``reviewed`` says
    whether a clerical review told it; ``even_more`` whether even more people may be another one, as
    far as the release can tell.  ``most_rows`` are the most rows that a person may have, null
    where no agreement bounds them.
    """

    counted_twice: int = Field(ge=0)
    share_a_row: int = Field(ge=0)
    found: float = Field(gt=0, le=1)
    reviewed: bool
    even_more: bool
    most_rows: int | None = None


class MeasuredFile(FrozenModel):
    """Noisy counts by year: how many rows; their noise is ``sigma`` of the manifest."""

    rows: int = Field(ge=0)
    counts: str


class DoubledPeople(FrozenModel):
    """A number of people who are another one of them, or of rows without a key, with the interval
    of its noise."""

    value: int = Field(ge=0)
    low: int = Field(ge=0)
    high: int = Field(ge=0)


class MeasuredSources(MeasuredFile):
    """Noisy counts by contributor, and of how lists overlap, with the noise of each table.

    ``list_years`` are the first and last year in which a list must know a person (null: any year);
    ``tokens`` says by how many tokens of a person at most lists were joined, beside her key.
    ``doubles`` (``all``) are people who are another one of them by these tokens, with the interval
    of noise.  Where it was asked, ``possible_doubles`` are people who may be another one, by
    citizenship (``not_recorded``), ``captures`` what finds them, and ``without_key`` rows that say
    too little to be compared.  ``found`` and ``merged`` are what a clerical review told, as the
    policy states; null where it is estimated.
    """

    contributors: tuple[str, ...]
    lists: tuple[str, ...]
    sigma: dict[str, Annotated[float, Field(gt=0)]]
    share: float = Field(ge=0, lt=1)
    list_years: tuple[int, int] | None = None
    tokens: int = Field(default=0, ge=0)
    found: float | None = Field(default=None, gt=0, le=1)
    merged: float | None = Field(default=None, ge=0, le=1)
    doubles: dict[str, DoubledPeople] = Field(default={})
    possible_doubles: dict[str, DoubledPeople] = Field(default={})
    captures: dict[str, DoubledPeople] = Field(default={})
    without_key: DoubledPeople | None = None


OF_SOURCES = tuple(f.name for f in fields(border.Sources) if f.name != "measurements")
"""Fields of :class:`Sources` that the manifest states."""


class FileEntry(FrozenModel):
    """Hash and size of one file."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Accuracy(FrozenModel):
    """Typical half-widths of an interval, in people, at the release's level.

    ``z * sigma`` with z the normal quantile of the level; for one, two and three columns the
    median over the tables measured.  Null where the release holds no such table.
    """

    people: float | None
    one_column: float | None
    two_columns: float | None
    three_columns: float | None
    corridor: float | None


_NAMES = {"level": "interval_level", "rows": "rows_per_person", "by_rows": "epsilon_by_rows"}
"""Fields of :class:`Guarantee` that the manifest has by another name."""


class Manifest(FrozenModel):
    """manifest.json.  ``people`` and ``case_records`` are different statistics: a person may
    have several case records, from one contributor or from several.  ``perpetrators`` is null where
    the policy leaves them out; the guarantee covers them too, and ``sources``, null where the
    policy leaves them out.  ``imputations`` is the number of sets of records for inference.
    ``rows_per_person`` is the most rows of one person that the noise is
    for, and ``epsilon_by_rows`` the epsilon of a person with so many.
    ``people_once`` is ``people`` with its second interval, if everybody is counted once, as far as
    further tokens and a review tell; null where that was not measured.
    ``not_fitted`` are measured tables that the records were not fitted to.
    ``sigma`` is the standard deviation of the unbiased estimate of a cell, ``drawn`` that of the
    noise of its table alone.
    ``regions`` is the standard deviation of the noise of a cell of each table of regions.
    ``false_share`` is the policy's, and is written only where it is not the default."""

    manifest_version: Literal[1] = 1
    version: str = Field(pattern=VERSION_PATTERN)
    created: str
    software: str
    schema_version: str
    epsilon: float
    delta: float
    rho: float
    unit: str
    rows_per_person: int = Field(ge=1)
    epsilon_by_rows: dict[str, float]
    mechanism: str
    interval_level: float = Field(gt=0, lt=1)
    sigma: dict[str, float]
    not_fitted: tuple[str, ...]
    drawn: dict[str, float] = Field(min_length=1)
    false_share: float = Field(default=border.FALSE_SHARE, gt=0, le=0.25)
    regions: dict[str, float]
    charge: str
    accuracy: Accuracy
    people: ManifestFigure
    people_once: ManifestOnce | None = None
    case_records: ManifestFigure
    perpetrators: ManifestPerpetrators | None = None
    measurements: MeasuredFile
    imputations: int = Field(ge=0, le=100)
    sources: MeasuredSources | None = None
    facts: dict[str, Any]
    files: dict[str, FileEntry]

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        document: dict[str, Any] = write(self)
        if self.false_share == border.FALSE_SHARE:
            del document["false_share"]
        return document

    def guarantee(self) -> border.Guarantee:
        """The guarantee as the type of the border."""
        args = {f.name: getattr(self, _NAMES.get(f.name, f.name)) for f in fields(border.Guarantee)}
        return border.Guarantee(**args)

    @classmethod
    def read(cls, bundle: Path) -> Manifest:
        """The manifest in the folder of a release or a candidate.

        Raises:
            ReleaseError: it is damaged or is not there.
        """
        try:
            return cls.model_validate_json((bundle / MANIFEST).read_bytes())
        except (OSError, ValidationError):
            raise error("manifest", file=bundle / MANIFEST) from None

    @classmethod
    def describe(
        cls,
        protected: border.Protected,
        version: str,
        created: datetime,
        files: dict[str, FileEntry],
    ) -> Manifest:
        """The manifest of a protected answer whose files are written."""
        g = protected.guarantee
        return cls(
            version=version,
            created=created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            software=f"ctdhub {ctdhub.__version__}",
            schema_version=str(protected.facts["schema_version"]),
            **{_NAMES.get(f.name, f.name): getattr(g, f.name) for f in fields(border.Guarantee)},
            accuracy=accuracy(g),
            people=_figure(
                protected.people, "people identified; records with one person key count once"
            ),
            people_once=_once(protected),
            case_records=_figure(
                protected.case_records, "case records received; a person may have several"
            ),
            perpetrators=_mentioned(protected.perpetrators),
            measurements=MeasuredFile(
                rows=protected.measurements.num_rows,
                counts="people by year of groups whose total is shown, and people of regions by "
                "span of years; noisy and unbiased",
            ),
            imputations=len(protected.imputations),
            sources=_sources(protected.sources, g.level),
            facts=protected.facts,
            files=files,
        )


def accuracy(guarantee: border.Guarantee) -> Accuracy:
    """Typical half-widths; see :class:`Accuracy`."""
    z = NormalDist().inv_cdf((1 + guarantee.level) / 2)

    def typical(tables: Iterable[str]) -> float | None:
        sigmas = [guarantee.sigma[table] for table in tables if table in guarantee.sigma]
        return round(z * median(sigmas), 1) if sigmas else None

    one, two, three = (
        [table for table in guarantee.sigma if table and table.count("*") == stars]
        for stars in range(3)
    )
    return Accuracy(
        people=typical([""]),
        one_column=typical(one),
        two_columns=typical(two),
        three_columns=typical(three),
        corridor=typical([CORRIDOR]),
    )


def _mentioned(table: border.Perpetrators | None) -> ManifestPerpetrators | None:
    if table is None:
        return None
    words = "perpetrators whom case records mention, at most rows_per_person of each person"
    return ManifestPerpetrators(
        **asdict(table.total), counts=words, rows_per_person=table.rows, sigma=table.sigma
    )


def _sources(sources: border.Sources | None, level: float) -> MeasuredSources | None:
    if sources is None:
        return None
    doubles, unkeyed = sources.doubles(level), sources.without_key(level)
    return MeasuredSources(
        rows=sources.measurements.num_rows,
        counts="people by contributor, noisy and unbiased; a person counts with one contributor",
        **{name: getattr(sources, name) for name in OF_SOURCES},
        doubles={"all": DoubledPeople(**asdict(doubles))} if doubles else {},
        possible_doubles=_doubled_people(sources.estimates(level, border.POSSIBLE, ORIGIN)),
        captures=_doubled_people(sources.estimates(level, border.CAPTURES)),
        without_key=DoubledPeople(**asdict(unkeyed)) if unkeyed else None,
    )


def _doubled_people(cells: Mapping[str, border.Estimate]) -> dict[str, DoubledPeople]:
    return {of or "not_recorded": DoubledPeople(**asdict(cell)) for of, cell in cells.items()}


def _once(protected: border.Protected) -> ManifestOnce | None:
    errors, people = LinkErrors.of(protected), protected.people
    if errors is None:
        return None
    low, high = (int(end) for end in errors.once(people.low, people.high))
    value = min(max(low, people.value - errors.middle), people.value)
    return ManifestOnce(
        value=value,
        low=low,
        high=high,
        counts="people, if everybody is counted once: the second interval",
        counted_twice=math.ceil(errors.most(people.low)),
        share_a_row=errors.merged,
        found=round(errors.found, 4),
        reviewed=errors.reviewed,
        even_more=errors.even_more,
        most_rows=None if math.isinf(errors.rows) else int(errors.rows),
    )


def _figure(estimate: border.Estimate, counts: str) -> ManifestFigure:
    return ManifestFigure(**asdict(estimate), counts=counts)
