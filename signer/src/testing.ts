// Four signers around one real ledger, for tests: the machines, the rules, proofs and certificates are the real
// ones; time, network, disks and foreign nodes are in memory. Not a simulator: nothing here is random.

import type { Facts, ForeignEvent, State } from "@causeway/chain-core/interchain";
import { roles } from "@causeway/chain-core/interchain";
import { must, sha256, utf8 } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { nextSequence } from "../../chain-core/src/ledger/envelope.ts";
import { testBls, validatorSecret } from "../../chain-core/src/ledger/testing.ts";
import * as machine from "./machine.ts";
import { shareFileName } from "./share-file.ts";
import type { TestLedger } from "./testing/ledger.ts";
import { genesis, size, testLedger } from "./testing/ledger.ts";
import { hostKeysOf } from "./world.ts";

export { genesis, size, testLedger } from "./testing/ledger.ts";
export { addBatchPlan } from "./testing/plan.ts";

type Answer = { readonly atMs: number; readonly to: number; readonly event: machine.Event };

/** One signer and its disk. */
export type Signer = {
  state: machine.State;
  /** False: it hears nothing and says nothing. */
  isUp: boolean;
  wakeAtMs: number;
  readonly context: machine.Context;
  readonly journal: Uint8Array[];
  /** By the file's name. */
  readonly shares: Map<string, machine.StoredShare>;
  /** Host keys that left its key file. */
  readonly erased: Uint8Array[];
  /** Whom it hears, by its last order. */
  peers: ReadonlySet<number>;
  readonly logs: (machine.Effect & { kind: "log" })[];
};

export type World = {
  readonly signers: readonly Signer[];
  readonly ledger: State;
  nowMs: number;
  /** No blocks while true. */
  isHalted: boolean;
  /** Every effect performed, in order, with whose it was. */
  readonly performed: { readonly seat: number; readonly effect: machine.Effect }[];
  /** What a signer's own foreign nodes say; undefined: they do not answer. */
  facts: (seat: number, chain: Uint8Array, event: ForeignEvent) => Facts | undefined;
  /** Changes an event of a signer on its way. */
  tamper: (seat: number, event: machine.Event) => machine.Event;
  /** Called before each effect; true: the signer dies right before it. */
  dies: (seat: number, effect: machine.Effect) => boolean;
  readonly run: (ms: number) => void;
  /** True as soon as `done`, false after `msMax`. */
  readonly runUntil: (done: () => boolean, msMax: number) => boolean;
  readonly later: (ms: number, to: number, event: machine.Event) => void;
  /** Starts the process of a seat again with what is on its disk. */
  readonly restart: (seat: number) => void;
  /** Changes the ledger's state as a block would, before the next block. */
  readonly write: (change: (state: State) => void) => void;
  /** From the next block on headers are of this version of the protocol. */
  readonly upgrade: (version: number) => void;
};

const blockMs = 500;
const startMs = genesis.time + 60_000;

/** `signers`: more than the genesis has validators wait to be registered; `setUp`: changes the state of height 0. */
export type WorldOptions = {
  readonly signers?: number;
  readonly setUp?: (state: State) => void;
  /** Secrets of a signer's host keys, the newest first; by default that of the genesis. */
  readonly hosts?: (number: number) => readonly Uint8Array[];
};

