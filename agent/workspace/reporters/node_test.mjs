// A reporter for node's own test runner: one line of JSON a test.
const word = (type, test) => {
  if (type === "test:fail") return test.todo ? "skipped" : "failed";
  return test.skip !== undefined || test.todo !== undefined ? "skipped" : "passed";
};

export default async function* report(events) {
  // Above each test stand the suites and tests that it is part of; files take turns.
  const above = new Map();
  for await (const { type, data } of events) {
    const names = above.get(data?.file) ?? [];
    if (type === "test:start") {
      above.set(data.file, [...names.slice(0, data.nesting), data.name]);
    } else if (type === "test:pass" || type === "test:fail") {
      const whole = [...names.slice(0, data.nesting), data.name];
      // A suite is only what its tests are, unless it was skipped or broke down itself.
      const isSuite = data.details?.type === "suite";
      const isOwn = data.skip || (data.details?.error?.failureType ?? "subtestsFailed") !== "subtestsFailed";
      if (isSuite && !isOwn) continue;
      yield `${JSON.stringify({ file: data.file, names: whole, outcome: word(type, data) })}\n`;
    }
  }
}
