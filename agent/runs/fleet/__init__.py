"""A fleet: runs on a queue in a PostgreSQL, and workers on any machine that carry them out."""
