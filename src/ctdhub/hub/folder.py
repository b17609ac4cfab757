"""The hub folder: what a steward owns, read into checked values, what that decides, its journal."""

from __future__ import annotations

import getpass
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from copy import deepcopy
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

import ctdhub
from ctdhub.core.errors import HubError, InvalidSetting, error, printable, setting_fault
from ctdhub.core.files import is_day, locked, rewrite, write_whole
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import LANGUAGES, Language, Text, joined, yaml_nodes, yaml_values
from ctdhub.core.keys.signing import is_public_key
from ctdhub.core.tables import FORMULA
from ctdhub.dp.accounting import epsilon_of
from ctdhub.dp.policy import Policy, load_policy, usual_promise
from ctdhub.hub.contributions import ANSWER, CANDIDATE, Contribution, left_by
from ctdhub.release import manifest as release_manifest
from ctdhub.release.approvals import CANDIDATES, NO_KEY, Approvers, Role
from ctdhub.release.bundle import latest_release, next_version
from ctdhub.release.deposit import DOI
from ctdhub.schema import countries
from ctdhub.schema.model import CONTRIBUTOR_KIND, VERSION, Schema, Variable, load_schema, numbers
from ctdhub.sensitive.consent import register as consent
from ctdhub.sensitive.consent.register import InForce, Register, Withdrawal, in_force, other_key
from ctdhub.sensitive.linkage.settings import LinkageSettings

# --------------------------------------------------------------------------------------------------
# Who ran or decided what in a hub: a file of lines, written as things happen.
#
# The ledger and the register of withdrawals prove what they hold; the journal proves nothing and is
# there so that a steward can look up who did what.  It holds names of verbs, versions,
# contributors, rules of errors and the user of the system, and no value of a record.

JOURNAL = "journal"
Detail = str | int | float | bool | None


@dataclass(frozen=True)
class Happened:
    """One line of the journal.

    Attributes:
        time: UTC, to the second, when it ended.
        user: who was signed in to the system, empty where it does not say.
        software: version of ctdhub.
        what: the verb, such as ``build``.
        outcome: ``done``, the rule of the error, or ``stopped``.
        details: what was asked for, such as the last stage.
    """

    time: str
    user: str
    software: str
    what: str
    outcome: str
    details: dict[str, Detail]


@contextmanager
def noted(hub: Hub, what: str, **details: Detail) -> Iterator[dict[str, Detail]]:
    """Note what happens inside the block, whether it ends well or not.

    Yields:
        The details, to which the block may add.
    """
    outcome = "stopped"
    try:
        yield details
        outcome = "done"
    except HubError as met:
        outcome = met.rule or "error"
        raise
    finally:
        _append(hub, Happened(timestamp(), _user(), ctdhub.__version__, what, outcome, details))


def timestamp() -> str:
    """Now in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_journal(hub: Hub) -> tuple[Happened, ...]:
    """All lines, the oldest first; a line that a crash cut short is passed over."""
    lines = []
    for path in sorted((hub.root / JOURNAL).glob("*.jsonl")):
        for line in path.read_text("utf-8", errors="replace").splitlines():
            try:
                lines.append(Happened(**json.loads(line)))
            except (ValueError, TypeError):
                continue
    return tuple(lines)


def _append(hub: Hub, line: Happened) -> None:
    """Add a line in one write; what stands before it stays."""
    folder = hub.root / JOURNAL
    folder.mkdir(mode=0o700, exist_ok=True)
    text = json.dumps(asdict(line), ensure_ascii=True, separators=(",", ":"))
    file = os.open(folder / f"{line.time[:4]}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, text.encode() + b"\n")
    finally:
        os.close(file)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


@contextmanager
def alone(folder: Path, name: str = ".lock") -> Iterator[Path]:
    """Hold a folder of the hub, made where there is none, for one writer; a build goes on."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(folder / name):
        yield folder


