"""The journal's statements, each named, by the part of the journal that uses it.

Only literals from here reach the driver. SQLite uses a partial index only where a statement repeats the
index's condition. It builds a table of its own for each `IN` list of three or more, at each execution: so the
lists of states are written with OR.
"""

from __future__ import annotations
