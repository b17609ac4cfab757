"""What all tests share: property tests have no deadline, for machines are slow and shared."""

from hypothesis import settings

settings.register_profile("ctdhub", deadline=None)
settings.load_profile("ctdhub")
