"""``make bench-table``: every target beside what is measured, in one run of a few minutes."""
