"""Hand a release on: to an archive that gives it a DOI, to a CKAN portal."""

import json
import re
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ctdhub.core.errors import error, printable
from ctdhub.release.catalogue import KEYWORDS, description, media, place, title
from ctdhub.release.open import Release, digest

# --------------------------------------------------------------------------------------------------
# What an archive asks for when it gives a release a DOI: DataCite metadata, a deposit of Zenodo.
#
# Sources: DataCite Metadata Schema 4.5 (DataCite, 2024) in the JSON of its REST API; Zenodo's
# deposit API (developers.zenodo.org).

DOI = r"^10\.\d{4,9}/[A-Za-z0-9._;()/:-]{1,200}$"
"""A DOI without ``https://doi.org/`` before it."""


def require_citable(release: Release) -> None:
    """Refuse what must get no DOI.

    Raises:
        ReleaseError: practice data, or a release that was withdrawn.
    """
    if release.facts.invented:
        raise error("deposit-practice")
    if release.withdrawn:
        raise error("push-withdrawn", version=release.version)


def datacite(release: Release, site: str = "", doi: str = "") -> dict[str, Any]:
    """The release in DataCite's terms.

    Args:
        site: public address of the hub's site; empty where it is not known.
        doi: of the release, empty until it has one.
    """
    facts, manifest = release.facts, release.manifest
    address = place(site, release.version)
    first, last = release.years
    rights = {"rights": facts.licence, "rightsUri": facts.licence_url}
    if facts.licence_url:
        rights |= {"rightsIdentifier": facts.licence, "rightsIdentifierScheme": "SPDX"}
    record: dict[str, Any] = {
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "doi": doi,
        "url": f"{address}en/index.html" if address else "",
        "creators": [{"name": facts.hub, "nameType": "Organizational"}],
        "titles": [{"title": title(manifest, facts), "lang": "en"}],
        "publisher": {"name": facts.hub},
        "publicationYear": release.year,
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Synthetic records and counts"},
        "subjects": [{"subject": word, "lang": "en"} for word in KEYWORDS],
        "contributors": [
            {"name": c.name, "nameType": "Organizational", "contributorType": "DataCollector"}
            for c in facts.contributors
        ],
        "dates": [
            {"date": manifest.created[:10], "dateType": "Issued"},
            {"date": f"{first}/{last}", "dateType": "Other", "dateInformation": "Years covered"},
        ],
        "language": "en",
        "version": release.version,
        "sizes": [f"{sum(e.bytes for e in manifest.files.values())} bytes"],
        "formats": sorted({re.sub(r".*\.", "", name) for name in manifest.files}),
        "rightsList": [{key: value for key, value in rights.items() if value}],
        "descriptions": [
            {"description": description(facts), "descriptionType": "Abstract", "lang": "en"}
        ],
        "relatedIdentifiers": [
            {
                "relatedIdentifier": f"{address}datapackage.json",
                "relatedIdentifierType": "URL",
                "relationType": "HasMetadata",
            }
        ]
        if address
        else [],
    }
    return {key: value for key, value in record.items() if value}


def zenodo(release: Release, site: str = "") -> dict[str, Any]:
    """The release as a new deposit of Zenodo, with a DOI reserved."""
    facts = release.facts
    address = place(site, release.version)
    metadata: dict[str, Any] = {
        "upload_type": "dataset",
        "title": title(release.manifest, facts),
        "creators": [{"name": facts.hub}],
        "contributors": [{"name": c.name, "type": "DataCollector"} for c in facts.contributors],
        "description": f"<p>{escape(description(facts), quote=False)}</p>",
        "publication_date": release.manifest.created[:10],
        "access_right": "open",
        "license": facts.licence.lower() if facts.licence_url else "",
        "version": release.version,
        "language": "eng",
        "keywords": list(KEYWORDS),
        "prereserve_doi": True,
        "related_identifiers": [
            {"identifier": f"{address}en/index.html", "relation": "isIdenticalTo"}
        ]
        if address
        else [],
    }
    return {"metadata": {key: value for key, value in metadata.items() if value}}


