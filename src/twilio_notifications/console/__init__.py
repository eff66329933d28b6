"""The web console: pages for people, next to a running connector or without one.

It sees the journal through JournalReader and OrderDesk, the configuration, and the broker through Visitor.
It never has the Twilio token. The other modules need the extra `console`, so only the command imports them.
"""
