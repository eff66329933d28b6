"use strict";

// Leads the client of Twilio's package for Node.js to the simulator: node loads this file before Node-RED.

const Client = require(process.env.BENCH_MODULES + "/twilio/lib/base/RequestClient");
const ask = Client.prototype.request;
Client.prototype.request = function (options) {
  options.uri = options.uri.replace("https://api.twilio.com", process.env.BENCH_TWILIO);
  return ask.call(this, options);
};
