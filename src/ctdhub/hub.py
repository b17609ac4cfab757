"""The hub folder: what a steward owns, read into checked values.

Belongs here: where things lie, hub.yaml and agreements, the lock, the key of case numbers.
Does not belong here: what the pipeline does with them.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ctdhub.errors import HubFolderError, PolicyError, printable
from ctdhub.i18n import LANGUAGES, Language, _
from ctdhub.link.settings import LinkageSettings
from ctdhub.release.approvals import CANDIDATES, Approvers, Role
from ctdhub.release.facts import SITE_ADDRESS
from ctdhub.schema import load_schema

SOURCE_KINDS = load_schema().codes["source_type"]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SiteSettings(_Settings):
    """Where the public finds the site: ``url`` (https), empty where it is not known yet."""

    url: str = Field(default="", pattern=SITE_ADDRESS)


class HubSettings(_Settings):
    """hub.yaml: name of the hub, languages of its site, schema version, engine.

    ``homepage`` (https) and ``helpline`` (a number or address) are shown on the site if given.
    ``site`` says where the site will be found.
    ``linkage`` sets the cut-offs of the report on links.
    ``approvers`` holds the public keys of the two people without whom nothing is published.
    """

    name: str = Field(min_length=1, max_length=200)
    languages: tuple[Language, ...] = LANGUAGES
    schema_version: str = Field(default="1.1", pattern=r"^\d{1,4}\.\d{1,4}$")
    engine: Literal["duckdb"] = "duckdb"
    invented: bool = False
    licence: str = "CC-BY-4.0"
    homepage: str = Field(default="", pattern=r"^(https://\S{1,300})?$")
    helpline: str = Field(default="", max_length=120)
    site: SiteSettings = SiteSettings()
    linkage: LinkageSettings = LinkageSettings()
    approvers: Approvers | None = None

    @field_validator("schema_version")
    @classmethod
    def _shipped(cls, version: str) -> str:
        """A hub stays valid while variables are only added: same major number, older minor."""
        (major, minor), shipped = _numbers(version), _numbers(load_schema().version)
        if major != shipped[0] or minor > shipped[1]:
            raise ValueError("not a version of the schema that this software can read")
        return version


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)


class Agreement(_Settings):
    """contributors/<id>.yaml: what a contributor and the hub agreed on.

    ``show_counts`` says whether noisy counts of this contributor may be released under its name;
    without, its people are counted together with those of other such contributors.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    name: str = Field(min_length=1, max_length=200)
    kind: str
    years: tuple[int, int] | None = None
    scope: str
    legal_basis: str
    consent_rule: str
    retention: str
    display_rule: str
    show_counts: bool = True
    budget_limit: float | None = Field(default=None, gt=0)
    invented: bool = False


@dataclass(frozen=True)
class Contribution:
    """One raw file as received: ``contributions/<contributor>/<date>/<file>``."""

    contributor: str
    date: str
    file: Path


_Model = TypeVar("_Model", bound=BaseModel)


def read_settings(path: Path, model: type[_Model]) -> _Model:
    """Read a YAML settings file into its model.

    Raises:
        PolicyError: the file is missing, is no YAML, or breaks the model; all faults at once.
    """
    try:
        return model.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except FileNotFoundError:
        what = _("A settings file of the hub is missing.")
        fix = _("Create it, or run `ctdhub init` in an empty folder to see an example.")
        raise PolicyError(what, fix, file=path, rule="settings-file") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        what = _("A settings file of the hub is not valid YAML.")
        fix = _("Check its indentation, quotes and colons, and save it as UTF-8.")
        raise PolicyError(what, fix, file=path, rule="settings-yaml") from None
    except ValidationError as error:
        faults = "; ".join(_fault(e["loc"], e["type"]) for e in error.errors())
        what = _("A settings file of the hub has faults: {faults}.").format(faults=faults)
        fix = _("Correct the named settings.")
        raise PolicyError(what, fix, file=path, rule="settings") from None


def _fault(place: tuple[int | str, ...], kind: str) -> str:
    name = printable(".".join(map(str, place))) or "-"
    if kind == "extra_forbidden":
        return _("{place}: there is no such setting").format(place=name)
    if kind == "same_key":
        return _("{place}: two people need two different keys").format(place=name)
    if kind == "public_key":
        return _("{place}: this is no key as `ctdhub key new` prints it").format(place=name)
    if kind == "missing":
        return f"{name}: " + _("this is missing")
    return _("{place}: the value is of the wrong kind or out of range").format(place=name)


