"""What all tests share: no deadlines, for machines are slow and shared; and the command itself."""

import sys
from collections.abc import Callable

import pytest
from hypothesis import settings

from ctdhub.cli import main, output

settings.register_profile("ctdhub", deadline=None)
settings.load_profile("ctdhub")


@pytest.fixture
def ctdhub(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command in English: exit code, what it printed, what it complained."""
    monkeypatch.setenv("CTDHUB_LANG", "en")
    monkeypatch.setattr(output.console, "width", 250)
    monkeypatch.setattr(output.errors, "width", 500)

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ctdhub", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main.main()
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        return int(ended.value.code or 0), shown.out, shown.err

    return run
