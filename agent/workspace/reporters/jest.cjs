// A processor of jest's results: writes them down and hands them on as they are.
"use strict";
const fs = require("fs");
const path = require("path");

const outcome = (status) => (["passed", "failed"].includes(status) ? status : "skipped");

const line = (file, names, came) => JSON.stringify({ file, names, outcome: came });

module.exports = (results) => {
  const lines = results.testResults.flatMap((file) => {
    const tests = file.testResults.map((test) =>
      line(file.testFilePath, [...test.ancestorTitles, test.title], outcome(test.status)),
    );
    // A file that could not be loaded has no tests.
    return file.testExecError ? [...tests, line(file.testFilePath, [], "failed")] : tests;
  });
  const name = `jest-${process.pid}.jsonl`;
  fs.writeFileSync(path.join(process.env.PRP_REPORTS, name), lines.join("\n"));
  return results;
};