export function world(options: WorldOptions = {}): World {
  const { signers: count = size, setUp, hosts = hostOf } = options;
  const ledger = testLedger();
  if (setUp !== undefined) ledger.write(setUp);
  const signers = Array.from({ length: count }, (_, seat) => signerOf(seat, hosts(seat)));
  let draws = 0;
  let answers: Answer[] = [];
  const later: Later = (ms, to, event) => {
    answers.push({ atMs: self.nowMs + ms, to, event });
  };
  const deliver = (seat: number, original: machine.Event): void => {
    const signer = must(signers[seat], "signer");
    if (!signer.isUp) return;
    if (original.kind === "message" && !signer.peers.has(original.from)) return;
    const event = self.tamper(seat, original);
    const input = { nowMs: self.nowMs, entropy: sha256(utf8(`entropy ${draws++}`)), event };
    const [state, effects] = machine.step(signer.context, signer.state, input);
    signer.state = state;
    for (const effect of effects) {
      if (self.dies(seat, effect)) {
        signer.isUp = false;
        return;
      }
      self.performed.push({ seat, effect });
      perform(self, ledger, later, seat, effect);
    }
  };
  let nextBlockMs = startMs + blockMs;
  /** Performs the next thing that happens before `until`. */
  const advance = (until: number): boolean => {
    let first: Answer | undefined;
    for (const answer of answers)
      if (first === undefined || answer.atMs < first.atMs) first = answer;
    if (nextBlockMs <= until && (first === undefined || nextBlockMs <= first.atMs)) {
      self.nowMs = nextBlockMs;
      nextBlockMs += blockMs;
      if (self.isHalted) return true;
      ledger.block(self.nowMs);
      const height = ledger.height();
      for (const seat of signers.keys()) later(1, seat, { kind: "height", height });
      return true;
    }
    if (first === undefined || first.atMs > until) return false;
    answers = answers.filter((answer) => answer !== first);
    self.nowMs = Math.max(self.nowMs, first.atMs);
    deliver(first.to, first.event);
    return true;
  };
  const self: World = {
    signers,
    nowMs: startMs,
    isHalted: false,
    performed: [],
    facts: () => undefined,
    tamper: (_, event) => event,
    dies: () => false,
    run: (ms) => {
      const until = self.nowMs + ms;
      while (advance(until));
      self.nowMs = until;
    },
    runUntil: (done, msMax) => {
      const until = self.nowMs + msMax;
      while (!done()) if (!advance(until)) return done();
      return true;
    },
    later,
    restart: (seat) => {
      const signer = must(signers[seat], "signer");
      const state = machine.initial(signer.context);
      Object.assign(signer, { state, isUp: true, wakeAtMs: 0 });
      answers = answers.filter(({ to }) => to !== seat);
      const disk = { journal: [...signer.journal], shares: [...signer.shares.values()] };
      later(1, seat, { kind: "started", ...disk });
      later(2, seat, { kind: "height", height: ledger.height() });
    },
    ledger: ledger.state,
    write: ledger.write,
    upgrade: ledger.upgrade,
  };
  for (const seat of signers.keys()) self.restart(seat);
  return self;
}

/** Of several orders the earliest counts. */
function wake(
  self: World,
  answer: (ms: number, event: machine.Event) => void,
  signer: Signer,
  atMs: number,
): void {
  if (signer.wakeAtMs > self.nowMs && signer.wakeAtMs <= atMs) return;
  signer.wakeAtMs = atMs;
  answer(atMs - self.nowMs, { kind: "woke" });
}

type Later = (ms: number, to: number, event: machine.Event) => void;

function perform(
  self: World,
  ledger: TestLedger,
  later: Later,
  seat: number,
  effect: machine.Effect,
): void {
  const signer = must(self.signers[seat], "signer");
  const answer = (ms: number, event: machine.Event): void => later(ms, seat, event);
  if (effect.kind === "prove") answer(2, ledger.prove(effect.id, effect.keys));
  else if (effect.kind === "sequence") {
    const { validator } = effect;
    const next = nextSequence(ledger.state, { validator, role: roles.signer });
    answer(2, { kind: "sequence", id: effect.id, next });
  } else if (effect.kind === "submit") {
    const { id } = effect;
    const refusal = ledger.submit(effect.transaction, self.nowMs);
    answer(2, refusal ? { kind: "rejected", id, ...refusal } : { kind: "submitted", id });
  } else if (effect.kind === "send")
    later(3, effect.to, { kind: "message", from: seat, bytes: effect.bytes });
  else if (effect.kind === "read") {
    const { id } = effect;
    const facts = self.facts(seat, effect.chain, effect.event);
    answer(5, facts ? { kind: "facts", id, facts } : { kind: "failed", id, code: "unreachable" });
  } else if (effect.kind === "journal") signer.journal.push(effect.record);
  else if (effect.kind === "save-share") {
    const { keyId, attempt, seat: ringSeat, share } = effect;
    const stored = { keyId, attempt, seat: ringSeat, share };
    signer.shares.set(shareFileName(stored), stored);
  } else if (effect.kind === "erase-share") signer.shares.delete(shareFileName(effect));
  else if (effect.kind === "erase-host") signer.erased.push(effect.point);
  else if (effect.kind === "peers")
    signer.peers = new Set(effect.peers.map(({ number }) => number));
  else if (effect.kind === "end") signer.isUp = false;
  else if (effect.kind === "wake") wake(self, answer, signer, effect.atMs);
  else signer.logs.push(effect);
}

const hostOf = (number: number): Uint8Array[] => [validatorSecret(number, "hostKey")];

function signerOf(seat: number, hosts: readonly Uint8Array[]): Signer {
  const context: machine.Context = {
    genesis,
    bls: testBls,
    attestSecret: validatorSecret(seat, "attestKey"),
    hosts: hostKeysOf(hosts),
    peerKey: publicPoint(validatorSecret(seat, "signerPeerKey")),
  };
  const state = machine.initial(context);
  const disk = { journal: [], shares: new Map(), erased: [] };
  return { state, isUp: true, wakeAtMs: 0, context, ...disk, peers: new Set(), logs: [] };
}
