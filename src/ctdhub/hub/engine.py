"""On what a hub's heavy work is done: this machine, or a Spark cluster; the results are equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.core.i18n import Text
from ctdhub.dp.count import InParquet, Rows
from ctdhub.hub.deliveries import without
from ctdhub.hub.folder import Hub
from ctdhub.hub.steps import Step
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.linkage import people

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Files = Sequence[tuple[Path, Path]]
"""Records and perpetrators of each harmonised file."""

Report = Callable[[str | Text, int], None]
"""Is told the name of a step, or why none is done, and how many of those beside it are done."""


class Engine:
    """Whatever does the heavy work of a hub: this machine, in one process with DuckDB inside it."""

    def refresh(self, steps: Sequence[Step], tell: Report) -> None:
        """Bring steps up to date, none of which needs another: here, one after the other.

        Raises:
            HubError: the fault of the first of them, in their order, that has one.
        """
        for number, step in enumerate(steps):
            tell(step.name, number)
            step.refresh()

    def link(
        self, files: Files, gone: pa.Array, linking: people.Linking, places: people.PartitionsPlaces
    ) -> people.Totals:
        """Records and perpetrators of files become those of people, without what is ``gone``."""
        rows = sum(pq.read_metadata(records).num_rows for records, _children in files)
        needed = people.linked_columns(load_schema())
        read = ((_read(one, gone, needed), _read(other, gone)) for one, other in files)
        return people.link_parts(read, rows, places, linking, load_schema())

    def rows(self, path: Path, grouped_by: str | None = None) -> Rows:
        """The rows that :meth:`link` wrote, to be counted."""
        return InParquet(path, grouped_by)


def _read(path: Path, gone: pa.Array, columns: list[str] | None = None) -> pa.Table:
    """A table of a file as codes of few texts, without the records of people who withdrew."""
    texts = [f.name for f in pq.read_schema(path) if pa.types.is_string(f.type)]
    coded = [n for n in texts if n not in ("record_id", "person_key")]
    return without(pq.read_table(path, columns=columns, read_dictionary=coded), gone)


@dataclass
class Cluster(Engine):
    """The Spark cluster of hub.yaml; a session starts when there is work for it."""

    hub: Hub
    _open: ExitStack

    @cached_property
    def session(self) -> SparkSession:
        """The session."""
        from ctdhub.hub.spark.people import session

        return self._open.enter_context(session(self.hub.settings.spark))

    def refresh(self, steps: Sequence[Step], tell: Report) -> None:
        """All stale steps at once; one alone is not worth a cluster."""
        if sum(step.reason() is not None for step in steps) > 1:
            from ctdhub.hub.spark.people import refresh

            refresh(self.session, steps, self.hub.work, tell)
        else:
            super().refresh(steps, tell)

    def link(
        self, files: Files, gone: pa.Array, linking: people.Linking, places: people.PartitionsPlaces
    ) -> people.Totals:
        """In parts that hold whole persons."""
        from ctdhub.hub.spark.people import link_people

        parts = self.hub.settings.spark.partitions
        return link_people(self.session, files, gone, linking, places, self.hub.work, parts)

    def rows(self, path: Path, grouped_by: str | None = None) -> Rows:
        """Each part where a worker reads it."""
        from ctdhub.hub.spark.people import OnCluster

        return OnCluster(self.session, path.resolve(), self.hub.work, grouped_by)


@contextmanager
def engine(hub: Hub) -> Iterator[Engine]:
    """The engine of hub.yaml, for one build."""
    if hub.settings.engine == "duckdb":
        yield Engine()
        return
    with ExitStack() as stack:
        yield Cluster(Hub(hub.root.resolve()), stack)
