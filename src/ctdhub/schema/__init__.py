"""The single truth: variables, code lists, groups, labels, countries and crosswalks.

Belongs here: what the hub's data mean, in every language, and how that maps to other standards.
Does not belong here: quirks of contributors' files (``harmonise``), statistics, interface text.
"""

from ctdhub.schema.model import PERSON, Group, Schema, Variable, load_schema

__all__ = ["PERSON", "Group", "Schema", "Variable", "load_schema"]