# --------------------------------------------------------------------------------------------------
# What a hub decides about Spark.

MASTER = r"^(local(\[(\*|[1-9]\d{0,3})\])?|spark://\S+|sc://\S+)$"


def _text(value: object) -> object:
    """Spark's settings are texts; YAML reads some of them as numbers or truth values."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


class SparkSettings(FrozenModel):
    """``spark`` in hub.yaml.

    Attributes:
        master: ``local[n]`` (n cores of this machine, ``*`` for all), ``spark://host:port`` for a
            standalone cluster, ``sc://host:port`` for Spark Connect.
        config: Spark's own settings; they win over those that ctdhub makes.
        partitions: number of parts in which people are linked and counted; None takes one for
            262,144 records.
    """

    master: str = Field(default="local[*]", pattern=MASTER, max_length=500)
    config: dict[
        Annotated[str, Field(pattern=r"^spark\.\S+$")], Annotated[str, BeforeValidator(_text)]
    ] = Field(default_factory=dict)
    partitions: int | None = Field(default=None, ge=1, le=100_000)


# --------------------------------------------------------------------------------------------------
# Settings files of a hub, read into checked values: hub.yaml and the agreements.

UNNAMED = "1.1"
"""Version of the schema of a hub.yaml that names none; it stays, so that such a hub releases what
it did before."""

Doi = Annotated[str, Field(pattern=DOI)]


def _plain(name: str) -> str:
    """A name that pages, spreadsheets and mail can show as it is.

    Raises:
        InvalidSetting: it has control or direction characters, or begins as a formula does.
    """
    if printable(name, len(name)) != name or re.match(FORMULA, name):
        raise InvalidSetting(
            Text(
                "a name has no control or direction characters and does not begin with =, +, - or @"
            )
        )
    return name


PlainName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain)]


def _sender(key: str) -> str:
    """A public key with which bundles are signed.

    Raises:
        InvalidSetting: it is none.
    """
    if not is_public_key(key):
        raise InvalidSetting(NO_KEY)
    return key


SenderKey = Annotated[str, AfterValidator(_sender)]

ID = r"^[a-z0-9][a-z0-9-]*$"
"""What the id of a contributor is made of."""

SOURCE_KINDS = load_schema().codes[CONTRIBUTOR_KIND]


class SiteSettings(FrozenModel):
    """The site: ``url`` (https) is where the public finds it, empty where that is not known yet;
    ``lead`` by language, the hub's own words on the first page; ``place``, a region or a country
    (its key or code) of which the first page says more."""

    url: str = Field(default="", pattern=release_manifest.SITE_ADDRESS)
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
    doi: dict[Annotated[str, Field(pattern=release_manifest.VERSION_PATTERN)], Doi] = Field(
        default={}
    )

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
    ``person_key`` is whether its rows have keys that tell people apart; public, and fixed before
    data come: a mapping without a key is refused where neither it nor ``rows_per_person`` says so.
    ``senders`` holds the public keys with which the contributor signs its bundles.
    ``keep_months`` is how many months after its day a delivery is kept: then the desk's worker
    withdraws it and erases its file, which it says a month ahead.
    ``unknown_share`` is the share of a column's filled cells that may hold unknown texts.
    ``deliveries`` names the days of whole records or of corrections; other days hold the others.
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
    deliveries: (
        Literal["cumulative", "additions"] | dict[date, Literal["records", "patches"]] | None
    ) = None
    rows_per_person: int | None = Field(default=None, ge=1, le=100, strict=True)
    person_key: bool = True
    left: Literal["gone", "ask"] | dict[date, Literal["gone", "kept"]] = "gone"
    purpose: str = ""
    ends: date | None = None
    breaks: tuple[release_manifest.SeriesBreak, ...] = ()
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
        cls, breaks: tuple[release_manifest.SeriesBreak, ...], info: ValidationInfo
    ) -> tuple[release_manifest.SeriesBreak, ...]:
        years, schema = info.data.get("years"), load_schema()
        known = {v.name for v in schema.table("people")} | set(schema.groups)
        for series_break in breaks:
            if years and not years[0] <= int(series_break.date[:4]) <= years[1]:
                raise InvalidSetting(Text("a break is outside the years of the agreement"))
            if not set(series_break.variables) <= known:
                raise InvalidSetting(Text("a break names a variable that the schema does not have"))
        return breaks

    def patches_on(self, day: str) -> bool:
        """Whether the delivery of a day holds corrections alone, whatever other ones are there."""
        if not isinstance(self.deliveries, dict):
            return False
        others = "patches" if "records" in self.deliveries.values() else "records"
        return self.deliveries.get(date.fromisoformat(day), others) == "patches"

    def left_on(self, day: str) -> Literal["gone", "kept", "ask"]:
        """What becomes of people whom the delivery of a day lacks first."""
        if isinstance(self.left, str):
            return self.left
        return self.left.get(date.fromisoformat(day), "ask")


_Model = TypeVar("_Model", bound=BaseModel)


def _agreement(path: Path) -> Agreement:
    agreement = read_settings(path, Agreement)
    if agreement.id != path.stem or agreement.kind not in SOURCE_KINDS:
        raise error("agreement", file=path, kinds=", ".join(SOURCE_KINDS))
    return agreement


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
        return model.model_validate(deepcopy(_values(text)))
    except (yaml.YAMLError, RecursionError):
        raise error("settings-yaml", file=path) from None
    except ValidationError as cause:
        lines = _lines(text)
        faults = joined([_fault(e, lines) for e in cause.errors()], "; ")
        raise error("settings", file=path, faults=faults) from None


_values = lru_cache(maxsize=256)(yaml_values)
"""What a text of YAML holds; a build reads the same few files some hundred times."""


def _lines(text: str) -> dict[str, int]:
    """The line of each setting of a file."""
    node = yaml_nodes(text)
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {str(key.value): key.start_mark.line + 1 for key, _value in node.value}


def _fault(detail: ErrorDetails, lines: Mapping[str, int]) -> Text:
    """A fault with the line of its setting, where that is known."""
    fault, place = setting_fault(detail), detail["loc"]
    line = lines.get(str(place[0])) if place else None
    return fault if line is None else Text("line {n}: {fault}", n=line, fault=fault)


# --------------------------------------------------------------------------------------------------
# Rows of one person at a contributor: what agreement and mappings say, and what is missing.


def row_facts(agreement: Agreement) -> dict[str, Any]:
    """What is public about rows of one person at a contributor; nothing where it is one per key."""
    bound = agreement.rows_per_person or 1
    several: dict[str, Any] = {} if bound == 1 else {"rows_per_person": bound}
    return several if agreement.person_key else {**several, "keyed": False}


def epsilon_since(hub: Hub, manifest: release_manifest.Manifest) -> float | None:
    """Epsilon over all releases of a person with as many rows as a candidate is paid for.

    A release that was paid for fewer rows cost such a person the square of their ratio more.  None
    where no earlier release was.

    Args:
        manifest: of the candidate.
    """
    rows, paid = manifest.rows_per_person, {manifest.charge: manifest}
    for path in sorted(hub.releases.glob(f"[!.]*/{release_manifest.MANIFEST}")):
        one = release_manifest.Manifest.read(path.parent)
        paid.setdefault(one.charge, one)
    if all(one.rows_per_person >= rows for one in paid.values()):
        return None
    rho = sum(one.rho * (rows / one.rows_per_person) ** 2 for one in paid.values())
    return epsilon_of(rho, min(one.delta for one in paid.values()))


# --------------------------------------------------------------------------------------------------
# The hub folder: what a steward owns, read into checked values.

SOON = 60
"""Days before the end of an agreement from which on `ctdhub check` speaks of it."""


@dataclass(frozen=True)
class Hub:
    """A hub folder.  Opening it checks only that it is one; settings are read when asked for.

    Raises:
        HubFolderError: the folder has no hub.yaml.
    """

    root: Path

    def __post_init__(self) -> None:
        if not (self.root / "hub.yaml").is_file():
            raise error("hub-folder", file=self.root)

    @property
    def settings(self) -> HubSettings:
        """hub.yaml, checked."""
        return read_settings(self.root / "hub.yaml", HubSettings)

    @property
    def policy_file(self) -> Path:
        """policy.yaml: columns, bounds, epsilon, delta, budget."""
        return self.root / "policy.yaml"

    @property
    def ledger(self) -> Path:
        """The folder of the privacy ledger."""
        return self.root / "ledger"

    @property
    def releases(self) -> Path:
        """The folder of immutable releases."""
        return self.root / "releases"

    @property
    def candidates(self) -> Path:
        """The folder of finished releases that wait for approval."""
        return self.root / CANDIDATES

    @property
    def stories(self) -> Path:
        """The folder of the stories that the site tells; it need not exist."""
        return self.root / "stories"

    @property
    def site(self) -> Path:
        """The folder of the generated site."""
        return self.root / "site"

    @property
    def work(self) -> Path:
        """Derived, sensitive; can be deleted and rebuilt."""
        return self.root / "work"

    def mapping(self, contributor: str) -> Path:
        """The mapping file of a contributor that reads from its first delivery on."""
        return self.root / "mappings" / f"{contributor}.yaml"

    def agreement_file(self, contributor: str) -> Path:
        """Where the agreement of a contributor is."""
        return self.root / "contributors" / f"{contributor}.yaml"

    def agreement(self, contributor: str, *, report: bool = False) -> Agreement:
        """The agreement with a contributor.

        Args:
            contributor: its id.
            report: whether what is asked for is a report.

        Raises:
            PolicyError, DocumentError: there is none; tells the ids there are.  Or it has faults:
                those of another contributor's agreement stop nobody here.
        """
        known = {path.stem: path for path in self._agreement_files()}
        if contributor not in known:
            raise error(
                "contributor/report" if report else "contributor",
                id=printable(contributor),
                ids=", ".join(known) or "–",
            )
        return _agreement(known[contributor])

    def _agreement_files(self) -> list[Path]:
        return sorted((self.root / "contributors").glob("*.yaml"))

    def agreements(self) -> tuple[Agreement, ...]:
        """All contributors' agreements, by id.

        Raises:
            PolicyError: an agreement has faults, or its id is not its file's name.
        """
        return tuple(map(_agreement, self._agreement_files()))

    @property
    def withdrawals(self) -> Register:
        """The register of withdrawals; its last line is named beside the ledger."""
        head = self.ledger / "withdrawals-head"
        return Register(self.root / "withdrawals", head, self.person_key())

    def withdrawn(self) -> InForce:
        """The withdrawals in force.

        Raises:
            WithdrawalError: the register was changed, or the person key is another.
        """
        return in_force(self.withdrawal_lines())

    def withdrawal_lines(self) -> tuple[Withdrawal, ...]:
        """All lines of the register; without one no person key is needed.

        Raises:
            WithdrawalError: as :meth:`withdrawn`.
        """
        places = (self.root / "withdrawals", self.ledger / "withdrawals-head")
        if not any(place.exists() for place in places):
            return ()
        if not self.key_file.exists():
            raise other_key(self.root / "withdrawals")
        return self.withdrawals.entries()

    def contributions(self) -> tuple[Contribution, ...]:
        """Raw files that a build reads: those that nobody withdrew, nor their contributor."""
        force, received = self.withdrawn(), self.received()
        out = set(self._erased(force, received))
        return tuple(
            c for c in received if c.contributor not in force.contributors and c not in out
        )

    def refuse_withdrawn_files(self) -> None:
        """Refuse to go on while a file is there whose delivery was withdrawn.

        Its erasure was cut off, or it is back from a copy.

        Raises:
            HubFolderError: there is one.
        """
        for entry in self._erased(self.withdrawn(), self.received()):
            raise error(
                "delivery-withdrawn", file=entry.file, id=entry.contributor, date=entry.date
            )

    def refuse_unanswered(self) -> None:
        """Refuse to go on towards a release while a reported withdrawal has no answer.

        Raises:
            WithdrawalError: tells of which contributors, for people of the hub.
        """
        folder = self.root / "withdrawals" / "told"
        reports = [json.loads(file.read_bytes()) for file in sorted(folder.glob("*.json"))]
        names = {one["contributor"] for one in reports if not (one["ended"] or one["passed"])}
        if names:
            raise error("withdrawal-open", file=folder, names=", ".join(sorted(names)))

    def _erased(self, force: InForce, received: tuple[Contribution, ...]) -> Iterator[Contribution]:
        """Files that were to be erased; those of who withdrew no delivery are not opened."""
        for one in received:
            if marks := force.deliveries_of(one.contributor):
                whose = one.contributor, one.date, one.sha256
                if consent.delivery_mark(self.person_key(), *whose) in marks:
                    yield one

    def received(self) -> tuple[Contribution, ...]:
        """All raw files, by contributor, date and name.

        Raises:
            HostileFile: something there is no file but a link, a folder, a pipe or a device.
            HubFolderError: a file lies under a contributor without agreement, or in no folder that
                is named by the day on which it came.
        """
        known = {a.id for a in self.agreements()}
        files = []
        for place in sorted((self.root / "contributions").glob("*/*")):
            if place.is_symlink():  # it may lead to the files of another contributor
                _refuse_irregular(place)
            fit = is_day(place.name) or not any(place.glob("[!.]*")) if place.is_dir() else False
            if not fit and not place.name.startswith("."):
                raise error("delivery-date", file=place, id=printable(place.parent.name))
        for file in sorted((self.root / "contributions").glob("*/*/*")):
            if file.name.startswith("."):
                continue
            contributor, date = file.parts[-3:-1]
            if contributor not in known:
                raise error("agreement/missing", file=file.parent.parent, id=contributor)
            _refuse_irregular(file)
            files.append(Contribution(contributor, date, file))
        return tuple(files)

    def check_terms(self) -> tuple[Agreement, ...]:
        """Agreements that end within :data:`SOON` days, of contributors whose files are read.

        Raises:
            PolicyError: one has ended, so its files may be read no more.
        """
        day = datetime.now(UTC).date()
        reading = {c.contributor for c in self.contributions()}
        ending = [a for a in self.agreements() if a.id in reading and a.ends]
        for agreement in ending:
            if agreement.ends and agreement.ends < day:
                ended, path = agreement.ends.isoformat(), self.agreement_file(agreement.id)
                raise error("agreement/ended", file=path, id=agreement.id, day=ended)
        return tuple(a for a in ending if a.ends and a.ends - day <= timedelta(days=SOON))

    def limits(self) -> dict[str, float | None]:
        """Epsilon that each contributor's agreement allows in all, None where it sets no limit."""
        return {a.id: a.budget_limit for a in self.agreements()}

    def facts(self, years: tuple[int, int]) -> dict[str, Any]:
        """Public facts that a release carries; none of them comes from case data.

        The contributors are those that sent files and did not withdraw; an agreement alone puts no
        records in.
        """
        settings = self.settings
        sent: dict[str, list[str]] = {}
        for entry in self.contributions():
            sent.setdefault(entry.contributor, []).append(entry.date)
        return {
            "hub": settings.name,
            **({"hub_names": dict(settings.names)} if settings.names else {}),
            "contributors": [
                {
                    "id": a.id,
                    "name": a.name,
                    "kind": a.kind,
                    "years": list(a.years or years),
                    "deliveries": sorted(set(sent[a.id])),
                    **({"names": dict(a.names)} if a.names else {}),
                    **({"breaks": [b.as_facts() for b in a.breaks]} if a.breaks else {}),
                    **({} if a.show_counts else {"show_counts": False}),
                    **row_facts(a),
                }
                for a in self.agreements()
                if a.id in sent
            ],
            "years": list(years),
            "schema_version": settings.schema_version,
            "languages": list(settings.languages),
            "licence": settings.licence,
            "invented": settings.invented,
            "homepage": settings.homepage,
            "helpline": "",  # read from the hub whenever a page is made, never frozen
        }

    def practice_key(self, role: Role) -> Path:
        """Where a practice hub, and no other, keeps the private key of a role."""
        return self.root / "keys" / f"practice-{role}.pem"

    @property
    def ledger_key(self) -> Path:
        """Where the key of the ledger's MACs lies."""
        return self.root / "keys" / "ledger.key"

    @property
    def key_file(self) -> Path:
        """Where the person key lies."""
        return self.root / "keys" / "person.key"

    def person_key(self) -> bytes:
        """The hub's secret for hashing case numbers, made at first need; never leaves the hub.

        Raises:
            HubFolderError: it is lost: what was made with it is there.
        """
        path = self.key_file
        if not path.exists():
            made = (self.work / "harmonised", self.releases, self.candidates)
            lines = self.ledger / "ledger.jsonl"
            if any(any(p.glob("[!.]*")) for p in made) or (lines.exists() and lines.stat().st_size):
                raise error("person-key", file=path)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            rewrite(path, secrets.token_bytes(32))
        return path.read_bytes()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the hub for one build; the lock dies with the process.

        Raises:
            HubFolderError: another build holds it.
            HubError: this system has no locks.
        """
        self.work.mkdir(mode=0o700, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.work / ".lock", wait=False))
            except BlockingIOError:
                raise error("lock", file=self.root) from None
            yield


def _refuse_irregular(path: Path) -> None:
    """Refuse what is no file before it is opened: a pipe would let its reader wait for ever."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise error("not-a-file", file=printable(path.name))


