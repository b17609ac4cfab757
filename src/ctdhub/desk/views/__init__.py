"""Pages of the desk, by subject; each module has the list ``PAGES`` that ``desk.urls`` joins."""
