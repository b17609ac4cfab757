"""``import ctdhub``: what it offers, that it is documented, and what wrong input is told."""

from __future__ import annotations

import doctest
import inspect
import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow.csv
import pytest
from interface_folder import make_folder

import ctdhub
from ctdhub.api import release as counts
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text

PAGE = Path(__file__).parents[2] / "docs/reference/python.md"
STATES = {"shown", "imprecise", "protected"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("interface"))


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CTDHUB_LANG", "en")


@pytest.fixture(scope="module")
def release(folder: Path) -> ctdhub.PublishedRelease:
    return ctdhub.open_hub(folder / "my-hub").release()


def test_every_name_is_there_and_listed() -> None:
    assert set(ctdhub.__all__) <= set(dir(ctdhub))
    for name in ctdhub.__all__:
        assert getattr(ctdhub, name) is not None
    with pytest.raises(AttributeError):
        ctdhub.nothing  # noqa: B018


def signature(value: Any) -> str:
    shown = []
    for parameter in inspect.signature(value).parameters.values():
        if parameter.name != "self":
            shown.append(parameter.replace(annotation=parameter.empty))
    return str(inspect.Signature(shown))


def public(kind: type) -> set[str]:
    """Fields, properties and methods of a class, the methods with their signatures."""
    named = {n for n in getattr(kind, "__dataclass_fields__", {}) if not n.startswith("_")}
    for name, value in vars(kind).items():
        if name.startswith("_"):
            continue
        named.add(name + signature(value) if inspect.isfunction(value) else name)
    return named


