import { concat, InvariantError, isRejected, keyOf, must } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Action, Output, OutputId } from "../codec/action.ts";
import { createCodec, kinds, spendCodec } from "../codec/action.ts";
import type { Block, Header } from "../codec/block.ts";
import { transactionsRoot, votesRoot } from "../codec/block.ts";
import type { Transaction } from "../codec/transaction.ts";
import { transactionCodec, transactionId } from "../codec/transaction.ts";
import type { Applied } from "./apply.ts";
import { applyBlock } from "./apply.ts";
import { btm } from "./assets.ts";
import { buildBlock } from "./build.ts";
import { checkTransaction } from "./check.ts";
import { economy } from "./economy.ts";
import { ledgerEnv } from "./env.ts";
import { feeAt } from "./fees/base-fee.ts";
import { tipOutputTxid } from "./fees/settle.ts";
import { weightOf } from "./fees/weight.ts";
import { genesisState } from "./genesis-state.ts";
import { genesisVersion } from "./governance/version.ts";
import type { MemoryState } from "./memory-state.ts";
import { memoryState } from "./memory-state.ts";
import { signTransaction, unsignedTransaction } from "./sign.ts";
import { testBls, testGenesis, testLock, testSecret } from "./testing.ts";
import type { Tree } from "./tree.ts";
import { emptyTree, root, update } from "./tree.ts";
import { utxoCommitment } from "./utxo/commitment.ts";
import { outputs } from "./utxo/outputs.ts";

const genesis = testGenesis(4);
const env = ledgerEnv(genesis, testBls);
const own = btm(genesis);
const initial = genesisState(genesis);
const at = { height: 1, time: genesis.time + 1_000 };

function start(): { state: MemoryState; tree: Tree } {
  return { state: memoryState(initial), tree: update(emptyTree, initial) };
}

const votes = { certificate: [], late: [] };

const genesisCommitment = utxoCommitment(memoryState(genesisState(genesis)));

function block(of: Header, transactions: Uint8Array[]): Block {
  return { header: of, ...votes, transactions };
}

function header(
  tree: Tree,
  transactions: readonly Uint8Array[],
  time: number = at.time,
  commitment: Uint8Array = genesisCommitment,
): Header {
  const zero = new Uint8Array(32);
  return {
    version: genesisVersion,
    height: 1,
    time,
    parent: zero,
    proposer: 0,
    transactionsRoot: transactionsRoot(genesis.networkId, transactions),
    stateRoot: root(tree),
    utxoCommitment: commitment,
    votesRoot: votesRoot(genesis.networkId, votes),
    snapshotRoot: zero,
    committee: zero,
    nextCommittee: zero,
  };
}

const spend = (inputs: OutputId[]): Action => ({
  kind: kinds.spend,
  body: spendCodec.encode({ inputs }),
});
const create = (...created: Output[]): Action => ({
  kind: kinds.create,
  body: createCodec.encode({ outputs: created }),
});

/** The output that the genesis gave to a user. */
function initialOutput(state: MemoryState, name: string): { id: OutputId; output: Output } {
  const lock = testLock(name);
  for (const index of [0, 1, 2]) {
    const id = { txid: genesisTxid(), index };
    const output = outputs.get(state, id);
    if (output !== undefined && Buffer.from(output.lock).equals(lock)) return { id, output };
  }
  throw new Error(`no output of ${name}`);
}

function genesisTxid(): Uint8Array {
  const put = must(
    initial.find(({ key }) => key[0] === 1 && key[1] === 1),
    "genesis output",
  );
  return put.key.slice(2, 34);
}

function transfer(
  state: MemoryState,
  from: string,
  to: string,
  amount: bigint,
  fee: bigint = 100_000n,
): Transaction {
  const { id, output } = initialOutput(state, from);
  const unsigned = unsignedTransaction(
    genesis,
    [
      spend([id]),
      create(
        { asset: own, amount, lock: testLock(to) },
        { asset: own, amount: output.amount - amount - fee, lock: testLock(from) },
      ),
    ],
    [output],
    at.time + 1000,
  );
  const tx = signTransaction(unsigned, [testSecret(from)]);
  if (isRejected(tx)) throw new Error(tx.message);
  return tx;
}

/** One signature, one output more than inputs. */
function weightOfTransfer(bytes: Uint8Array): number {
  return weightOf({ size: bytes.length, signatures: 1, inputs: 1, outputs: 2, growth: 0 });
}

const bytesOf = (tx: Transaction): Uint8Array => transactionCodec.encode(tx);

function applied(result: unknown): Applied {
  if (isRejected(result)) throw new Error(`${result.code}: ${result.message}`);
  return result as Applied;
}

