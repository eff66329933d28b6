// An extension of Zigbee2MQTT 2.4 or later, which publishes a request when a device reports an alarm.
// Put it into the folder `external_extensions` next to Zigbee2MQTT's `configuration.yaml`, and restart Zigbee2MQTT.

const RECIPIENT = {name: "Darla", phone_number: "+12345000000"};

// By the friendly name of the device: which of its properties is the alarm, and the text.
const ALARMS = {
    cellar_leak: {property: "water_leak", message: "Water in the cellar"},
    hall_smoke: {property: "smoke", message: "Smoke in the hall"},
};

export default class Alarm {
    constructor(zigbee, mqtt, state, publishEntityState, eventBus) {
        this.mqtt = mqtt;
        this.eventBus = eventBus;
    }

    start() {
        this.eventBus.onStateChange(this, (change) => this.onStateChange(change));
    }

    stop() {
        this.eventBus.removeListeners(this);
    }

    // One request when the alarm begins, and none while it lasts.
    async onStateChange({entity, from, to}) {
        const alarm = ALARMS[entity.name];
        if (!alarm || !to[alarm.property] || from[alarm.property]) {
            return;
        }
        const request = {
            request: {recipient: {...RECIPIENT, message: alarm.message}, retries: 3},
            id: `${entity.name}-${Date.now()}`,
        };
        // Zigbee2MQTT joins the two parts of the topic: twilio/txt.
        await this.mqtt.publish("txt", JSON.stringify(request), {
            baseTopic: "twilio",
            clientOptions: {qos: 1, retain: false},
        });
    }
}
