"""One table protected without a hub.

Zone: privacy.  Permitted values of its columns, drafts of them, the table's protection.
Not here: reading files, printing.
Public: ``table``, ``domains``.
"""
