"""Countries: ISO 3166-1 codes, names in the schema's languages.

Belongs here: codes, names, regions.  Does not belong here: aliases seen in files (``harmonise``).
"""

from __future__ import annotations

import pycountry

ALPHA3: tuple[str, ...] = tuple(sorted(c.alpha_3 for c in pycountry.countries))
"""The 249 alpha-3 codes of ISO 3166-1, sorted: the public domain of every country variable."""

ALPHA2_TO_ALPHA3: dict[str, str] = {c.alpha_2: c.alpha_3 for c in pycountry.countries}
ALPHA3_TO_ALPHA2: dict[str, str] = {b: a for a, b in ALPHA2_TO_ALPHA3.items()}
