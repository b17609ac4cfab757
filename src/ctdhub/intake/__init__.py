"""Contributed files to tables of text: read anything, trust nothing.

Belongs here: formats, encodings, limits, direct identifiers, hashes of files.
Does not belong here: the meaning of values (``harmonise``).
"""

from ctdhub.intake.identifiers import Finding, find_identifiers
from ctdhub.intake.options import Limits, ReadOptions
from ctdhub.intake.raw import RawTable
from ctdhub.intake.reader import read_table
from ctdhub.intake.rejects import REJECTS, Reject, reject_table

__all__ = [
    "REJECTS",
    "Finding",
    "Limits",
    "RawTable",
    "ReadOptions",
    "Reject",
    "find_identifiers",
    "read_table",
    "reject_table",
]
