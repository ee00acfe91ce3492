// Four signers around one real ledger, for tests: the machines, the rules, proofs and certificates are the real
// ones; time, network, disks and foreign nodes are in memory. Not a simulator: nothing here is random.

import type {
  Committee,
  Facts,
  ForeignEvent,
  Genesis,
  Header,
  State,
} from "@causeway/chain-core/interchain";
import {
  accountings,
  assetId,
  batchCodec,
  batchDigest,
  batches,
  blockId,
  certificateCodec,
  committeeCodec,
  committeeId,
  evmStates,
  headerCodec,
  itemKinds,
  planId,
  planKinds,
  planStatus,
  roles,
  transactionsRoot,
  voteDigest,
  voteKinds,
  withdrawalStatus,
  withdrawals,
} from "@causeway/chain-core/interchain";
import { trustGenesis } from "@causeway/chain-core/light";
import { isRejected, must, sha256, utf8, zero32 } from "@causeway/primitives";
import { certificateOf } from "../../chain-core/src/consensus/certificate.ts";
import { blockContext } from "../../chain-core/src/ledger/context.ts";
import { endBlock } from "../../chain-core/src/ledger/end-block.ts";
import { ledgerEnv } from "../../chain-core/src/ledger/env.ts";
import { nextSequence } from "../../chain-core/src/ledger/envelope.ts";
import { executeTransaction } from "../../chain-core/src/ledger/execute.ts";
import { genesisState } from "../../chain-core/src/ledger/genesis-state.ts";
import { openPlan } from "../../chain-core/src/ledger/interchain/open-plan.ts";
import { memoryState } from "../../chain-core/src/ledger/memory-state.ts";
import { overlay } from "../../chain-core/src/ledger/overlay.ts";
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
  wakeAtMs: number;
  readonly context: machine.Context;
  readonly journal: Uint8Array[];
  readonly shares: Map<number, Uint8Array>;
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
};

const blockMs = 500;

/** One ledger with one honest node that everybody asks: a block every half second, final at once. */
export type TestLedger = {
  readonly state: State;
  readonly height: () => number;
  readonly block: (nowMs: number) => void;
  readonly submit: (bytes: Uint8Array, nowMs: number) => Refusal | undefined;
  readonly prove: (id: number, wanted: readonly Uint8Array[]) => machine.Event;
  readonly write: (change: (state: State) => void) => void;
};

type Refusal = { readonly code: string; readonly message: string };

export function testLedger(): TestLedger {
  const puts = genesisState(genesis);
  const state = memoryState(puts);
  let tree = update(emptyTree, puts);
  let proven = { tree, state: memoryState(puts) };
  let final: { readonly header: Header; readonly certificate: Uint8Array } | undefined;
  let parent: Uint8Array = trustGenesis(genesis).id;
  let height = 0;
  let mempool: Uint8Array[] = [];
  const write = (change: (state: State) => void): void => {
    const next = overlay(state);
    change(next);
    const changes = [...next.changes().values()];
    state.write(changes);
    tree = update(tree, changes);
  };
  return {
    state,
    height: () => height,
    write,
    submit: (bytes, nowMs) => {
      const next = overlay(state);
      for (const waiting of mempool) execute(next, height + 1, nowMs, waiting);
      const refusal = execute(next, height + 1, nowMs, bytes);
      if (refusal === undefined) mempool.push(bytes);
      return refusal;
    },
    block: (nowMs) => {
      height += 1;
      proven = { tree, state: memoryState(state.entries()) };
      const header = headerOf(height, nowMs, parent, mempool, root(proven.tree));
      parent = blockId(genesis.networkId, header);
      final = { header, certificate: certificateOf3(header, parent, committee) };
      write((next) => {
        for (const bytes of mempool) execute(next, height, nowMs, bytes);
        endBlock(blockContext(env, next, { height, time: nowMs }), 0);
      });
      mempool = [];
    },
    prove: (id, wanted) => {
      if (final === undefined) return { kind: "failed", id, code: "unreachable" };
      const records = wanted.map((key) => {
        const value = proven.state.get(key);
        const proof = recordProofCodec.encode(prove(proven.tree, key));
        return { key, proof, ...(value === undefined ? {} : { value }) };
      });
      const header = headerCodec.encode(final.header);
      const { certificate } = final;
      return {
        kind: "proved",
        id,
        header,
        certificate,
        committee: committeeCodec.encode(committee),
        records,
      };
    },
  };
}

