"""Where the mappings of a contributor, their history and people's drafts lie; who asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctdhub.core.days import is_day
from ctdhub.core.error_catalogue import error
from ctdhub.schema.model import YEARS
from ctdhub.sensitive.alarms.alarm import AlarmLimits

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CONTRIBUTOR = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Workplace:
    """What the carrier says about a request: whose file, in which folder, for whom.

    Attributes:
        mappings: the folder ``mappings`` of a hub or kit.
        contributor: its id.
        who: id of the person who asks.
        day: date of the delivery.
        file: the file, None where only the mapping is asked about.
        name: the file's name as its owner knows it.
        unknown_share: share of a column's filled cells that may be unknown texts before an alarm
            rings.
        years: first and last year of the public bounds, both included.
        own_draft: id of the file in the carrier, where each file has a draft of its own; else the
            files of a day share one.
    """

    mappings: Path
    contributor: str
    who: str
    day: str
    file: Path | None = None
    name: str = ""
    years: tuple[int, int] = YEARS
    unknown_share: float = AlarmLimits.unknown_share
    own_draft: str = ""

    @classmethod
    def of(cls, request: dict[str, Any]) -> Workplace:
        """What a request says.

        Raises:
            HubError: a key is missing or malformed (rule "workbench-request").
        """
        folder, file = request.get("folder"), request.get("file")
        who, contributor, day = (str(request.get(k) or "") for k in ("who", "contributor", "day"))
        own = str(request.get("own_draft") or "")
        fits = _NAME.fullmatch(who) and _CONTRIBUTOR.fullmatch(contributor) and is_day(day)
        if own and not _NAME.fullmatch(own):
            raise error("workbench-request")
        if not fits or not isinstance(folder, str) or not Path(folder).is_absolute():
            raise error("workbench-request")
        path = None if file is None else Path(str(file))
        if path is not None and not path.is_absolute():
            raise error("workbench-request")
        years = request.get("years") or YEARS
        if len(years) != 2 or not all(type(year) is int for year in years):
            raise error("workbench-request")
        name = str(request.get("name") or (path.name if path else ""))
        share = request.get("unknown_share", AlarmLimits.unknown_share)
        if not isinstance(share, int | float) or not 0 <= share <= 1:
            raise error("workbench-request")
        bounds = (years[0], years[1])
        mappings = Path(folder) / "mappings"
        return cls(mappings, contributor, who, day, path, name, bounds, float(share), own)

    @property
    def lock(self) -> Path:
        """Held while a mapping is kept."""
        return self.mappings / ".lock"

    @property
    def log(self) -> Path:
        """The chain of commits."""
        return self.mappings / ".history" / f"{self.contributor}.jsonl"

    def kept(self, sha256: str) -> Path:
        """The text of a mapping that was in force once."""
        return self.mappings / ".history" / self.contributor / f"{sha256}.yaml"

    @property
    def draft(self) -> Path:
        """This person's draft for this delivery."""
        own = f"-{self.own_draft}" if self.own_draft else ""
        return self.mappings / ".drafts" / self.contributor / f"{self.day}-{self.who}{own}.json"

    def other_drafts(self) -> list[Path]:
        """This person's drafts of other files, newest first; none where files share one."""
        if not self.own_draft:
            return []
        found = [p for p in self.draft.parent.glob(f"*-{self.who}-*.json") if p != self.draft]
        return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)

    @property
    def shown(self) -> str:
        """What messages call the mapping."""
        return f"{self.contributor}.yaml"
