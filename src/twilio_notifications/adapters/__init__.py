"""Everything that touches the outside, each behind a port.

No adapter knows another, and none decides what becomes of a request. Foreign errors are translated here,
once.
"""
