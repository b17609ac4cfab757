"""What catalogues of data read: Frictionless Data Package, Croissant, DCAT."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from ctdhub.core.i18n import read_shipped
from ctdhub.core.tables import as_json
from ctdhub.release import tables
from ctdhub.release.manifest import Manifest, PublicFacts
from ctdhub.schema.emit import frictionless as table_schema
from ctdhub.schema.labels import definition

# --------------------------------------------------------------------------------------------------
# What catalogues of data read: Frictionless Data Package and Croissant; ``dcat`` has DCAT.
#
# Sources: Data Package v1 (specs.frictionlessdata.io), Croissant 1.0 (MLCommons, March 2024).

KEYWORDS = (
    "human trafficking",
    "counter-trafficking",
    "differential privacy",
    "synthetic data",
)
WHAT_IT_IS = (
    "Protected records and counts of people identified as victims of human trafficking. "
    "Identified people, not prevalence. Protected by differential privacy for each person."
)


@cache
def _terms(vocabulary: str) -> dict[str, Any]:
    """What a vocabulary calls things."""
    file = resources.files("ctdhub.release") / "templates" / "catalogue.yaml"
    terms: dict[str, Any] = read_shipped(file)[vocabulary]
    return terms


def title(manifest: Manifest, facts: PublicFacts) -> str:
    """One line that names the release."""
    return f"{facts.hub}: identified victims of human trafficking, release {manifest.version}"


def citation(version: str, year: str, facts: PublicFacts, changed: str = "") -> str:
    """How to cite a release; the version is part of it.

    Args:
        changed: what a notice about it says, such as "corrected 2026-11-27"; none in its own files.
    """
    invented = " [practice data: fictitious]" if facts.invented else ""
    mark = f" [{changed}]" if changed else ""
    return (
        f"{facts.hub} ({year}). Protected trafficking case data, release {version}{invented}{mark}."
    )


def description(facts: PublicFacts) -> str:
    """What the data are, the warning about fictitious data first."""
    warning = "Practice data: fictitious, about nobody. " if facts.invented else ""
    return " ".join([warning + WHAT_IT_IS, *facts.caveats])


def frictionless(
    manifest: Manifest,
    facts: PublicFacts,
    columns: Sequence[str],
    of_perpetrators: Sequence[str] | None = None,
) -> str:
    """datapackage.json: resources with table schemas, sizes and hashes."""
    schemas = {"records.csv": table_schema("people", list(columns))}
    if of_perpetrators is not None:
        schemas["perpetrators.csv"] = table_schema("perpetrators", list(of_perpetrators))
    for table, members in _of_numbers(manifest, facts, of_perpetrators).items():
        fields = [{"name": n, "type": kind, "description": w} for n, (kind, w) in members.items()]
        schemas[f"{table}.csv"] = {"fields": fields, "missingValues": []}
    resources = [
        {
            "name": name.replace(".", "-").lower(),
            "path": name,
            "format": name.rpartition(".")[2],
            "mediatype": media(name),
            "bytes": entry.bytes,
            "hash": f"sha256:{entry.sha256}",
            "encoding": "utf-8",
            **(
                {"profile": "tabular-data-resource", "schema": schemas[name]}
                if name in schemas
                else {"profile": "data-resource", "type": "file"}
            ),
        }
        for name, entry in manifest.files.items()
    ]
    years = facts.covered(int(manifest.created[:4]))
    licence = {"name": facts.licence, "path": facts.licence_url, "title": facts.licence}
    return as_json(
        {
            "profile": "data-package",
            "name": f"trafficking-release-{manifest.version}".lower(),
            "id": f"sha256:{manifest.files['records.parquet'].sha256}",
            "title": title(manifest, facts),
            "description": description(facts),
            "version": manifest.version,
            "created": manifest.created,
            **({"homepage": facts.homepage} if facts.homepage else {}),
            "keywords": list(KEYWORDS),
            "licenses": [{k: v for k, v in licence.items() if v}],
            "contributors": [{"title": facts.hub, "role": "publisher"}]
            + [{"title": c.name, "role": "contributor"} for c in facts.contributors],
            "temporal": dict(zip(("start", "end"), map(str, years), strict=True)),
            "resources": resources,
        }
    )


def _of_numbers(
    manifest: Manifest, facts: PublicFacts, of_perpetrators: Sequence[str] | None
) -> dict[str, dict[str, tuple[str, str]]]:
    """Type and meaning of each column of the tables of numbers, by table."""
    counts = {"counts": _count_fields("people")}
    if of_perpetrators is not None:
        counts["perpetrator_counts"] = _count_fields("perpetrators")
    return counts | tables.measured_fields(manifest, facts.years)


def croissant(
    manifest: Manifest,
    facts: PublicFacts,
    columns: Sequence[str],
    of_perpetrators: Sequence[str] | None = None,
) -> str:
    """croissant.json: files with hashes, and the fields of records and counts."""
    numbers = _of_numbers(manifest, facts, of_perpetrators)
    fields = {"records": _texts(columns), "counts": numbers.pop("counts")}
    if of_perpetrators is not None:
        fields["perpetrators"] = _texts(of_perpetrators)
    fields |= numbers
    return as_json(
        {
            "@context": _terms("croissant"),
            "@type": "sc:Dataset",
            "name": f"trafficking-release-{manifest.version}",
            "conformsTo": "http://mlcommons.org/croissant/1.0",
            "description": description(facts),
            "license": facts.licence_url or facts.licence,
            "url": facts.homepage or ".",
            "version": manifest.version,
            "datePublished": manifest.created[:10],
            "creator": {"@type": "sc:Organization", "name": facts.hub},
            "citeAs": citation(manifest.version, manifest.created[:4], facts),
            "keywords": list(KEYWORDS),
            "isLiveDataset": False,
            "distribution": [
                {
                    "@type": "cr:FileObject",
                    "@id": name,
                    "name": name,
                    "contentUrl": name,
                    "contentSize": f"{entry.bytes} B",
                    "encodingFormat": media(name),
                    "sha256": entry.sha256,
                }
                for name, entry in manifest.files.items()
            ],
            "recordSet": [
                {
                    "@type": "cr:RecordSet",
                    "@id": table,
                    "name": table,
                    "field": [
                        {
                            "@type": "cr:Field",
                            "@id": f"{table}/{name}",
                            "name": name,
                            "description": words,
                            "dataType": _CROISSANT_TYPES[kind],
                            "source": {
                                "fileObject": {"@id": f"{table}.csv"},
                                "extract": {"column": name},
                            },
                        }
                        for name, (kind, words) in members.items()
                    ],
                }
                for table, members in fields.items()
            ],
        }
    )


def _texts(columns: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Type and meaning of columns of records."""
    return {name: ("string", definition(name, "en")) for name in columns}


