"""The manifest: what a release is, what was promised, and the hash of every file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from statistics import NormalDist, median
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

import ctdhub
from ctdhub.border import (
    BIRTH,
    CAPTURES,
    FALSE_SHARE,
    POSSIBLE,
    Estimate,
    Guarantee,
    Perpetrators,
    Protected,
    Sources,
)
from ctdhub.core.frozen import FrozenModel
from ctdhub.release.people_once import LinkErrors
from ctdhub.schema.roles import ORIGIN

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

    def estimate(self) -> Estimate:
        """The figure as the type of the border."""
        return Estimate(self.value, self.low, self.high)


class ManifestPerpetrators(ManifestFigure):
    """Perpetrators whom case records mention, at most ``rows_per_person`` of each person."""

    rows_per_person: int = Field(ge=1)
    sigma: dict[str, float]


class ManifestOnce(ManifestFigure):
    """The number of people with its second interval, and what it is made of.

    ``counted_twice`` are the most people who are another one of them, ``share_a_row`` the most who
    share a row, ``found`` the share of the former that tokens find at least, and ``reviewed`` says
    whether a clerical review told it.
    """

    counted_twice: int = Field(ge=0)
    share_a_row: int = Field(ge=0)
    found: float = Field(gt=0, le=1)
    reviewed: bool


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
    citizenship (``not_recorded``), ``by_quality_of_birth`` the same by how exactly the birth is
    known, ``captures`` what finds them, and ``without_key`` rows without any key, each a person of
    its own.  ``found`` and ``merged`` are what a clerical review told, as the policy states; null
    where it is estimated.
    """

    contributors: tuple[str, ...]
    lists: tuple[str, ...]
    sigma: dict[str, float]
    share: float = Field(ge=0, lt=1)
    list_years: tuple[int, int] | None = None
    tokens: int = Field(default=0, ge=0)
    found: float | None = Field(default=None, gt=0, le=1)
    merged: float | None = Field(default=None, ge=0, le=1)
    doubles: dict[str, DoubledPeople] = Field(default={})
    possible_doubles: dict[str, DoubledPeople] = Field(default={})
    by_quality_of_birth: dict[str, DoubledPeople] = Field(default={})
    captures: dict[str, DoubledPeople] = Field(default={})
    without_key: DoubledPeople | None = None


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
    false_share: float = Field(default=FALSE_SHARE, gt=0, le=0.25)
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
        found: dict[str, Any] = write(self)
        if self.false_share == FALSE_SHARE:
            del found["false_share"]
        return found

    def guarantee(self) -> Guarantee:
        """The guarantee as the type of the border."""
        return Guarantee(
            epsilon=self.epsilon,
            delta=self.delta,
            rho=self.rho,
            unit=self.unit,
            mechanism=self.mechanism,
            level=self.interval_level,
            sigma=dict(self.sigma),
            charge=self.charge,
            rows=self.rows_per_person,
            by_rows=dict(self.epsilon_by_rows),
            not_fitted=self.not_fitted,
            drawn=dict(self.drawn),
            false_share=self.false_share,
        )

    @classmethod
    def describe(
        cls, protected: Protected, version: str, created: datetime, files: dict[str, FileEntry]
    ) -> Manifest:
        """The manifest of a protected answer whose files are written."""
        g = protected.guarantee
        return cls(
            version=version,
            created=created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            software=f"ctdhub {ctdhub.__version__}",
            schema_version=str(protected.facts["schema_version"]),
            epsilon=g.epsilon,
            delta=g.delta,
            rho=g.rho,
            unit=g.unit,
            rows_per_person=g.rows,
            epsilon_by_rows=g.by_rows,
            mechanism=g.mechanism,
            interval_level=g.level,
            sigma=g.sigma,
            not_fitted=g.not_fitted,
            drawn=g.drawn,
            false_share=g.false_share,
            charge=g.charge,
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
                counts="people by year, noisy and unbiased, of groups whose total is shown",
            ),
            imputations=len(protected.imputations),
            sources=_sources(protected.sources, g.level),
            facts=protected.facts,
            files=files,
        )


def accuracy(guarantee: Guarantee) -> Accuracy:
    """Typical half-widths; see :class:`Accuracy`."""
    z = NormalDist().inv_cdf((1 + guarantee.level) / 2)

    def of_length(n: int) -> float | None:
        sigmas = [s for table, s in guarantee.sigma.items() if table and table.count("*") == n - 1]
        return round(z * median(sigmas), 1) if sigmas else None

    def of_table(table: str) -> float | None:
        sigma = guarantee.sigma.get(table)
        return None if sigma is None else round(z * sigma, 1)

    return Accuracy(
        people=of_table(""),
        one_column=of_length(1),
        two_columns=of_length(2),
        three_columns=of_length(3),
        corridor=of_table(CORRIDOR),
    )


def _mentioned(found: Perpetrators | None) -> ManifestPerpetrators | None:
    if found is None:
        return None
    words = "perpetrators whom case records mention, at most rows_per_person of each person"
    figure = _figure(found.total, words)
    return ManifestPerpetrators(
        **figure.model_dump(), rows_per_person=found.rows, sigma=found.sigma
    )


def _sources(found: Sources | None, level: float) -> MeasuredSources | None:
    if found is None:
        return None
    doubles, unkeyed = found.doubles(level), found.without_key(level)
    return MeasuredSources(
        rows=found.measurements.num_rows,
        counts="people by contributor, noisy and unbiased; a person counts with one contributor",
        contributors=found.contributors,
        lists=found.lists,
        sigma=found.sigma,
        share=found.share,
        list_years=found.list_years,
        tokens=found.tokens,
        found=found.found,
        merged=found.merged,
        doubles={"all": DoubledPeople(**asdict(doubles))} if doubles else {},
        possible_doubles=_told(found.told(level, POSSIBLE, ORIGIN)),
        by_quality_of_birth=_told(found.told(level, POSSIBLE, BIRTH)),
        captures=_told(found.told(level, CAPTURES)),
        without_key=DoubledPeople(**asdict(unkeyed)) if unkeyed else None,
    )


def _told(cells: Mapping[str, Estimate]) -> dict[str, DoubledPeople]:
    return {of or "not_recorded": DoubledPeople(**asdict(told)) for of, told in cells.items()}


def _once(protected: Protected) -> ManifestOnce | None:
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
        counted_twice=min(errors.doubles, people.high),
        share_a_row=errors.merged,
        found=round(errors.found, 4),
        reviewed=errors.reviewed,
    )


def _figure(estimate: Estimate, counts: str) -> ManifestFigure:
    return ManifestFigure(value=estimate.value, low=estimate.low, high=estimate.high, counts=counts)