# --------------------------------------------------------------------------------------------------
# What jobs of the desk leave for its pages: JSON below ``work/desk/``, for the worker alone.
#
# It is derived: a hub without the folder has no figures to show until the jobs run again.

FOLDER = "desk"
REHEARSAL, PRICE = "rehearsal.json", "price.json"


def keep(hub: Hub, name: str, value: dict[str, Any]) -> None:
    """Write or replace a file that its owner alone may read."""
    folder = hub.work / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(folder / name, json.dumps(value, ensure_ascii=False, indent=1).encode())


def desk_file(hub: Hub, name: str) -> dict[str, Any] | None:
    """What :func:`keep` wrote last; None where there is nothing, or nothing whole."""
    with suppress(ValueError):
        content = left_by(hub.work / FOLDER, name)
        return content if isinstance(content, dict) else None
    return None


# --------------------------------------------------------------------------------------------------
# What a hub's settings decide about its releases, and which versions it has made.


# --------------------------------------------------------------------------------------------------
# Which versions a hub has made: bundles by version, and those that the last build was about.


def candidate_version(hub: Hub) -> str | None:
    """The version that the last build made or found, published or not; None where it is gone."""
    return _version(hub, CANDIDATE, hub.candidates, hub.releases)


def released_version(hub: Hub) -> str | None:
    """The version that the last build released or found released, None where there is none."""
    return _version(hub, "release", hub.releases)


