"""Where the examples in docstrings of the public interface run: a folder with a small hub."""

from __future__ import annotations

from pathlib import Path

import pytest
from interface_folder import make_folder
from state_of_run import state  # noqa: F401 - a fixture of all examples


@pytest.fixture(scope="session")
def interface_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("interface"))


@pytest.fixture(autouse=True)
def in_the_interface_folder(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if request.node.name.startswith(("ctdhub.api.", "api.")):
        folder = request.getfixturevalue("interface_folder")
        monkeypatch.chdir(folder)
        monkeypatch.setenv("CTDHUB_LANG", "en")
