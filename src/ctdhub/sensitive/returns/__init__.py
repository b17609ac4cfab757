"""Returns: reports that a contributor owes, filled from its own file into the publisher's workbook.

Zone: sensitive.  Nothing here goes through a release, and nothing is protected: what is written is
as private as the file that it was read from.
"""
