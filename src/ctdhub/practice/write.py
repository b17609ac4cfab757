"""Write the practice contributions and the truth behind them, to hold results against."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from ctdhub.core.i18n import Text
from ctdhub.practice import contributor_files
from ctdhub.practice.contributor_files import CONTRIBUTORS, record, tokens
from ctdhub.practice.people import Bools, Marginals, People, belonging, draw, load_marginals
from ctdhub.schema import countries
from ctdhub.schema.countries import ALPHA3
from ctdhub.schema.model import load_schema

# --------------------------------------------------------------------------------------------------
# The facts behind the practice data, to hold results against.


def facts(p: People, m: Marginals) -> dict[str, Any]:
    """Planted facts and totals, ready for JSON.

    Keys: ``people``; ``years``; ``women_share``; ``lists`` (overlap of contributors, size of the
    population behind the lists with tokens, people among it whom no list knows); ``corridor`` (by
    year: all, women, share); ``stopped`` (contributor and its last year); ``accommodation`` (by
    group: with a need, received, share); ``europe`` (to 2018: citizens, exploited, shares).
    """
    return {
        "people": len(p.year),
        "years": list(m.years),
        "women_share": _share(p.is_gender("female")),
        "lists": _lists(p, m),
        "corridor": _corridor(p, m),
        "stopped": _stopped(m),
        "accommodation": _accommodation(p, m),
        "europe": _europe(p),
    }


def _share(chosen: Bools) -> float:
    return round(float(chosen.mean()), 4) if len(chosen) else 0.0


def _lists(p: People, m: Marginals) -> dict[str, Any]:
    patterns, counts = np.unique(p.known, axis=0, return_counts=True)
    named = {
        " + ".join(np.array(p.ids)[pattern]): int(n)
        for pattern, n in zip(patterns, counts, strict=True)
    }
    with_tokens = p.known[:, [p.ids.index(name) for name in m.lists.chance]].any(axis=1)
    return {
        "with_tokens": list(m.lists.chance),
        "overlap": named,
        "known_to_several": int((p.known.sum(axis=1) > 1).sum()),
        "population": p.population,
        "known_to_none": p.population - int(with_tokens.sum()),
    }


def _corridor(p: People, m: Marginals) -> dict[str, Any]:
    on = p.codes["citizenship"] == ALPHA3.index(m.planted.citizenship)
    on &= p.codes["country_of_exploitation"] == ALPHA3.index(m.planted.country_of_exploitation)
    women = p.is_gender("female")
    years = {}
    for year in m.planted.all:
        there = on & (p.year == year)
        count, female = int(there.sum()), int((there & women).sum())
        years[str(year)] = {"all": count, "women": female, "share": round(female / count, 4)}
    return {
        "citizenship": m.planted.citizenship,
        "country_of_exploitation": m.planted.country_of_exploitation,
        "contributor": m.planted.contributor,
        "years": years,
    }


def _stopped(m: Marginals) -> list[dict[str, Any]]:
    return [
        {"contributor": name, "last_year": c.years[1]}
        for name, c in m.contributors.items()
        if c.years[1] < m.years[1]
    ]


def _accommodation(p: People, m: Marginals) -> dict[str, dict[str, Any]]:
    status = p.codes["assistance_accommodation"]
    received = load_schema().domain("assistance_accommodation").index("received")
    group = belonging(p.codes)
    groups = {}
    for i, name in enumerate(m.assistance.accommodation):
        asked = status[(group == i) & (status >= 0)]
        groups[name] = {
            "with_a_need": len(asked),
            "received": int((asked == received).sum()),
            "share": _share(asked == received),
        }
    return groups


def _europe(p: People) -> dict[str, dict[str, Any]]:
    inside = np.array([countries.region(code) == "europe" for code in ALPHA3])
    until = p.year <= 2018
    women = p.is_gender("female")
    numbers = {}
    for name, column in (
        ("citizens", "citizenship"),
        ("exploited", "country_of_exploitation"),
    ):
        there = inside[p.codes[column]]
        numbers[name] = {
            "until_2018": int((there & until).sum()),
            "share": _share(there[until]),
            "women_share": _share(women[there & until]),
        }
    return numbers


# --------------------------------------------------------------------------------------------------
# Write the practice contributions and the truth behind them.

CONTRIBUTION_DATE = "2026-01-15"
"""The day on which the practice contributions are said to have arrived."""
PEOPLE = (1_000, 2_000_000)
"""Fewest and most people on request."""


@dataclass(frozen=True)
class Sent:
    """What one contributor's file holds.

    Attributes:
        file: name of the file.
        rows: rows under the header.
        people: people known to the contributor, each with at least one good row.
        rejected: rows that a hub must reject.
        excluded: rule to rows that a hub must leave out by that rule.
    """

    file: str
    rows: int
    people: int
    rejected: int
    excluded: dict[str, int]

    @property
    def records(self) -> int:
        """Rows that become records."""
        return self.rows - self.rejected - sum(self.excluded.values())


@dataclass(frozen=True)
class PracticeSummary:
    """What was written.

    Attributes:
        folder: the folder.
        people: fictitious people.
        seed: the seed; the same seed and size give the same bytes.
        files: contributor to its file.
        sent: contributor to what its file holds.
        truth: the planted facts as ``truth.json`` holds them.
    """

    folder: Path
    people: int
    seed: int
    files: dict[str, Path]
    sent: dict[str, Sent]
    truth: dict[str, Any]


def write_practice(
    folder: Path,
    people: int = 60_000,
    seed: int = 20260101,
    progress: Callable[[Text, float], None] | None = None,
) -> PracticeSummary:
    """Write four fictitious contributors' files, their mappings and agreements, and the truth.

    Args:
        folder: made if it is not there; practice files of an earlier run are written over.
        people: fictitious people, 1,000 to 2,000,000, each known to at least one contributor.
        seed: the same seed and number of people give the same files, byte for byte, as long as
            the versions of numpy and pyarrow stay the same.
        progress: called with a message and the fraction done.

    Raises:
        ValueError: people is out of range.
    """
    if not PEOPLE[0] <= people <= PEOPLE[1]:
        raise ValueError(f"people must be between {PEOPLE[0]} and {PEOPLE[1]}")

    tell = progress or (lambda message, fraction: None)
    m = load_marginals()
    streams = np.random.SeedSequence(seed).spawn(1 + len(CONTRIBUTORS))
    tell(Text("Drawing fictitious people"), 0.0)
    drawn = draw(people, np.random.default_rng(streams[0]), m)
    keyed = tokens(people)
    folder.mkdir(parents=True, exist_ok=True)
    files, sent = {}, {}
    for i, contributor in enumerate(CONTRIBUTORS):
        layout = contributor_files.layouts()[contributor]
        tell(Text("Writing {contributor}", contributor=contributor), 0.1 + 0.2 * i)
        rng = np.random.default_rng(streams[i + 1])
        rows = record(drawn, contributor, layout.excluded, rng, m)
        files[contributor] = folder / layout.file
        contributor_files.write(files[contributor], contributor, rows, keyed, rng, m)
        counts = {rule: len(places) for rule, places in rows.extra.items()}
        known = int(drawn.known[:, i].sum())
        sent[contributor] = Sent(layout.file, len(rows), known, counts.pop("rejected"), counts)
    tell(Text("Writing the truth"), 0.9)
    truth: dict[str, Any] = {"invented": True, "seed": seed, **facts(drawn, m)}
    truth["contributors"] = {
        name: {**asdict(one), "records": one.records} for name, one in sent.items()
    }
    (folder / "truth").mkdir(exist_ok=True)
    pq.write_table(drawn.table(keyed.tolist()), folder / "truth" / "people.parquet")
    (folder / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", "utf-8")
    shipped = resources.files("ctdhub.practice")
    (folder / "README.txt").write_bytes((shipped / "data" / "README.txt").read_bytes())
    for kind in ("mappings", "contributors"):
        (folder / kind).mkdir(exist_ok=True)
        for name in CONTRIBUTORS:
            own = f"{kind}/{name}.yaml"
            (folder / own).write_bytes((shipped / own).read_bytes())
    tell(Text("Practice data are ready"), 1.0)
    return PracticeSummary(folder, people, seed, files, sent, truth)
