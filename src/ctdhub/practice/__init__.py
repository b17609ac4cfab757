"""Practice contributions with a known truth: four invented contributors in four formats.

Zone: assembly.  The generator, the writers, the mappings and agreements of invented contributors,
lists of invented names to practise linking on.
Not here: real data, anything that reads contributions.
Public: ``write.write_practice``.

Everything in these files is invented; numpy's seeded generator is used here and in tests only.
"""
