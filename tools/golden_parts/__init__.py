"""Outputs of the golden set, one module a part; `tools/golden.py` runs and compares them.

The product is reached through its command line, as `pyproject.toml` names it (``world``), so that
no move or renaming of modules touches these files; the workbench, the desk and the kit, which no
command asks, by one function each.
"""
