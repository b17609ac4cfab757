"""What search engines and other sites read of a page: canonical address, previews, Dataset.

Addresses begin with ``https://`` only where the hub's own public address is known; else none is
written, so a copy on a memory stick does not claim to be somewhere.  Pages with fictitious data ask
not to be found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from markupsafe import Markup

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import OPEN_GRAPH
from ctdhub.document.embedded import embedded
from ctdhub.release.catalogue import KEYWORDS, citation, description, media, title
from ctdhub.release.dcat import catalogue, identifier
from ctdhub.release.facts import SITE_ADDRESS
from ctdhub.release.open import Release

EMBED = "embed"
"""Folder of the pages that stand in frames of others; search engines are not led there."""
EXAMPLE = "https://data.example.org/"
"""Stands in examples where the address is not known."""


@dataclass(frozen=True)
class Sharing:
    """Where a site will be found.

    Attributes:
        url: public address of its root; empty where nobody knows it.
        doi: the DOI of each version that has one.

    Raises:
        HubError: the address is no plain https address.
    """

    url: str = ""
    doi: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(SITE_ADDRESS, self.url):
            raise error("site-address/published")

    def public(self, path: str) -> str:
        """Public address of a file of the site, empty where it is not known.

        >>> Sharing("https://example.org/data").public("r/2026.1/en/index.html")
        'https://example.org/data/r/2026.1/en/index.html'
        """
        return self.url and f"{self.url.rstrip('/')}/{path}"

    def place(self, path: str) -> str:
        """Where a file is: its public address, or, where none is known, its path in the site."""
        return self.public(path) or path

    def head(
        self, places: Mapping[str, str], lang: str, release: Release, *, dataset: bool
    ) -> dict[str, Any]:
        """Values of the template ``head.html``.

        Args:
            places: where the page lies in each language, from the root of the site.
            lang: language of the page.
            dataset: whether it carries the schema.org Dataset.
        """
        canonical = self.public(places[lang])
        return {
            "site": self.public("") or EXAMPLE,
            "canonical": canonical,
            "alternates": {code: self.public(place) for code, place in places.items()},
            "locale": OPEN_GRAPH[lang],
            "hidden": release.facts.invented,
            "doi": self.doi.get(release.version, ""),
            "dataset": self._dataset(canonical, release) if dataset else "",
        }

    def _dataset(self, canonical: str, release: Release) -> Markup:
        """The release as a schema.org Dataset, as JSON that cannot end its ``<script>``."""
        facts, manifest = release.facts, release.manifest
        base = self.public(f"r/{release.version}/") or "../"
        found = {
            "@context": "https://schema.org",
            "@type": "Dataset",
            "name": title(manifest, facts),
            "description": description(facts),
            "@id": identifier(manifest, self.url),
            "identifier": [
                identifier(manifest, self.url),
                *(f"https://doi.org/{doi}" for doi in [self.doi.get(release.version)] if doi),
            ],
            "url": canonical,
            "version": release.version,
            "datePublished": manifest.created[:10],
            "temporalCoverage": "/".join(str(year) for year in release.years),
            "license": facts.licence_url or facts.licence,
            "isAccessibleForFree": True,
            "keywords": list(KEYWORDS),
            "creditText": citation(release.version, release.year, facts, _changed(release)),
            "creativeWorkStatus": "withdrawn" if release.withdrawn else "",
            "correction": [
                {
                    "@type": "CorrectionComment",
                    "datePublished": e.notice.date,
                    "text": e.notice.text("en")[0],
                    "inLanguage": e.notice.text("en")[1],
                }
                for e in release.errata
            ]
            or "",
            "creator": {"@type": "Organization", "name": facts.hub, "url": facts.homepage},
            "contributor": [{"@type": "Organization", "name": c.name} for c in facts.contributors],
            "distribution": []
            if release.withdrawn
            else [
                {
                    "@type": "DataDownload",
                    "name": name,
                    "encodingFormat": media(name),
                    "contentUrl": base + name,
                    "contentSize": f"{entry.bytes} B",
                    "sha256": entry.sha256,
                }
                for name, entry in manifest.files.items()
            ],
        }
        return embedded(_present(found))


def _changed(release: Release) -> str:
    """What became of a release, in the words of its citation."""
    if not release.errata:
        return ""
    if release.withdrawn:
        first = next(e for e in release.errata if e.notice.sort == "withdrawn")
        return f"withdrawn {first.notice.date}"
    return f"corrected {release.errata[-1].notice.date}"


def _present(value: object) -> object:
    """The value without keys whose text is empty."""
    if isinstance(value, dict):
        return {key: _present(part) for key, part in value.items() if part != ""}
    return [_present(part) for part in value] if isinstance(value, list) else value


def write_catalogue(site: Path, releases: Sequence[Release], sharing: Sharing) -> None:
    """Write catalog.jsonld, which catalogues of public data harvest, where the address is known.

    Args:
        site: the folder of the site.
        releases: all that it shows, the leading one first; withdrawn ones are left out.
    """
    held = [(r.manifest, r.facts) for r in releases if not r.withdrawn]
    if sharing.url and held:
        text = catalogue(held, releases[0].facts, sharing.url)
        (site / "catalog.jsonld").write_text(text, "utf-8")


def write_for_robots(
    site: Path, release: Release, sharing: Sharing, languages: Sequence[str]
) -> None:
    """Write robots.txt and sitemap.xml where the site's address is known.

    The sitemap names every page of the newest release with its other languages.  Fictitious data
    have none: their pages ask not to be found, and robots.txt must let that be read.

    Args:
        site: the folder of the site, its pages written.
        languages: of the site.
    """
    if not sharing.url:
        return
    lines = ["User-agent: *", "Allow: /"]
    if not release.facts.invented:
        lines.append(f"Sitemap: {sharing.public('sitemap.xml')}")
        text = _sitemap(site, release, sharing, languages)
        (site / "sitemap.xml").write_text(text, "utf-8")
    (site / "robots.txt").write_text("\n".join(lines) + "\n", "utf-8")


def _sitemap(site: Path, release: Release, sharing: Sharing, languages: Sequence[str]) -> str:
    folder = site / "r" / release.version
    first = folder / languages[0]
    entries = []
    paths = sorted(page.relative_to(first) for page in first.rglob("*.html"))
    for path in (path for path in paths if path.parts[0] != EMBED):
        files = {code: folder / code / path for code in languages}
        places = {c: sharing.public(f.relative_to(site).as_posix()) for c, f in files.items()}
        links = "".join(
            f'<xhtml:link rel="alternate" hreflang="{code}" href={quoteattr(place)}/>'
            for code, place in places.items()
        )
        entries += [
            f"<url><loc>{escape(place)}</loc><lastmod>{release.manifest.created[:10]}</lastmod>"
            f"{links}</url>\n"
            for place in places.values()
        ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:xhtml="http://www.w3.org/1999/xhtml">\n' + "".join(entries) + "</urlset>\n"
    )