# --------------------------------------------------------------------------------------------------
# Hand a release to a CKAN portal: one dataset for each version, its files as resources.
#
# Source: CKAN's action API, version 3 (docs.ckan.org): ``package_show``, ``package_create``,
# ``package_patch`` and ``resource_create``.  What is there already is compared by hash and left
# alone, so a push may be repeated; another release under the same name is never written over.

TOKEN = "CTDHUB_CKAN_TOKEN"  # noqa: S105 - the name of a variable
"""The variable of the environment that holds the token of the portal."""

SLOWEST = 120.0
"""Seconds that the portal may stay silent."""

_DIGEST = "ctdhub_release_digest"
_EXTRAS, _RESOURCES = ("extras", "key", "value"), ("resources", "name", "hash")
_LARGEST_ANSWER = 2**24
_LICENCES = {"CC-BY-4.0": "cc-by", "CC-BY-SA-4.0": "cc-by-sa", "CC0-1.0": "cc-zero"}
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class PushedFile:
    """What becomes of one step: ``create`` or ``update`` of the dataset, ``upload`` or ``keep``."""

    what: str
    name: str


@dataclass(frozen=True)
class Portal:
    """A CKAN portal.

    Args:
        url: of its root; https, or http on this machine.
        token: sent to this server alone; redirections are not followed.

    Raises:
        ReleaseError: the address is of another kind.
    """

    url: str
    token: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)
        if not safe or not parts.hostname or parts.username or parts.query or parts.fragment:
            raise error("push-address")

    def act(
        self, name: str, fields: Mapping[str, Any], file: tuple[str, bytes] | None = None
    ) -> dict[str, Any] | None:
        """Call an action; None where the portal has no such thing.

        Raises:
            ReleaseError: the portal refuses, or does not answer as CKAN does.
        """
        kind, body = "application/json", json.dumps(fields).encode()
        if file is not None:
            kind, body = _form_body(fields, *file)
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            f"{self.url.rstrip('/')}/api/3/action/{name}",
            data=body,
            headers={"Authorization": self.token, "Content-Type": kind, "User-Agent": "ctdhub"},
        )
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=SLOWEST) as answer:
                reply = json.loads(answer.read(_LARGEST_ANSWER))
        except urllib.error.HTTPError as cause:
            if cause.code == 404 and name.endswith("_show"):
                return None
            raise error("push-refused", action=name, code=cause.code, told=_reason(cause)) from None
        except (urllib.error.URLError, HTTPException, OSError, ValueError, RecursionError):
            raise error("push-answer") from None
        if not isinstance(reply, dict) or reply.get("success") is not True:
            raise error("push-answer")
        result = reply.get("result")
        return result if isinstance(result, dict) else {}


def push(
    release: Release,
    portal: Portal,
    organisation: str,
    *,
    site: str = "",
    private: bool = False,
    dry: bool = False,
) -> Iterator[PushedFile]:
    """Bring a release to a portal; gives each step when it is done.

    Args:
        release: verified, see ``open_release``.
        organisation: name or id of the owner at the portal.
        site: public address of the hub's site, for links; empty where it is not known.
        private: only members of the organisation see it.  Practice data must be.
        dry: ask the portal what is there, and change nothing.

    Raises:
        ReleaseError: the release was withdrawn, or holds practice data that would be public; the
            portal holds other files under its name; it refuses.
    """
    if release.withdrawn:
        raise error("push-withdrawn", version=release.version)
    if release.facts.invented and not private:
        raise error("push-practice")
    wanted = package(release, organisation, site, private=private)
    dataset = portal.act("package_show", {"id": wanted["name"]})
    extras, resources = (_pairs(dataset, *names) for names in (_EXTRAS, _RESOURCES))
    if dataset is not None and extras.get(_DIGEST) != digest(release.path):
        raise error("push-differs", name=wanted["name"])
    entries = {p.name: p for p in sorted(release.path.iterdir())}
    hashes = {name: entry.sha256 for name, entry in release.manifest.files.items()}
    for name in entries:
        if name in resources and name in hashes and resources[name] != hashes[name]:
            raise error("push-differs", name=wanted["name"])
    yield PushedFile("create" if dataset is None else "update", wanted["name"])
    if not dry:
        if dataset is None:
            portal.act("package_create", wanted)
        else:
            portal.act("package_patch", {**wanted, "id": dataset.get("id", wanted["name"])})
    for name, path in entries.items():
        yield PushedFile("keep" if name in resources else "upload", name)
        if name not in resources and not dry:
            about = _resource(wanted["name"], path, hashes)
            portal.act("resource_create", about, (path.name, path.read_bytes()))


