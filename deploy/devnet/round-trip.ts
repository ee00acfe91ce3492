// The first round trip, in eight steps on the real parts: BTC -> BBTC -> Ethereum -> BTC. The people in it use
// only what people have: keys of their own, any portal, any node, a Bitcoin node and an Ethereum node.
import { accountings } from "@causeway/chain-core/interchain";
import { record, until } from "./follow.ts";
import type { Network } from "./network.ts";
import type { Facts, Reporter } from "./report.ts";
import {
  stepAccounting,
  stepDeposit,
  stepExport,
  stepReturn,
  stepTransfer,
} from "./steps-money.ts";
import { stepContracts, stepKeys, stepStart } from "./steps-network.ts";
import type { Trip } from "./trip.ts";
import { makeTrip } from "./trip.ts";

type Step = {
  readonly name: string;
  readonly title: string;
  readonly run: (trip: Trip) => Promise<Facts>;
};

export const steps: readonly Step[] = [
  { name: "start", title: "Start Bitcoin, Ethereum and the operators", run: stepStart },
  { name: "keys", title: "The ring generates its keys, no dealer", run: stepKeys },
  { name: "contracts", title: "Deploy the contracts", run: stepContracts },
  { name: "deposit", title: "Alice deposits 0.5 BTC", run: stepDeposit },
  { name: "transfer", title: "Alice sends 0.3 BBTC to Bob on the ledger", run: stepTransfer },
  { name: "export", title: "Bob sends 0.25 BBTC on to Ethereum", run: stepExport },
  { name: "return", title: "Bob burns 0.2 BBTC there, towards Bitcoin", run: stepReturn },
  { name: "accounting", title: "The books", run: stepAccounting },
];

export type TripOptions = {
  /** Called when a step (1 to 8) has begun; a rejection ends the trip. */
  readonly during?: (step: number, trip: Trip) => Promise<void>;
};

/** Runs every step; the facts of the last line. The network keeps running. */
export async function roundTrip(
  network: Network,
  reporter: Reporter,
  options: TripOptions = {},
): Promise<Facts> {
  const trip = makeTrip(network);
  const startedAt = performance.now();
  try {
    for (const [index, { name, title, run }] of steps.entries()) {
      reporter.begin(index + 1, title);
      const began = performance.now();
      const side = options.during?.(index + 1, trip);
      const [facts] = await Promise.all([run(trip), side]);
      reporter.end(name, Math.round(performance.now() - began), facts);
    }
    const books = await until("the books", () => record(trip.node, accountings, trip.bbtc));
    const { coins, reserve, rewards, deficit, supply, exported, pending } = books;
    return {
      ok: true,
      totalMs: Math.round(performance.now() - startedAt),
      reserves: { BBTC: { coins, reserve, rewards, deficit } },
      supply: { BBTC: { ledger: supply, exported, pending } },
      operators: network.operators.map((one) => ({ pids: one.pids(), rssPeakMb: one.rssPeakMb() })),
    };
  } finally {
    trip.close();
  }
}
