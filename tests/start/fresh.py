"""Run in a fresh interpreter: import a module, or run the command, and say what was loaded.

    python fresh.py import MODULE
    python fresh.py command [WORD …]

The last line of standard error is JSON: modules, peak memory in MB, exit code.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def megabytes() -> float:
    """Peak memory of this process alone.

    Linux counts what the parent held at the start into ``getrusage``, so its own figure of the
    process is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    what, *words = sys.argv[1:]
    code = 0
    if what == "import":
        __import__(words[0])
    else:
        from ctdhub.cli.main import main as command

        sys.argv = ["ctdhub", *words]
        try:
            command()
        except SystemExit as ended:
            code = int(ended.code or 0)
    found = {"modules": sorted(sys.modules), "megabytes": megabytes(), "code": code}
    sys.stderr.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
