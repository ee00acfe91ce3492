// How long a person waits on the ledger's side: from the Bitcoin block that reaches the credit depth until the BBTC
// is spendable (accepted by another operator's node), and from the burn until the Bitcoin transaction is broadcast.
// 20 separate ones each, four operators, synced journals.
import { setTimeout as sleep } from "node:timers/promises";
import { assetId } from "@causeway/chain-core";
import type { NodeClient, Wish } from "@causeway/chain-core/client";
import { planTransaction, signTransaction } from "@causeway/chain-core/client";
import {
  eventId,
  formatAddress,
  inboundStatus,
  inbounds,
  listNames,
  lists,
  parseBitcoinAddress,
  transactionCodec,
} from "@causeway/chain-core/interchain";
import { fromHex, must, reversed, toHex } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { anyPortal, nodeAt, record, until } from "../../deploy/devnet/follow.ts";
import { createNetwork } from "../../deploy/devnet/network.ts";
import { stepKeys, stepStart } from "../../deploy/devnet/steps-network.ts";
import type { Trip } from "../../deploy/devnet/trip.ts";
import { accepted, makeTrip } from "../../deploy/devnet/trip.ts";

const count = 20;
const deposit = 2_000_000n;
const burn = 100_000n;
const maxFee = 20_000n;
const everyMs = 20;

export async function run(): Promise<object> {
  const network = await createNetwork({ logLevel: "warn" });
  const trip = makeTrip(network);
  try {
    await stepStart(trip);
    await stepKeys(trip);
    const credits = await repeat(() => credit(trip));
    await settleAll(trip);
    const broadcasts = await repeat(() => broadcast(trip));
    return { creditMs: summary(credits), broadcastMs: summary(broadcasts) };
  } finally {
    trip.close();
    await network.stop();
  }
}

async function repeat(once: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) times.push(await once());
  return times;
}

function summary(times: readonly number[]): { p50: number; p95: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (q: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? 0);
  return { p50: at(0.5), p95: at(0.95) };
}

/** One deposit to an address of its own; the time that its last block took to become spendable coins. */
async function credit(trip: Trip): Promise<number> {
  const { network, bitcoin, alice } = trip;
  const { genesis } = network;
  const answer = await anyPortal(network, "POST", "/v1/deposits", {
    chain: "bitcoin",
    destination: { chain: "causeway", address: formatAddress(alice.lock.slice(12)) },
    maxFee: maxFee.toString(),
    refund: toHex(bitcoin.xOnlyKey),
  });
  const script = accepted(parseBitcoinAddress(genesis.bitcoin.network, String(answer.address)));
  const txid = reversed(fromHex(await bitcoin.pay(script, deposit)));
  const id = eventId(genesis.networkId, genesis.bitcoin.chain, undefined, txid, 0);
  await bitcoin.mine(genesis.params.creditDepth - 1);
  await sleep(1_000);
  const other = nodeAt(must(network.operators[1], "another operator").nodeUrl);
  const before = new Set((await other.utxos(alice.lock)).map(({ id: one }) => toHex(one.txid)));
  const began = performance.now();
  await bitcoin.mine(1);
  const sent = await until("spendable coins", () => spend(trip, other, before), { everyMs });
  const took = performance.now() - began;
  await until("the payment to be final", async () =>
    (await other.transaction(sent)).status === "final" ? true : undefined,
  );
  const inbound = await record(trip.node, inbounds, id);
  if (inbound?.status !== inboundStatus.minted) throw new Error("another deposit was credited");
  return took;
}

/** Alice pays the new coin to herself at another operator's node: accepted, or not yet. */
async function spend(
  trip: Trip,
  node: NodeClient,
  before: ReadonlySet<string>,
): Promise<Uint8Array | undefined> {
  const { network, alice } = trip;
  const { genesis } = network;
  const all = await node.utxos(alice.lock);
  const bbtc = must(assetId(genesis, "BBTC"), "BBTC");
  const fresh = all.find(
    ({ id, output }) => !before.has(toHex(id.txid)) && toHex(output.asset) === toHex(bbtc),
  );
  if (fresh === undefined) return undefined;
  const coins = all.filter((coin) => coin === fresh || toHex(coin.output.asset) !== toHex(bbtc));
  const { amount } = fresh.output;
  const { time } = await node.status();
  const payments = [{ asset: bbtc, amount, lock: alice.lock }];
  const wish: Wish = { payments, change: alice.lock, expires: time + 60_000 };
  const planned = accepted(planTransaction(genesis, coins, wish));
  const secret = must(network.secrets.users[0], "alice's key");
  const signed = accepted(signTransaction(planned.unsigned, [secret]));
  return accepted(await node.submit(transactionCodec.encode(signed))).id;
}

/** Mines until no plan is open: every coin is free for the next. */
async function settleAll(trip: Trip): Promise<void> {
  let mined = performance.now();
  await until("every plan to be final", async () => {
    const open = await record(trip.node, lists, listNames.plans);
    if ((open?.ids.length ?? 0) === 0) return true;
    if (performance.now() - mined > 700) {
      mined = performance.now();
      await trip.bitcoin.mine(1);
    }
    return undefined;
  });
}

/** One burn; the time until its Bitcoin transaction is in the mempool. */
async function broadcast(trip: Trip): Promise<number> {
  const { network, alice, bbtc } = trip;
  const call = rpcClient({
    url: network.bitcoin.url,
    auth: { cookieFile: network.bitcoin.cookieFile },
  });
  const destination = { chain: network.genesis.bitcoin.chain, payload: trip.bitcoin.script };
  const began = performance.now();
  const sent = alice.burn({ asset: bbtc, amount: burn, destination, maxFee });
  await until(
    "the broadcast",
    async () => (((await call("getrawmempool", [])) as string[]).length > 0 ? true : undefined),
    { everyMs },
  );
  const took = performance.now() - began;
  await sent;
  call.close();
  await trip.bitcoin.mine(network.genesis.params.finalDepth);
  await settleAll(trip);
  return took;
}
