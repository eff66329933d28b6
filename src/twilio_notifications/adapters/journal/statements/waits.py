"""Statements of what lasts and keeps requests waiting."""

from __future__ import annotations

KEEP_PAUSE = """
INSERT INTO pauses (reason, about, message, begun_at, until, ended_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (reason, about, begun_at)
    DO UPDATE SET message = excluded.message, until = excluded.until, ended_at = excluded.ended_at
"""

LASTING = "SELECT reason, about, message, begun_at, until, ended_at FROM pauses WHERE ended_at IS NULL"

LASTING_FOR = f"{LASTING} AND reason = ?"

PURGE_PAUSES = "DELETE FROM pauses WHERE ended_at < ?"

RULES = "SELECT fingerprint FROM rules LIMIT 1"

FORGET_RULES = "DELETE FROM rules"

KEEP_RULES = "INSERT INTO rules (fingerprint) VALUES (?)"
