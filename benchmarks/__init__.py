"""Benchmarks of corscore beside its peers: an asv suite, a table of targets and a guard for CI.

``docs/performance.md`` says what is measured, and how.
"""
