"""The interface for programs as OpenAPI 3.1, for tools that read such descriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctdhub.release.catalogue import WHAT_IT_IS, media, title
from ctdhub.release.open import Release
from ctdhub.report.errata_words import shown

_RELEASE_FILES = {
    "counts.parquet": "Every measured table, those of three variables included.",
    "records.parquet": "Protected records, one row per person.",
    "SHA256SUMS": "Hashes of the release's own files.",
}


def openapi(
    release: Release, tables: Sequence[Mapping[str, Any]], places: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The description of one release.

    Args:
        tables, places: their entries in list and index; there is at least one place.
    """
    facts = release.facts
    found = {
        "/api/index.json": _get(
            "What the release holds.", "application/json", schema="schema/index.json"
        ),
        "/api/tables.json": _get(
            "The measured tables.", "application/json", schema="schema/tables.json"
        ),
        "/api/places/{place}.json": _get(
            "Facts of a country or region.",
            "application/json",
            schema="schema/place.json",
            parameter=_parameter("place", "Key in the index.", [p["key"] for p in places]),
        ),
        **{f"/{name}": _get(words, media(name)) for name, words in _RELEASE_FILES.items()},
        "/api/latest.json": {
            "servers": [{"url": "../../.."}],
            **_get("The newest release.", "application/json", schema="schema/latest.json"),
        },
    }
    if tables:
        stem = "-".join(tables[0]["variables"])
        variables = "Variables joined with a hyphen, in the order of the list."
        table = {**_parameter("table", variables), "example": stem}
        for kind, form in (("json", "application/json"), ("csv", "text/csv")):
            found[f"/api/tables/{{table}}.{kind}"] = _get(
                "A measured table of one or two variables.",
                form,
                schema="schema/table.json" if kind == "json" else "",
                parameter=table,
            )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title(release.manifest, facts),
            "version": release.version,
            "description": " ".join([WHAT_IT_IS, *(n.text for n in shown(release))]),
            "license": {
                "name": facts.licence,
                **({"url": facts.licence_url} if facts.licence_url else {}),
            },
        },
        "servers": [{"url": "..", "description": "The folder of this release."}],
        "paths": found,
    }


def _get(
    words: str, form: str, *, schema: str = "", parameter: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    content = {form: {"schema": {"$ref": schema}} if schema else {}}
    return {
        **({"parameters": [parameter]} if parameter else {}),
        "get": {
            "summary": words,
            "responses": {"200": {"description": words, "content": content}},
        },
    }


def _parameter(name: str, words: str, values: Sequence[str] = ()) -> dict[str, Any]:
    given: dict[str, Any] = {
        "name": name,
        "in": "path",
        "required": True,
        "description": words,
        "schema": {"type": "string"},
    }
    if values:
        given["schema"]["enum"] = list(values)
        given["example"] = values[0]
    return given
