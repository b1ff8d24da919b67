"""``make bench-check``: fails when a request takes many more instructions than it used to.

Instructions and not time: the same code counts the same on a busy machine and on a quiet one.
"""
