"""Practice contributions with a known truth: four fictitious contributors in four formats.

Zone: assembly.  The generator, the writers, the mappings and agreements of fictitious contributors,
lists of fictitious names to practise linking on.
Not here: real data, anything that reads contributions.
Public: ``write.write_practice``.

Everything in these files is fictitious; numpy's seeded generator is used here and in tests only.
"""
