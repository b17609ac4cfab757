"""Outputs of the golden set, one module a part; `tools/golden.py` runs and compares them.

The product is reached through its command line alone, as `pyproject.toml` names it (``world``), so
that no move or renaming of modules touches these files.
"""
