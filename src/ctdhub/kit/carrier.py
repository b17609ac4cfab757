"""Asks the workbench by a plain call, about files in the kit's own folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ctdhub.kit.state import OWN, Kit, KitFile
from ctdhub.sensitive.workbench.ask import ask


@dataclass(frozen=True)
class PlainCarrier:
    """Carries requests about one file of the kit.

    Attributes:
        kit: the folder.
        file: the file.
    """

    kit: Kit
    file: KitFile

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """See ``ctdhub.desk.screens.carrier.Carrier``."""
        first, last = self.kit.years()
        fixed = {
            "folder": str(self.kit.root),
            "contributor": OWN,
            "who": OWN,
            "day": self.file.day,
            "file": str(self.kit.path(self.file)),
            "name": self.file.name,
            "years": [first, last],
            "own_draft": self.file.id,
        }
        answer: dict[str, Any] = ask({**request, **fixed})
        return answer


def carrier(request: Any, thing: KitFile) -> PlainCarrier:
    """The carrier of the kit; see ``ctdhub.desk.screens.carrier``."""
    return PlainCarrier(request.kit, thing)
