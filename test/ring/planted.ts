// The planted bugs of the ring: each must be found in at most 500 seeds. `node test/ring/planted.ts [name...]`; prints
// a JSON object with the seed and the rule that found each.
import { plant } from "../planting.ts";

const seedsMax = 500;
const found: Record<string, { seed?: number; rule?: string; seconds: number }> = {};
const planting = {
  folder: new URL("planted", import.meta.url),
  script: "test/ring/run.ts",
  seedsMax,
  wanted: process.argv.slice(2),
};
await plant(planting, ({ planted, line, seconds }) => {
  console.log(`${planted.name}: ${line ?? `not found in ${seedsMax} seeds`}`);
  const match = /^seed (\d+) fails: ([^:]*)/.exec(line ?? "");
  found[planted.name] = {
    ...(match !== null && { seed: Number(match[1]), rule: match[2] ?? "" }),
    seconds: Math.round(seconds * 10) / 10,
  };
});
const missed = Object.values(found).filter(({ seed }) => seed === undefined).length;
process.exitCode = missed === 0 ? 0 : 1;
console.log(JSON.stringify({ seedsMax, found }));
console.log(`${Object.keys(found).length - missed} passed, ${missed} failed, 0 skipped`);
