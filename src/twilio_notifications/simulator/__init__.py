"""The stand-in for Twilio's API. It needs the extra `simulator`, and the connector never needs it."""
