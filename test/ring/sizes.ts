// A ring's whole life at every size, by configuration alone (RNG-1): `node test/ring/sizes.ts [n/V ...]`, n seats of V
// validators. The large ones take minutes. The last line is `N passed, N failed, N skipped`.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { createBls } from "@causeway/chain-core/adapters/bls";
import { bytes32 } from "@causeway/primitives";
import { requireAddon } from "@causeway/primitives/adapters/process";
import { rehearse } from "../../signer/src/rehearsal/rehearse.ts";

/** Seats of the ring / validators that have them. */
const sizes = ["4/4", "10/10", "21/21", "100/10", "100/100", "150/15", "150/150"];
const stake = 1_000_000_00000000n;

const { positionals } = parseArgs({ allowPositionals: true });
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

await requireAddon();
let failed = 0;
const chosen = positionals.length > 0 ? positionals : sizes;
for (const size of chosen) {
  const [ringSeats = 0, validators = 0] = size.split("/").map(Number);
  const stakes = Array.from({ length: validators }, () => stake);
  const draw = () => bytes32(Uint8Array.from(randomBytes(32)));
  const result = rehearse({ stakes, ringSeats, messages: 50 }, createBls(), draw, cpuMs, () => {});
  process.stdout.write(`${size} ${JSON.stringify(result)}\n`);
  if (!result.ok || Object.keys(result.warnings).length > 0) failed += 1;
}
process.stdout.write(`${chosen.length - failed} passed, ${failed} failed, 0 skipped\n`);
process.exitCode = failed === 0 ? 0 : 1;
