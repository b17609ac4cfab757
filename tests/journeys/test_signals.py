"""`ctdhub signals` as an analyst meets it: tables good and bad, a hub with a planted rise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctdhub.hub.folder import Hub
from tests.journeys.test_cli import ctdhub

__all__ = ["ctdhub"]
IVORIAN = """series,period,count,denominator
women,2015,302,3776
women,2016,1611,12396
women,2017,1426,
women,2018,277,
women,2019,397,864
"""


def months(counts: list[object], series: str = "a") -> str:
    rows = [f"{series},{2020 + k // 12}-{k % 12 + 1:02d},{n}" for k, n in enumerate(counts)]
    return "series,period,count\n" + "\n".join(rows) + "\n"


@pytest.fixture
def ask(ctdhub, tmp_path: Path):  # type: ignore[no-untyped-def]
    def run(text: str, *words: str) -> tuple[int, str, str]:
        (tmp_path / "series.csv").write_text(text, "utf-8")
        return ctdhub("signals", "series.csv", *words)

    return run


def test_the_ivorian_series_from_a_file(ask) -> None:  # type: ignore[no-untyped-def]
    code, out, err = ask(IVORIAN)
    assert (code, err) == (0, "")
    flat = " ".join(out.split())
    assert "The share of “women” rose from 12%" in flat
    assert "the whole fell from 8,086 to 864" in flat
    assert "Only 2 earlier periods are known" in flat
    assert "Of 10 signals such as these, at most one is expected to be false." in flat


def test_json_has_stable_keys(ask, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _err = ask(IVORIAN, "--format", "json")
    assert code == 0
    found = json.loads(out)
    documented = (Path(__file__).parents[2] / "docs/reference/signals.md").read_text("utf-8")
    keys = {*found, *found["signals"][0], *found["signals"][0]["tests"][0]}
    assert all(f"`{key}`" in documented for key in keys)
    assert found["signals"][0]["share"]["now"]["value"] == pytest.approx(397 / 864)
    assert found["signals"][0]["moved"] == ["share"]
    code, _out, _err = ask(IVORIAN, "--format", "json", "--out", "out.json")
    assert code == 0
    assert json.loads((tmp_path / "out.json").read_text("utf-8")) == found
    code, _out, err = ask(IVORIAN, "--out", "out.json")
    assert code == 2
    assert "exists already" in err


def test_the_order_of_rows_does_not_matter(ask) -> None:  # type: ignore[no-untyped-def]
    head, *rows = IVORIAN.strip().split("\n")
    _code, straight, _err = ask(IVORIAN, "--format", "json")
    _code, turned, _err = ask("\n".join([head, *rows[::-1]]), "--format", "json")
    assert json.loads(straight) == json.loads(turned)


def test_no_signal_is_said_as_such(ask) -> None:  # type: ignore[no-untyped-def]
    code, out, _err = ask(months([20, 22, 19, 21] * 9))
    assert code == 0
    assert "No series moved" in out
    assert "small changes cannot be seen" in " ".join(out.split())


def test_gaps_are_missing_and_said_unless_zero_is_asked_for(ask) -> None:  # type: ignore[no-untyped-def]
    text = "".join(
        line + "\n"
        for line in months([40, 44, 38, 41] * 9).splitlines()
        if not line.startswith(("a,2022-09", "a,2022-10", "a,2022-11"))
    )
    code, out, _err = ask(text)
    assert code == 0
    assert "3 periods of series have no row; they are missing, not zero" in out
    assert "No series moved" in out
    code, out, _err = ask(text, "--gaps", "zero")
    assert code == 0
    assert "they count as zero, as you asked" in out
    assert "fell from" in out


def test_protected_counts_may_be_negative_once_their_noise_is_told(ask) -> None:  # type: ignore[no-untyped-def]
    text = months([3, -2, 5, 1] * 9)
    code, _out, err = ask(text)
    assert code == 2
    assert "row 3, column count, rule negative" in err
    assert "--noise-sd" in err
    code, _out, _err = ask(text, "--noise-sd", "4")
    assert code == 0
    lines = text.splitlines()
    own = "\n".join([lines[0] + ",noise_sd", *(f"{line},4" for line in lines[1:])])
    assert ask(own)[0] == 0


def test_first_days_stand_for_months(ask) -> None:  # type: ignore[no-untyped-def]
    lines = months([20] * 36).splitlines()
    days = [f"{line.rsplit(',', 1)[0]}-01,{line.rsplit(',', 1)[1]}" for line in lines[1:]]
    code, out, _err = ask("\n".join([lines[0], *days]))
    assert code == 0
    assert "read as months" in out


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("series,period\na,2020\n", "rule columns"),
        ("series,period,count\n", "What to do:"),
        (months([20] * 20).replace("2020-05", "May 2020"), "row 6, column period, rule period"),
        (months([20] * 20).replace("2020-05", "2020"), "row 6, column period, rule mixed-periods"),
        (months([20] * 20).replace("2020-05", "2020-04"), "row 6, column period, rule duplicate"),
        (months([20] * 5 + ["few"] + [20] * 20), "row 7, column count, rule number"),
        (months([20] * 5 + ["1e400"] + [20] * 20), "row 7, column count, rule number"),
        (months([20] * 5 + ["nan"] + [20] * 20), "row 7, column count, rule number"),
        (months([20] * 5 + ['"1,200"'] + [20] * 20), "row 7, column count, rule number"),
        (months([20] * 20, series=" "), "row 2, column series, rule series"),
        (months([20] * 3), "rule too-few-periods"),
        (months([""] * 20), "rule too-few-periods"),
        (
            IVORIAN.replace("397,864", "397,300"),
            "row 6, column denominator, rule part-of-whole",
        ),
    ],
)
def test_bad_input_gives_an_error_with_its_place_and_no_number(
    ask,  # type: ignore[no-untyped-def]
    text: str,
    where: str,
) -> None:
    code, out, err = ask(text)
    assert code == 2
    assert where in " ".join(err.split())
    assert out == ""
    assert "What to do:" in err


def test_a_hub_is_looked_at_as_it_is_and_says_who_left(built: Hub, ctdhub) -> None:  # type: ignore[no-untyped-def]
    """In so small a hub most numbers are hidden; what was looked at is said all the same."""
    code, out, _err = ctdhub("signals", str(built.root))
    assert code == 0
    assert "series were looked at" in out
    assert "2023 to 2025 compared with 2017 to 2022" in out
    assert "Identified people, not prevalence." in out
    code, out, _err = ctdhub("signals", str(built.root), "--format", "json")
    assert code == 0
    found = json.loads(out)
    assert found["release"]["contributor_changes"] == [
        {"year": 2023, "joined": [], "left": ["Beacon Hotline (practice, fictitious)"]}
    ]
    assert found["window"] == {"first": "2023", "last": "2025", "periods": 3}


def test_a_folder_without_a_release_is_an_error(ctdhub, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, err = ctdhub("signals", str(tmp_path))
    assert (code, out) == (2, "")
    assert "There is no release here." in err
