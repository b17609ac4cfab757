"""The hub folder, and the steps from contributions to a site: run what is stale.

Zone: assembly.  The only zone that sees both sides of the border.
Not here: the work itself (the other zones), questions to a user (``cli``).
Public: ``folder.Hub``, ``pipeline.build``, ``steps.Step``.
"""
