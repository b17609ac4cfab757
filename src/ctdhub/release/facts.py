"""The public facts of a release, read into checked values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.i18n import LANGUAGES

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


class SeriesBreak(_Facts):
    """A day from which on a contributor's figures are not comparable with earlier ones.

    ``variables`` are names of variables or groups that it concerns, () for all figures; ``note``
    is a sentence of the steward, in whatever language.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")
    kind: Literal["operator", "law", "form", "definition", "other"] = "other"
    variables: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")], ...] = ()
    note: str = Field(default="", max_length=300)

    def as_facts(self) -> dict[str, Any]:
        """As plain values; without ``variables`` where it concerns all figures."""
        found = self.model_dump(mode="json")
        return found if self.variables else {k: v for k, v in found.items() if k != "variables"}

    @field_validator("date", mode="before")
    @classmethod
    def _day(cls, given: Any) -> Any:
        return given.isoformat() if type(given) is date else given

    @field_validator("date")
    @classmethod
    def _exists(cls, given: str) -> str:
        date.fromisoformat(given)
        return given

    @field_validator("note")
    @classmethod
    def _safe(cls, text: str) -> str:
        return printable(text.strip(), 300)


def _safe_names(given: dict[str, str]) -> dict[str, str]:
    return {code: printable(name.strip(), LONGEST_NAME) for code, name in given.items()}


Names = Annotated[dict[str, str], AfterValidator(_safe_names)]
"""A name by language."""


class Contributor(_Facts):
    """An organisation that contributed: its name, kind and the years that it reports on.

    ``id`` is what measurements by contributor call it, empty where the facts name it alone.
    ``deliveries`` are the days on which its files were received, None where older software made
    the release.  ``rows_per_person`` is the most rows that one person may have here.
    ``names`` are its name by language, where it has one.
    """

    id: str = Field(default="", max_length=60)
    name: str
    kind: str = ""
    years: tuple[int, int] | None = None
    deliveries: tuple[str, ...] | None = None
    breaks: tuple[SeriesBreak, ...] = ()
    rows_per_person: int = 1
    names: Names = Field(default_factory=dict)

    @field_validator("id", "name", "kind")
    @classmethod
    def _safe(cls, text: str) -> str:
        return printable(text.strip(), LONGEST_NAME)


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

    >>> PublicFacts.of({"hub": "A\u202e hub", "contributors": ["One"], "years": [2010, 2012],
    ...                 "schema_version": "1.0"}).hub
    'A· hub'
    """

    hub: str = Field(min_length=1)
    contributors: tuple[Contributor, ...]
    years: tuple[int, int]
    schema_version: str
    languages: tuple[str, ...] = LANGUAGES
    invented: bool = False
    licence: str = "CC-BY-4.0"
    caveats: tuple[str, ...] = ()
    homepage: str = Field(default="", pattern=r"^(https://\S{1,300})?$")
    helpline: str = ""
    promise_reason: str = ""
    hub_names: Names = Field(default_factory=dict)

    @field_validator("contributors", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return [{"name": c} if isinstance(c, str) else c for c in given]

    @field_validator("hub", "schema_version", "licence", "helpline")
    @classmethod
    def _safe(cls, text: str) -> str:
        return printable(text.strip(), LONGEST_NAME)

    @field_validator("promise_reason")
    @classmethod
    def _safe_reason(cls, text: str) -> str:
        return printable(text.strip(), LONGEST_TEXT)

    @field_validator("caveats")
    @classmethod
    def _safe_all(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(printable(text.strip(), LONGEST_TEXT) for text in texts)

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
