// Four signers around one real ledger, for tests: the machines, the rules, proofs and certificates are the real
// ones; time, network, disks and foreign nodes are in memory. Not a simulator: nothing here is random.

import type {
  Committee,
  Facts,
  ForeignEvent,
  Genesis,
  Header,
  Plan,
  State,
} from "@causeway/chain-core/interchain";
import {
  blockId,
  certificateCodec,
  committeeCodec,
  committeeId,
  headerCodec,
  keys,
  kinds,
  planKinds,
  planMessages,
  planStatus,
  plans,
  ringSignatureCodec,
  roles,
  transactionCodec,
  transactionsRoot,
  verifyPlanSignature,
  voteDigest,
  voteKinds,
} from "@causeway/chain-core/interchain";
import { trustGenesis } from "@causeway/chain-core/light";
import { isRejected, must, sha256, utf8, zero32 } from "@causeway/primitives";
import { certificateOf } from "../../chain-core/src/consensus/certificate.ts";
import { blockContext } from "../../chain-core/src/ledger/context.ts";
import { ledgerEnv } from "../../chain-core/src/ledger/env.ts";
import { nextSequence } from "../../chain-core/src/ledger/envelope.ts";
import { executeTransaction } from "../../chain-core/src/ledger/execute.ts";
import { genesisState } from "../../chain-core/src/ledger/genesis-state.ts";
import { openPlan } from "../../chain-core/src/ledger/interchain/open-plan.ts";
import { memoryState } from "../../chain-core/src/ledger/memory-state.ts";
import { overlay } from "../../chain-core/src/ledger/overlay.ts";
import { activateKey } from "../../chain-core/src/ledger/ring/activate.ts";
import { ringEndBlock } from "../../chain-core/src/ledger/ring/end-block.ts";
import { testBls, testGenesis, validatorSecret } from "../../chain-core/src/ledger/testing.ts";
import {
  emptyTree,
  prove,
  recordProofCodec,
  root,
  update,
} from "../../chain-core/src/ledger/tree.ts";
import * as machine from "./machine.ts";

export const size = 4;
export const genesis: Genesis = testGenesis(size);
const env = ledgerEnv(genesis, testBls);
const { committee } = trustGenesis(genesis);

type Answer = { readonly atMs: number; readonly to: number; readonly event: machine.Event };

/** One signer and its disk. */
export type Signer = {
  state: machine.State;
  /** False: it hears nothing and says nothing. */
  isUp: boolean;
  readonly context: machine.Context;
  readonly journal: Uint8Array[];
  readonly shares: Map<number, Uint8Array>;
  readonly logs: (machine.Effect & { kind: "log" })[];
};

export type World = {
  readonly signers: readonly Signer[];
  readonly ledger: State;
  nowMs: number;
  height: number;
  /** Every effect performed, in order, with whose it was. */
  readonly performed: { readonly seat: number; readonly effect: machine.Effect }[];
  /** What a signer's own foreign nodes say; undefined: they do not answer. */
  facts: (seat: number, chain: Uint8Array, event: ForeignEvent) => Facts | undefined;
  /** Changes an answer of a signer's own node on its way. */
  tamper: (seat: number, event: machine.Event) => machine.Event;
  /** Called before each effect; true: the signer dies right before it. */
  dies: (seat: number, effect: machine.Effect) => boolean;
  readonly run: (ms: number) => void;
  readonly runUntil: (done: () => boolean, msMax: number) => boolean;
  readonly hint: (seat: number, bytes: Uint8Array) => void;
  readonly foreignBlock: (chain: Uint8Array) => void;
  /** Starts the process of a seat again with what is on its disk. */
  readonly restart: (seat: number) => void;
  /** Changes the ledger's state as a block would, before the next block. */
  readonly write: (change: (state: State) => void) => void;
  /** Opens a plan as the ledger's planner would. */
  readonly plan: (plan: Plan) => Uint8Array;
};

const blockMs = 500;

