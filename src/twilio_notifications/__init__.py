"""The open successor of the Greengrass V1 Twilio Notifications connector."""
