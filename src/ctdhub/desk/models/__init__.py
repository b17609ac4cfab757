"""Rows of the desk's database: who, when and why; the truth about data is in the hub folder.

Keys are 128 random bits.  No row holds a value of a case record or the name of a file.
"""
