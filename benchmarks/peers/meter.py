"""Run one command under a limit of CPU seconds and write down what it used.

    python meter.py LIMIT_SECONDS USED.json COMMAND …

Belongs here: the limit and the resource usage of any contender, ours or a peer.
Does not belong here: what is run.  The file is free of imports that cost memory, for the
peak that Linux reports for a process counts what its parent held when it was started.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time


def main() -> int:
    """Write wall and CPU seconds, peak MB and the exit code (minus the signal if killed)."""
    limit, out, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        os.execvp(command[0], command)
    _, status, used = os.wait4(child, 0)
    figures = {
        "wall": round(time.monotonic() - start, 2),
        "cpu": round(used.ru_utime + used.ru_stime, 2),
        "peak_mb": round(used.ru_maxrss / 1024, 1),
        "exit": os.waitstatus_to_exitcode(status),
        "cpu_limit": limit,
    }
    with open(out, "w", encoding="utf-8") as file:  # noqa: PTH123 (pathlib costs memory)
        json.dump(figures, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
