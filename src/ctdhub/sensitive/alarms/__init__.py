"""Alarms about what a contributor sent: counted exactly, inside the hub, for the steward alone.

Belongs here: when a delivery looks wrong, and what it is compared with.
Does not belong here: harmonising, stopping a build (``hub.stages.alarms``), showing.
"""
