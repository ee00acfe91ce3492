// Transfers by the straight path and by the general one, which a protocol with copies of the same rules takes: the same
// verdict and the same writes, whatever is sent.
import { bytes32, isRejected, keyOf, must } from "@causeway/primitives";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Output, OutputId } from "../codec/action.ts";
import { createCodec, kinds, memoCodec, spendCodec } from "../codec/action.ts";
import { transactionCodec } from "../codec/transaction.ts";
import { assetId, btm } from "./assets.ts";
import { checkTransaction } from "./check.ts";
import { blockContext } from "./context.ts";
import { ledgerEnv } from "./env.ts";
import { executeTransaction } from "./execute.ts";
import { genesisState } from "./genesis-state.ts";
import { supportedVersion } from "./governance/version.ts";
import { lockOf, lockTerms } from "./locks.ts";
import { memoryState } from "./memory-state.ts";
import { overlay } from "./overlay.ts";
import { parseTransaction } from "./parsed.ts";
import { rules } from "./rules.ts";
import { signTransaction, unsignedTransaction } from "./sign.ts";
import { testBls, testGenesis, testHash, testLock, testSecret, testUsers } from "./testing.ts";
import { judgeTransfer } from "./transfer.ts";
import { outputs } from "./utxo/outputs.ts";
import { protocolOf } from "./versions.ts";

const genesis = testGenesis(1);
const at = { height: 1, time: genesis.time + 1_000 };
const general = protocolOf(
  supportedVersion,
  rules.map((rule) => ({ ...rule })),
);

const keys = testUsers.map((name) => addressOf(publicPoint(testSecret(name))));
const terms = [lockTerms(keys, 2), lockTerms(keys, 1, at.time + 1)].map((of) => {
  if (isRejected(of)) throw new Error(of.message);
  return { lock: lockOf(genesis.networkId, of), terms: of };
});
const locks = [...testUsers.map(testLock), ...terms.map(({ lock }) => lock)];
const assets = [
  btm(genesis),
  must(assetId(genesis, "BBTC"), "BBTC"),
  bytes32(new Uint8Array(32).fill(9)),
];

/** One output of each asset under each lock, of 10 million units. */
const coins: { id: OutputId; output: Output }[] = assets.flatMap((asset, a) =>
  locks.map((lock, index) => ({
    id: { txid: testHash(genesis.networkId, a), index },
    output: { asset, amount: 10_000_000n, lock },
  })),
);
const state = memoryState(genesisState(genesis));
const filled = overlay(state);
for (const { id, output } of coins) outputs.put(filled, id, output);
state.write(filled.differences());

const often = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, fc.constantFrom(usual, ...others));
/** What is sent: mostly right, each thing wrong at times. */
const wish = fc.record({
  picks: fc.array(fc.oneof(fc.nat(2), fc.nat(coins.length - 1)), { minLength: 1, maxLength: 3 }),
  unknown: often(false, true),
  to: fc.array(fc.nat(locks.length - 1), { minLength: 1, maxLength: 3 }),
  toNobody: often(false, true),
  fee: often(1_000_000n, 0n, 1n, -1n, 4_000n, 10_000_000n),
  zero: often(false, true),
  expires: often(at.time + 60_000, at.time, at.time - 1, at.time + genesis.params.expiryMaxMs + 1),
  shape: often("transfer", "memo", "split", "swapped", "no create"),
  flip: often(-1, 0, 31, 63, 64),
  cut: often(0, 1, 1, 1),
});

type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;

function actionsOf(of: Wish, ids: readonly OutputId[], made: readonly Output[]) {
  const spend = (inputs: readonly OutputId[]) => ({
    kind: kinds.spend,
    body: spendCodec.encode({ inputs: [...inputs] }),
  });
  const create = { kind: kinds.create, body: createCodec.encode({ outputs: [...made] }) };
  const memo = { kind: kinds.memo, body: memoCodec.encode({ text: new Uint8Array(3).fill(65) }) };
  switch (of.shape) {
    case "memo":
      return [spend(ids), create, memo];
    case "split":
      return [spend(ids.slice(0, 1)), spend(ids.slice(1)), create];
    case "swapped":
      return [create, spend(ids)];
    case "no create":
      return [spend(ids)];
    default:
      return [spend(ids), create];
  }
}

function bytesOf(of: Wish): Uint8Array {
  const chosen = of.picks.map((pick) => must(coins[pick], "coin"));
  const ids = chosen.map(({ id }, i) =>
    of.unknown && i === 0 ? { txid: testHash(genesis.networkId, 99), index: 0 } : id,
  );
  const spent = chosen.map(({ output }) => output);
  const sums = new Map<string, bigint>();
  for (const { asset, amount } of spent)
    sums.set(keyOf(asset), (sums.get(keyOf(asset)) ?? 0n) + amount);
  const first = must(spent[0], "coin").asset;
  sums.set(keyOf(first), (sums.get(keyOf(first)) ?? 0n) - of.fee);
  const made = [...sums].flatMap(([name, sum]) => {
    const asset = must(
      assets.find((one) => keyOf(one) === name),
      "asset",
    );
    return of.to.map((to, i): Output => {
      const each = sum / BigInt(of.to.length);
      const amount = i > 0 ? each : sum - each * BigInt(of.to.length - 1);
      return { asset, amount, lock: must(locks[to], "lock") };
    });
  });
  const [one] = made;
  if (one !== undefined && of.zero) one.amount = 0n;
  if (one !== undefined && of.toNobody) one.lock = new Uint8Array(32);
  const unsigned = unsignedTransaction(genesis, actionsOf(of, ids, made), spent, of.expires);
  const tx = signTransaction(unsigned, testUsers.map(testSecret), terms);
  if (isRejected(tx)) throw new Error(tx.message);
  const [witness] = tx.witnesses;
  if (witness !== undefined && of.flip >= 0)
    witness.set([must(witness[of.flip], "byte") ^ 1], of.flip);
  if (of.cut > 0) tx.witnesses.pop();
  return transactionCodec.encode(tx);
}

function outcome(protocol: typeof general | undefined, bytes: Uint8Array): unknown {
  const env = ledgerEnv(genesis, testBls, protocol);
  const checked = checkTransaction(env, state, at, bytes);
  const block = overlay(state);
  const executed = executeTransaction(env, blockContext(env, block, at), bytes);
  const told = [checked, executed].map((one) => ({ ...one, write: undefined }));
  return { told, puts: block.differences(), names: [...block.changes().keys()] };
}

test("the straight path gives what the general one gives", () => {
  const env = ledgerEnv(genesis, testBls);
  const codes = new Map<string, number>();
  fc.assert(
    fc.property(wish, (of) => {
      const bytes = bytesOf(of);
      const parsed = parseTransaction(env, bytes);
      if (isRejected(parsed)) throw new Error(parsed.message);
      expect(outcome(undefined, bytes)).toEqual(outcome(general, bytes));
      const judged = judgeTransfer(env, blockContext(env, overlay(state), at), parsed, bytes);
      const code = judged === undefined ? "general" : isRejected(judged) ? judged.code : "transfer";
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }),
    { numRuns: 400 },
  );
  for (const code of ["general", "transfer", "bad-signature", "wrong-witness-count"])
    expect(codes.get(code) ?? 0, code).toBeGreaterThan(0);
});
