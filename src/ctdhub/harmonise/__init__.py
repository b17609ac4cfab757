"""A contributor's table becomes records in the hub's schema, with lineage and rejects.

Belongs here: mappings, what they do, country names, suggestions, readers and writers of formats.
Does not belong here: reading files (``intake``), linking records (``link``), protection.
"""

from ctdhub.harmonise.mapping import Mapping
from ctdhub.harmonise.mapping_file import load_mapping, parse_mapping

__all__ = ["Mapping", "load_mapping", "parse_mapping"]