@dataclass(frozen=True)
class Hub:
    """A hub folder.  Opening it checks only that it is one; settings are read when asked for.

    Raises:
        HubFolderError: the folder has no hub.yaml.
    """

    root: Path

    def __post_init__(self) -> None:
        if not (self.root / "hub.yaml").is_file():
            what = _("This folder is not a hub: it has no hub.yaml.")
            fix = _("Name a hub folder, or make one: `ctdhub init DIR`, or `ctdhub demo DIR`.")
            raise HubFolderError(what, fix, file=self.root, rule="hub-folder")

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
        """The mapping file of a contributor."""
        return self.root / "mappings" / f"{contributor}.yaml"

    def agreements(self) -> tuple[Agreement, ...]:
        """All contributors' agreements, by id.

        Raises:
            PolicyError: an agreement has faults, or its id is not its file's name.
        """
        found = []
        for path in sorted((self.root / "contributors").glob("*.yaml")):
            agreement = read_settings(path, Agreement)
            if agreement.id != path.stem or agreement.kind not in SOURCE_KINDS:
                what = _("An agreement's id must be its file's name, and its kind one of: {kinds}.")
                fix = _("Correct id or kind in the agreement.")
                raise PolicyError(
                    what.format(kinds=", ".join(SOURCE_KINDS)), fix, file=path, rule="agreement"
                )
            found.append(agreement)
        return tuple(found)

    def contributions(self) -> tuple[Contribution, ...]:
        """All raw files, by contributor, date and name.

        Raises:
            HubFolderError: a file lies under a contributor without agreement.
        """
        known = {a.id for a in self.agreements()}
        found = []
        for file in sorted((self.root / "contributions").glob("*/*/*")):
            if file.name.startswith("."):
                continue
            contributor, date = file.parts[-3:-1]
            if contributor not in known:
                what = _("There are contributions from an organisation without an agreement.")
                fix = _("Write contributors/{id}.yaml, or remove the folder.")
                raise HubFolderError(
                    what, fix.format(id=contributor), file=file.parent.parent, rule="agreement"
                )
            found.append(Contribution(contributor, date, file))
        return tuple(found)

    def limits(self) -> dict[str, float | None]:
        """Epsilon that each contributor's agreement allows in all, None where it sets no limit."""
        return {a.id: a.budget_limit for a in self.agreements()}

    def facts(self, years: tuple[int, int]) -> dict[str, Any]:
        """Public facts that a release carries; none of them comes from case data.

        The contributors are those that sent files; an agreement alone puts no records in.
        """
        settings, sent = self.settings, {c.contributor for c in self.contributions()}
        return {
            "hub": settings.name,
            "contributors": [
                {
                    "id": a.id,
                    "name": a.name,
                    "kind": a.kind,
                    "years": list(a.years or years),
                    **({} if a.show_counts else {"show_counts": False}),
                }
                for a in self.agreements()
                if a.id in sent
            ],
            "years": list(years),
            "schema_version": load_schema().version,
            "languages": list(settings.languages),
            "licence": settings.licence,
            "invented": settings.invented,
            "homepage": settings.homepage,
            "helpline": settings.helpline,
        }

    def practice_key(self, role: Role) -> Path:
        """Where a practice hub, and no other, keeps the private key of a role."""
        return self.root / "keys" / f"practice-{role}.pem"

    def person_key(self) -> bytes:
        """The hub's secret for hashing case numbers, made at first need; never leaves the hub."""
        path = self.root / "keys" / "person.key"
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            fresh = path.with_suffix(f".{secrets.token_hex(4)}")
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(secrets.token_bytes(32))
                out.flush()
                os.fsync(out.fileno())
            fresh.rename(path)
        return path.read_bytes()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the hub for one build; the lock dies with the process.

        Raises:
            HubFolderError: another build holds it.
        """
        self.work.mkdir(mode=0o700, exist_ok=True)
        with (self.work / ".lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                what = _("Another build is at work in this hub.")
                fix = _("Wait until it has finished, or stop it, then run the command again.")
                raise HubFolderError(what, fix, file=self.root, rule="lock") from None
            yield
