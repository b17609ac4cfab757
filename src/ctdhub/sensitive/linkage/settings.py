"""What a hub decides about links."""

from __future__ import annotations

from pydantic import Field, model_validator

from ctdhub.core.frozen import FrozenModel


class LinkageSettings(FrozenModel):
    """``linkage`` in hub.yaml.

    Attributes:
        cut: least probability that two persons are one, for the report to count them as one.
        look: least probability at which a pair below ``cut`` goes on the steward's list.
    """

    cut: float = Field(default=0.9, ge=0.5, le=1)
    look: float = Field(default=0.5, ge=0.1, le=1)

    @model_validator(mode="after")
    def _check(self) -> LinkageSettings:
        if self.look > self.cut:
            raise ValueError("look may not exceed cut")
        return self
