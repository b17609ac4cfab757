"""The single truth: variables, code lists, groups, labels, countries and crosswalks.

Zone: ground.  What the hub's data mean, in every language, and how that maps to other standards;
codebook, Arrow types and catalogue metadata are emitted from it.
Not here: quirks of contributors' files (``sensitive.mapping``), statistics, interface text.
Public: ``model.load_schema``, ``labels.label``, ``places.find_place``, ``countries.resolve``.
"""
