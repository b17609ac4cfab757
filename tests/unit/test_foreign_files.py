"""Files of foreign shape: no draft reads a value wrongly, and most columns are read right."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "foreign.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("foreign_files", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


foreign = _load()
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
