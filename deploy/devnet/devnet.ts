// `npm run devnet`: the same network, which stays up with keys and contracts ready, and prints endpoints and keys.
import { parseArgs } from "node:util";
import { formatAddress } from "@causeway/chain-core/interchain";
import { Failure, must, toHex } from "@causeway/primitives";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import { createNetwork } from "./network.ts";
import { plain } from "./report.ts";
import { stepContracts, stepKeys, stepStart } from "./steps-network.ts";
import { makeTrip } from "./trip.ts";

const { values } = parseArgs({
  options: {
    // First port: operator i has base + 10 i (node p2p, node RPC, signer p2p, portal).
    "base-port": { type: "string", default: "18500" },
    // A regtest block every so many milliseconds; 0 for none.
    "mine-every": { type: "string", default: "5000" },
    keep: { type: "boolean", default: false },
    "log-level": { type: "string", default: "info" },
  },
});

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(plain(value), null, 2)}\n`);
}

async function main(): Promise<void> {
  const bitcoind = process.env.BITCOIND;
  const network = await createNetwork({
    basePort: Number(values["base-port"]),
    keep: values.keep,
    logLevel: values["log-level"],
    ...(bitcoind === undefined ? {} : { bitcoind }),
  });
  const trip = makeTrip(network);
  const ended = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  try {
    const started = await stepStart(trip);
    await stepKeys(trip);
    const contracts = await stepContracts(trip);
    print({
      ...started,
      folder: network.folder,
      gateway: contracts.gateway,
      token: contracts.token,
      people: network.secrets.users.map((secret) => ({
        address: formatAddress(addressOf(publicPoint(secret))),
        secret: `0x${toHex(secret)}`,
        has: "1,000 BTM on the ledger, 100 test ether",
      })),
      guardians: network.secrets.guardians.map((secret) => `0x${toHex(secret)}`),
      miner: must(trip.bitcoin.address, "an address"),
      stop: "Ctrl-C",
    });
    const every = Number(values["mine-every"]);
    const miner = every > 0 ? setInterval(() => void mine(), every) : undefined;
    const mine = async (): Promise<void> => {
      try {
        await trip.bitcoin.mine(1);
      } catch {
        // The node is stopping.
      }
    };
    await ended;
    clearInterval(miner);
  } finally {
    trip.close();
    await network.stop();
  }
}

try {
  await main();
} catch (error) {
  const code = error instanceof Failure ? error.code : "internal";
  print({ ok: false, error: { code, message: (error as Error).message } });
  process.exitCode = 1;
}
