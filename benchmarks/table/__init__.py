"""``make bench-table``: every target beside its figure, in one run of a few minutes."""
