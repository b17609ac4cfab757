"""Sets for inference in the release of a hub: files, hashes, readers, and what intervals hold."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from invented_release import people_rows, protected_answer

from ctdhub.border import restore
from ctdhub.client import open_imputations, pool
from ctdhub.core.errors import HubError
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import Codes
from ctdhub.dp.mechanism import answer
from ctdhub.dp.plan import plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.simulate import rehearse, stand_in
from ctdhub.release.bundle import write_release
from ctdhub.release.manifest import Manifest
from ctdhub.release.open import open_release, sha256, sums, verify
from ctdhub.schema.model import load_schema

SETS = ("imputation-01.parquet", "imputation-02.parquet")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    plain = protected_answer(people_rows(120))
    parts = {name: getattr(plain, name) for name in plain.__dataclass_fields__ if name != "_mint"}
    parts["imputations"] = (plain.records.slice(0, 100), plain.records.slice(10, 90))
    return write_release(restore(**parts), tmp_path_factory.mktemp("r"), "2026.1", "First.")


@pytest.fixture
def release(pristine: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "2026.1"
    shutil.copytree(pristine, copy)
    for file in copy.iterdir():
        file.chmod(0o644)
    return copy


def test_a_release_states_holds_and_gives_its_sets(release: Path) -> None:
    assert verify(release) == []
    assert open_release(release).manifest.imputations == 2
    assert {*SETS} <= {*open_release(release).manifest.files}
    read = list(open_imputations(release, arrow=True))
    assert [t.num_rows for t in read] == [100, 90]
    text = (release / "README.md").read_text("utf-8")
    assert "are 2 sets of records" in text
    assert all(f"`{name}` | a set of records for inference" in text for name in SETS)


@pytest.mark.parametrize(
    ("name", "kind"), [(SETS[0], "missing"), ("imputation-03.parquet", "extra")]
)
def test_a_set_too_few_or_too_many_is_found(release: Path, name: str, kind: str) -> None:
    if kind == "missing":
        (release / name).unlink()
    else:
        shutil.copyfile(release / SETS[0], release / name)
    assert (kind, name) in {(p.kind, p.file) for p in verify(release)}


def test_a_forger_who_restates_a_set_is_found(release: Path) -> None:
    """Another number, a set of other columns, a changed byte."""
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))

    def state() -> None:
        (release / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        (release / "SHA256SUMS").write_bytes(sums(release, Manifest.model_validate(manifest)))

    manifest["imputations"] = 1
    state()
    assert [(p.kind, p.file) for p in verify(release)] == [("manifest", SETS[1])]
    manifest["imputations"] = 2
    pq.write_table(pa.table({"name": ["x"]}), release / SETS[1])
    file = release / SETS[1]
    manifest["files"][SETS[1]] = {"sha256": sha256(file), "bytes": file.stat().st_size}
    state()
    assert [p.kind for p in verify(release)] == ["content"]
    file.write_bytes((release / SETS[0]).read_bytes())
    with pytest.raises(HubError):
        list(open_imputations(release, arrow=True))


def test_rehearsing_says_files_and_bytes_and_makes_no_set() -> None:
    policy = Policy(columns=("gender", "age_band"), imputations=3)
    plan = plan_of(policy, load_schema())
    told = rehearse(plan, 4.0, 1e-8, stand_in(plan, 500))
    assert told.sets == 3
    assert 300 < told.set_bytes < 20_000
    assert rehearse(replace(plan, imputations=0), 4.0, 1e-8, stand_in(plan, 500)).set_bytes == 0


def test_pooled_intervals_of_a_hub_of_a_thousand_hold_the_truth() -> None:
    """The log odds ratio of a kind of control by gender; policy and schema are a hub's.

    Seeded people, noise of the system: coverage of 24 runs, and intervals of the published records
    as if they were real are no part of it.
    """
    columns = ("gender", "age_band", "means_threats", "any_means")
    plan = plan_of(Policy(columns=columns, epsilon=2.0, imputations=6), load_schema())
    true, held, wide = 0.8, 0, []
    for seed in range(24):
        rng = np.random.default_rng(seed)
        gender = 1 + (rng.random(1000) < 0.4).astype(np.int64)
        yes = rng.random(1000) < 1 / (1 + np.exp(0.4 - true * (gender == 1)))
        drawn = {
            "gender": gender,
            "age_band": 1 + rng.integers(0, 5, 1000),
            "means_threats": np.where(yes, 1, 2),
            "any_means": np.where(yes, 1, 2),
        }
        arrays = {name: drawn[name].astype(np.uint8) for name in plan.domains}
        found = answer(Codes(arrays, plan.sizes, 1000), plan, rho_of(2.0, 1e-8))
        first, second = (plan.domains["gender"][k] for k in (0, 1))
        estimates = [odds(table, first, second) for table in found.imputations]
        pooled = pool([e for e, _v in estimates], [v for _e, v in estimates])
        held += pooled.low <= true <= pooled.high
        wide.append(pooled.high - pooled.low)
    assert held >= 20
    assert np.median(wide) < 2, "and they say something"


def odds(records: pa.Table, first: str, second: str) -> tuple[float, float]:
    """Log odds ratio and its variance (Woolf 1955)."""
    gender, control = (
        records[n].to_numpy(zero_copy_only=False) for n in ("gender", "means_threats")
    )
    cells = [
        int(((gender == who) & (control == what)).sum()) + 0.5
        for who in (first, second)
        for what in ("yes", "no")
    ]
    a, b, c, d = cells
    return math.log(a * d / (b * c)), sum(1 / n for n in cells)
