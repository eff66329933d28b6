"""The statement by which the connector writes down how it stands."""

from __future__ import annotations

KEEP_FACT = """
INSERT INTO facts (name, word, about, detail, since, written_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET word = excluded.word, about = excluded.about, detail = excluded.detail,
                                 since = excluded.since, written_at = excluded.written_at
"""