describe("a block", () => {
  test("moves value, burns the fee and keeps the sum", () => {
    const { state, tree } = start();
    const tx = bytesOf(transfer(state, "alice", "bob", 5_00000000n));
    const result = applied(applyBlock(env, state, tree, block(header(tree, [tx]), [tx])));
    state.write(result.puts);
    expect(result.receipts).toHaveLength(1);
    // The base fee of its weight is gone, the rest is the proposer's (ACC-2).
    const least = feeAt(genesis.params.baseFeeInitial, weightOfTransfer(tx));
    expect(economy.get(state, "only")?.burnt).toBe(least);
    const tip = { txid: tipOutputTxid(genesis.networkId, 1), index: 0 };
    expect(outputs.get(state, tip)).toEqual({
      asset: own,
      amount: 100_000n - least,
      lock: must(genesis.validators[0], "validator").owner,
    });
    let sum = 0n;
    for (const { key, value } of state.entries())
      if (key[0] === 1 && key[1] === 1) sum += outputs.codec.decode(value).amount;
    const { issued, ...rest } = must(economy.get(state, "only"), "economy");
    expect(sum).toBe(issued - Object.values(rest).reduce((a, b) => a + b, 0n));
    expect(root(result.tree)).not.toEqual(root(tree));
  });

  test("spends an output once, within a block and after it", () => {
    const { state, tree } = start();
    const first = bytesOf(transfer(state, "alice", "bob", 1n));
    const second = bytesOf(transfer(state, "alice", "carol", 1n));
    const both = [first, second];
    const twice = applyBlock(env, state, tree, block(header(tree, both), both));
    expect(twice).toMatchObject({ code: "missing-output" });
    const once = applied(applyBlock(env, state, tree, block(header(tree, [first]), [first])));
    state.write(once.puts);
    const next = header(once.tree, [second], at.time, utxoCommitment(state));
    const late = applyBlock(env, state, once.tree, block(next, [second]));
    expect(late).toMatchObject({ code: "missing-output" });
  });

  test("is rejected for a wrong state root, transactions root, version or commitment", () => {
    const { state, tree } = start();
    const good = header(tree, []);
    const one = new Uint8Array(32).fill(1);
    for (const bad of [
      { stateRoot: one },
      { transactionsRoot: one },
      { version: 2 },
      { utxoCommitment: one },
    ])
      expect(applyBlock(env, state, tree, block({ ...good, ...bad }, []))).toMatchObject({
        code: "bad-header",
      });
    applied(applyBlock(env, state, tree, block(good, [])));
  });
});

describe("a user's transaction", () => {
  const check = (state: MemoryState, tx: Transaction, time: number = at.time): unknown =>
    checkTransaction(env, state, { ...at, time }, bytesOf(tx));

  test("is accepted by the mempool with its id, weight and fee", () => {
    const { state } = start();
    const tx = transfer(state, "alice", "bob", 1n);
    expect(check(state, tx)).toMatchObject({
      id: transactionId(genesis.networkId, tx),
      weight: weightOfTransfer(bytesOf(tx)),
      fee: 100_000n,
    });
  });

  test("needs the signature of the owner over what it does", () => {
    const { state } = start();
    const tx = transfer(state, "alice", "bob", 1n);
    const other = transfer(state, "alice", "bob", 2n);
    const mixed = { ...tx, witnesses: other.witnesses };
    expect(check(state, mixed)).toMatchObject({ code: "bad-signature" });
    expect(check(state, { ...tx, witnesses: [] })).toMatchObject({ code: "wrong-witness-count" });
    const [witness = new Uint8Array(0)] = tx.witnesses;
    const two = { ...tx, witnesses: [witness, witness] };
    expect(check(state, two)).toMatchObject({ code: "wrong-witness-count" });
    const highV = concat(witness.subarray(0, 64), Uint8Array.of(0));
    expect(check(state, { ...tx, witnesses: [highV] })).toMatchObject({ code: "bad-signature" });
  });

  test("expires, and cannot be valid too far ahead", () => {
    const { state } = start();
    const tx = transfer(state, "alice", "bob", 1n);
    expect(check(state, tx, tx.expires)).not.toMatchObject({ kind: "rejected" });
    expect(check(state, tx, tx.expires + 1)).toMatchObject({ code: "expired" });
    const early = tx.expires - genesis.params.expiryMaxMs - 1;
    expect(check(state, tx, early)).toMatchObject({ code: "expires-too-late" });
  });

  test("pays at least the base fee and never more than it takes", () => {
    const { state } = start();
    expect(check(state, transfer(state, "alice", "bob", 1n, 10n))).toMatchObject({
      code: "fee-too-low",
    });
    const { id, output } = initialOutput(state, "alice");
    const unsigned = unsignedTransaction(
      genesis,
      [spend([id]), create({ ...output, amount: output.amount - 1n })],
      [output],
      at.time,
    );
    const inflated = {
      ...unsigned.tx,
      actions: [spend([id]), create({ ...output, amount: output.amount + 1n })],
      witnesses: [new Uint8Array(65)],
    };
    expect(check(state, inflated)).toMatchObject({ code: "unbalanced" });
    const foreign = {
      ...unsigned.tx,
      actions: [spend([id]), create({ ...output, asset: new Uint8Array(32), amount: 1n })],
      witnesses: [new Uint8Array(65)],
    };
    expect(check(state, foreign)).toMatchObject({ code: "unbalanced" });
  });

  test("is rejected with a code for every malformed shape", () => {
    const { state } = start();
    const tx = transfer(state, "alice", "bob", 1n);
    const { id } = initialOutput(state, "alice");
    const cases: [string, Action[]][] = [
      ["no-actions", []],
      ["unknown-action", [{ kind: 999, body: new Uint8Array(0) }]],
      ["no-inputs", [create({ asset: own, amount: 1n, lock: testLock("bob") })]],
      ["repeated-input", [spend([id, id])]],
      ["repeated-input", [spend([id]), spend([id])]],
      ["missing-output", [spend([{ ...id, index: 99 }])]],
      ["bad-bytes", [{ kind: kinds.spend, body: new Uint8Array(3) }]],
    ];
    for (const [code, actions] of cases)
      expect(check(state, { ...tx, actions })).toMatchObject({ kind: "rejected", code });
    expect(checkTransaction(env, state, at, new Uint8Array(7))).toMatchObject({
      code: "bad-bytes",
    });
  });
});