def test_page_and_code_name_the_same() -> None:
    rows = re.findall(r"^\| `(\w+)([^`]*)` \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    listed = {name: (arguments, told) for name, arguments, told in rows if name not in STATES}
    assert set(listed) == set(ctdhub.__all__)
    for name, (arguments, told) in listed.items():
        value = getattr(ctdhub, name)
        if inspect.isfunction(value):
            assert arguments == signature(value), name
        elif inspect.isclass(value) and not told.startswith("see "):
            named = set(re.findall(r"`([^`]+)`", told))
            expected = public(value)
            if issubclass(value, BaseException):
                assert all(
                    hasattr(value(Text("a"), Text("b")), n.removesuffix("()")) for n in named
                )
                continue
            assert named == expected, name


@pytest.mark.parametrize("name", [n for n in ctdhub.__all__ if n[0].islower()])
def test_every_function_shows_a_use_and_names_what_it_raises(name: str) -> None:
    text = getattr(ctdhub, name).__doc__
    assert "Raises:" in text
    assert ">>> " in text


def test_examples_of_the_page_run(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(make_folder(tmp_path))
    test = doctest.DocTestParser().get_doctest(PAGE.read_text("utf-8"), {}, "page", None, 0)
    assert len(test.examples) > 20
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    assert doctest.DocTestRunner(optionflags=options).run(test).failed == 0


def test_counts_are_those_of_the_release(release: ctdhub.PublishedRelease) -> None:
    for row in release._answers.release.protected.counts.to_pylist():
        found = release.count(
            {n: v or None for n, v in zip(row["columns"], row["values"], strict=True)}
        )
        assert (found.value, found.low, found.high) == (row["count"], row["low"], row["high"])
        assert found.state == "shown"


def test_a_count_is_no_number(release: ctdhub.PublishedRelease) -> None:
    found = release.count()
    for use in (float, int, bool, lambda c: c + 1, lambda c: c < 1):
        with pytest.raises(TypeError):
            use(found)


def test_ways_to_name_a_value(release: ctdhub.PublishedRelease) -> None:
    assert release.count(citizenship="Ukraine") == release.count(citizenship="UKR")
    assert release.count(citizenship=["UKR"]) == release.count({"citizenship": "ukraine"})
    assert release.count(exploitation_sexual=True) == release.count(exploitation_sexual="yes")
    years = release.count(year_of_registration=range(2015, 2017))
    assert years == release.count(year_of_registration=["2015", 2016])
    assert years.value == sum(
        release.count(year_of_registration=year).value or 0 for year in (2015, 2016)
    )


def test_missing_is_the_share_that_is_not_recorded(release: ctdhub.PublishedRelease) -> None:
    unknown, everyone = release.count(gender=None), release.count()
    assert unknown.value
    assert everyone.value
    assert release.count(gender="male").missing == pytest.approx(
        unknown.value / everyone.value, abs=0.001
    )
    assert everyone.missing is None


def test_tables_hold_every_cell(release: ctdhub.PublishedRelease) -> None:
    table = release.table("citizenship", "gender", where={"citizenship": ["UKR", "NOR", None]})
    genders = [*release.values("gender"), ""]
    assert [row.codes for row in table.rows] == list(product(["UKR", "NOR", ""], genders))
    for row in table.rows:
        where = {n: c or None for n, c in zip(table.variables, row.codes, strict=True)}
        alone = release.count(where)
        assert (row.count.value, row.count.low, row.count.high, row.count.state) == (
            alone.value,
            alone.low,
            alone.high,
            alone.state,
        )
        assert row.kind == ("not_recorded" if "" in row.codes else "value")
    norway = [row.count for row in table.rows if row.codes[0] == "NOR"]
    assert {c.state for c in norway} == {"protected"}
    assert all(c.value is None and c.low == 0 < c.high for c in norway)


def test_a_table_of_sums_is_its_counts(release: ctdhub.PublishedRelease) -> None:
    table = release.table("gender", where={"citizenship": "europe"})
    for row in table.rows[:-1]:
        assert row.count == release.count(gender=row.codes[0], citizenship="europe")


def test_years_that_nobody_reports_are_kept_apart(release: ctdhub.PublishedRelease) -> None:
    kinds = {row.codes[0]: row.kind for row in release.table("year_of_registration").rows}
    assert kinds["2015"] == "value"
    assert kinds[""] == "not_recorded"
    assert "2030" not in kinds


def test_frames_carry_what_a_reader_needs(release: ctdhub.PublishedRelease, tmp_path: Path) -> None:
    table = release.table("citizenship", where={"citizenship": ["UKR", "NOR"]})
    arrow = table.to_arrow()
    about = json.loads(arrow.schema.metadata[b"ctdhub"])
    assert about["release"] == "2026.1"
    assert about["caveat"] == release.caveat
    assert "2026.1" in about["citation"]
    pandas = pytest.importorskip("pandas")
    frame = table.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.attrs["ctdhub"]["citation"] == release.citation
    text = table.to_csv(tmp_path / "gender.csv")
    assert (tmp_path / "gender.csv").read_text("utf-8") == text
    again = pyarrow.csv.read_csv(tmp_path / "gender.csv")
    assert again["count"].to_pylist() == arrow["count"].to_pylist()
    assert '"NOR",,0,' in text, "not shown is an empty cell, never zero"


def test_a_package_that_is_missing_is_named(
    release: ctdhub.PublishedRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "find_spec", lambda _name: None)
    for give in (release.table("gender").to_pandas, release.table("gender").to_polars):
        with pytest.raises(HubError) as caught:
            give()
        assert caught.value.rule == "needs-package"


def test_facts_are_those_of_the_verb(release: ctdhub.PublishedRelease, ctdhub: Any) -> None:
    _code, out, _err = ctdhub(
        "facts", "my-hub", "--region", "ITA", "--lang", "fr", "--format", "json"
    )
    assert release.facts("Italie", lang="fr").to_dict() == json.loads(out)
    assert release.facts().to_dict()["place"] is None


WRONG = [
    (lambda: ctdhub.open("."), "hub-folder"),
    (lambda: ctdhub.open("nowhere"), "hub-folder"),
    (lambda: ctdhub.open_hub("my-hub/releases"), "hub-folder"),
    (lambda: ctdhub.open_hub("my-hub").release("2025.1"), "no-release"),
    (lambda: ctdhub.open_hub("my-hub").release("../.."), "no-release"),
    (lambda: ctdhub.open("ftp://example.org/"), "site-address"),
    (lambda: one().count(colour="red"), "no-such-variable"),
    (lambda: one().count(gender="red"), "no-such-value"),
    (lambda: one().count(gender=[]), "no-such-value"),
    (lambda: one().count(year_of_registration=1850), "no-such-value"),
    (lambda: one().count(citizenship="Narnia"), "no-such-place"),
    (lambda: one().count(means_threats=True, gender="male"), "not-measured"),
    (lambda: one().table("means_threats", "gender"), "not-measured"),
    (lambda: one().table(), "usage"),
    (lambda: one().table("gender", "gender"), "usage"),
    (lambda: one().table("citizenship", "country_of_exploitation", "gender"), "table-size"),
    (lambda: one().table("colour"), "no-such-variable"),
    (lambda: one().facts("Narnia"), "no-such-place"),
    (lambda: one().facts(""), "no-such-place"),
    (lambda: one().facts(lang="de"), "usage"),
    (lambda: one().facts(years=(2018, 2015)), "years"),
    (lambda: one().values("colour"), "no-such-variable"),
    (lambda: ctdhub.suggest("nothing.xlsx"), "no-file"),
    (lambda: ctdhub.harmonise("cases.csv", "nothing"), "builtin-name"),
    (lambda: ctdhub.harmonise("cases.csv", "mapping.yaml", key=b"short"), "key-length"),
]


def one() -> ctdhub.PublishedRelease:
    return ctdhub.open_hub("my-hub").release()


@pytest.mark.parametrize(("use", "rule"), WRONG)
def test_wrong_input_is_told_with_a_remedy(use: Any, rule: str) -> None:
    with pytest.raises(HubError) as caught:
        use()
    assert caught.value.rule == rule
    assert caught.value.fix


def test_a_changed_release_is_refused(tmp_path: Path) -> None:
    path = make_folder(tmp_path) / "my-hub/releases/2026.1/counts.csv"
    path.chmod(0o644)
    path.write_text(path.read_text("utf-8") + "x")
    with pytest.raises(HubError):
        ctdhub.open_release(path.parent)