function headerOf(
  height: number,
  time: number,
  parent: Uint8Array,
  transactions: readonly Uint8Array[],
  stateRoot: Uint8Array,
): Header {
  const id = committeeId(genesis.networkId, committee);
  return {
    version: 1,
    height,
    time,
    parent,
    proposer: height % size,
    transactionsRoot: transactionsRoot(genesis.networkId, transactions),
    stateRoot,
    utxoCommitment: zero32,
    committee: id,
    nextCommittee: id,
  };
}

function execute(
  state: State,
  height: number,
  nowMs: number,
  bytes: Uint8Array,
): Refusal | undefined {
  const result = executeTransaction(env, blockContext(env, state, { height, time: nowMs }), bytes);
  return isRejected(result) ? result : undefined;
}

export function world(): World {
  const ledger = testLedger();
  const signers = Array.from({ length: size }, (_, seat) => signerOf(seat));
  let draws = 0;
  let answers: Answer[] = [];
  const later: Later = (ms, to, event) => {
    answers.push({ atMs: self.nowMs + ms, to, event });
  };
  const deliver = (seat: number, original: machine.Event): void => {
    const signer = must(signers[seat], "signer");
    if (!signer.isUp) return;
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
  let nextBlockMs = 0;
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
    ledger: ledger.state,
    nowMs: genesis.time + 60_000,
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
      signer.state = machine.initial(signer.context);
      signer.isUp = true;
      signer.wakeAtMs = 0;
      answers = answers.filter(({ to }) => to !== seat);
      const shares = [...signer.shares].map(([keyId, share]) => ({ keyId, share }));
      later(1, seat, { kind: "started", journal: [...signer.journal], shares });
      later(2, seat, { kind: "height", height: ledger.height() });
    },
    write: ledger.write,
  };
  nextBlockMs = self.nowMs + blockMs;
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
    const validator = must(genesis.validators[seat], "validator").owner;
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
  else if (effect.kind === "save-share") signer.shares.set(effect.keyId, effect.share);
  else if (effect.kind === "wake") wake(self, answer, signer, effect.atMs);
  else signer.logs.push(effect);
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
  return { state, isUp: true, wakeAtMs: 0, context, journal: [], shares: new Map(), logs: [] };
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

/**
 * Writes a batch of one withdrawal into the ledger as its planner does. Another `amount` is another content of the
 * same nonce, which no right ledger plans; so is a `to` that is not the withdrawal's.
 */
export function addBatchPlan(
  { write, nowMs }: World,
  nonce: number,
  amount: bigint = 100_000n,
  wrong: { readonly to?: Uint8Array } = {},
): Uint8Array {
  const evm = must(genesis.evm[0], "chain");
  const [wrapped] = genesis.assets;
  const asset = must(assetId(genesis, must(wrapped, "asset").symbol), "asset id");
  const token = must(wrapped?.exports[0], "export").token;
  const payload = new Uint8Array(20).fill(7);
  const fee = genesis.params.evmItemFee;
  const item = { kind: itemKinds.mint, token, to: wrong.to ?? payload, amount: amount - fee };
  const { stipend, overhead } = genesis.params;
  const batch = { keyId: 2, nonce, stipend, overhead, items: [item] };
  const domain = { network: genesis.networkId, chainId: evm.chainId, contract: evm.gateway };
  const subject = batchCodec.encode(batch);
  const plan = planId(genesis.networkId, planKinds.evmBatch, subject);
  const withdrawal = sha256(subject);
  write((state) => {
    const books = accountings.get(state, asset);
    if (books !== undefined)
      accountings.put(state, asset, {
        ...books,
        coins: books.coins + amount,
        pending: books.pending + amount - fee,
        reserve: books.reserve + fee,
      });
    evmStates.put(state, evm.chain, {
      stated: true,
      codeHash: zero32,
      keyId: 2,
      nextNonce: nonce + 1,
    });
    batches.put(state, { chain: evm.chain, nonce }, { plan });
    withdrawals.put(state, withdrawal, {
      source: zero32,
      asset,
      amount,
      destination: { chain: evm.chain, payload },
      maxFee: fee,
      refund: zero32,
      status: withdrawalStatus.planned,
      reason: 0,
      plan,
      fee,
      createdAt: nowMs,
      updatedAt: nowMs,
    });
    openPlan(blockContext(env, state, { height: 1, time: nowMs }), {
      kind: planKinds.evmBatch,
      keyId: 2,
      chain: evm.chain,
      asset,
      subject,
      inputs: [],
      withdrawals: [withdrawal],
      anchor: new Uint8Array(0),
      attempt: 0,
      nonce,
      fee,
      txid: batchDigest(domain, batch),
      status: planStatus.planned,
      signatures: [],
      plannedAt: nowMs,
      updatedAt: nowMs,
    });
  });
  return plan;
}
