// Four signers look at what happened on Bitcoin, each on its own node (WIT-1 to 3).
import type { Attest, BitcoinFacts, ForeignEvent } from "@causeway/chain-core/interchain";
import {
  attestCodec,
  bitcoinDepositCodec,
  depositScript,
  encodeTransaction,
  eventIdOf,
  eventKinds,
  hintCodec,
  keys,
  kinds,
  proveInclusion,
  seatsOf,
  statementCodec,
  statementDigest,
  transactionCodec,
} from "@causeway/chain-core/interchain";
import {
  bytes32,
  compare,
  concat,
  isRejected,
  keyOf,
  must,
  sha256d,
  utf8,
} from "@causeway/primitives";
import { expect, test } from "vitest";
import { testBls } from "../../../chain-core/src/ledger/testing.ts";
import type { World } from "../testing.ts";
import { genesis, world } from "../testing.ts";
import { messageKinds, proposeCodec, seal } from "../wire.ts";

const { chain } = genesis.bitcoin;

function active(): World {
  const w = world();
  expect(w.runUntil(() => keys.get(w.ledger, 1)?.active === true, 30_000)).toBe(true);
  w.run(1_000);
  return w;
}

type Deposit = { readonly event: ForeignEvent; readonly facts: BitcoinFacts };

/** A block at `height` whose only transaction pays `amount` to a deposit address of key 1. */
function deposit(w: World, amount: bigint, height: number): Deposit {
  const { groupPoint } = must(keys.get(w.ledger, 1), "key");
  const refund = groupPoint.slice(1);
  const destination = { chain: bytes32(genesis.networkId), payload: new Uint8Array(32).fill(1) };
  const terms = { version: 1, destination, maxFee: 5_000n, refund };
  const script = depositScript(genesis, { ...terms, keyPoint: groupPoint });
  if (isRejected(script)) throw new Error(script.message);
  const none = new Uint8Array(0);
  const spent = { txid: sha256d(utf8(`coin ${amount}`)), vout: 0, script: none, sequence: 0 };
  const outputs = [{ amount, script: script.script }];
  const stripped = encodeTransaction({ version: 2, inputs: [spent], outputs, lockTime: 0 });
  const txid = sha256d(stripped);
  const header = concat(new Uint8Array(36), txid, new Uint8Array(12));
  const blockHash = sha256d(header);
  const inclusion = proveInclusion([stripped], 0);
  const body = bitcoinDepositCodec.encode({ ...terms, keyId: 1, amount, ...inclusion });
  const event = { kind: eventKinds.bitcoinDeposit, txid, index: 0, blockHash, height, body };
  const block = { hash: blockHash, header };
  return { event, facts: { kind: "bitcoin", tip: { hash: blockHash, height }, block } };
}

/** Every node shows these deposits, and no other block at their heights. */
function show(w: World, ...deposits: readonly Deposit[]): void {
  w.facts = (_, __, event) => {
    const found = deposits.find((one) => one.event.height === event.height);
    return found?.facts ?? must(deposits[0], "deposit").facts;
  };
}

function hint(w: World, seat: number, event: ForeignEvent): void {
  w.later(1, seat, { kind: "hint", bytes: hintCodec.encode({ chain, event, final: true }) });
}

/** Statements that a seat handed to its node, each once. */
function attested(w: World): { readonly seat: number; readonly attest: Attest }[] {
  const found = new Map<string, { readonly seat: number; readonly attest: Attest }>();
  for (const { seat, effect } of w.performed) {
    if (effect.kind !== "submit") continue;
    const action = must(transactionCodec.decode(effect.transaction).actions[0], "action");
    if (action.kind !== kinds.attest) continue;
    found.set(`${seat} ${keyOf(action.body)}`, { seat, attest: attestCodec.decode(action.body) });
  }
  return [...found.values()];
}

function codes(w: World, message: string): (string | undefined)[][] {
  return w.signers.map(({ logs }) =>
    logs.filter((line) => line.message === message).map(({ fields }) => fields.code as string),
  );
}

test("a true deposit is stated by a quorum within a tenth of a second of its hint", () => {
  const w = active();
  const one = deposit(w, 100_000n, 4);
  show(w, one);
  hint(w, 0, one.event);
  const from = w.nowMs;
  expect(w.runUntil(() => attested(w).length > 0, 2_000)).toBe(true);
  expect(w.nowMs - from).toBeLessThan(100);
  const { attest } = must(attested(w)[0], "attest");
  const seats = seatsOf(attest.bitmap, 4);
  if (isRejected(seats)) throw new Error(seats.message);
  expect(seats.length).toBe(3);
  const publicKeys = seats.map((seat) => must(genesis.validators[seat], "validator").attestKey);
  const digest = statementDigest(genesis.networkId, attest.statement);
  expect(testBls.verifyAggregate(publicKeys, digest, attest.signature)).toBe(true);
});

test("hints that come together make one list, sorted by event id", () => {
  const w = active();
  const all = [1n, 2n, 3n, 4n].map((i) => deposit(w, i * 100_000n, Number(i) * 4));
  show(w, ...all);
  for (const { event } of all) hint(w, 0, event);
  w.run(500);
  expect(attested(w).length).toBe(1);
  const { events } = must(attested(w)[0], "attest").attest.statement;
  const ids = events.map((event) => eventIdOf(genesis.networkId, chain, event) as Uint8Array);
  expect(ids.length).toBe(4);
  expect(ids.toSorted(compare)).toEqual(ids);
});

