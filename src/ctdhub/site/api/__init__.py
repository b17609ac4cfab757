"""The interface for programs: JSON and CSV files at lasting addresses, and their description.

Zone: right of the border.
Not here: reading them (``client``).
Public: ``files``.
"""
