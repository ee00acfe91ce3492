// One real ledger with one honest node in memory, for tests: rules, proofs and certificates are the real ones.
import type { Committee, Genesis, Header, State } from "@causeway/chain-core/interchain";
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
} from "@causeway/chain-core/interchain";
import { trustGenesis } from "@causeway/chain-core/light";
import type { Bls } from "@causeway/primitives";
import { isRejected, zero32 } from "@causeway/primitives";
import { certificateOf } from "../../../chain-core/src/consensus/certificate.ts";
import { blockContext } from "../../../chain-core/src/ledger/context.ts";
import { endBlock } from "../../../chain-core/src/ledger/end-block.ts";
import type { LedgerEnv } from "../../../chain-core/src/ledger/env.ts";
import { ledgerEnv } from "../../../chain-core/src/ledger/env.ts";
import { executeTransaction } from "../../../chain-core/src/ledger/execute.ts";
import { genesisState } from "../../../chain-core/src/ledger/genesis-state.ts";
import { memoryState } from "../../../chain-core/src/ledger/memory-state.ts";
import { overlay } from "../../../chain-core/src/ledger/overlay.ts";
import { testBls, testGenesis, validatorSecret } from "../../../chain-core/src/ledger/testing.ts";
import {
  emptyTree,
  prove,
  recordProofCodec,
  root,
  update,
} from "../../../chain-core/src/ledger/tree.ts";
import type * as machine from "../machine.ts";

export const size = 4;
export const genesis: Genesis = testGenesis(size);
export const env: LedgerEnv = ledgerEnv(genesis, testBls);
const { committee } = trustGenesis(genesis);

/** One ledger with one honest node that everybody asks: a block every half second, final at once. */
export type TestLedger = {
  readonly state: State;
  readonly height: () => number;
  readonly block: (nowMs: number) => void;
  readonly submit: (bytes: Uint8Array, nowMs: number) => Refusal | undefined;
  readonly prove: (id: number, wanted: readonly Uint8Array[]) => machine.Event;
  readonly write: (change: (state: State) => void) => void;
  readonly upgrade: (version: number) => void;
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
  let version = 1;
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
    upgrade: (to) => {
      version = to;
    },
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
      const at = { height, time: nowMs, parent, stateRoot: root(proven.tree) };
      const header = { ...headerOf(genesis, committee, at, mempool), version };
      parent = blockId(genesis.networkId, header);
      final = { header, certificate: certificateFor(genesis, testBls, committee, header, parent) };
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
        committee: committeeCodec.encode({ ...committee, epoch: 1 }),
        records,
      };
    },
  };
}

/** Of a ledger whose committee stays. `stateRoot`: of the state before the block. */
export function headerOf(
  { networkId, validators }: Genesis,
  committee: Committee,
  at: Pick<Header, "height" | "time" | "parent" | "stateRoot">,
  transactions: readonly Uint8Array[],
): Header {
  const id = (epoch: number): Uint8Array => committeeId(networkId, { ...committee, epoch });
  return {
    version: 1,
    ...at,
    proposer: at.height % validators.length,
    transactionsRoot: transactionsRoot(networkId, transactions),
    utxoCommitment: zero32,
    votesRoot: votesRoot(networkId, { certificate: [], late: [] }),
    snapshotRoot: zero32,
    committee: id(0),
    nextCommittee: id(1),
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

/** Signed by a quorum, and no more. */
export function certificateFor(
  { networkId }: Genesis,
  bls: Bls,
  { members }: Committee,
  header: Header,
  block: Uint8Array,
): Uint8Array {
  const kind = voteKinds.precommit;
  const content = { kind, height: header.height, round: 0, block, polRound: 0 };
  const digest = voteDigest(networkId, content);
  const quorum = Math.floor((2 * members.length) / 3) + 1;
  const votes = members.slice(0, quorum).map((_, seat) => ({
    ...content,
    seat,
    signature: bls.sign(validatorSecret(seat, "consensusKey"), digest),
  }));
  return certificateCodec.encode(certificateOf(bls, members.length, votes));
}
