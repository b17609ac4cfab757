"""A worker: it holds one lane, does its jobs one after the other, and the lane "files" the rounds.

``python -m ctdhub.desk.worker.serve files`` or ``build``.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from types import FrameType
from typing import Any

from ctdhub.core.errors import HubError

log = logging.getLogger("ctdhub.desk")

_LOOK_EVERY = 0.5
_ROUND_EVERY = 60.0
_at_work: list[Any] = []
"""The queue's worker of this process, to be told to stop."""


def serve(name: str, *, once: bool = False) -> None:
    """Hold a lane and work on it until the process is ended.

    Args:
        name: "files" or "build".
        once: do what waits, and end.

    Raises:
        HubError: another worker holds the lane, or another folder took the place of the hub's
            (rule "lane-taken").
    """
    from django.db import OperationalError, close_old_connections
    from django_tasks_db.management.commands.db_worker import Worker

    from ctdhub.desk.config import current
    from ctdhub.desk.jobs.lanes import lane
    from ctdhub.desk.jobs.runner import release_orphans
    from ctdhub.desk.worker.rounds import make_rounds

    with lane(current().folder, name) as check:
        release_orphans(name)
        worker = Worker(
            queue_names=[name],
            interval=0,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=f"{name}-{os.getpid()}",
            excluded_queue_names=[],
        )
        _at_work[:] = [worker]
        last = -_ROUND_EVERY
        while True:
            check()
            if name == "files" and time.monotonic() - last >= _ROUND_EVERY:
                make_rounds()
                last = time.monotonic()
            try:
                worker.run()
            except OperationalError as met:  # the database is busy or away: look again
                log.error("worker %s: %s", name, type(met).__name__)
            close_old_connections()
            if once or not worker.running:
                return
            time.sleep(_LOOK_EVERY)


def main(name: str) -> int:
    """Serve, and end quietly when asked to."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctdhub.desk.settings"
    import django

    django.setup()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        for worker in _at_work:  # the queue takes an exit inside of a task for its failure
            worker.running = False
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    try:
        serve(name)
    except HubError as met:
        log.error("worker %s: %s", name, met.rule)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
