"""The codebook that travels with a release, in every language of the site.

Belongs here: which codebook files a release holds.
Does not belong here: their content (``ctdhub.schema.emit``).
"""

from __future__ import annotations

from pathlib import Path

from ctdhub.i18n import LANGUAGES
from ctdhub.release.facts import PublicFacts
from ctdhub.schema.emit import codebook_csv, codebook_html

BYTE_ORDER_MARK = "\ufeff"


def write_codebook(folder: Path, facts: PublicFacts) -> None:
    """Write ``codebook.html`` (English), ``codebook.<language>.html`` and ``codebook.csv``.

    The CSV file holds text in many scripts, so it starts with a byte order mark: spreadsheets
    then read it as UTF-8.
    """
    for code in facts.languages:
        name = "codebook.html" if code == LANGUAGES[0] else f"codebook.{code}.html"
        (folder / name).write_text(codebook_html(code), "utf-8")
    (folder / "codebook.csv").write_text(BYTE_ORDER_MARK + codebook_csv(), "utf-8")
