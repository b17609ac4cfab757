"""Work that takes longer than a page: rows that are the truth, lanes, children that can be ended.

Zone: web process and worker; the web process only puts jobs in and looks at them.
Not here: what a job does (``desk.worker``).
"""
