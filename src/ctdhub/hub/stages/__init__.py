"""The stages of the pipeline, a module each: what a stage depends on, which files it leaves.

Zone: assembly.
Not here: the order of the stages (``hub.pipeline``), the work itself.
Public: a function for each stage, which makes a ``hub.steps.Step``.
"""
