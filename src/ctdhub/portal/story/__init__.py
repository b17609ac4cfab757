"""Stories: texts that a hub writes about its releases, with charts and numbers that stay true.

Belongs here: reading stories, their numbers and charts, safe HTML.
Does not belong here: pages (``pages``), statistics (``insight``).
"""

from ctdhub.portal.story.markup import Chart, Text, blocks
from ctdhub.portal.story.source import Story, Telling, read_stories

__all__ = ["Chart", "Story", "Telling", "Text", "blocks", "read_stories"]
