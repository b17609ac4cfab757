"""A first mapping for an unknown file.

Belongs here: words that headers and cells are recognised by, what a column may be, the draft.
Does not belong here: what a mapping means once it is written (``sensitive.mapping``).
"""
