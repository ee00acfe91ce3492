// Random users on one ledger with several assets and locks: whatever they send, no unit of any asset is made or lost,
// and the proposer's block is valid for everyone else.
import { bytes32, fromBigEndian, isRejected, keyOf, must, utf8 } from "@causeway/primitives";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Action, IssuedDefinition, Output, OutputId } from "../codec/action.ts";
import {
  createCodec,
  issueCodec,
  kinds,
  memoCodec,
  retireCodec,
  spendCodec,
} from "../codec/action.ts";
import { transactionCodec, transactionId } from "../codec/transaction.ts";
import { issuedAssetId, issuedAssets } from "./assets/issued.ts";
import { assetId, btm } from "./assets.ts";
import { buildBlock } from "./build.ts";
import { economy } from "./economy.ts";
import type { TestChain } from "./epoch/testing.ts";
import { extend, nextBlock, testChain, tryBlock } from "./epoch/testing.ts";
import { baseFeeOf } from "./fees/base-fee.ts";
import { accountOf, isBalanced, move } from "./interchain/accounting.ts";
import { lockOf, lockTerms } from "./locks.ts";
import type { MemoryState } from "./memory-state.ts";
import { overlay } from "./overlay.ts";
import type { KnownLock } from "./sign.ts";
import { signTransaction, unsignedTransaction } from "./sign.ts";
import {
  testGenesis,
  testHash,
  testLock,
  testSecret,
  testUsers,
  validatorSecret,
} from "./testing.ts";
import { emptyTree, root, update } from "./tree.ts";
import { outputs } from "./utxo/outputs.ts";

// A target that a handful of transactions passes, so that the base fee moves both ways.
const genesis = testGenesis(1, {
  ceremonyWindowMs: 86_400_000,
  baseFeeInitial: 4_000n,
  weightTarget: 3_000,
});
const own = btm(genesis);
const bbtc = must(assetId(genesis, "BBTC"), "BBTC");
const users = testUsers.map(testSecret);
// And the proposer, whose tips are coins like any other.
const secrets = [...users, validatorSecret(0, "owner")];
const wrapped = 5_00000000n;

const gold: IssuedDefinition = {
  symbol: utf8("GOLD"),
  name: utf8("Gold in a vault"),
  decimals: 3,
  issuer: testLock("carol"),
  cap: 5_000n,
  isReissuable: true,
};
const goldId = issuedAssetId(genesis.networkId, gold);

function shared(threshold: number, opensAt: number): KnownLock {
  const keys = users.map((secret) => addressOf(publicPoint(secret)));
  const terms = lockTerms(keys, threshold, opensAt);
  if (isRejected(terms)) throw new Error(terms.message);
  return { lock: lockOf(genesis.networkId, terms), terms };
}
const known = [shared(2, 0), shared(1, genesis.time + 1_500)];
const locks = [...testUsers.map(testLock), ...known.map(({ lock }) => lock)];

type Coin = { readonly id: OutputId; readonly output: Output };

function coinsOf(state: MemoryState): Coin[] {
  const coins: Coin[] = [];
  for (const { key, value } of state.entries())
    if (key[0] === 1 && key[1] === 1) {
      const id = { txid: key.slice(2, 34), index: Number(fromBigEndian(key.slice(34))) };
      coins.push({ id, output: outputs.codec.decode(value) });
    }
  return coins.sort(
    (a, b) => keyOf(a.id.txid).localeCompare(keyOf(b.id.txid)) || a.id.index - b.id.index,
  );
}

/** Which coins, to whom, what else, and how much of each asset is left over or too much. */
const wish = fc.record({
  picks: fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 5 }),
  to: fc.array(fc.nat(4), { minLength: 1, maxLength: 3 }),
  extra: fc.constantFrom(0n, 0n, 0n, 0n, -1n, 1n, 100_000_000_000n),
  fee: fc.constantFrom(1_000_000n, 20_000n, 20_000n, 10n),
  payer: fc.nat(4),
  issue: fc.constantFrom(0n, 0n, 1n, 1_000n, 6_000n),
  retire: fc.constantFrom(0n, 1n, 500n),
});
type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;

