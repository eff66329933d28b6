"""Any MQTT broker, version 5 or 3.1.1, over TCP or TLS."""

from __future__ import annotations

from twilio_notifications.adapters.mqtt.transport import MqttTransport

__all__ = ["MqttTransport"]
