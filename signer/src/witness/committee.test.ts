// The committee is not the ring: seats differ when validators have no seat in it (CON-2), and change with epochs.
import type { Committee, ForeignEvent } from "@causeway/chain-core/interchain";
import {
  attestCodec,
  bitcoinDepositCodec,
  depositScript,
  encodeTransaction,
  eventKinds,
  hintCodec,
  keys,
  proveInclusion,
  statementDigest,
} from "@causeway/chain-core/interchain";
import type { Bytes32 } from "@causeway/primitives";
import { bytes32, concat, isRejected, must, sha256d, utf8 } from "@causeway/primitives";
import { expect, test } from "vitest";
import { testBls, testGenesis, validatorSecret } from "../../../chain-core/src/ledger/testing.ts";
import { genesisRoster } from "../follow/roster.ts";
import type { World } from "../testing.ts";
import { genesis, world } from "../testing.ts";
import type { Turn } from "../turn.ts";
import { endorseCodec, messageKinds, open, seal } from "../wire.ts";
import type { Context, Effect, Event, State } from "./machine.ts";
import { initial, step } from "./machine.ts";

/** Those of the genesis, and one that registered later. */
const registered = testGenesis(5);

/** The validators with these numbers, in this order, in an epoch. */
function committeeOf(epoch: number, numbers: readonly number[]): Committee {
  const members = numbers.map((number) => {
    const { owner, consensusKey, attestKey } = must(registered.validators[number], "validator");
    return { validator: owner, consensusKey, attestKey, power: 1n };
  });
  return { epoch, members };
}

function deposit(w: World): {
  event: ForeignEvent;
  block: { hash: Bytes32; header: Uint8Array };
} {
  const { groupPoint } = must(keys.get(w.ledger, 1), "key");
  const destination = { chain: bytes32(genesis.networkId), payload: new Uint8Array(32).fill(1) };
  const terms = { version: 1, destination, maxFee: 5_000n, refund: groupPoint.slice(1) };
  const script = depositScript(genesis, { ...terms, keyPoint: groupPoint });
  if (isRejected(script)) throw new Error(script.message);
  const spent = { txid: sha256d(utf8("coin")), vout: 0, script: new Uint8Array(0), sequence: 0 };
  const amount = 100_000n;
  const outputs = [{ amount, script: script.script }];
  const stripped = encodeTransaction({ version: 2, inputs: [spent], outputs, lockTime: 0 });
  const txid = sha256d(stripped);
  const header = concat(new Uint8Array(36), txid, new Uint8Array(12));
  const hash = sha256d(header);
  const inclusion = proveInclusion([stripped], 0);
  const body = bitcoinDepositCodec.encode({ ...terms, keyId: 1, amount, ...inclusion });
  const kind = eventKinds.bitcoinDeposit;
  return {
    event: { kind, txid, index: 0, blockHash: hash, height: 3, body },
    block: { hash, header },
  };
}

test("a statement names seats of the committee, and is made anew by the next one", () => {
  const w = world();
  expect(w.runUntil(() => keys.get(w.ledger, 1)?.active === true, 30_000)).toBe(true);
  const { event, block } = deposit(w);
  const context: Context = {
    genesis,
    bls: testBls,
    number: 0,
    roster: genesisRoster(registered, new Uint8Array(33)),
    attestSecret: validatorSecret(0, "attestKey"),
  };
  let state: State = initial;
  let nowMs = 1_000;
  const give = (one: Event): readonly Effect[] => {
    const [next, effects] = step(context, state, one, { nowMs } as Turn);
    state = next;
    nowMs += 50;
    return effects;
  };
  const sent = (effects: readonly Effect[]): number[] =>
    effects.flatMap((effect) => (effect.kind === "send" ? [effect.to] : []));
  const endorse = (from: number): readonly Effect[] => {
    const { digest } = must([...state.lists.values()][0], "list");
    const signature = testBls.sign(validatorSecret(from, "attestKey"), digest);
    const body = endorseCodec.encode({ digest, signature });
    const envelope = open(from, seal(messageKinds.endorse, from, body));
    if (isRejected(envelope)) throw new Error(envelope.message);
    return give({ kind: "message", from, envelope });
  };
  const { chain } = genesis.bitcoin;
  const first = committeeOf(0, [0, 2, 3]);
  give({ kind: "viewed", ledger: { view: w.ledger, committee: first } });
  const [read] = give({ kind: "hint", bytes: hintCodec.encode({ chain, event, final: true }) });
  const key = read?.kind === "read" ? read.key : "";
  const facts = { kind: "bitcoin", tip: { hash: block.hash, height: 3 }, block } as const;
  expect(sent(give({ kind: "facts", key, facts }))).toEqual([2, 3]);
  // Validator 1 has no seat here: its word is none.
  endorse(1);
  expect([...must([...state.lists.values()][0], "list").signatures.keys()]).toEqual([0]);
  endorse(3);
  const next = committeeOf(1, [3, 4, 0]);
  const moved = give({ kind: "viewed", ledger: { view: w.ledger, committee: next } });
  expect(sent([...moved, ...give({ kind: "woke" })])).toEqual([3, 4]);
  endorse(3);
  expect(endorse(2).filter(({ kind }) => kind === "act")).toEqual([]);
  const act = endorse(4).find((effect) => effect.kind === "act");
  const attest = attestCodec.decode(must(act, "action").action.body);
  expect(attest.statement.epoch).toBe(1);
  expect(attest.bitmap).toEqual(Uint8Array.of(0b111));
  const digest = statementDigest(genesis.networkId, attest.statement);
  const attestKeys = next.members.map(({ attestKey }) => attestKey);
  expect(testBls.verifyAggregate(attestKeys, digest, attest.signature)).toBe(true);
});
