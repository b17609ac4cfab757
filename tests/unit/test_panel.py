"""The panel: every place and year has a row, blanks stand apart, a recipe takes out the noise."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from invented_release import protected_answer

from ctdhub.dp.noise import sampler
from ctdhub.practice.people import invented_people
from ctdhub.release.bundle import write_release
from ctdhub.release.open import open_release
from ctdhub.schema.countries import ALPHA3
from ctdhub.site.api import write_api
from ctdhub.stats.answers import Answers

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "merge-with-other-data.md"
YEAR, COUNTRY, FORM = "year_of_registration", "country_of_exploitation", "exploitation_sexual"
PEOPLE = (("NAM", "2016", "yes", 40), ("NAM", "2018", None, 30), (None, "2018", None, 20),
          ("ITA", "2016", None, 50), ("ITA", None, None, 25))  # fmt: skip
"""Country, year, sexual exploitation, and how many people; nobody reports on 2017."""
NUMBERS = ("count", "low", "high", "measurement", "sd")


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a release of :data:`PEOPLE`, which measured no citizenship."""
    folder = tmp_path_factory.mktemp("panel")
    rows: list[dict[str, str | None]] = [
        {COUNTRY: country, YEAR: year, FORM: form}
        for country, year, form, n in PEOPLE
        for _ in range(n)
    ]
    who = [{"id": "one", "name": "One", "kind": "hotline", "years": [2015, 2016]},
           {"id": "two", "name": "Two", "kind": "hotline", "years": [2018, 2019]},
           {"id": "six", "name": "Six", "kind": "hotline", "years": [2016, 2016]}]  # fmt: skip
    tables = (COUNTRY, YEAR, f"{YEAR}*{COUNTRY}", f"{COUNTRY}*{FORM}", f"{YEAR}*{COUNTRY}*{FORM}")
    answer = protected_answer(rows, tables=tables, facts={"contributors": who})
    held = open_release(write_release(answer, folder / "releases", "2026.1", ""))
    write_api(Answers(held), folder, ["en"])
    return folder / "api" / "panel.csv"


def test_every_place_and_year_has_a_row_and_blanks_stand_apart(panel: Path) -> None:
    with panel.open(encoding="utf-8", newline="") as handle:
        rows = {(r["side"], r["place"], r["year"], r["form"]): r for r in csv.DictReader(handle)}
    places, years = {*ALPHA3, "not_recorded"}, {str(year) for year in range(2015, 2020)}
    assert {key[1:3] for key in rows} == {(p, y) for p in places for y in years}
    assert {key[3] for key in rows} == {"all", FORM}

    def numbers(*key: str) -> list[str]:
        return [rows[key][name] for name in ("state", *NUMBERS, "contributors")]

    assert numbers("exploited", "NAM", "2016", "all") == [
        "shown", "40", "32", "48", "40.0", "4.0", "2",
    ]  # fmt: skip
    assert numbers("exploited", "NAM", "2018", "all")[1] == "30"
    assert numbers("exploited", "NAM", "2016", FORM)[1] == "40"
    assert numbers("exploited", "not_recorded", "2018", "all")[1] == "20"
    assert numbers("exploited", "ITA", "2017", "all") == ["nobody_reports", *[""] * 5, "0"]
    state, count, low, high, measurement, sd, contributors = numbers(
        "exploited", "ITA", "2018", "all"
    )
    assert (state, count, low, contributors) == ("protected", "", "0", "1")
    assert int(high) > 0
    assert (measurement, sd) == ("0.0", "4.0"), "the country is shown, this year is not"
    assert numbers("exploited", "FRA", "2016", "all")[4:6] == ["", ""]
    assert numbers("citizens", "NAM", "2016", "all") == ["not_measured", *[""] * 5, "2"]


def test_pandas_keeps_the_states_apart_without_an_option(panel: Path) -> None:
    data = pd.read_csv(panel)
    assert set(data["state"]) == {"shown", "protected", "not_measured", "nobody_reports"}
    assert "NAM" in set(data["place"])
    assert not data[["state", "side", "place", "year", "form", "contributors"]].isna().any().any()
    assert (data["year"].dtype, data["contributors"].dtype) == (np.int64, np.int64)
    assert (data["count"].isna() == (data["state"] != "shown")).all()


def recipe(language: str, start: str) -> str:
    """A block of code of the page."""
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if block.startswith(start)]
    return str(found)


def slope() -> Callable[[pd.DataFrame], tuple[float, float, float]]:
    names: dict[str, Any] = {}
    exec(recipe("python", "def slope"), names)
    found: Callable[[pd.DataFrame], tuple[float, float, float]] = names["slope"]
    return found


@pytest.mark.parametrize("side", [COUNTRY, "citizenship"])
def test_the_recipe_covers_in_practice_draws(side: str) -> None:
    """The true slope is in the interval in at least 184 of 200 draws, by chance in 190."""
    random, fitted, true, covered, bare = np.random.default_rng(28), slope(), 0.5, 0, 0
    people = invented_people(6000).to_pandas()
    table = pd.crosstab(people[side], people[YEAR])
    truth = table[table.sum(axis=1) >= 150].to_numpy().ravel()
    noise = sampler(Fraction(72))
    for _ in range(200):
        data = pd.DataFrame({
            "measurement": truth + noise.draw(truth.size, random.bytes), "sd": 72**0.5,
            "outcome": 3 + true * truth + random.normal(0, 4, truth.size),
        })  # fmt: skip
        found, error, signal = fitted(data)
        assert signal > 0.5
        covered += abs(found - true) <= 1.96 * error
        found, error, _all = fitted(data.assign(sd=0.0))
        bare += abs(found - true) <= 1.96 * error
    assert covered >= 184
    assert bare < 100


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")
def test_r_finds_the_same(tmp_path: Path, panel: Path) -> None:
    data = pd.DataFrame(
        {"measurement": [3.0, -2, 9, 14, 22], "sd": 2.0, "outcome": [1, 1, 5, 6, 12]}
    )
    data.to_csv(tmp_path / "data.csv", index=False)
    program = recipe("text", "slope <- function")
    program += f'cat(slope(read.csv("{tmp_path / "data.csv"}")), fill = TRUE)\n'
    program += f'cat(sort(unique(read.csv("{panel}")$state)))\n'
    said = subprocess.run(
        ["Rscript", "-e", program], capture_output=True, text=True, check=True
    ).stdout
    numbers, states = said.splitlines()
    assert [float(n) for n in numbers.split()] == pytest.approx(slope()(data), rel=1e-4)
    assert states.split() == ["nobody_reports", "not_measured", "protected", "shown"]
