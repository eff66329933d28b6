"""The stand-in for Twilio's API. It needs the extra `simulator`; `run` never imports it."""
