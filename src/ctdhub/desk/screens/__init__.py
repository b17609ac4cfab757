"""The screens that kit and desk share: columns, one column, history, text, problems, identifiers.

Zone: as ``desk``'s web process: no ``sensitive``, no accounts.  A screen asks the workbench through
a carrier and shows Texts and counts; texts of cells pass through to the reader's page and are kept
nowhere.
Not here: who may open a screen (the gate of desk or kit), what an edit does (``workbench``).
"""