def _version(hub: Hub, step: str, *folders: Path) -> str | None:
    version = (left_by(hub.work / step, ANSWER) or {}).get("version")
    there = version and any((f / version / release_manifest.MANIFEST).is_file() for f in folders)
    return str(version) if there else None


def waiting_version(hub: Hub) -> str | None:
    """The newest candidate that no release has overtaken, None where there is none."""
    bundles, last = by_version(hub.candidates), latest_release(hub.releases)
    if bundles and (last is None or order(bundles[0]) > order(last)):
        return bundles[0].name
    return None


def by_version(folder: Path) -> list[Path]:
    """Bundles in a folder, the newest version first."""
    folders = [m.parent for m in folder.glob(f"*/{release_manifest.MANIFEST}")]
    bundles = [f for f in folders if re.fullmatch(release_manifest.VERSION_PATTERN, f.name)]
    return sorted(bundles, key=order, reverse=True)


def order(bundle: Path) -> list[int]:
    return [int(part) for part in bundle.name.split(".")]


# --------------------------------------------------------------------------------------------------
# What a hub's settings decide about its releases: the policy, and the variables there are.


def policy(hub: Hub) -> Policy:
    """The hub's policy, checked.

    Raises:
        PolicyError: see :func:`ctdhub.dp.policy.load_policy`; or epsilon or the budget is above
            the usual and no reason is written down.
    """
    names = [path.stem for path in (hub.root / "mappings").glob("*.yaml")]
    compared = len(names) > 1 and all(takes_tokens(hub, name) for name in names)
    rules = load_policy(hub.policy_file, tokens=takes_tokens(hub), compared=compared)
    if rules.unreasoned:
        epsilon, budget = usual_promise(rules.max_people)
        raise error("policy-reason", file=hub.policy_file, epsilon=epsilon, budget=budget)
    return rules