/** The sums of what is spent and issued, less the fee and what is retired, in equal outputs for each asset. */
function transactionOf(coins: readonly Coin[], of: Wish, expires: number): Uint8Array | undefined {
  const chosen = [...new Set(of.picks.map((pick) => pick % coins.length))].map(
    (i) => coins[i] as Coin,
  );
  const sums = new Map<string, { asset: Uint8Array; sum: bigint }>();
  const add = (asset: Uint8Array, value: bigint): void => {
    const sum = (sums.get(keyOf(asset))?.sum ?? 0n) + value;
    sums.set(keyOf(asset), { asset, sum });
  };
  for (const { output } of chosen) add(output.asset, output.amount);
  if (of.issue > 0n) add(goldId, of.issue);
  const retire = sums.has(keyOf(goldId)) ? of.retire : 0n;
  add(goldId, -retire);
  // Of any asset that is there, also of one that pays no fees.
  add(must(chosen[of.payer % chosen.length], "coin").output.asset, -of.fee);
  const created: Output[] = [];
  for (const { asset, sum } of sums.values()) {
    if (sum < 0n) return undefined;
    const each = sum / BigInt(of.to.length);
    for (const [i, to] of of.to.entries()) {
      const rest = i === 0 ? sum - each * BigInt(of.to.length) + of.extra : 0n;
      const lock = bytes32(locks[to] ?? testLock("alice"));
      if (each + rest > 0n) created.push({ asset, amount: each + rest, lock });
    }
  }
  const actions: Action[] = [
    { kind: kinds.spend, body: spendCodec.encode({ inputs: chosen.map(({ id }) => id) }) },
    { kind: kinds.create, body: createCodec.encode({ outputs: created }) },
    { kind: kinds.memo, body: memoCodec.encode({ text: utf8("a note") }) },
  ];
  if (of.issue > 0n) {
    const body = issueCodec.encode({ definition: gold, amount: of.issue });
    actions.push({ kind: kinds.issue, body });
  }
  if (retire > 0n) {
    const body = retireCodec.encode({ asset: goldId, amount: retire });
    actions.push({ kind: kinds.retire, body });
  }
  const spent = chosen.map(({ output }) => output);
  const unsigned = unsignedTransaction(genesis, actions, spent, expires);
  const tx = signTransaction(unsigned, secrets, known);
  if (isRejected(tx)) throw new Error(tx.message);
  expect(transactionId(genesis.networkId, tx)).toEqual(unsigned.id);
  return transactionCodec.encode(tx);
}

/** A chain on which the users hold wrapped bitcoins, too. */
function start(): TestChain {
  const chain = testChain(genesis);
  const state = overlay(chain.state);
  for (const [index, lock] of locks.entries()) {
    const txid = testHash(genesis.networkId, 1);
    outputs.put(state, { txid, index }, { asset: bbtc, amount: wrapped, lock });
    move(state, bbtc, { supply: wrapped, coins: wrapped });
  }
  const puts = [...state.changes().values()];
  chain.state.write(puts);
  chain.tree = update(chain.tree, puts);
  return chain;
}

function sumOf(coins: readonly Coin[], asset: Uint8Array): bigint {
  const ours = coins.filter(({ output }) => keyOf(output.asset) === keyOf(asset));
  return ours.reduce((sum, { output }) => sum + output.amount, 0n);
}

function checkSums(state: MemoryState): void {
  const coins = coinsOf(state);
  const { issued, ...rest } = must(economy.get(state, "only"), "economy");
  expect(sumOf(coins, own)).toBe(issued - Object.values(rest).reduce((a, b) => a + b, 0n));
  const account = accountOf(state, bbtc);
  expect(sumOf(coins, bbtc)).toBe(account.supply);
  expect(isBalanced(account) && !account.halted).toBe(true);
  const record = issuedAssets.get(state, goldId) ?? { issued: 0n, retired: 0n };
  expect(sumOf(coins, goldId)).toBe(record.issued - record.retired);
  expect(record.issued - record.retired).toBeLessThanOrEqual(gold.cap);
}

test("no list of transactions makes or loses value, and what is built is valid", () => {
  const seen = { taken: 0, left: 0, inKind: 0, issues: 0, retired: 0, shared: 0, rises: 0 };
  const run = (blocks: readonly (readonly Wish[])[]): void => {
    const chain = start();
    for (const wishes of blocks) {
      const at = { height: chain.height + 1, time: chain.time + 500 };
      const { params } = genesis;
      const coins = coinsOf(chain.state);
      const candidates = wishes.flatMap((of) => transactionOf(coins, of, at.time) ?? []);
      const { header, ...votes } = nextBlock(chain);
      const made = buildBlock(
        chain.env,
        chain.state,
        chain.tree,
        { ...votes, ...header },
        candidates,
      );
      if (isRejected(made)) throw new Error(made.message);
      const built = [...made.transactions];
      const applied = tryBlock(chain, { transactions: built });
      expect(made.applied).toEqual(applied);
      seen.taken += built.length;
      seen.left += candidates.length - built.length;
      const before = baseFeeOf(chain.state, params);
      const { reserve } = accountOf(chain.state, bbtc);
      extend(chain, { transactions: built });
      const after = baseFeeOf(chain.state, params);
      if (after > before) seen.rises += 1;
      expect(after).toBeGreaterThanOrEqual(params.baseFeeMin);
      expect(after > before ? after - before : before - after).toBeLessThanOrEqual(before / 8n);
      if (accountOf(chain.state, bbtc).reserve > reserve) seen.inKind += 1;
      checkSums(chain.state);
      // The tree kept by increments is the tree of the whole content.
      expect(root(update(emptyTree, chain.state.entries()))).toEqual(root(chain.tree));
      seen.shared += built.filter((bytes) =>
        transactionCodec.decode(bytes).witnesses.some(({ length }) => length > 65),
      ).length;
    }
    const record = issuedAssets.get(chain.state, goldId);
    if (record !== undefined) seen.issues += 1;
    if ((record?.retired ?? 0n) > 0n) seen.retired += 1;
  };
  const block = fc.array(wish, { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(fc.array(block, { minLength: 1, maxLength: 6 }), run), { numRuns: 100 });
  expect(seen.taken).toBeGreaterThan(150);
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(4);
});