def _count_fields(counted: str) -> dict[str, tuple[str, str]]:
    """Type and meaning of each column of a table of counts, ``counted`` being what is counted."""
    return {
        "columns": ("string", 'Variables of the cell, joined with "*".'),
        "values": (
            "string",
            'Their values in the same order, joined with "|"; empty: not recorded.',
        ),
        "count": ("integer", f"Estimate of the number of {counted} in the cell."),
        "low": ("integer", f"Lower end of its interval, in {counted}."),
        "high": ("integer", f"Upper end of its interval, in {counted}."),
        "state": ("string", 'Whether the count is "shown" or "protected" (too few to show).'),
    }


_CROISSANT_TYPES = {"integer": "sc:Integer", "number": "sc:Float", "string": "sc:Text"}


def media(name: str) -> str:
    """The media type of a file of a release."""
    return str(_terms("media").get(name[name.rfind(".") :], "text/plain"))


# --------------------------------------------------------------------------------------------------
# What catalogues of public data harvest: releases as DCAT, in the profile DCAT-AP.
#
# Sources: DCAT 3 (W3C Recommendation, August 2024); DCAT-AP 3.0 (SEMIC, European Commission), whose
# mandatory and recommended properties are all here as far as a release knows them.

_SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""The name space of addresses (RFC 9562)."""

_EU = "http://publications.europa.eu/resource/authority/"
_THEMES = ("JUST", "SOCI")
"""Justice, legal system and public safety; population and society."""


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
    return as_json({"@context": _terms("dcat"), **dataset(manifest, facts, site)})


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
            "@context": _terms("dcat"),
            "@id": f"{site.rstrip('/')}/catalog.jsonld",
            "@type": "dcat:Catalog",
            "dct:title": _english(facts.hub),
            "dct:description": _english(description(facts)),
            "dct:publisher": _agent(facts.hub, facts.homepage),
            "dct:language": _spoken(facts),
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
    node = {
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
        "dct:language": _spoken(facts),
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
    return {key: value for key, value in node.items() if value is not None}


def _distribution(
    file: str, size: int, digest: str, facts: PublicFacts, base: str, page: str
) -> Mapping[str, Any]:
    suffix = file[file.rfind(".") :]
    known = _terms("formats").get(suffix)
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


def _spoken(facts: PublicFacts) -> list[dict[str, str]]:
    return [{"@id": f"{_EU}language/{_terms('languages')[code]}"} for code in facts.languages]


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
