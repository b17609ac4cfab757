"""Differential privacy: plan, exact counts, charge, noise, intervals.

Zone: privacy.  Everything that turns people into Protected values, and its bookkeeping.
Not here: reading files (``sensitive.ingest``), writing releases (``release``).
Public: ``quote.quote_people``, ``engine.charge``, ``policy``, ``simulate``.
"""
