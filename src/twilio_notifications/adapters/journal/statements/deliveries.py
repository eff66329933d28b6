"""Statements that follow deliveries."""

from __future__ import annotations

from twilio_notifications.adapters.journal.statements.conditions import DELIVERY_COLUMNS, REQUEST_COLUMNS

INSERT_DELIVERY = """
INSERT INTO deliveries (request, sid, begun_at, look_at, word, changed_at, from_number, to_number)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

# A person may correct what was said before; a delivery whose following ended stays as it is.
FORGET_RESOLVED = "DELETE FROM deliveries WHERE request = ? AND given_up_at IS NULL"

FOLLOW_RESOLVED = f"{INSERT_DELIVERY} ON CONFLICT (request) DO NOTHING"

_FOLLOWED = f"""
SELECT {REQUEST_COLUMNS},
       sid, begun_at, look_at, from_number, to_number, version, {DELIVERY_COLUMNS}
FROM deliveries JOIN states ON states.request = deliveries.request JOIN requests ON id = states.request
"""

DUE = f"{_FOLLOWED} WHERE look_at IS NOT NULL AND look_at <= ? ORDER BY look_at, deliveries.request LIMIT ?"

# Twilio gives no SID twice; where a server of a test does, its newest request is meant.
BY_SID = f"{_FOLLOWED} WHERE sid = ? ORDER BY deliveries.request DESC LIMIT 1"

OF_REQUEST = f"{_FOLLOWED} WHERE deliveries.request = ?"

NEXT_LOOK = "SELECT request, look_at FROM deliveries WHERE look_at IS NOT NULL ORDER BY look_at LIMIT ?"

# What was concluded from an older row changes nothing.
CHANGE = """
UPDATE deliveries
SET look_at = ?, word = ?, changed_at = ?, code = ?, from_number = ?, to_number = ?, answered_by = ?,
    key_pressed = ?, document_code = ?, notification_looks = ?, given_up_at = ?, cancelled_by_us = ?,
    version = version + 1
WHERE request = ? AND version = ?
"""

INSERT_EVENT = """
INSERT INTO delivery_events (request, at, happening, source, word, code, result) VALUES (?, ?, ?, ?, ?, ?, ?)
"""

FOLLOW_UP = """
UPDATE states SET state = 'FINISHED' WHERE request = ? AND (state = 'FINISHED' OR state = 'REPORTED')
"""

KEY_OF_CALLBACKS = "SELECT secret FROM callback_secret LIMIT 1"

KEEP_KEY = """
INSERT INTO callback_secret (secret) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM callback_secret)
"""
