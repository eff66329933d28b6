"""The journal on SQLite: for one connector on one machine."""

from __future__ import annotations

from twilio_notifications.adapters.sqlite.journal import SqliteJournal

__all__ = ["SqliteJournal"]
