// Zigbee2MQTT without a radio: its own connection, memory of states and loader of extensions, and one device.
// node zigbee2mqtt_stage.cjs FOLDER_OF_ZIGBEE2MQTT; $ZIGBEE2MQTT_DATA is its folder of data, as usual.
const path = require("node:path");

const part = (name) => require(path.join(process.argv[2], "dist", name)).default;
const [EventBus, Mqtt, State, Extensions] = ["eventBus", "mqtt", "state", "extension/externalExtensions"].map(part);
const DEVICE = {ID: "0x00158d0001d82999", name: "cellar_leak", options: {}};

async function main() {
    part("util/logger").init();
    const eventBus = new EventBus();
    const mqtt = new Mqtt(eventBus);
    const state = new State(eventBus, {});
    await mqtt.connect();
    const nothing = async () => {};
    const add = (extension) => extension.start();
    const extensions = new Extensions({}, mqtt, state, nothing, eventBus, nothing, nothing, add);
    await extensions.start();
    for (const wet of [false, true, true, false, true]) {
        state.set(DEVICE, {water_leak: wet, battery: 97});
    }
    await mqtt.disconnect();
}

main();
