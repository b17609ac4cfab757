"""``ctdhub.protect``: any frame, the ledger, and what is refused before or after the charge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import ctdhub
import ctdhub.client
from ctdhub.core.errors import HubError

DOMAINS = """version: 1
columns:
  gender: {values: [female, male], not_recorded: ["", unknown]}
  year: {years: [2019, 2021]}
"""


@pytest.fixture
def domains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CTDHUB_LANG", "en")
    monkeypatch.chdir(tmp_path)
    Path("domains.yaml").write_text(DOMAINS)
    return "domains.yaml"


def people(n: int = 900) -> pa.Table:
    return pa.table(
        {
            "gender": [("female", "male", "unknown")[k % 3] for k in range(n)],
            "year": pa.array([2019 + k % 3 for k in range(n)], pa.int64()),
            "name": [f"person {k}" for k in range(n)],
        }
    )


def asked(frame: Any, domains: str, **more: Any) -> ctdhub.ProtectedTable:
    new = "" if Path("ledger").exists() else "fictitious people"
    settings: dict[str, Any] = {"epsilon": 2.0, "ledger": "ledger", "max_people": 10_000, **more}
    settings.setdefault("new_ledger", new)
    return ctdhub.protect(frame, domains=domains, **settings)


def test_frames_of_any_library_are_the_same_question(domains: str, tmp_path: Path) -> None:
    first = asked(people(), domains)
    assert first.charged
    assert first.left_out == ("name",)
    assert first.records.column_names == ["gender", "year"]
    assert set(first.records["year"].to_pylist()) <= {"2019", "2020", "2021", None}
    assert abs(first.people.value - 900) < 200
    pytest.importorskip("pandas")
    frames = [people().to_pandas(), people().to_pandas().set_axis(range(1, 901))]
    for frame in frames:
        again = asked(frame, domains)
        assert not again.charged
        assert again.records.equals(first.records)
    file = tmp_path / "people.csv"
    people().to_pandas().to_csv(file, index=False)
    assert asked(file, domains).records.equals(first.records)
    assert first.spent == pytest.approx(2.0)


def test_what_is_written_is_what_the_verb_writes(domains: str, ctdhub: Any) -> None:
    found = asked(people(), domains)
    people().to_pandas().to_csv("people.csv", index=False)
    words = ("--domains", domains, "--epsilon", 2, "--delta", 1e-6, "--out", "theirs")
    words = (*words, "--max-people", 10_000, "--ledger", "ledger")
    code, out, _err = ctdhub("protect", "people.csv", *words)
    assert code == 0
    assert "nothing was charged" in out
    with pytest.raises(HubError, match="another folder"):
        found.write("ours")
    [mark] = Path("ledger/answers").glob("*/written.json")
    mark.unlink()  # else the answer lies in one folder alone
    found.write("ours")
    for file in Path("theirs").iterdir():
        assert (Path("ours") / file.name).read_bytes() == file.read_bytes()


REFUSED = [
    ({"epsilon": 0}, "usage"),
    ({"epsilon": -1.0}, "usage"),
    ({"epsilon": float("nan")}, "usage"),
    ({"budget": 0}, "usage"),
    ({"support": 5}, "usage"),
    ({"max_people": 0}, "usage"),
    ({"delta": 1e-5}, "delta"),
    ({"delta": 1e-6, "max_people": 20_000}, "delta"),
    ({"budget": 1.0}, "budget"),
    ({"domains": "nothing.yaml"}, "domains-file"),
    ({"domains": "schema"}, "public-domain"),
]


@pytest.mark.parametrize(("change", "rule"), REFUSED)
def test_refused_before_anything_is_charged(
    domains: str, change: dict[str, Any], rule: str
) -> None:
    with pytest.raises(HubError) as caught:
        asked(people(), **{"domains": domains, **change})
    assert caught.value.rule == rule
    assert asked(people(), domains).charged


@pytest.mark.parametrize(
    ("frame", "rule"),
    [
        ([1, 2], "content"),
        (None, "content"),
        (pa.table({"gender": [["a"]], "year": [2019]}), "nested"),
        (pa.table([["a"], ["b"]], names=["gender", "gender"]), "duplicate-header"),
        (pa.table({"gender": ["secret text"], "year": [2019]}), "public-domain"),
        (pa.table({"gender": ["female"]}), "domains-column"),
    ],
)
def test_tables_that_cannot_be_protected(domains: str, frame: Any, rule: str) -> None:
    with pytest.raises(HubError) as caught:
        asked(frame, domains)
    assert caught.value.rule == rule
    assert "secret" not in str(caught.value)


def test_more_people_than_delta_is_small_enough_for(domains: str) -> None:
    with pytest.raises(HubError) as caught:
        asked(people(), domains, max_people=100)
    assert caught.value.rule == "max-people"
    assert "Do not publish" in caught.value.fix


def test_the_ledger_of_a_hub_is_left_alone(domains: str) -> None:
    Path("hub.yaml").write_text("name: a\n")
    with pytest.raises(HubError) as caught:
        asked(people(), domains)
    assert caught.value.rule == "ledger-folder"


def test_sets_for_inference(domains: str, tmp_path: Path) -> None:
    plain = asked(people(), domains)
    assert plain.imputations == ()
    with pytest.raises(HubError) as refused:
        next(ctdhub.client.open_imputations(plain.write(tmp_path / "plain")))
    assert refused.value.rule == "no-imputations"
    first = asked(people(), domains, imputations=2)
    assert first.charged
    again = asked(people(), domains, imputations=2)
    assert not again.charged
    assert [t.equals(u) for t, u in zip(first.imputations, again.imputations, strict=True)] == [
        True,
        True,
    ]
    out = again.write(tmp_path / "out")
    read = list(ctdhub.client.open_imputations(out, arrow=True))
    assert [t.num_rows for t in read] == [t.num_rows for t in first.imputations]
    assert json.loads(read[1].schema.metadata[b"ctdhub"]) == {"set": 2, "sets": 2}
    assert again.write(out) == out, "the same files once more"
    changed = out / "imputations" / "records-02.parquet"
    changed.write_bytes((out / "imputations" / "records-01.parquet").read_bytes())
    with pytest.raises(HubError) as refused:
        list(ctdhub.client.open_imputations(out))
    assert refused.value.rule == "damaged"
    assert asked(people(), domains, imputations=3).charged
