// The planted bugs of the bridge: each must be found in at most 200 seeds. `node test/sim/planted.ts [name...]`
import { plant } from "../planting.ts";

const seedsMax = 200;
const count = { passed: 0, failed: 0 };
const planting = {
  folder: new URL("planted", import.meta.url),
  script: "test/sim/run.ts",
  seedsMax,
  wanted: process.argv.slice(2),
};
await plant(planting, ({ planted, line, seconds }) => {
  count[line === undefined ? "failed" : "passed"] += 1;
  const found = line ?? `not found in ${seedsMax} seeds`;
  console.log(`${planted.name}: ${found} (${seconds.toFixed(1)} s)`);
});
process.exitCode = count.failed === 0 ? 0 : 1;
console.log(`${count.passed} passed, ${count.failed} failed, 0 skipped`);
