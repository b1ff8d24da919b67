"""``make bench-check``: fails when a request takes many more instructions than before.

It counts instructions, which are the same on a busy machine and on a quiet one.
"""
