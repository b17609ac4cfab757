"""Withdrawals of consent: who may no longer be in the data, as keyed hashes.

Zone: sensitive.  The register of withdrawals, and which records it leaves out.
Not here: questions to a user (``cli``), what a build does with it (``build``).
Public: ``register.Register``.
"""
