"""Read a published site from Python: tables, places, records, with their intervals.

Belongs here: the reader's side of the files that ``portal.api`` writes.
Does not belong here: writing them, the privacy engine: this package starts without either.
"""

from ctdhub.client.site import Site, open_site

__all__ = ["Site", "open_site"]
