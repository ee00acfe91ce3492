// `npm run bench -- <name> [--json]`: one benchmark; with --json its last line is one JSON object.
import { parseArgs } from "node:util";

const benches: Record<string, () => Promise<object>> = {
  gas: async () => (await import("./gas.ts")).run(),
  roundtrip: async () => (await import("./roundtrip.ts")).run(),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const bench = benches[positionals[0] ?? ""];
if (bench === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(benches).join("|")} [--json]\n`);
  process.exit(2);
}
const result = await bench();
process.stdout.write(`${JSON.stringify(result, null, values.json ? 0 : 2)}\n`);
