"""The public site: static pages drawn from one release, and a local server to look at them.

Belongs here: templates, drawing, the server.
Does not belong here: statistics (``insight``), any unprotected value.
"""

from ctdhub.portal.edition import Edition
from ctdhub.portal.serve import serve
from ctdhub.portal.site import build_site

__all__ = ["Edition", "build_site", "serve"]
