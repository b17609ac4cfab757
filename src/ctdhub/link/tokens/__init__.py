"""Tokens at the contributor: identifiers become keyed tokens, and stay where they are.

Belongs here: what a contributor runs before a file leaves.
Does not belong here: the hub's side (``link.clusters``), the key itself (``link.keys``).
"""

from ctdhub.link.tokens.ages import AGE, AgeAt, Lack, check_ages
from ctdhub.link.tokens.columns import ROLES, Column, Plan, Role, plan, propose
from ctdhub.link.tokens.derive import KINDS, Identity, Tokeniser
from ctdhub.link.tokens.strip import Made, check_new, tokenise

__all__ = [
    "AGE",
    "KINDS",
    "ROLES",
    "AgeAt",
    "Column",
    "Identity",
    "Lack",
    "Made",
    "Plan",
    "Role",
    "Tokeniser",
    "check_ages",
    "check_new",
    "plan",
    "propose",
    "tokenise",
]
