"""The course: five short lessons whose numbers come from the release that is shown.

Zone: right of the border.  One module for each lesson.
Not here: the frame of a page (``site.frame``).
Public: ``lessons``, ``page``.
"""
