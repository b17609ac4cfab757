"""The public face: pages, files for programs, kiosk, all drawn from one release; a local server.

Belongs here: templates, drawing, words of pages, the hub's stories and events, the server.
Does not belong here: statistics (``insight``), any unprotected value.
"""

from ctdhub.portal.accounts import Spending
from ctdhub.portal.edition import Edition
from ctdhub.portal.exhibit import build_exhibit
from ctdhub.portal.serve import serve
from ctdhub.portal.site import build_site
from ctdhub.portal.story import read_stories

__all__ = ["Edition", "Spending", "build_exhibit", "build_site", "read_stories", "serve"]
