"""The base of every settings and data file: unknown keys are refused, values do not change."""

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """A pydantic model that cannot be changed, takes no unknown key, no infinity and no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def file_content(self) -> bytes:
        """The model as a file of JSON; what is None is left out."""
        return (self.model_dump_json(indent=1, exclude_none=True) + "\n").encode()
