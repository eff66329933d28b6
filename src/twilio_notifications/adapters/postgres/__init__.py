"""The journal on PostgreSQL: for several connectors, or a server that is cared for already."""

from __future__ import annotations