test("the member of rank i proposes after i seconds, and yields while another's list is under way", () => {
  const w = active();
  const one = deposit(w, 100_000n, 4);
  show(w, one);
  for (const seat of [0, 1, 2, 3]) hint(w, seat, one.event);
  w.run(900);
  expect(attested(w).map(({ seat }) => seat)).toEqual([0]);
  w.run(1_500);
  expect(attested(w).map(({ seat }) => seat)).toEqual([0]);
});

test("with the first proposer down the next one states the deposit", () => {
  const w = active();
  must(w.signers[0], "signer").isUp = false;
  const one = deposit(w, 100_000n, 4);
  show(w, one);
  for (const seat of [0, 1, 2, 3]) hint(w, seat, one.event);
  w.run(1_500);
  expect(attested(w).map(({ seat }) => seat)).toEqual([1]);
});

test("a deposit that never happened is refused by each of the four with its code, a true one still passes", () => {
  const w = active();
  const real = deposit(w, 100_000n, 4);
  const lie = { ...deposit(w, 900_000n, 4).event, blockHash: real.event.blockHash };
  show(w, real);
  hint(w, 0, lie);
  w.run(300);
  for (const of of codes(w, "event refused")) expect(of).toEqual(["bad-inclusion"]);
  expect(codes(w, "list refused").slice(1)).toEqual([
    ["bad-inclusion"],
    ["bad-inclusion"],
    ["bad-inclusion"],
  ]);
  expect(attested(w)).toEqual([]);
  hint(w, 0, real.event);
  w.run(300);
  expect(attested(w).map(({ attest }) => attest.statement.events)).toEqual([[real.event]]);
});

test("a signed list that holds one lie is refused, and its true events are stated one by one", () => {
  const w = active();
  const real = deposit(w, 100_000n, 4);
  const odd = deposit(w, 200_000n, 8);
  // Only the proposer's node shows the second deposit: the others have another block there.
  const other = deposit(w, 300_000n, 8);
  const tip = { hash: bytes32(real.event.blockHash), height: 100 };
  w.facts = (seat, _, { height }) => {
    const seen = height === 4 ? real : seat === 0 ? odd : other;
    return { ...seen.facts, tip };
  };
  hint(w, 0, real.event);
  hint(w, 0, odd.event);
  w.run(1_000);
  expect(codes(w, "a signer refused our list")[0]).toContain("block-not-on-best-chain");
  const lists = attested(w).map(({ attest }) => attest.statement.events);
  expect(lists).toEqual([[real.event]]);
});

test("what own nodes do not show yet is kept and decided at the next foreign block", () => {
  const w = active();
  const one = deposit(w, 100_000n, 4);
  const before: BitcoinFacts = {
    kind: "bitcoin",
    tip: { hash: bytes32(one.event.blockHash), height: 3 },
  };
  w.facts = (seat) => (seat === 0 ? one.facts : before);
  hint(w, 0, one.event);
  w.run(20_000);
  expect(attested(w)).toEqual([]);
  show(w, one);
  for (const seat of [0, 1, 2, 3]) w.later(1, seat, { kind: "foreign-block", chain });
  w.run(100);
  expect(attested(w).length).toBe(1);
});

test("with foreign nodes that do not answer nothing is stated, and it is as soon as they do", () => {
  const w = active();
  const one = deposit(w, 100_000n, 4);
  hint(w, 0, one.event);
  w.run(8_000);
  expect(attested(w)).toEqual([]);
  show(w, one);
  w.run(20_000);
  expect(attested(w).length).toBe(1);
});

test("malformed lists of a peer are refused with a code and keep no state", () => {
  const w = active();
  const one = deposit(w, 100_000n, 4);
  const propose = (epoch: number, events: readonly ForeignEvent[]): void => {
    const statement = statementCodec.encode({ epoch, chain, events: [...events] });
    const body = proposeCodec.encode({ statement, signature: [] });
    w.later(1, 0, { kind: "message", from: 1, bytes: seal(messageKinds.propose, 1, body) });
  };
  propose(9, [one.event]);
  propose(0, []);
  propose(0, [one.event, one.event]);
  propose(0, [{ ...one.event, kind: 77 }]);
  w.run(100);
  expect(codes(w, "list refused")[0]).toEqual(["wrong-epoch", "bad-list", "bad-list", "bad-list"]);
  expect(must(w.signers[0], "signer").state.witness.lists.size).toBe(0);
});

test("a peer that proposes without end holds a bounded part of the memory and of the reads", () => {
  const w = active();
  for (let i = 0; i < 3_000; i++) {
    const { event } = deposit(w, 10_000n, 4 + i);
    const blockHash = sha256d(utf8(`block ${i}`));
    const statement = statementCodec.encode({ epoch: 0, chain, events: [{ ...event, blockHash }] });
    const body = proposeCodec.encode({ statement, signature: [] });
    const bytes = seal(messageKinds.propose, 1, body);
    w.later(1, 0, { kind: "message", from: 1, bytes });
  }
  w.run(200);
  const { lists, items } = must(w.signers[0], "signer").state.witness;
  expect(lists.size).toBeLessThanOrEqual(32);
  expect(items.size).toBeLessThanOrEqual(32);
  const reads = w.performed.filter(({ seat, effect }) => seat === 0 && effect.kind === "read");
  expect(reads.length).toBeLessThan(800);
});
