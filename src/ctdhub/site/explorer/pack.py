"""What the explorer holds: variables of the records, packed, as files beside the pages."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from ctdhub.schema.model import load_schema
from ctdhub.site.explorer.encoding import Pack, pack
from ctdhub.stats.answers import Answers
from ctdhub.stats.explore import Exploration

FILTERS = 32
"""Columns that may be filtered: the first ones, a bit of the browser's mask each."""
DATA, SCRIPT = "explore.bin", "explore.data.js"


@dataclass(frozen=True)
class Explorer:
    """The explorer's columns in order, packed; the first ``filters`` may be filtered."""

    exploration: Exploration
    packed: Pack
    filters: int

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.exploration.codes)


@lru_cache(maxsize=1)
def explorer(answers: Answers) -> Explorer:
    """The explorer of a release; made once for all languages."""
    schema = load_schema()
    indicators = [schema.groups[c].indicator or "" for c in schema.explorer if c in schema.groups]
    columns = [n for c in schema.explorer for n in (schema.flags(c) if c in schema.groups else [c])]
    exploration = Exploration(answers, [*columns, *indicators])
    sizes = [len(exploration.domains[name]) for name in exploration.codes]
    filters = sum(name not in indicators for name in exploration.codes)
    packed = pack(exploration.codes, sizes, _published(exploration))
    return Explorer(exploration, packed, min(FILTERS, filters))


def _published(exploration: Exploration) -> bytes:
    """The published cells by table, as JSON: steps from one place to the next, low and high
    ends, and the upper end of a cell that is not published."""
    place = {name: k for k, name in enumerate(exploration.codes)}
    tables = {
        ",".join(str(place[n]) for n in names): [
            [b - a for a, b in pairwise([0, *ends.at])],
            ends.low,
            ends.high,
            ends.unseen,
        ]
        for names, ends in exploration.published().items()
    }
    return json.dumps(tables, separators=(",", ":")).encode("ascii")


def write_data(answers: Answers, folder: Path, *, offline: bool) -> None:
    """Write the packed records into the folder of the release, for one kind of site.

    Args:
        offline: as a classic script, which also loads from ``file://``; else as a file to fetch.
    """
    data = explorer(answers).packed.data
    if offline:
        text = f'window.ctdhubData="{base64.b64encode(data).decode()}";\n'
        (folder / SCRIPT).write_text(text, "ascii")
    else:
        (folder / DATA).write_bytes(data)
