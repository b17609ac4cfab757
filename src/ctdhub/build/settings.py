"""Settings files of a hub, read into checked values: hub.yaml and the agreements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from ctdhub.build.spark.settings import SparkSettings
from ctdhub.core.datafiles import FORMULA
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import LANGUAGES, Language, Text, joined
from ctdhub.core.keys.signing import is_public_key
from ctdhub.release.approvers import Approvers
from ctdhub.release.deposit import DOI
from ctdhub.release.facts import SITE_ADDRESS, SeriesBreak
from ctdhub.release.manifest import VERSION_PATTERN
from ctdhub.schema import countries
from ctdhub.schema.model import VERSION, load_schema, numbers
from ctdhub.schema.roles import CONTRIBUTOR_KIND
from ctdhub.sensitive.linkage.settings import LinkageSettings

UNNAMED = "1.1"
"""Version of the schema of a hub.yaml that names none; it stays, so that such a hub releases what
it did before."""

Doi = Annotated[str, Field(pattern=DOI)]


def _plain(name: str) -> str:
    """A name that pages, spreadsheets and mail can show as it is.

    Raises:
        PydanticCustomError: it has control or direction characters, or begins as a formula does.
    """
    if printable(name, len(name)) != name or re.match(FORMULA, name):
        raise PydanticCustomError("plain_name", "no plain name")
    return name


PlainName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain)]


def _sender(key: str) -> str:
    """A public key with which bundles are signed.

    Raises:
        PydanticCustomError: it is none.
    """
    if not is_public_key(key):
        raise PydanticCustomError("public_key", "not a public key")
    return key


SenderKey = Annotated[str, AfterValidator(_sender)]

ID = r"^[a-z0-9][a-z0-9-]*$"
"""What the id of a contributor is made of."""

SOURCE_KINDS = load_schema().codes[CONTRIBUTOR_KIND]


class SiteSettings(FrozenModel):
    """The site: ``url`` (https) is where the public finds it, empty where that is not known yet;
    ``lead`` by language, the hub's own words on the first page; ``place``, a region or a country
    (its key or code) of which the first page says more."""

    url: str = Field(default="", pattern=SITE_ADDRESS)
    lead: dict[Language, Annotated[str, Field(max_length=1000)]] = Field(default_factory=dict)
    place: str = ""

    @field_validator("place")
    @classmethod
    def _has_a_page(cls, place: str) -> str:
        if place and place not in (*countries.regions(), *countries.ALPHA3):
            raise ValueError("no region of M49 and no country")
        return place


_HTTPS = r"^https://[^\s\"'<>\\]{1,300}$"
_AGE = r"^age1[02-9ac-hj-np-z]{40,100}$"
_REACHED = r"^(https://[^\s\"'<>\\]{1,300}|[^\s@\"'<>]{1,64}@[^\s@\"'<>]{1,200}\.[a-z]{2,30})?$"


class HubSettings(FrozenModel):
    """hub.yaml: name of the hub, languages of its site, schema version, engine.

    ``names`` is the name of the hub by language, for pages of languages in which it has another.
    ``schema_version`` decides which columns there are where the policy releases all of them.
    ``homepage`` (https) and ``helpline`` (a number or address) are shown on the site if given.
    ``contact`` (an e-mail address, or https) is where readers reach the hub and object to what the
    site shows.  ``exit`` names by language where "Exit this page" leads (https).  ``help_reviewed``
    names by language the text of the page "Get help" that a protection officer has read.
    ``site`` says where the site will be found.
    ``linkage`` sets the cut-offs of the report on links.
    ``withdrawn_elsewhere`` is the number of people of other contributors whom the withdrawals that
    one contributor tells in a quarter may take out before the steward must decide.
    ``spark`` says which cluster works where ``engine`` is spark.
    ``doi`` holds the DOI of each version that has one, without ``https://doi.org/``.
    ``approvers`` holds the public keys of the two people without whom nothing is published.
    ``recipients`` holds the age recipients to which contributors encrypt their bundles: those on
    the cards that are given out, and earlier ones whose bundles may still come.
    """

    name: PlainName
    names: dict[Language, PlainName] = Field(default_factory=dict)
    languages: tuple[Language, ...] = LANGUAGES
    schema_version: str = Field(default=UNNAMED, pattern=VERSION)
    engine: Literal["duckdb", "spark"] = "duckdb"
    spark: SparkSettings = SparkSettings()
    invented: bool = False
    licence: str = "CC-BY-4.0"
    homepage: str = Field(default="", pattern=r"^(https://\S{1,300})?$")
    helpline: str = Field(default="", max_length=120)
    contact: str = Field(default="", pattern=_REACHED)
    exit: dict[Language, Annotated[str, Field(pattern=_HTTPS)]] = Field(default_factory=dict)
    help_reviewed: dict[Language, Annotated[str, Field(pattern=r"^(not yet|[0-9a-f]{8})$")]] = (
        Field(default_factory=dict)
    )
    site: SiteSettings = SiteSettings()
    linkage: LinkageSettings = LinkageSettings()
    withdrawn_elsewhere: int = Field(default=10, ge=0)
    approvers: Approvers | None = None
    recipients: tuple[Annotated[str, Field(pattern=_AGE)], ...] = Field(default=(), max_length=20)
    doi: dict[Annotated[str, Field(pattern=VERSION_PATTERN)], Doi] = Field(default={})

    @field_validator("schema_version")
    @classmethod
    def _shipped(cls, version: str) -> str:
        """A hub stays valid while variables are only added: same major number, older minor."""
        (major, minor), shipped = numbers(version), numbers(load_schema().version)
        if major != shipped[0] or minor > shipped[1]:
            raise ValueError("not a version of the schema that this software can read")
        return version


class Agreement(FrozenModel):
    """contributors/<id>.yaml: what a contributor and the hub agreed on.

    ``names`` is its name by language, where it has others.
    ``show_counts`` says whether noisy counts of this contributor may be released under its name:
    only where it agreed.  Without, its people are counted together with those of other such
    contributors, and where none agreed nothing is counted by contributor.
    ``purpose`` says what the data may be used for, ``ends`` is the last day of the agreement: after
    it no build reads the files.  ``breaks`` lists days from which on figures are not comparable,
    within ``years``, with the variables or groups that are concerned.
    ``formerly`` lists ids under which earlier releases name this contributor.
    ``rows_per_person`` is the most rows that one person may have here, where no key tells people
    apart; public.  Said, it is also enforced: of one case no more persons count.
    ``senders`` holds the public keys with which the contributor signs its bundles.
    ``keep_months`` is how many months after its day a delivery is kept: then the desk's worker
    withdraws it and erases its file, which it says a month ahead.
    ``unknown_share`` is the share of a column's filled cells that may hold unknown texts.
    """

    id: str = Field(pattern=ID, max_length=60)
    name: PlainName
    names: dict[Language, PlainName] = Field(default_factory=dict)
    kind: str
    years: tuple[int, int] | None = None
    scope: str
    legal_basis: str
    consent_rule: str
    retention: str
    keep_months: int | None = Field(default=None, ge=1, le=600, strict=True)
    display_rule: str
    show_counts: bool = False
    budget_limit: float | None = Field(default=None, gt=0)
    deliveries: Literal["cumulative", "additions"] | None = None
    rows_per_person: int | None = Field(default=None, ge=1, le=100, strict=True)
    left: Literal["gone", "ask"] | dict[date, Literal["gone", "kept"]] = "gone"
    purpose: str = ""
    ends: date | None = None
    breaks: tuple[SeriesBreak, ...] = ()
    formerly: tuple[str, ...] = ()
    senders: tuple[SenderKey, ...] = Field(default=(), max_length=20)
    unknown_share: float = Field(default=0.01, ge=0, le=1)
    invented: bool = False

    @field_validator("left")
    @classmethod
    def _of_cumulative(cls, left: object, info: ValidationInfo) -> object:
        """Nobody leaves a hub to which only additions come."""
        if left != "gone" and info.data.get("deliveries") != "cumulative":
            raise ValueError("left goes with deliveries: cumulative")
        return left

    @field_validator("breaks")
    @classmethod
    def _possible(
        cls, breaks: tuple[SeriesBreak, ...], info: ValidationInfo
    ) -> tuple[SeriesBreak, ...]:
        years, schema = info.data.get("years"), load_schema()
        known = {v.name for v in schema.table("people")} | set(schema.groups)
        for found in breaks:
            if years and not years[0] <= int(found.date[:4]) <= years[1]:
                raise PydanticCustomError("break_outside", "no year of the agreement")
            if not set(found.variables) <= known:
                raise PydanticCustomError("break_variables", "no variables of the schema")
        return breaks

    def left_on(self, day: str) -> Literal["gone", "kept", "ask"]:
        """What becomes of people whom the delivery of a day lacks first."""
        if isinstance(self.left, str):
            return self.left
        return self.left.get(date.fromisoformat(day), "ask")


_Model = TypeVar("_Model", bound=BaseModel)


def read_settings(path: Path, model: type[_Model]) -> _Model:
    """Read a YAML settings file into its model.

    Raises:
        PolicyError: the file is missing, is no YAML, or breaks the model; all faults at once.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise error("settings-file", file=path) from None
    except UnicodeDecodeError:
        raise error("settings-yaml", file=path) from None
    return checked_settings(text, path, model)


