"""A contributor's table becomes records in the hub's schema, with lineage and rejects.

Belongs here: mappings, what they do, country names, suggestions, readers and writers of formats.
Does not belong here: reading files (``intake``), linking records (``link``), protection.
"""

from ctdhub.harmonise.builtin import builtin, recognise
from ctdhub.harmonise.check import check_mapping
from ctdhub.harmonise.country_names import Resolution, resolve
from ctdhub.harmonise.mapping import Mapping
from ctdhub.harmonise.mapping_file import load_mapping, parse_mapping
from ctdhub.harmonise.result import Conservation, Harmonised, Lineage
from ctdhub.harmonise.run import harmonise
from ctdhub.harmonise.suggest import Suggestion, read_to_suggest, suggest

__all__ = [
    "Conservation",
    "Harmonised",
    "Lineage",
    "Mapping",
    "Resolution",
    "Suggestion",
    "builtin",
    "check_mapping",
    "harmonise",
    "load_mapping",
    "parse_mapping",
    "read_to_suggest",
    "recognise",
    "resolve",
    "suggest",
]
