"""What starts when somebody opens the kit's folder: the kit; with words, any verb of the command.

A frozen program has no interpreter to begin a process with a module, which the kit does to read a
file: started as ``-P -m MODULE`` it is that process, for the modules that the kit asks for.
"""

from __future__ import annotations

import html
import runpy
import sys
import tempfile
import webbrowser

PROCESSES = ("ctdhub.sensitive.ingest.isolated", "ctdhub.sensitive.workbench.ask")


class Kept:
    """A stream that passes on what it is told, where there is somebody to read it, and keeps it."""

    encoding = "utf-8"

    def __init__(self, stream: object) -> None:
        self._stream, self.text = stream, ""

    def write(self, text: str) -> int:
        self.text += text
        if self._stream is not None:
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        if self._stream is not None:
            self._stream.flush()

    def isatty(self) -> bool:
        return False


def show(problem: str) -> None:
    """Show in the browser why the kit did not start: a double click has no terminal."""
    page = f'<!doctype html><meta charset="utf-8"><title>ctdhub</title><pre>{html.escape(problem)}'
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", suffix=".html", prefix="ctdhub-", delete=False
    ) as file:
        file.write(page)
    webbrowser.open(f"file://{file.name}")


def main() -> None:
    words = sys.argv[1:]
    if words[:2] == ["-P", "-m"] and words[2:3] and words[2] in PROCESSES:
        runpy.run_module(words[2], run_name="__main__", alter_sys=True)
        return
    errors = Kept(sys.stderr)
    if not words:
        sys.argv.append("kit")
        sys.stderr = errors  # before the command looks for it
    try:
        from ctdhub.cli.main import main as command

        command()
    except SystemExit as ended:
        if ended.code and errors.text:
            show(errors.text)
        raise


if __name__ == "__main__":
    main()
