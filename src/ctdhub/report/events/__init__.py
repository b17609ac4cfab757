"""The hub's calendar of events, as text and as iCalendar.

Zone: right of the border.
Not here: pages (``site.pages.events``).
Public: ``calendar.Calendar``, ``ics``.
"""
