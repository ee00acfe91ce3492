// How one signer brings its actions to its own node.
import type { Action } from "@causeway/chain-core/interchain";
import {
  envelopeDigest,
  kinds,
  planStatus,
  plans,
  ringSignatureCodec,
  roles,
  transactionCodec,
  transactionId,
} from "@causeway/chain-core/interchain";
import { must, sha256, utf8, zero32 } from "@causeway/primitives";
import { recover } from "@causeway/primitives/secp256k1";
import { expect, test } from "vitest";
import { memoryState } from "../../../chain-core/src/ledger/memory-state.ts";
import { validatorSecret } from "../../../chain-core/src/ledger/testing.ts";
import { genesis } from "../testing.ts";
import { turnOf } from "../turn.ts";
import type { Effect, Event, State } from "./machine.ts";
import { initial, step } from "./machine.ts";

const context = {
  genesis,
  owner: must(genesis.validators[1], "validator").owner,
  hostSecret: validatorSecret(1, "hostKey"),
  isHeld: false,
};

function outbox() {
  let state: State = initial;
  const self = {
    nowMs: genesis.time,
    state: () => state,
    say: (event: Event): readonly Effect[] => {
      const turn = turnOf(genesis.networkId, self.nowMs, zero32);
      const [next, effects] = step(context, state, event, turn);
      state = next;
      return effects;
    },
    queue: (name: string): readonly Effect[] =>
      self.say({ kind: "queued", key: name, action: actionOf(name) }),
    view: (...done: readonly string[]): readonly Effect[] => {
      const view = memoryState();
      for (const name of done) putSigned(view, name);
      return self.say({ kind: "viewed", view, ledgerMs: self.nowMs });
    },
  };
  return self;
}

function actionOf(name: string): Action {
  const body = ringSignatureCodec.encode({ plan: sha256(utf8(name)), signatures: [] });
  return { kind: kinds.signature, body };
}

function putSigned(view: ReturnType<typeof memoryState>, name: string): void {
  const none = new Uint8Array(0);
  const empty = { chain: zero32, asset: zero32, subject: none, inputs: [], withdrawals: [] };
  const zeros = { attempt: 0, nonce: 0, fee: 0n, txid: zero32, signatures: [] };
  const times = { plannedAt: 0, updatedAt: 0 };
  const plan = { kind: 4, keyId: 1, anchor: none, status: planStatus.signed };
  plans.put(view, sha256(utf8(name)), { ...empty, ...zeros, ...times, ...plan });
}

function submitted(effects: readonly Effect[]): Uint8Array {
  const effect = effects.find((one) => one.kind === "submit");
  return must(effect?.kind === "submit" ? effect.transaction : undefined, "submission");
}

test("an action leaves in an envelope of the host key, with the node's next sequence, then dense", () => {
  const box = outbox();
  expect(box.queue("a")).toEqual([{ kind: "sequence" }]);
  const transaction = submitted(box.say({ kind: "sequence", next: 9 }));
  const tx = transactionCodec.decode(transaction);
  const { owner, hostKey } = must(genesis.validators[1], "validator");
  expect(tx.envelope).toEqual([{ validator: owner, role: roles.signer, sequence: 9 }]);
  const digest = envelopeDigest(genesis.networkId, transactionId(genesis.networkId, tx));
  expect(recover(digest, must(tx.witnesses[0], "witness"))).toEqual(hostKey);
  box.say({ kind: "submitted" });
  const next = transactionCodec.decode(submitted(box.queue("b")));
  expect(next.envelope[0]?.sequence).toBe(10);
});

test("the same action is brought once", () => {
  const box = outbox();
  box.queue("a");
  box.queue("a");
  expect(box.state().entries.length).toBe(1);
});

test("what the ledger shows done is forgotten", () => {
  const box = outbox();
  box.queue("a");
  box.queue("b");
  box.view("a");
  expect(box.state().entries.map(({ key }) => key)).toEqual(["b"]);
});

test("a refused action is logged with its code and comes again, later each time", () => {
  const box = outbox();
  box.queue("a");
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    submitted(box.say({ kind: "sequence", next: 1 }));
    const effects = box.say({ kind: "rejected", code: "unknown-block", message: "not yet" });
    expect(effects[0]).toMatchObject({ kind: "log", fields: { code: "unknown-block" } });
    const wake = effects.find((effect) => effect.kind === "wake");
    const atMs = must(wake?.kind === "wake" ? wake.atMs : undefined, "wake");
    waits.push(atMs - box.nowMs);
    box.nowMs = atMs;
    expect(box.say({ kind: "woke" })).toContainEqual({ kind: "sequence" });
  }
  expect(waits).toEqual([250, 500, 1_000, 2_000]);
});

test("an action that does not become final is sent again under a new sequence", () => {
  const box = outbox();
  box.queue("a");
  submitted(box.say({ kind: "sequence", next: 1 }));
  box.say({ kind: "submitted" });
  box.nowMs += 3_000;
  expect(box.say({ kind: "woke" })).toContainEqual({ kind: "sequence" });
  const again = transactionCodec.decode(submitted(box.say({ kind: "sequence", next: 5 })));
  expect(again.envelope[0]?.sequence).toBe(5);
});

test("a node that is away is asked again, and nothing is lost", () => {
  const box = outbox();
  box.queue("a");
  box.say({ kind: "failed", code: "unreachable" });
  expect(box.say({ kind: "woke" })).not.toContainEqual({ kind: "sequence" });
  box.nowMs += 1_000;
  expect(box.say({ kind: "woke" })).toContainEqual({ kind: "sequence" });
});

test("what is held stays, and leaves when it is held no more", () => {
  const turn = turnOf(genesis.networkId, genesis.time, zero32);
  const queued = { kind: "queued", key: "a", action: actionOf("a") } as const;
  const [held, none] = step({ ...context, isHeld: true }, initial, queued, turn);
  expect(none).toEqual([]);
  const viewed = { kind: "viewed", view: memoryState(), ledgerMs: genesis.time } as const;
  expect(step({ ...context, isHeld: true }, held, viewed, turn)[1]).toEqual([]);
  expect(step(context, held, viewed, turn)[1]).toEqual([{ kind: "sequence" }]);
});
