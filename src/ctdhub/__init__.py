"""ctdhub: harmonise, protect and show case data on human trafficking.

The public interface is the names of ``__all__``.  They stay as they are; a change is announced
through one minor version.  All other modules may change at any time.  Importing ``ctdhub`` loads
none of them: a name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ctdhub.api.protection import ProtectedTable, protect
    from ctdhub.api.records import harmonise, suggest
    from ctdhub.api.release import (
        Count,
        CountTable,
        FactsDocument,
        HubFolder,
        PublishedRelease,
        open,
        open_hub,
        open_release,
    )
    from ctdhub.client import Site, open_site
    from ctdhub.core.errors import HubError
    from ctdhub.sensitive.mapping.drafting.suggest import Suggestion
    from ctdhub.sensitive.mapping.run import Harmonised

__version__ = "0.3.0.dev0"

__all__ = [
    "Count",
    "CountTable",
    "FactsDocument",
    "Harmonised",
    "HubError",
    "HubFolder",
    "ProtectedTable",
    "PublishedRelease",
    "Site",
    "Suggestion",
    "__version__",
    "harmonise",
    "open",
    "open_hub",
    "open_release",
    "open_site",
    "protect",
    "suggest",
]

_HOMES = {
    "Harmonised": "sensitive.mapping.run",
    "HubError": "core.errors",
    "ProtectedTable": "api.protection",
    "Site": "client",
    "Suggestion": "sensitive.mapping.drafting.suggest",
    "harmonise": "api.records",
    "open_site": "client",
    "protect": "api.protection",
    "suggest": "api.records",
}
"""Where the public names are that are not in ``api.release``."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name, "api.release")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
