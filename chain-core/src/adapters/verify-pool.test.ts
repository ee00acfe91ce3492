// Threads find of each transaction what the ledger finds, and nothing else; what nobody needs any more they leave.
import { spawnSync } from "node:child_process";
import type { Log } from "@causeway/primitives";
import { isRejected, keyOf, sha256, utf8 } from "@causeway/primitives";
import { afterAll, expect, test } from "vitest";
import { createCodec, kinds, spendCodec } from "../codec/action.ts";
import { transactionBytesHash, transactionCodec } from "../codec/transaction.ts";
import { verifyAhead } from "../ledger/ahead.ts";
import { btm } from "../ledger/assets.ts";
import { checkTransaction } from "../ledger/check.ts";
import type { Job, LedgerEnv } from "../ledger/env.ts";
import { ledgerEnv } from "../ledger/env.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import { memoryState } from "../ledger/memory-state.ts";
import { signTransaction, unsignedTransaction } from "../ledger/sign.ts";
import { testBls, testGenesis, testLock, testSecret } from "../ledger/testing.ts";
import { outputs } from "../ledger/utxo/outputs.ts";
import { verifyPool } from "./verify-pool.ts";

const genesis = testGenesis(4);
const state = memoryState(genesisState(genesis));
const next = { height: 1, time: genesis.time + 1 };
const quiet = (): void => {};
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => log };
const pool = verifyPool(genesis, 2, log);
afterAll(pool.close);

const asset = btm(genesis);
const lock = testLock("alice");

/** Spends its own output number `i`; signed by its owner, or by somebody else. */
function payment(i: number, signer = "alice"): Uint8Array {
  const id = { txid: sha256(utf8(`coin ${i}`)), index: 0 };
  const coin = { asset, amount: 1_000_000_000n, lock };
  outputs.put(state, id, coin);
  const output = { asset, amount: 900_000_000n, lock: testLock("bob") };
  const actions = [
    { kind: kinds.spend, body: spendCodec.encode({ inputs: [id] }) },
    { kind: kinds.create, body: createCodec.encode({ outputs: [output] }) },
  ];
  const spent = [{ ...coin, lock: testLock(signer) }];
  const tx = signTransaction(unsignedTransaction(genesis, actions, spent, next.time + 60_000), [
    testSecret(signer),
  ]);
  if (isRejected(tx)) throw new Error(tx.message);
  return transactionCodec.encode(tx);
}

/** What a ledger without helpers remembers of those that it finds good. */
function ownFindings(transactions: readonly Uint8Array[]): Map<string, string> {
  const found = new Map<string, string>();
  const verified: LedgerEnv["verified"] = {
    has: () => false,
    add: (of, how) => found.set(of, how),
    knows: () => false,
  };
  const env: LedgerEnv = { ...ledgerEnv(genesis, testBls), verified };
  for (const bytes of transactions) checkTransaction(env, state, next, bytes);
  return found;
}

async function taken(count: number): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const until = Date.now() + 20_000; found.size < count && Date.now() < until; ) {
    for (const [of, how] of pool.take()) found.set(of, how);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return found;
}

test("threads find what the ledger finds, and do not find what it refuses", async () => {
  const good = Array.from({ length: 69 }, (_, i) => payment(i));
  const bad = [payment(100, "bob"), Uint8Array.of(1, 2, 3)];
  const env = { ...ledgerEnv(genesis, testBls), helpers: pool };
  verifyAhead(env, state, [...good.slice(0, 40), ...bad, ...good.slice(40)]);
  const own = ownFindings([...good, ...bad]);
  expect(own.size).toBe(69);
  expect(await taken(69)).toEqual(own);
  expect(pool.take()).toEqual([]);
});

test("the ledger's answers are the same with helpers", async () => {
  const transactions = Array.from({ length: 64 }, (_, i) =>
    payment(200 + i, i === 60 ? "bob" : "alice"),
  );
  const codes = (env: LedgerEnv): unknown[] =>
    transactions.map((bytes) => {
      const checked = checkTransaction(env, state, next, bytes);
      return isRejected(checked) ? checked.code : checked.id;
    });
  const helped = ledgerEnv(genesis, testBls, undefined, pool);
  verifyAhead(helped, state, transactions);
  expect(codes(helped)).toEqual(codes(ledgerEnv(genesis, testBls)));
});

test("what the ledger did itself is left, and a good one is done after it", async () => {
  const first = Array.from({ length: 4 }, (_, i) => jobOf(payment(300 + i)));
  const slow = verifyPool(genesis, 1, log);
  slow.give(genesis, first);
  // Before the thread has even started.
  for (const { of } of first) slow.done(of);
  const second = [jobOf(payment(310))];
  slow.give(genesis, second);
  const found: string[] = [];
  for (const until = Date.now() + 20_000; found.length === 0 && Date.now() < until; ) {
    for (const [of] of slow.take()) found.push(of);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(found).toEqual(second.map(({ of }) => of));
  await slow.close();
});

function jobOf(bytes: Uint8Array): Job {
  const tx = transactionCodec.decode(bytes);
  const records = tx.actions.flatMap(({ kind, body }) =>
    kind !== kinds.spend
      ? []
      : spendCodec.decode(body).inputs.flatMap((id) => state.get(outputs.key(id)) ?? []),
  );
  return { of: keyOf(transactionBytesHash(bytes)), bytes, records };
}

test("a process that waits for its threads to end does not end before them", () => {
  const file = JSON.stringify(new URL("./verify-pool.ts", import.meta.url).href);
  const code = `import(${file}).then(async ({ verifyPool }) => {
    await verifyPool({}, 1, console).close();
    process.exitCode = 7;
  });`;
  expect(spawnSync(process.execPath, ["-e", code]).status).toBe(7);
});
