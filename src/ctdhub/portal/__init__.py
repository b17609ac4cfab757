"""The public site: static pages drawn from one release, and a local server to look at them.

Belongs here: templates, drawing, the server.
Does not belong here: statistics (``insight``), any unprotected value.
"""

from ctdhub.portal.accounts import Spending
from ctdhub.portal.edition import Edition
from ctdhub.portal.exhibit import build_exhibit
from ctdhub.portal.serve import serve
from ctdhub.portal.site import build_site
from ctdhub.portal.story import read_stories

__all__ = ["Edition", "Spending", "build_exhibit", "build_site", "read_stories", "serve"]
