"""How long an exhibition waits; apart, so that the command can say it without a site."""

IDLE, SECONDS = 90, 20
"""Seconds without a touch until the kiosk begins anew, and seconds that a slide stays."""
