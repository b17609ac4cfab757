"""What a hub decides about Spark."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from ctdhub.core.frozen import FrozenModel

MASTER = r"^(local(\[(\*|[1-9]\d{0,3})\])?|spark://\S+|sc://\S+)$"


def _text(value: object) -> object:
    """Spark's settings are texts; YAML reads some of them as numbers or truth values."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


class SparkSettings(FrozenModel):
    """``spark`` in hub.yaml.

    Attributes:
        master: ``local[n]`` (n cores of this machine, ``*`` for all), ``spark://host:port`` for a
            standalone cluster, ``sc://host:port`` for Spark Connect.
        config: Spark's own settings; they win over those that ctdhub makes.
        partitions: number of parts in which people are linked and counted; None takes one for
            262,144 records.
    """

    master: str = Field(default="local[*]", pattern=MASTER, max_length=500)
    config: dict[
        Annotated[str, Field(pattern=r"^spark\.\S+$")], Annotated[str, BeforeValidator(_text)]
    ] = Field(default_factory=dict)
    partitions: int | None = Field(default=None, ge=1, le=100_000)
