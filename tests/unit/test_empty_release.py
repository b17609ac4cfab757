"""A release of nobody: noise alone, and no page or file that calls it zero people."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from ctdhub.border import Guarantee, restore
from ctdhub.core.i18n import language
from ctdhub.dp import mechanism
from ctdhub.dp.count import encode
from ctdhub.dp.plan import plan_of
from ctdhub.dp.policy import Policy
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema.model import load_schema
from ctdhub.site.api import write_api
from ctdhub.site.edition import Content, Edition
from ctdhub.site.pages import home
from ctdhub.stats.answers import Answers

FEW = "Not shown: below the reporting threshold; this is not zero."


def of_nobody(folder: Path) -> Release:
    policy = Policy(columns=("citizenship", "gender"), years=(2018, 2020), epsilon=2.0)
    plan = plan_of(policy, load_schema())
    people = pa.table({name: pa.array([], pa.string()) for name in plan.domains})
    found = mechanism.answer(
        encode(people, plan.domains), plan, 0.1, np.random.default_rng(1).bytes
    )
    promise = Guarantee(
        2.0, 1e-6, 0.1, "person", "discrete Gaussian", 0.95, found.sigma, "none", drawn=found.drawn
    )
    facts = {
        "hub": "Practice hub",
        "contributors": [{"id": "one", "name": "First organisation", "kind": "hotline"}],
        "years": [2018, 2020],
        "schema_version": "1.0",
        "languages": ["en"],
        "invented": True,
    }
    answer = restore(
        records=found.records,
        counts=found.counts,
        people=found.people,
        case_records=found.case_records,
        guarantee=promise,
        facts=facts,
        measurements=found.measurements,
    )
    return open_release(write_release(answer, folder, "2026.1", ""))


def test_nobody_is_too_few_to_show_and_never_zero(tmp_path: Path) -> None:
    answers = Answers(of_nobody(tmp_path))
    assert answers.release.protected.people.low == 0
    with language("en"):
        page = home.page(Content(answers, Edition()))
    assert page.values["headline"] == FEW
    shown = [value for _what, value, _interval in page.values["cards"]]
    few = shown.count("not shown (below the reporting threshold)")
    assert few == 3, "people, case records, nationalities"
    readme = (tmp_path / "2026.1" / "README.md").read_text("utf-8")
    assert readme.count("| no single number (between 0 and ") == 2
    write_api(answers, tmp_path, ["en"])
    index = json.loads((tmp_path / "api" / "index.json").read_text("utf-8"))
    for name in ("people", "case_records"):
        assert (index[name]["count"], index[name]["state"]) == (None, "protected")
