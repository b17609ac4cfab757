"""Left of the border: what becomes of contributors' files, and what requests are made of.

Belongs here: files of `work/`, proposals, harmonised and converted files, codebooks, crosswalks,
tokens, requests.  Does not belong here: noisy answers (``middle``), releases (``right``).

Left out: `.step.json`, whose keys follow the code; the lock.
"""

from __future__ import annotations

from pathlib import Path

from golden_parts import requests
from golden_parts.kept import Kept
from golden_parts.world import LANGUAGES, World

PRACTICE = "hub/contributions"
FORMATS = (
    "ctdc-2017", "ctdc-2021", "ctdc-gsd-k10", "ctdc-2024", "ctdc-vp-2022", "htcds-2", "ic-tip",
)  # fmt: skip
KEY = "person.key"


def record(world: World, kept: Kept) -> None:
    """Keep every output left of the border."""
    for stage in ("harmonised", "people"):
        kept.tree(f"derived/{stage}", Path("hub/work") / stage, without=(".step.json", ".lock"))
    for lang in LANGUAGES:
        for name, words in {"linkage": ("linkage", "hub"), "check": ("check", "hub")}.items():
            kept.outcome(f"verbs/{name}.{lang}", world.run(*words, lang=lang))
        kept.outcome(
            f"verbs/build-explain.{lang}",
            world.run("build", "hub", "--until", "link", "--explain", lang=lang),
        )
    kept.outcome("verbs/linkage-json", world.done("linkage", "hub", "--json"))
    files = sorted(p for p in Path(PRACTICE).rglob("*") if p.is_file())
    Path(KEY).write_bytes(bytes(range(32)))
    for file in files:
        _file(world, kept, file)
    _schema(world, kept)
    _names(world, kept)
    requests.record(world, kept)


def _file(world: World, kept: Kept, file: Path) -> None:
    """A contributor's file through suggest, harmonise and convert."""
    who = file.relative_to(PRACTICE).parts[0]
    for lang in LANGUAGES:
        kept.outcome(f"suggest/{who}.{lang}", world.done("suggest", file, lang=lang))
    written = Path(f"suggested-{who}.yaml")
    world.done("suggest", file, "--out", written)
    kept.file(f"suggest/{who}.yaml", written)
    out = Path(f"harmonised-{who}")
    mapping = f"hub/mappings/{who}.yaml"
    harmonise = ("harmonise", file, "--mapping", mapping, "--contributor", who, "--key", KEY)
    for lang in LANGUAGES:
        kept.outcome(f"harmonise/{who}.{lang}", world.done(*harmonise, lang=lang, codes=(0, 1)))
    world.done(*harmonise, "--out", out, codes=(0, 1))
    kept.tree(f"harmonise/{who}", out)
    for number, form in enumerate(FORMATS):
        ending = "xlsx" if number % 2 else "csv"
        target = Path(f"{who}-{form}.{ending}")
        lang = LANGUAGES[number % len(LANGUAGES)]
        done = world.run(
            "convert", out / "records.parquet", "--to", form, "--out", target, lang=lang
        )
        kept.outcome(f"convert/{who}-{form}.{lang}", done)
        if target.exists():
            kept.file(f"convert/{target}", target)


def _schema(world: World, kept: Kept) -> None:
    """Codebooks and crosswalks: formats by format, in every language."""
    for form in ("html", "csv", "json", "frictionless", "arrow"):
        folder = Path(f"codebook-{form}")
        world.done("codebook", "--format", form, "--out", folder)
        kept.tree(f"codebook/{form}", folder)
    for lang in LANGUAGES:
        kept.outcome(f"crosswalk/formats.{lang}", world.done("crosswalk", lang=lang))
        for form in FORMATS:
            done = world.done("crosswalk", form, lang=lang)
            kept.outcome(f"crosswalk/{form}.{lang}", done)
    for one in FORMATS:
        kept.outcome(f"crosswalk/{one}-json", world.done("crosswalk", one, "--json"))
        for other in FORMATS:
            if one != other:
                lossy = world.done("crosswalk", one, other, "--lossy", "--json")
                kept.outcome(f"crosswalk/lossy.many/{one}-{other}", lossy)


def _names(world: World, kept: Kept) -> None:
    """Lists of fictitious names made into tokens under a fixed key."""
    world.done("practice", "names", "--names", "--people", 1_000, "--seed", 7)
    world.done("key", "new", "--for", "linkage", "--out", "link.key")
    kept.outcome("tokens/fingerprint", world.done("key", "show", "link.key"))
    for number, file in enumerate(sorted(Path("names").glob("*.csv"))):
        if file.name == "truth.csv":
            continue
        kept.file(f"tokens/{file.name}", file)
        lang = LANGUAGES[number % len(LANGUAGES)]
        words = ("--key", "link.key", "--release", "2026.1", "--keep", "sex,year,citizenship")
        out = ("--out", f"out-{file.name}", "--yes")
        done = world.run("tokens", file, *words, *out, lang=lang)
        kept.outcome(f"tokens/{file.stem}.{lang}", done)
        if Path(f"out-{file.name}").exists():
            kept.file(f"tokens/out-{file.name}", Path(f"out-{file.name}"))
