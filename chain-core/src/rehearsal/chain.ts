// A ledger of final blocks in memory, made by the real rules and limits: what a node and its committee would decide if
// nobody were ever away. Time is the caller's.
import type { Bls, Bytes32, Rejected } from "@causeway/primitives";
import { assert, isRejected, keyOf, must, zero32 } from "@causeway/primitives";
import { bitmapOf } from "../codec/bitmap.ts";
import type { Certificate, Committee, Header } from "../codec/block.ts";
import {
  blockId,
  certificateCodec,
  committeeCodec,
  committeeId,
  headerCodec,
  transactionsRoot,
  voteDigest,
  voteKinds,
  votesRoot,
} from "../codec/block.ts";
import { roles } from "../codec/transaction.ts";
import { outputs } from "../ledger/beacon/round.ts";
import { buildBlock } from "../ledger/build.ts";
import { checkTransaction } from "../ledger/check.ts";
import { blockContext } from "../ledger/context.ts";
import type { LedgerEnv } from "../ledger/env.ts";
import { ledgerEnv } from "../ledger/env.ts";
import { nextSequence } from "../ledger/envelope.ts";
import { committeeAt, epochOf } from "../ledger/epoch/epochs.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import type { MemoryState } from "../ledger/memory-state.ts";
import { memoryState } from "../ledger/memory-state.ts";
import { overlay } from "../ledger/overlay.ts";
import type { BlockContext } from "../ledger/rule.ts";
import type { StateReader } from "../ledger/state.ts";
import type { Tree } from "../ledger/tree.ts";
import { emptyTree, prove, recordProofCodec, root, update } from "../ledger/tree.ts";
import { utxoCommitment } from "../ledger/utxo/commitment.ts";
import { trustGenesis } from "../light.ts";
import type { ScratchNetwork } from "./genesis.ts";

/** A final block as a node serves it (SEAMS, `finality`); `committee`: the one that the header names as next. */
export type ScratchFinality = {
  readonly height: number;
  readonly header: Uint8Array;
  readonly certificate: Uint8Array;
  readonly committee: Uint8Array;
};
export type ScratchRecord = {
  readonly key: Uint8Array;
  readonly value?: Uint8Array;
  readonly proof: Uint8Array;
};

/** Where a network's blocks are. */
type At = { readonly height: number; readonly time: number };

export class ScratchChain {
  readonly env: LedgerEnv;
  readonly state: MemoryState;
  /** More is to do than to wait for the heartbeat (CON-1). */
  isBusy = true;
  /** Bytes of the largest block, and of the largest envelope. */
  readonly largest = { block: 0, envelope: 0 };
  head: ScratchFinality | undefined;
  /** Last blocks of epochs, ascending. */
  readonly ends: ScratchFinality[] = [];
  readonly #network: ScratchNetwork;
  readonly #bls: Bls;
  readonly #secrets: ReadonlyMap<string, Bytes32>;
  #tree: Tree;
  /** Before the newest block: what its header commits to. */
  #proven: { readonly tree: Tree; readonly state: StateReader };
  #proofs = new Map<string, ScratchRecord>();
  #waiting: Uint8Array[] = [];
  #parent: Uint8Array;
  #certificate: Certificate | undefined;
  #at: At;

