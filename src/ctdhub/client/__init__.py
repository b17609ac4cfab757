"""Read a published site from Python: tables, places, records, with their intervals.

Zone: right of the border.  The reader's side of the files that ``site.api`` writes, and of sets of
records for inference.
Not here: writing them, the privacy engine: this package starts without either.
"""

from ctdhub.client.site import CorrectedRelease, Pooled, Site, open_imputations, open_site, pool

__all__ = ["CorrectedRelease", "Pooled", "Site", "open_imputations", "open_site", "pool"]
