"""Write the reference page of rules from the catalogue of errors.

Run by `make rules`.  A rule is what an error names, such as ``cell-size``; the page says what is
wrong, what to do, which class a caller catches and where the rule comes from.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

from ctdhub.core.errors import CatalogueEntry, catalogue

_FORMAT = re.compile(r"\{([a-z_]+):[.,\w]+\}")
"""A field with the form of its number, which is nobody's concern but the program's."""

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "rules.md"

HEAD = """# Rules
Every error of ctdhub names the rule that was broken, the file, the row and the column, and what to
do. This page lists all rules by name. The names are a public contract: they do not change, so that
scripts can rely on them. Texts in braces stand for what was found or is allowed; an error never
repeats the value of a case record. A command that meets an error ends with exit code 2.

This page is made from the catalogue of errors (`src/ctdhub/core/errors`) by `make rules`.
"""

ROOMS = {
    "api": "the Python interface",
    "build": "building a hub",
    "bundle": "bundles from contributors",
    "cli": "the command line",
    "client": "reading a published site",
    "consent": "withdrawals",
    "core": "keys and the system",
    "document": "setting documents",
    "desk": "the desk",
    "dp": "differential privacy and its ledger",
    "ingest": "reading files",
    "kanon": "k-anonymity",
    "kit": "the kit",
    "linkage": "linking records",
    "mapping": "mappings",
    "release": "releases",
    "report": "briefs and the calendar of events",
    "schema": "the schema",
    "secagg": "counts without records",
    "site": "the published site",
    "spark": "building on Spark",
    "stats": "statistics",
}


def page() -> str:
    """The whole page, in English Markdown."""
    by_rule: dict[str, list[CatalogueEntry]] = defaultdict(list)
    for entry in catalogue().values():
        for rule in entry.rules or (entry.rule,):
            by_rule[rule].append(entry)
    parts = [HEAD]
    for rule, entries in sorted(by_rule.items()):
        parts += [f"## {rule}\n", *(_entry(entry) for entry in entries)]
    return "\n".join(parts)


def _entry(entry: CatalogueEntry) -> str:
    lines = [
        f"**{_sentences(entry.what)}** {_sentences(entry.fix)}  ",
        f"*Where it comes from:* {ROOMS[entry.room]} (`{entry.kind.__name__}`)."
        + (f" {entry.doc}" if entry.doc else ""),
    ]
    return "\n".join(lines) + "\n"


def _sentences(texts: tuple[str, ...]) -> str:
    """Sentences as they are shown; outside of code nothing in them is Markdown."""
    text = _FORMAT.sub(r"{\1}", " ".join(texts)).replace("{{", "{").replace("}}", "}")
    pieces = text.split("`")
    pieces[::2] = [re.sub(r"([*_<])", r"\\\1", piece) for piece in pieces[::2]]
    return "`".join(pieces)


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")
    print(f"{PAGE.name}: {page().count(chr(10) + '## ')} rules")
    return 0


if __name__ == "__main__":
    sys.exit(main())
