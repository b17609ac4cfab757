"""k-anonymity, the named second mode: for one-off files, by local suppression.

Zone: privacy.  Makes every record equal to at least k - 1 others, and accounts for the cost.
Not here: differential privacy, which stays the default: k-anonymity does not compose, so no charge
can cover it.  From ``dp`` it takes a random order only.
Public: ``table.anonymise``.
"""
