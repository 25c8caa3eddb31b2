"use strict";
/** The JavaScript SDK of DataOps Lifecycle. Everything that a user needs is exported here. */

const { DataOpsClient } = require("./client.js");
const { CLASSES } = require("./errors.js");
const { GroundTruth } = require("./ground_truth.js");
const { Operation } = require("./operation.js");
const { LinkedPage, Page } = require("./pages.js");
const { Records } = require("./records.js");
const { version } = require("./version.js");

module.exports = { DataOpsClient, GroundTruth, LinkedPage, Operation, Page, Records, version, ...CLASSES };
