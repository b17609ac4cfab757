"""Right of the border: a stored release, and everything that is made of it alone.

Belongs here: files of the release and of its site, and what the verbs say of it in each language
and form.  Does not belong here: how the release came about (``left``, ``middle``).
"""

from __future__ import annotations

import filecmp
import shutil
from importlib.util import find_spec
from pathlib import Path

from golden_parts import inputs
from golden_parts.kept import Kept
from golden_parts.world import LANGUAGES, World

HUB = "hub"
VERSION = "2026.1"
STEP = ".step.json"
"""Left out: keys of steps follow the code."""
RELEASE = Path(HUB) / "releases" / VERSION

SAID: dict[str, tuple[tuple[object, ...], tuple[str, ...]]] = {
    "facts": (("facts", HUB), ("text", "json", "markdown")),
    "facts-region": (("facts", HUB, "--region", "Europe"), ("text", "json", "markdown")),
    "facts-years": (
        ("facts", HUB, "--region", "ITA,DEU", "--name", "Two", "--years", "2015-2020"),
        ("text", "json", "markdown"),
    ),
    "trends": (("trends", HUB), ("text", "json", "csv")),
    "trends-of": (
        ("trends", HUB, "--of", "gender=female", "--from", "2018", "--to", "2021"),
        ("text", "json", "csv"),
    ),
    "signals": (("signals", HUB), ("text", "json")),
    "signals-table": (("signals", "series.csv"), ("text", "json")),
    "estimate": (("estimate", HUB, "--replicates", 100), ("text", "json")),
    "estimate-table": (("estimate", "lists.csv", "--replicates", 100), ("text", "json")),
    "equity": (("equity", HUB), ("text", "json", "csv")),
    "equity-gender": (
        ("equity", HUB, "--kind", "accommodation", "--by", "gender"),
        ("text", "json", "csv"),
    ),
    "tables-sdg": (
        ("tables", HUB, "--for", "sdg-16.2.2", "--population", "population.csv"),
        ("text", "csv", "json", "markdown"),
    ),
    "tables-eurostat": (("tables", HUB, "--for", "eurostat"), ("text", "csv", "json", "markdown")),
    "tables-greta": (
        ("tables", HUB, "--for", "greta", "--country", "ITA"),
        ("text", "csv", "json", "markdown"),
    ),
}
"""What is asked by name, and in which forms; each in every language."""

BRIEFS: dict[str, tuple[object, ...]] = {
    "country": ("--country", "ITA"),
    "country-poster": ("--country", "UKR", "--poster"),
    "region": ("--region", "europe"),
    "corridor": ("--corridor", "UKR-POL"),
    "day": ("--day", "2026-10-18"),
    "day-poster": ("--day", "2026-10-18", "--poster"),
    "own": ("--contributor", "harbour-casework"),
}


def record(world: World, kept: Kept) -> None:
    """Keep every output right of the border."""
    kept.tree("release", RELEASE)
    site(kept, Path(HUB) / "site", "site")
    inputs.series_table(Path("series.csv"))
    inputs.lists_table(Path("lists.csv"))
    inputs.population_table(Path("population.csv"))
    for name, (words, forms) in SAID.items():
        for lang in LANGUAGES:
            for form in forms:
                said = world.run(*words, "--format", form, "--lang", lang, lang=lang)
                kept.outcome(f"verbs/{name}-{form}.{lang}", said)
    for lang in LANGUAGES:
        kept.outcome(f"verbs/verify.{lang}", world.run("verify", RELEASE, lang=lang))
        chart = Path(f"chart-{lang}.svg")
        world.run("estimate", "lists.csv", "--replicates", 100, "--chart", chart, lang=lang)
        kept.file(f"verbs/{chart}", chart)
    _briefs(world, kept)
    _sites(world, kept)


def _briefs(world: World, kept: Kept) -> None:
    """Briefs and posters; PDF where the extra is there."""
    for name, subject in BRIEFS.items():
        for lang in LANGUAGES:
            for form in ("html", "json"):
                out = Path(f"{name}.{lang}.{form}")
                words = ("--format", form, "--lang", lang, "--out", out)
                kept.outcome(
                    f"briefs/said/{out}", world.run("brief", HUB, *subject, *words, lang=lang)
                )
                if out.exists():
                    kept.file(f"briefs/{out}", out)
    if find_spec("typst"):
        out = Path("country.en.pdf")
        world.done("brief", HUB, "--country", "ITA", "--format", "pdf", "--out", out)
        kept.file(f"briefs/{out}", out)


def _sites(world: World, kept: Kept) -> None:
    """The kiosk, and the site for a disk, of the release alone."""
    kept.outcome("exhibit/said", world.run("site", HUB, "--exhibit", "--out", "exhibit"))
    kept.tree("exhibit", Path("exhibit"))
    shutil.rmtree("exhibit")


def site(kept: Kept, folder: Path, name: str) -> None:
    """Keep a site: a line for a page, one for the files of one ending in a folder of many.

    Of files that are those of the release byte by byte only the names are kept.
    """
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != STEP):
        inside = path.relative_to(folder)
        same = RELEASE / path.name
        if inside.is_relative_to(f"r/{VERSION}"):
            if same.is_file() and filecmp.cmp(path, same, shallow=False):
                kept.text(f"{name}/as-released.many/{path.name}", "as in the release")
                continue
            first, *rest = inside.relative_to(f"r/{VERSION}").parts
            if len(rest) > 1:
                rest = [f"{rest[0]}{path.suffix}.many", *rest[1:]]
            place = "/".join([first, *rest])
        else:
            place = f"front.many/{inside.as_posix()}"
        kept.file(f"{name}/{place}", path)