  constructor(network: ScratchNetwork, bls: Bls) {
    const { genesis, validators } = network;
    const puts = genesisState(genesis);
    this.env = ledgerEnv(genesis, bls);
    this.state = memoryState(puts);
    this.#network = network;
    this.#bls = bls;
    this.#tree = update(emptyTree, puts);
    this.#proven = { tree: this.#tree, state: this.state };
    this.#parent = trustGenesis(genesis).id;
    this.#at = { height: 0, time: genesis.time };
    const owners = genesis.validators.map(({ owner }) => keyOf(owner));
    this.#secrets = new Map(
      validators.map(({ consensus }, i) => [must(owners[i], "owner"), consensus]),
    );
  }

  /** Undefined: it waits for a block. */
  submit(bytes: Uint8Array, nowMs: number): Rejected | undefined {
    const at = { height: this.#at.height + 1, time: nowMs };
    const checked = checkTransaction(this.env, this.state, at, bytes);
    if (isRejected(checked)) return checked;
    this.#waiting.push(bytes);
    this.largest.envelope = Math.max(this.largest.envelope, bytes.length);
    this.isBusy = true;
    return undefined;
  }

  nextSequence(validator: Uint8Array): number {
    return nextSequence(this.state, { validator, role: roles.signer });
  }

  /** Changes the state between two blocks: what a rehearsal plays instead of users and foreign chains. */
  write(nowMs: number, change: (block: BlockContext) => void): void {
    const state = overlay(this.state);
    change(blockContext(this.env, state, { height: this.#at.height + 1, time: nowMs }));
    const puts = state.differences();
    this.state.write(puts);
    this.#tree = update(this.#tree, puts);
    this.isBusy = true;
  }

  /** The output that a beacon would have had, random; else no ring is elected. */
  giveOutput(output: Uint8Array, nowMs: number): void {
    const { number } = epochOf(this.state);
    if (outputs.get(this.state, number) !== undefined) return;
    this.write(nowMs, ({ state }) => outputs.put(state, number, { output }));
  }

  block(nowMs: number): void {
    const { networkId } = this.#network.genesis;
    const { number } = epochOf(this.state);
    const committee = must(committeeAt(this.state, number), "committee");
    const nextCommittee = must(committeeAt(this.state, number + 1), "next committee");
    const at = { height: this.#at.height + 1, time: nowMs };
    const votes = { certificate: this.#certificate ? [this.#certificate] : [], late: [] };
    const proposer = at.height % committee.members.length;
    const draft = { ...votes, ...at, parent: this.#parent, proposer };
    const built = buildBlock(this.env, this.state, this.#tree, draft, this.#waiting);
    assert(!isRejected(built), "a block of our own is not valid");
    const { applied, transactions } = built;
    const header: Header = {
      version: 1,
      ...at,
      parent: this.#parent,
      proposer,
      transactionsRoot: transactionsRoot(networkId, transactions),
      stateRoot: root(this.#tree),
      utxoCommitment: utxoCommitment(this.state),
      votesRoot: votesRoot(networkId, votes),
      snapshotRoot: zero32,
      committee: committeeId(networkId, committee),
      nextCommittee: committeeId(networkId, nextCommittee),
    };
    this.#proven = { tree: this.#tree, state: memoryState(this.state.entries()) };
    this.#proofs = new Map();
    this.state.write(applied.puts);
    this.#tree = applied.tree;
    this.#at = at;
    this.#decide(header, committee, nextCommittee);
    if (epochOf(this.state).number !== number) this.ends.push(must(this.head, "head"));
    const size = transactions.reduce((sum, bytes) => sum + bytes.length, 0);
    this.largest.block = Math.max(this.largest.block, size);
    const included = new Set(transactions.map(keyOf));
    this.#waiting = this.#waiting.filter(
      (bytes) => !included.has(keyOf(bytes)) && this.#isValid(bytes),
    );
    this.isBusy = applied.changed || applied.hurried || this.#waiting.length > 0;
  }

  #isValid(bytes: Uint8Array): boolean {
    const at = { height: this.#at.height + 1, time: this.#at.time + 1 };
    return !isRejected(checkTransaction(this.env, this.state, at, bytes));
  }

  /** All seats vote for it. */
  #decide(header: Header, committee: Committee, nextCommittee: Committee): void {
    const { networkId } = this.#network.genesis;
    const { height } = header;
    const block = blockId(networkId, header);
    const kind = voteKinds.precommit;
    const digest = voteDigest(networkId, { kind, height, round: 0, block, polRound: 0 });
    const signatures = committee.members.map(({ validator }) => {
      const secret = must(this.#secrets.get(keyOf(validator)), "secret of a committee's seat");
      return this.#bls.sign(secret, digest);
    });
    const seats = [...committee.members.keys()];
    const bitmap = bitmapOf(seats, seats.length);
    const signature = this.#bls.aggregate(signatures);
    this.#parent = block;
    this.#certificate = { height, round: 0, block, bitmap, signature };
    this.head = {
      height,
      header: headerCodec.encode(header),
      certificate: certificateCodec.encode(this.#certificate),
      committee: committeeCodec.encode(nextCommittee),
    };
  }

  /** Under the newest final header (CON-8). */
  prove(key: Uint8Array): ScratchRecord {
    const name = keyOf(key);
    const known = this.#proofs.get(name);
    if (known !== undefined) return known;
    const value = this.#proven.state.get(key);
    const proof = recordProofCodec.encode(prove(this.#proven.tree, key));
    const record = { key, proof, ...(value === undefined ? {} : { value }) };
    this.#proofs.set(name, record);
    return record;
  }
}
