"""The benchmark: the connector next to a bare loop of the same libraries, on one machine, in one run.

Absolute numbers belong to a machine; the ratios between the two are what the project holds itself to.
Nothing here is imported by the package, and nothing here fails for being slow.
"""
