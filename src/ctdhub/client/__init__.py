"""Read a published site from Python: tables, places, records, with their intervals.

Zone: right of the border.  The reader's side of the files that ``site.api`` writes.
Not here: writing them, the privacy engine: this package starts without either.
"""

from ctdhub.client.site import Site, open_site

__all__ = ["Site", "open_site"]