test("no bytes make the check of a transaction throw", () => {
  const { state } = start();
  const valid = [
    bytesOf(transfer(state, "alice", "bob", 1n)),
    bytesOf({
      envelope: [{ validator: testLock("alice"), role: 2, sequence: 1 }],
      expires: at.time,
      actions: [{ kind: kinds.confirm, body: new Uint8Array(139) }],
      witnesses: [new Uint8Array(65)],
    }),
  ];
  const changed = fc
    .record({
      base: fc.constantFrom(...valid),
      changes: fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { maxLength: 4 }),
      cut: fc.option(fc.nat(), { nil: undefined }),
    })
    .map(({ base, changes, cut }) => {
      const bytes = Uint8Array.from(base);
      for (const change of changes) bytes[change.at % bytes.length] = change.byte;
      return cut === undefined ? bytes : bytes.slice(0, cut % bytes.length);
    });
  const check = (bytes: Uint8Array): void => {
    checkTransaction(env, state, at, bytes);
  };
  fc.assert(fc.property(changed, check), { numRuns: 2_000 });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), check), { numRuns: 500 });
});

describe("the proposer", () => {
  test("takes what is valid in order and leaves out the rest", () => {
    const { state, tree } = start();
    const first = bytesOf(transfer(state, "alice", "bob", 1n));
    const conflicting = bytesOf(transfer(state, "alice", "carol", 1n));
    const other = bytesOf(transfer(state, "bob", "carol", 1n));
    const draft = { ...header(tree, []), certificate: [], late: [] };
    const candidates = [first, new Uint8Array(100), conflicting, other, first];
    const built = buildBlock(env, state, tree, draft, candidates);
    if (isRejected(built)) throw new Error(built.message);
    const transactions = [...built.transactions];
    expect(transactions).toEqual([first, other]);
    const after = applied(
      applyBlock(env, state, tree, block(header(tree, transactions), transactions)),
    );
    expect(built.applied).toEqual(after);
  });

  test("is built without a transaction that throws, and with the others (CON-5)", () => {
    const { state, tree } = start();
    const [poison, good] = [
      transfer(state, "alice", "bob", 7n),
      transfer(state, "bob", "alice", 7n),
    ];
    const key = outputs.key(initialOutput(state, "alice").id);
    const trapped = {
      get: (of: Uint8Array) => {
        if (keyOf(of) === keyOf(key)) throw new InvariantError("trap");
        return state.get(of);
      },
    };
    const draft = { ...header(tree, []), certificate: [], late: [] };
    const built = buildBlock(env, trapped, tree, draft, [poison, good].map(bytesOf));
    expect(built).toMatchObject({ transactions: [bytesOf(good)] });
  });
});
