"""The stand-in for Twilio's API, and the broker of the demo.

It needs the extra `simulator`, its broker the extra `demo`, and the connector never needs it: neither room
imports the other.
"""
