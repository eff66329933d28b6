"""The logins at Twilio: read, checked, read again, and chosen for each attempt."""
