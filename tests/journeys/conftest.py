"""A small practice hub, built once per session of tests, to copy and to change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from ctdhub import pipeline, start
from ctdhub.hub import Hub

COLUMNS = [
    "year_of_registration", "gender", "citizenship", "country_of_exploitation",
    "exploitation_forced_labour", "exploitation_sexual", "exploitation_other", "any_exploitation",
    "records_per_person",
]  # fmt: skip


def set_policy(hub: Hub, **changes: object) -> None:
    """Change settings of a hub's policy."""
    policy = yaml.safe_load(hub.policy_file.read_text("utf-8")) | changes
    hub.policy_file.write_text(yaml.safe_dump(policy), "utf-8")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """A built practice hub of 1,000 people with few released columns; do not change it."""
    hub = start.practice_hub(tmp_path_factory.mktemp("hubs") / "built", people=1_000)
    set_policy(hub, columns=COLUMNS, epsilon=60.0, budget={"epsilon": 900.0})
    pipeline.build(hub)
    return hub


@pytest.fixture
def hub(built: Hub, tmp_path: Path) -> Hub:
    """A copy of the built hub to change."""
    shutil.copytree(built.root, tmp_path / "hub")
    return Hub(tmp_path / "hub")
