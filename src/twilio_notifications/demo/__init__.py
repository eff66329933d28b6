"""The demo: an embedded broker, the Twilio simulator and the connector in one process.

It needs the extra `demo`. The connector never needs it.
"""
