// What the RPC says of a transaction that waits no more, over HTTP.
import { isRejected, must } from "@causeway/primitives";
import { afterAll, beforeAll, expect, test } from "vitest";
import { planTransaction } from "../client.ts";
import { transactionCodec } from "../codec/transaction.ts";
import { btm } from "../ledger/assets.ts";
import { signTransaction } from "../ledger/sign.ts";
import { testLock, testSecret } from "../ledger/testing.ts";
import type { RunningNode } from "./run-node.ts";
import { runNode } from "./run-node.ts";
import type { TestNetwork } from "./testing.ts";
import { testClient, testNetwork } from "./testing.ts";

let network: TestNetwork;
let node: RunningNode;
let client: ReturnType<typeof testClient>;
const alice = testLock("alice");

beforeAll(async () => {
  // So long after a block two transactions meet in the mempool.
  network = testNetwork(1, { heartbeatMs: 1_000, blockIntervalMs: 1_000 });
  node = await runNode(network.config(0, []));
  client = testClient(Number(new URL(String(node.ready.rpc)).port));
});
afterAll(async () => {
  client.close();
  await node.stop();
  network.remove();
});

/** Alice's payment of `amount` to herself at `percent` of the estimated rate. */
async function payment(
  amount: bigint,
  percent: bigint,
): Promise<{ readonly id: Uint8Array; readonly bytes: Uint8Array }> {
  const { genesis } = network;
  const { time } = await client.status();
  const planned = planTransaction(genesis, await client.utxos(alice), {
    payments: [{ asset: btm(genesis), amount, lock: alice }],
    change: alice,
    expires: time + 60_000,
    feeRate: (genesis.params.baseFeeInitial * percent) / 100n,
  });
  if (isRejected(planned)) throw new Error(planned.message);
  const signed = signTransaction(planned.unsigned, [testSecret("alice")]);
  if (isRejected(signed)) throw new Error(signed.message);
  return { id: planned.unsigned.id, bytes: transactionCodec.encode(signed) };
}

test("a transaction that was outbid is replaced, and names by which", async () => {
  const [first, second] = [await payment(1n, 200n), await payment(2n, 400n)];
  await client.waitForHeight((await client.status()).height + 1, 5_000);
  const answers = await client.submitMany([first.bytes, second.bytes]);
  expect(answers.map(({ id }) => id)).toEqual([first.id, second.id]);
  const { status, by } = await client.transaction(first.id);
  expect([status, by]).toEqual(["replaced", second.id]);
  // Of four times the base fee three are a tip.
  const fees = await client.ask("fees", {});
  const { count, p50 } = fees.recent.count === 0 ? fees.waiting : fees.recent;
  expect([count, p50 > 2n * fees.baseFee]).toEqual([1, true]);
  const found = await client.transaction(second.id);
  expect(["pending", "final"]).toContain(found.status);
  expect(must(found.bytes, "bytes")).toEqual(second.bytes);
  expect((await client.transaction(new Uint8Array(32).fill(9))).status).toBe("unknown");
});
