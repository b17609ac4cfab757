"""Changes of the desk's tables, in order."""
