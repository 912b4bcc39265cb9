// Loaded into every node process of a check: makes test runners write what came of each test into
// the folder that PRP_REPORTS names. What they print stays as it is.
"use strict";
const path = require("path");

const beside = (name) => path.join(__dirname, name);

// Reporters of vitest's own configuration would be replaced by those of the command line.
function hasOwnReporters() {
  const fs = require("fs");
  return fs
    .readdirSync(".")
    .filter((name) => /^(?:vitest|vite)\.(?:config|workspace)\.[cm]?[jt]s$/.test(name))
    .some((name) => /\breporters\b|\boutputFile\b/.test(fs.readFileSync(name, "utf8")));
}

function jest(words) {
  const option = "--testResultsProcessor";
  if (words.some((word) => word.startsWith(option))) return;
  process.argv.splice(2, 0, `${option}=${beside("jest.cjs")}`);
}

function vitest(words, folder) {
  const others = new Set(["bench", "list", "init", "typecheck"]);
  const written = words.some((word) => /^--outputFile\b|^--reporters?=json$|^json$/.test(word));
  if (others.has(words[0]) || written || hasOwnReporters()) return;
  const own = words.some((word) => /^--reporters?\b/.test(word));
  const added = [
    ...(own ? [] : ["--reporter=default"]),
    "--reporter=json",
    `--outputFile.json=${path.join(folder, `vitest-${process.pid}.json`)}`,
  ];
  const end = process.argv.indexOf("--");
  process.argv.splice(end < 0 ? process.argv.length : end, 0, ...added);
}

// node's own runner has read its options by now, so that it has to be started again with more.
function nodeTest(options, folder) {
  const able = process.allowedNodeEnvironmentFlags.has("--test-reporter");
  const mine = beside("node_test.mjs");
  if (!able || options.some((word) => word.includes(mine) || word.startsWith("--watch"))) return;
  const isSet = (name) => options.some((word) => word === name || word.startsWith(`${name}=`));
  const usual = Number(process.versions.node.split(".")[0]) < 23 ? "tap" : "spec";
  const added = [
    ...(isSet("--test-reporter") ? [] : [`--test-reporter=${usual}`]),
    ...(isSet("--test-reporter-destination") ? [] : ["--test-reporter-destination=stdout"]),
    `--test-reporter=${mine}`,
    `--test-reporter-destination=${path.join(folder, `node-${process.pid}.jsonl`)}`,
  ];
  const words = [...options, ...added, ...process.argv.slice(1)];
  const ended = require("child_process").spawnSync(process.execPath, words, { stdio: "inherit" });
  if (ended.signal) process.kill(process.pid, ended.signal);
  process.exit(ended.status);
}

function begin() {
  const folder = process.env.PRP_REPORTS;
  if (!folder || !require("worker_threads").isMainThread) return;
  const script = process.argv[1] || "";
  const words = process.argv.slice(2);
  if (/[\\/]jest[\\/]bin[\\/]jest\.js$|[\\/]\.bin[\\/]jest$|[\\/]react-scripts[\\/]scripts[\\/]test\.js$/.test(script)) {
    jest(words);
  } else if (/[\\/]vitest[\\/]vitest\.mjs$|[\\/]\.bin[\\/]vitest$/.test(script)) {
    vitest(words, folder);
  } else if (process.execArgv.includes("--test") && !process.env.NODE_TEST_CONTEXT) {
    nodeTest(process.execArgv, folder);
  }
}

try {
  begin();
} catch {
  // Without a report there is still what the runner prints.
}
