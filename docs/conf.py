"""Settings of the documentation site, which `make docs` builds into docs/_site.

Nothing is fetched, and no page asks another server for fonts or scripts.
"""

import ctdhub

project = "ctdhub"
author = "the contributors of ctdhub"
copyright = author
version = release = ctdhub.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_site"]
suppress_warnings = ["myst.header"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True

html_theme = "alabaster"
html_title = f"ctdhub {release}"
html_theme_options = {
    "description": "Data hub for counter-trafficking organisations",
    "fixed_sidebar": True,
    "font_family": "system-ui, sans-serif",
    "head_font_family": "system-ui, sans-serif",
    "page_width": "72rem",
    "show_powered_by": False,
}
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}
html_copy_source = False
html_show_sphinx = False
