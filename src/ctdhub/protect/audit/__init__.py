"""Audits: attacks on the engine whose success is measured beside what is promised.

Belongs here: planted people, two worlds, guesses against a control fold, and the card that tells
the privacy officer about them.  Does not belong here: the engine (``engine``), the ledger.

``bounds`` says what right guesses prove, ``views`` what an attacker sees, ``canary``, ``worlds``
and ``inference`` attack, ``suite`` runs them on a hub's people, ``sentences`` and ``card`` tell
what was found.
"""

from ctdhub.protect.audit.card import Card, card
from ctdhub.protect.audit.sentences import Attack
from ctdhub.protect.audit.suite import KINDS, Findings, Kind, pay, price, run

__all__ = ["KINDS", "Attack", "Card", "Findings", "Kind", "card", "pay", "price", "run"]
