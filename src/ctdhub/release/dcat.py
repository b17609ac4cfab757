"""What catalogues of public data harvest: releases as DCAT, in the profile DCAT-AP.

Sources: DCAT 3 (W3C Recommendation, August 2024); DCAT-AP 3.0 (SEMIC, European Commission), whose
mandatory and recommended properties are all here as far as a release knows them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from ctdhub.core.datafiles import as_json
from ctdhub.release.catalogue import KEYWORDS, description, media, title
from ctdhub.release.facts import PublicFacts
from ctdhub.release.manifest import Manifest

_SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""The name space of addresses (RFC 9562)."""

_EU = "http://publications.europa.eu/resource/authority/"
_LANGUAGES = {"en": "ENG", "fr": "FRA", "es": "SPA", "ar": "ARA"}
_FORMATS = {
    ".csv": "CSV",
    ".json": "JSON",
    ".jsonld": "JSON_LD",
    ".html": "HTML",
    ".md": "MD",
    ".parquet": "PARQUET",
}
_THEMES = ("JUST", "SOCI")
"""Justice, legal system and public safety; population and society."""

CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def place(site: str, version: str) -> str:
    """Address of the folder of a release, empty where nobody knows that of the site.

    >>> place("https://example.org/data", "2026.1")
    'https://example.org/data/r/2026.1/'
    """
    return site and f"{site.rstrip('/')}/r/{version}/"


def identifier(manifest: Manifest, site: str) -> str:
    """A name of a release that is the only one of its kind and stays: its address, else a URN."""
    digest = manifest.files["records.parquet"].sha256
    urn = uuid.uuid5(_SPACE, f"urn:sha256:{digest}/{manifest.version}")
    return place(site, manifest.version) or f"urn:uuid:{urn}"


def dcat(manifest: Manifest, facts: PublicFacts, site: str = "") -> str:
    """dcat.jsonld: a dcat:Dataset with one distribution for each file.

    Args:
        site: public address of the hub's site; empty where it is not known: then addresses are
            relative to the file.
    """
    return as_json({"@context": CONTEXT, **dataset(manifest, facts, site)})


def catalogue(
    releases: Iterable[tuple[Manifest, PublicFacts]], facts: PublicFacts, site: str
) -> str:
    """catalog.jsonld: a dcat:Catalog of releases.

    Args:
        releases: manifests and public facts; withdrawn ones are not among them.
        facts: those of the hub, as its newest release has them.
        site: public address of the site, not empty.
    """
    return as_json(
        {
            "@context": CONTEXT,
            "@id": f"{site.rstrip('/')}/catalog.jsonld",
            "@type": "dcat:Catalog",
            "dct:title": _english(facts.hub),
            "dct:description": _english(description(facts)),
            "dct:publisher": _agent(facts.hub, facts.homepage),
            "dct:language": [{"@id": f"{_EU}language/{_LANGUAGES[c]}"} for c in facts.languages],
            "dct:license": _licence(facts),
            "foaf:homepage": {"@id": site},
            "dcat:themeTaxonomy": {"@id": f"{_EU}data-theme"},
            "dcat:dataset": [dataset(manifest, own, site) for manifest, own in releases],
        }
    )


def dataset(manifest: Manifest, facts: PublicFacts, site: str) -> dict[str, Any]:
    """One release as a dcat:Dataset; see :func:`dcat`."""
    base, name = place(site, manifest.version), identifier(manifest, site)
    page = f"{base}en/index.html" if base else "README.md"
    first, last = facts.covered(int(manifest.created[:4]))
    found = {
        "@id": name,
        "@type": "dcat:Dataset",
        "dct:title": _english(title(manifest, facts)),
        "dct:description": _english(description(facts)),
        "dct:identifier": name,
        "dcat:version": manifest.version,
        "dct:issued": {"@value": manifest.created, "@type": "xsd:dateTime"},
        "dct:license": _licence(facts),
        "dct:accessRights": {"@id": f"{_EU}access-right/PUBLIC"},
        "dct:publisher": _agent(facts.hub, facts.homepage),
        "dct:contributor": [_agent(c.name) for c in facts.contributors],
        "dct:language": [{"@id": f"{_EU}language/{_LANGUAGES[c]}"} for c in facts.languages],
        "dcat:landingPage": {"@id": page} if base else None,
        "dcat:contactPoint": {
            "@type": "vcard:Organization",
            "vcard:fn": facts.hub,
            "vcard:hasURL": {"@id": facts.homepage},
        }
        if facts.homepage
        else None,
        "dcat:keyword": [_english(word) for word in KEYWORDS],
        "dcat:theme": [{"@id": f"{_EU}data-theme/{theme}"} for theme in _THEMES],
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": {"@value": str(first), "@type": "xsd:gYear"},
            "dcat:endDate": {"@value": str(last), "@type": "xsd:gYear"},
        },
        "dcat:distribution": [
            _distribution(file, entry.bytes, entry.sha256, facts, base, page)
            for file, entry in manifest.files.items()
        ],
    }
    return {key: value for key, value in found.items() if value is not None}


def _distribution(
    file: str, size: int, digest: str, facts: PublicFacts, base: str, page: str
) -> Mapping[str, Any]:
    suffix = file[file.rfind(".") :]
    known = _FORMATS.get(suffix)
    return {
        "@id": f"{base}{file}",
        "@type": "dcat:Distribution",
        "dct:title": file,
        "dct:license": _licence(facts),
        "dcat:accessURL": {"@id": page},
        "dcat:downloadURL": {"@id": f"{base}{file}"},
        "dcat:mediaType": {
            "@id": f"https://www.iana.org/assignments/media-types/{media(file)}",
            "@type": "dct:MediaType",
        },
        **({"dct:format": {"@id": f"{_EU}file-type/{known}"}} if known else {}),
        "dcatap:availability": {"@id": f"{_EU}planned-availability/STABLE"},
        "dcat:byteSize": {"@value": str(size), "@type": "xsd:nonNegativeInteger"},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
            "spdx:checksumValue": {"@value": digest, "@type": "xsd:hexBinary"},
        },
    }


def _english(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "en"}


def _agent(name: str, homepage: str = "") -> dict[str, Any]:
    page = {"foaf:homepage": {"@id": homepage}} if homepage else {}
    return {"@type": "foaf:Organization", "foaf:name": name, **page}


def _licence(facts: PublicFacts) -> dict[str, Any]:
    """The licence as a document, which has an address or a name alone."""
    if facts.licence_url:
        return {"@id": facts.licence_url, "@type": "dct:LicenseDocument"}
    return {"@type": "dct:LicenseDocument", "rdfs:label": facts.licence}