export function world(): World {
  const puts = genesisState(genesis);
  const ledger = memoryState(puts);
  let tree = update(emptyTree, puts);
  let proven = { tree, state: memoryState(puts) };
  let header: Header | undefined;
  let certificate: Uint8Array = new Uint8Array(0);
  let parent: Uint8Array = trustGenesis(genesis).id;
  let mempool: Uint8Array[] = [];
  let draws = 0;
  let answers: Answer[] = [];
  let nextBlockMs = 0;

  const signers = Array.from({ length: size }, (_, seat) => signerOf(seat));
  const self: World = {
    signers,
    ledger,
    nowMs: genesis.time + 60_000,
    height: 0,
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
    hint: (seat, bytes) => later(1, seat, { kind: "hint", bytes }),
    foreignBlock: (chain) => {
      for (const seat of signers.keys()) later(1, seat, { kind: "foreign-block", chain });
    },
    restart: (seat) => {
      const signer = must(signers[seat], "signer");
      signer.state = machine.initial(signer.context);
      signer.isUp = true;
      answers = answers.filter(({ to }) => to !== seat);
      const shares = [...signer.shares].map(([keyId, share]) => ({ keyId, share }));
      later(1, seat, { kind: "started", journal: [...signer.journal], shares });
      later(2, seat, { kind: "height", height: self.height });
    },
    write: (change) => {
      const state = overlay(ledger);
      change(state);
      const changes = [...state.changes().values()];
      ledger.write(changes);
      tree = update(tree, changes);
    },
    plan: (plan) => {
      let id: Uint8Array = zero32;
      self.write((state) => {
        id = openPlan(blockContext(env, state, { height: self.height, time: self.nowMs }), plan);
      });
      return id;
    },
  };
  nextBlockMs = self.nowMs + blockMs;
  for (const seat of signers.keys()) self.restart(seat);
  return self;

  function later(ms: number, to: number, event: machine.Event): undefined {
    answers.push({ atMs: self.nowMs + ms, to, event });
  }

  /** Performs the next thing that happens before `until`. */
  function advance(until: number): boolean {
    let first: Answer | undefined;
    for (const answer of answers)
      if (first === undefined || answer.atMs < first.atMs) first = answer;
    if (nextBlockMs <= until && (first === undefined || nextBlockMs <= first.atMs)) {
      self.nowMs = nextBlockMs;
      nextBlockMs += blockMs;
      block();
      return true;
    }
    if (first === undefined || first.atMs > until) return false;
    answers = answers.filter((answer) => answer !== first);
    self.nowMs = Math.max(self.nowMs, first.atMs);
    deliver(first.to, first.event);
    return true;
  }

  function deliver(seat: number, original: machine.Event): void {
    const signer = must(signers[seat], "signer");
    if (!signer.isUp) return;
    const event = self.tamper(seat, original);
    const entropy = sha256(utf8(`entropy ${draws++}`));
    const input = { nowMs: self.nowMs, entropy, event };
    const [state, effects] = machine.step(signer.context, signer.state, input);
    signer.state = state;
    for (const effect of effects) {
      if (self.dies(seat, effect)) {
        signer.isUp = false;
        return;
      }
      self.performed.push({ seat, effect });
      perform(seat, signer, effect);
    }
  }

  function perform(seat: number, signer: Signer, effect: machine.Effect): undefined {
    switch (effect.kind) {
      case "prove":
        return later(2, seat, proved(effect.id, effect.keys));
      case "sequence": {
        const validator = must(genesis.validators[seat], "validator").owner;
        const next = nextSequence(ledger, { validator, role: roles.signer });
        return later(2, seat, { kind: "sequence", id: effect.id, next });
      }
      case "submit":
        return submit(seat, effect.id, effect.transaction);
      case "send":
        return later(3, effect.to, { kind: "message", from: seat, bytes: effect.bytes });
      case "read": {
        const facts = self.facts(seat, effect.chain, effect.event);
        const { id } = effect;
        if (facts === undefined) return later(5, seat, { kind: "failed", id, code: "unreachable" });
        return later(5, seat, { kind: "facts", id, facts });
      }
      case "journal":
        signer.journal.push(effect.record);
        return;
      case "save-share":
        signer.shares.set(effect.keyId, effect.share);
        return;
      case "wake":
        return later(effect.atMs - self.nowMs, seat, { kind: "woke" });
      case "log":
        signer.logs.push(effect);
        return;
    }
  }

  function submit(seat: number, id: number, bytes: Uint8Array): undefined {
    const state = overlay(ledger);
    for (const waiting of mempool) execute(state, waiting);
    const result = execute(state, bytes);
    if (result !== undefined) {
      const { code, message } = result;
      return later(2, seat, { kind: "rejected", id, code, message });
    }
    mempool.push(bytes);
    later(2, seat, { kind: "submitted", id });
  }

  function execute(
    state: State,
    bytes: Uint8Array,
  ): { readonly code: string; readonly message: string } | undefined {
    const context = blockContext(env, state, { height: self.height + 1, time: self.nowMs });
    const result = executeTransaction(env, context, bytes);
    if (!isRejected(result)) return undefined;
    if (result.code !== "unknown-action") return result;
    const action = must(transactionCodec.decode(bytes).actions[0], "action");
    return action.kind === kinds.signature ? sign(state, action.body) : result;
  }

  /** The ledger's signature rule, where this tree does not have it yet. */
  function sign(
    state: State,
    body: Uint8Array,
  ): { readonly code: string; readonly message: string } | undefined {
    const { plan: id, signatures } = ringSignatureCodec.decode(body);
    const plan = plans.get(state, id);
    if (plan?.status !== planStatus.planned) return { code: "not-planned", message: "signed" };
    const groupPoint = plan.kind === planKinds.canary ? plan.subject : undefined;
    const point = groupPoint ?? must(keys.get(state, plan.keyId), "key").groupPoint;
    const messages = planMessages(genesis, plan, { keyId: plan.keyId, groupPoint: point });
    if (isRejected(messages)) return messages;
    const isGood = messages.every((message, i) =>
      verifyPlanSignature(point, message, signatures[i] ?? new Uint8Array(0)),
    );
    if (!isGood) return { code: "bad-signature", message: "a signature does not verify" };
    plans.put(state, id, { ...plan, status: planStatus.signed, signatures });
    const first = must(signatures[0], "signature");
    if (plan.kind === planKinds.canary) activateKey({ state, time: self.nowMs }, plan.keyId, first);
    return undefined;
  }

  function block(): void {
    self.height += 1;
    const height = self.height;
    proven = { tree, state: memoryState(ledger.entries()) };
    const state = overlay(ledger);
    for (const bytes of mempool) execute(state, bytes);
    const context = blockContext(env, state, { height, time: self.nowMs });
    ringEndBlock(context, { isReservedFull: false, openPlan });
    const id = committeeId(genesis.networkId, committee);
    header = {
      version: 1,
      height,
      time: self.nowMs,
      parent,
      proposer: height % size,
      transactionsRoot: transactionsRoot(genesis.networkId, mempool),
      stateRoot: root(proven.tree),
      utxoCommitment: zero32,
      committee: id,
      nextCommittee: id,
    };
    parent = blockId(genesis.networkId, header);
    certificate = certificateOf3(header, parent, committee);
    const changes = [...state.changes().values()];
    ledger.write(changes);
    tree = update(tree, changes);
    mempool = [];
    for (const seat of signers.keys()) later(1, seat, { kind: "height", height });
  }

  function proved(id: number, wanted: readonly Uint8Array[]): machine.Event {
    if (header === undefined) return { kind: "failed", id, code: "unreachable" };
    const records = wanted.map((key) => {
      const value = proven.state.get(key);
      const proof = recordProofCodec.encode(prove(proven.tree, key));
      return { key, proof, ...(value === undefined ? {} : { value }) };
    });
    return {
      kind: "proved",
      id,
      header: headerCodec.encode(header),
      certificate,
      committee: committeeCodec.encode(committee),
      records,
    };
  }
}

function signerOf(seat: number): Signer {
  const context: machine.Context = {
    genesis,
    bls: testBls,
    seat,
    attestSecret: validatorSecret(seat, "attestKey"),
    hostSecret: validatorSecret(seat, "hostKey"),
  };
  const state = machine.initial(context);
  return { state, isUp: true, context, journal: [], shares: new Map(), logs: [] };
}

/** Signed by three of the four: a quorum, and no more. */
function certificateOf3(header: Header, block: Uint8Array, of: Committee): Uint8Array {
  const content = {
    kind: voteKinds.precommit,
    height: header.height,
    round: 0,
    block,
    polRound: 0,
  };
  const digest = voteDigest(genesis.networkId, content);
  const votes = of.members.slice(0, 3).map((_, seat) => ({
    ...content,
    seat,
    signature: testBls.sign(validatorSecret(seat, "consensusKey"), digest),
  }));
  return certificateCodec.encode(certificateOf(testBls, of.members.length, votes));
}
