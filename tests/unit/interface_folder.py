"""A folder in which the examples of the Python interface run: a hub, a table, a mapping."""

from __future__ import annotations

from pathlib import Path

from invented_release import TABLES, protected_answer

from ctdhub.release.bundle import write_release

CASES = """Year,Sex
2021,Female
2022,Male
2022,?
"""
MAPPING = """version: 1
name: example
columns:
  year_of_registration: {from: Year}
  gender: {from: Sex, map: {Female: female, Male: male}}
"""
DOMAINS = """version: 1
columns:
  gender: [female, male]
"""


def make_folder(folder: Path) -> Path:
    """``my-hub`` with one release, ``cases.csv``, ``mapping.yaml`` and ``domains.yaml``."""
    hub = folder / "my-hub"
    hub.mkdir()
    (hub / "hub.yaml").write_text("name: Practice hub\n")
    answer = protected_answer(tables=(*TABLES, "gender*age_band*citizenship"))
    write_release(answer, hub / "releases", "2026.1", "First.")
    (folder / "cases.csv").write_text(CASES)
    (folder / "mapping.yaml").write_text(MAPPING)
    (folder / "domains.yaml").write_text(DOMAINS)
    return folder
