"""Small fictitious tables and settings that several parts read.

Belongs here: files that are written before commands run; everything in them is fictitious.
"""

from __future__ import annotations

import random
from pathlib import Path

DOMAINS = """\
version: 1
checked: true
columns:
  year: {years: [2020, 2023]}
  gender: [female, male, other]
  age: {values: ["0-17", "18+"], not_recorded: ["", "-99"]}
  debt: [yes, no]
"""


def people_table(path: Path, rows: int = 900, seed: int = 11, person: bool = False) -> None:
    """A table that :data:`DOMAINS` describes."""
    chance = random.Random(seed)
    lines = ["case,year,gender,age,debt" if person else "year,gender,age,debt"]
    for number in range(rows):
        cells = [
            str(chance.choice((2020, 2021, 2021, 2022, 2023))),
            chance.choice(("female", "female", "male", "other", "")),
            chance.choice(("0-17", "18+", "18+", "-99")),
            chance.choice(("yes", "no", "")),
        ]
        lines.append(",".join([f"p{number * 2 // 3}"] * person + cells))
    path.write_text("\n".join(lines) + "\n", "utf-8")


def series_table(path: Path, seed: int = 5) -> None:
    """Monthly counts of three series, one of which rises at the end."""
    chance = random.Random(seed)
    lines = ["series,period,count,denominator"]
    for name, mean in (("north", 40), ("south", 25), ("port", 60)):
        for month in range(60):
            level = mean * (2 if name == "south" and month >= 54 else 1)
            count = sum(chance.random() < level / 200 for _ in range(200))
            lines.append(f"{name},{2020 + month // 12}-{month % 12 + 1:02d},{count},{count + 150}")
    path.write_text("\n".join(lines) + "\n", "utf-8")


def lists_table(path: Path) -> None:
    """How four fictitious lists overlap."""
    chance = random.Random(3)
    lines = ["police,hotline,refuge,clinic,people"]
    for cell in range(1, 16):
        bits = [cell >> k & 1 for k in range(4)]
        people = chance.randint(200, 400) // 4 ** (sum(bits) - 1)
        lines.append(",".join(map(str, [*bits, people])))
    path.write_text("\n".join(lines) + "\n", "utf-8")


def population_table(path: Path) -> None:
    """Fictitious populations by country and year."""
    lines = ["country,year,population"]
    for number, country in enumerate(("ITA", "DEU", "FRA", "POL", "ESP")):
        lines += [f"{country},{year},{10_000_000 * (number + 1)}" for year in range(2010, 2026)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
