"""What an archive asks for when it gives a release a DOI: DataCite metadata, a deposit of Zenodo.

Sources: DataCite Metadata Schema 4.5 (DataCite, 2024) in the JSON of its REST API; Zenodo's deposit
API (developers.zenodo.org).
"""

from __future__ import annotations

import re
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.release.catalogue import KEYWORDS, description, title
from ctdhub.release.dcat import place
from ctdhub.release.open import Release

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
    found: dict[str, Any] = {
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
    return {key: value for key, value in found.items() if value}


def zenodo(release: Release, site: str = "") -> dict[str, Any]:
    """The release as a new deposit of Zenodo, with a DOI reserved."""
    facts = release.facts
    address = place(site, release.version)
    metadata: dict[str, Any] = {
        "upload_type": "dataset",
        "title": title(release.manifest, facts),
        "creators": [{"name": facts.hub}],
        "contributors": [{"name": c.name, "type": "DataCollector"} for c in facts.contributors],
        "description": _html(description(facts)),
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


def _html(text: str) -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<p>{safe}</p>"