def package(
    release: Release, organisation: str, site: str = "", *, private: bool = False
) -> dict[str, Any]:
    """The dataset of a release, as ``package_create`` takes it."""
    facts, (first, last) = release.facts, release.years
    extras = {
        _DIGEST: digest(release.path),
        "release": release.version,
        "issued": release.manifest.created,
        "temporal_start": str(first),
        "temporal_end": str(last),
        "epsilon": f"{release.protected.guarantee.epsilon:g}",
        "delta": f"{release.protected.guarantee.delta:g}",
    }
    return {
        "name": slug(facts.hub, release.version),
        "title": title(release.manifest, facts),
        "notes": description(facts),
        "owner_org": organisation,
        "author": facts.hub,
        "version": release.version,
        "url": place(site, release.version) or facts.homepage,
        "license_id": _LICENCES.get(facts.licence, "notspecified"),
        "private": private,
        "tags": [{"name": word} for word in KEYWORDS],
        "extras": [{"key": key, "value": value} for key, value in extras.items()],
    }


def slug(hub: str, version: str) -> str:
    """Name of the dataset of a release at a portal: at most 100 of a-z, 0-9 and hyphens.

    >>> slug("Bureau d'aide: été", "2026.1"), slug("مركز", "2026.1")
    ('bureau-d-aide-t-2026-1', 'trafficking-2026-1')
    """
    words = re.sub(r"[^a-z0-9]+", "-", hub.lower()).strip("-")[:80].strip("-")
    return f"{words or 'trafficking'}-{version.replace('.', '-')}"


def _resource(package_name: str, path: Path, hashes: Mapping[str, str]) -> dict[str, str]:
    return {
        "package_id": package_name,
        "name": path.name,
        "format": path.suffix.removeprefix(".").upper(),
        "mimetype": media(path.name),
        "hash": hashes.get(path.name, ""),
    }


def _pairs(dataset: Mapping[str, Any] | None, field: str, key: str, value: str) -> dict[str, Any]:
    """Two columns of a list that a dataset has; empty where there is no dataset."""
    try:
        return {str(e[key]): e.get(value) for e in dataset.get(field, ())} if dataset else {}
    except (AttributeError, KeyError, TypeError):
        raise error("push-answer") from None


def _form_body(form: Mapping[str, Any], name: str, data: bytes) -> tuple[str, bytes]:
    """Fields and one file as ``multipart/form-data`` (RFC 7578)."""
    border = secrets.token_hex(16)
    fields = "".join(
        f'--{border}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in form.items()
    )
    head = (
        f'{fields}--{border}\r\nContent-Disposition: form-data; name="upload"; '
        f'filename="{name}"\r\nContent-Type: {media(name)}\r\n\r\n'
    )
    body = head.encode() + data + f"\r\n--{border}--\r\n".encode()
    return f"multipart/form-data; boundary={border}", body


def _reason(cause: urllib.error.HTTPError) -> str:
    """What the portal says of a refusal, safe to show."""
    try:
        reason = json.loads(cause.read(_LARGEST_ANSWER))["error"]
    except (ValueError, KeyError, TypeError, OSError, HTTPException, RecursionError):
        return ""
    return printable(json.dumps(reason, ensure_ascii=False), 300)


class _Stay(urllib.request.HTTPRedirectHandler):
    """No redirection is followed: the token is for the server that was named."""

    def redirect_request(self, *_request: Any) -> None:
        return None