def checked_settings(text: str, path: Path, model: type[_Model]) -> _Model:
    """The text of a settings file as its model.

    Args:
        text: YAML.
        path: the file that an error names.

    Raises:
        PolicyError: it is no YAML, or breaks the model; all faults at once.
    """
    try:
        return model.model_validate(deepcopy(_held(text)))
    except (yaml.YAMLError, RecursionError):
        raise error("settings-yaml", file=path) from None
    except ValidationError as cause:
        lines = _lines(text)
        faults = joined([_on_line(e["loc"], e["type"], lines) for e in cause.errors()], "; ")
        raise error("settings", file=path, faults=faults) from None


@lru_cache(maxsize=256)
def _held(text: str) -> Any:
    """What a text of YAML holds; a build reads the same few files some hundred times."""
    return yaml.safe_load(text)


def _on_line(place: tuple[int | str, ...], kind: str, lines: Mapping[str, int]) -> Text:
    """A fault with the line of its setting, where that is known."""
    fault, line = _fault(place, kind), lines.get(str(place[0])) if place else None
    return fault if line is None else Text("line {n}: {fault}", n=line, fault=fault)


def _lines(text: str) -> dict[str, int]:
    """The line of each setting of a file."""
    found = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(found, yaml.MappingNode):
        return {}
    return {str(key.value): key.start_mark.line + 1 for key, _value in found.value}


def _fault(place: tuple[int | str, ...], kind: str) -> Text:
    name = printable(".".join(map(str, place))) or "-"
    if kind == "extra_forbidden":
        return Text("{place}: there is no such setting", place=name)
    if kind == "plain_name":
        return Text(
            "{place}: a name has no control or direction characters and does not begin with "
            "=, +, - or @",
            place=name,
        )
    if kind == "same_key":
        return Text("{place}: two people need two different keys", place=name)
    if kind == "public_key":
        return Text("{place}: this is not a key as `ctdhub key new` prints it", place=name)
    if kind == "break_outside":
        return Text("{place}: a break is outside the years of the agreement", place=name)
    if kind == "break_variables":
        return Text("{place}: a break names a variable that the schema does not have", place=name)
    if kind == "missing":
        return joined([name, Text("this is missing")], ": ")
    return Text("{place}: the value is of the wrong kind or out of range", place=name)
