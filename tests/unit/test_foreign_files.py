"""Files of foreign shape: no draft reads a value wrongly, and most columns are read right."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{name}_files", BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


foreign, systems = _load("foreign"), _load("systems")
CLASSES = {kind.name: kind for kind in foreign.classes()}


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("foreign")
    return {name: foreign.score(kind, folder) for name, kind in CLASSES.items()}


@pytest.mark.parametrize("name", CLASSES)
def test_no_column_is_silently_wrong(scores, name: str):
    assert not scores[name].verdicts["wrong"]


@pytest.mark.parametrize("name", CLASSES)
def test_what_a_file_cannot_tell_stays_blank(scores, name: str):
    assert set(scores[name].verdicts["left"]) == set(CLASSES[name].left)


def test_most_columns_are_right(scores):
    assert len(CLASSES) >= 30
    assert foreign.share(list(scores.values())) >= foreign.TARGET


def test_no_row_is_lost_that_a_draft_understands(scores):
    lost = {name: made.lost for name, made in scores.items() if made.lost}
    assert not lost


def _otherwise(kind):
    """The same class as another form writes it: numbered questions, capitals, hints, blanks."""

    def header(text: str) -> str:
        return f"3. {text.upper().replace(' ', '_')} (required)" if text in kind.columns else text

    def told(by: object) -> object:
        return {f"{t} ": code for t, code in by.items()} if isinstance(by, dict) else by

    columns = {
        header(name): said if isinstance(said, dict) else [f"{text} " for text in said]
        for name, said in kind.columns.items()
    }
    truth = {v: {header(c): told(by) for c, by in of.items()} for v, of in kind.truth.items()}
    others = {header(c): [f"{t} " for t in texts] for c, texts in kind.not_victims.items()}
    return dataclasses.replace(kind, columns=columns, truth=truth, not_victims=others)


def test_the_way_in_which_headers_and_cells_are_written_makes_nothing_wrong(
    tmp_path: Path,
) -> None:
    half = [*CLASSES.values()][::2]
    made = [foreign.score(_otherwise(kind), tmp_path) for kind in half]
    assert not [score.verdicts["wrong"] for score in made if score.verdicts["wrong"]]
    assert foreign.share(made) >= foreign.TARGET


def test_files_of_other_systems_are_read_or_asked_about() -> None:
    scores = systems.run()
    verdicts = {name: made.verdicts for name, (_kind, made) in scores.items()}
    assert not {name: made["wrong"] for name, made in verdicts.items() if made["wrong"]}
    silent = sum(len(made["silent"]) for made in verdicts.values())
    right = sum(len(made["right"]) for made in verdicts.values())
    asked = sum(len(made["asked"]) for made in verdicts.values())
    assert silent <= 3
    assert right >= 0.85 * (right + asked + silent)