def public_facts(hub: Hub, rules: Policy, until: int) -> dict[str, Any]:
    """Public facts of the hub, why its promise is weaker than usual where it is, and what the
    organisations whose lists overlap say.

    Args:
        until: the year of the version, see :func:`year_of`: the last that can be covered.
    """
    reason, facts = rules.reason.strip(), hub.facts(rules.years)
    facts["years"] = list(release_manifest.PublicFacts.of(facts).covered(until))
    said = {"promise_reason": reason, "list_answers": rules.sources.answers}
    return facts | {name: fact for name, fact in said.items() if fact}


def year_of(hub: Hub, version: str) -> int:
    """The year of a version; of the one that a build would write where none is given.

    Raises:
        ReleaseError: that is no version.
    """
    if version and not re.fullmatch(release_manifest.VERSION_PATTERN, version):
        raise error("version")
    return int((version or waiting_version(hub) or next_version(hub.releases))[:4])


def takes_tokens(hub: Hub, contributor: str = "") -> bool:
    """Whether a mapping of the hub, or of one contributor, takes tokens, as far as it can be read.

    Args:
        contributor: its id; "" for any.
    """
    folder = hub.root / "mappings"
    paths = sorted(folder.rglob("*.yaml"))
    if contributor:
        paths = [hub.mapping(contributor), *sorted((folder / contributor).glob("*.yaml"))]
    for path in paths:
        try:
            if _names_tokens(path.read_text("utf-8")):
                return True
        except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
            continue  # whoever reads the mapping says what is wrong with it
    return False


@lru_cache(maxsize=64)
def _names_tokens(text: str) -> bool:
    """Whether the text of a mapping says so; it is kept, for a build asks several times."""
    said = yaml_values(text)
    return isinstance(said, dict) and bool(said.get("tokens"))


def variables(hub: Hub, rules: Policy) -> Schema:
    """The schema of the version that hub.yaml names, and what else the policy names.

    A variable that a later version of the software brings is in none of the hub's questions until
    one of the two files says so.
    """
    shipped = load_schema()
    named = rules.requested(shipped) if rules.columns == "all" else rules.columns
    return shipped.at(hub.settings.schema_version, also=named)


def left_out(hub: Hub, rules: Policy) -> tuple[Variable, ...]:
    """Variables that this software could release, and the hub does not because they came later."""
    if rules.columns != "all":
        return ()
    additions = load_schema().later_than(hub.settings.schema_version)
    return tuple(v for v in additions if v.name not in rules.requested(load_schema()))
