"""What every zone uses: errors, texts, files that are whole or absent, hashes, locks.

Zone: ground.  Holds no data and knows no rule of the field.
Not here: anything that only one zone needs.
Public: ``errors``, ``i18n``, ``files``, ``format``, ``tables``.
"""
