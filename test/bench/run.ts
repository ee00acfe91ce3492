// `npm run bench -- <name> [--json]`: one benchmark; with --json its last line is one JSON object.
import { parseArgs } from "node:util";

const benches: Record<string, () => Promise<object>> = {
  beacon: async () => (await import("./beacon.ts")).run(),
  frost: async () =>
    (await import("./frost.ts")).run(values.sizes ?? "3/4,7/10,14/21,67/100,100/150"),
  gas: async () => (await import("./gas.ts")).run(),
  growth: async () => (await import("./growth.ts")).run(),
  ledger: async () => (await import("./ledger.ts")).run(),
  network: async () => (await import("./network.ts")).run(networkOptions()),
  roast: async () => (await import("./roast.ts")).run(values.sizes ?? "11/15,67/100"),
  roundtrip: async () => (await import("./roundtrip.ts")).run(),
  snapshot: async () => (await import("./snapshot.ts")).run(Number(values.utxos)),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    /** network: sizes, comma separated; seconds of the clock; transactions a second; folder of a CPU profile. */
    validators: { type: "string", default: "4,10,21" },
    seconds: { type: "string", default: "60" },
    rate: { type: "string" },
    profile: { type: "string" },
    /** frost, roast: thresholds and sizes of rings, as t/n with commas. */
    sizes: { type: "string" },
    /** snapshot: unspent outputs of the state. */
    utxos: { type: "string", default: "1000000" },
  },
});
function networkOptions(): import("./network.ts").Options {
  return {
    validators: values.validators.split(",").map(Number),
    seconds: Number(values.seconds),
    ...(values.rate && { rate: Number(values.rate) }),
    ...(values.profile && { profile: values.profile }),
  };
}
const bench = benches[positionals[0] ?? ""];
if (bench === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(benches).join("|")} [--json]\n`);
  process.exit(2);
}
const result = await bench();
process.stdout.write(`${JSON.stringify(result, null, values.json ? 0 : 2)}\n`);
