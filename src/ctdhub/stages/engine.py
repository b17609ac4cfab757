"""On what a hub's heavy work is done: this machine, or a Spark cluster; the results are equal.

Belongs here: the choice that hub.yaml makes.  Does not belong here: the work itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from ctdhub.hub import Hub
from ctdhub.steps import Step

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Told = Callable[[str, int], None]
"""Told the name of a step and how many of those beside it are done."""


class Engine(Protocol):
    """Whatever can do the heavy work of a hub."""

    def refresh(self, steps: Sequence[Step], tell: Told) -> None:
        """Bring steps up to date, none of which needs another.

        Raises:
            HubError: the fault of the first of them, in their order, that has one.
        """


class ThisMachine:
    """One process, DuckDB inside it."""

    def refresh(self, steps: Sequence[Step], tell: Told) -> None:
        """One step after the other."""
        for number, step in enumerate(steps):
            tell(step.name, number)
            step.refresh()


@dataclass
class Cluster:
    """The Spark cluster of hub.yaml; a session starts when there is work for it."""

    hub: Hub
    _open: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def session(self) -> SparkSession:
        """The session, which :meth:`close` ends."""
        from ctdhub.spark.session import session

        return self._open.enter_context(session(self.hub.settings.spark))

    def refresh(self, steps: Sequence[Step], tell: Told) -> None:
        """All stale steps at once; one alone is not worth a cluster."""
        from ctdhub.spark.runner import refresh

        if sum(step.reason() is not None for step in steps) > 1:
            refresh(self.session, steps, self.hub.work, tell)
        else:
            ThisMachine().refresh(steps, tell)

    def close(self) -> None:
        """End the session, if there is one."""
        self._open.close()


@contextmanager
def engine(hub: Hub) -> Iterator[Engine]:
    """The engine of hub.yaml, for one build."""
    if hub.settings.engine == "duckdb":
        yield ThisMachine()
        return
    cluster = Cluster(Hub(hub.root.resolve()))
    try:
        yield cluster
    finally:
        cluster.close()
