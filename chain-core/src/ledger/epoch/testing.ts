// For tests only: a chain of real blocks with real certificates, without the network and the machine that decides.
import type { Bytes32, Rejected } from "@causeway/primitives";
import { isRejected, keyOf, must, zero32 } from "@causeway/primitives";
import { bitmapOf } from "../../codec/bitmap.ts";
import type { Block, Certificate, Committee, Header } from "../../codec/block.ts";
import {
  blockId,
  committeeId,
  transactionsRoot,
  voteDigest,
  voteKinds,
  votesRoot,
} from "../../codec/block.ts";
import type { Applied } from "../apply.ts";
import { applyBlock } from "../apply.ts";
import type { LedgerEnv } from "../env.ts";
import { ledgerEnv } from "../env.ts";
import type { Genesis } from "../genesis.ts";
import { genesisState } from "../genesis-state.ts";
import type { MemoryState } from "../memory-state.ts";
import { memoryState } from "../memory-state.ts";
import { testBls, validatorSecret } from "../testing.ts";
import type { Tree } from "../tree.ts";
import { emptyTree, root, update } from "../tree.ts";
import { utxoCommitment } from "../utxo/commitment.ts";
import { committeeAt, committeeOfHeight, epochOf } from "./epochs.ts";

export type TestChain = {
  readonly genesis: Genesis;
  readonly env: LedgerEnv;
  readonly state: MemoryState;
  tree: Tree;
  height: number;
  time: number;
  /** Id of the newest block, and what made it final. */
  tip: Uint8Array;
  certificate: Certificate | undefined;
};

export function testChain(genesis: Genesis): TestChain {
  const puts = genesisState(genesis);
  return {
    genesis,
    env: ledgerEnv(genesis, testBls),
    state: memoryState(puts),
    tree: update(emptyTree, puts),
    height: 0,
    time: genesis.time,
    tip: zero32,
    certificate: undefined,
  };
}

/** The consensus secret of a committee's seat; the validators are those of `testGenesis`. */
export function seatSecret({ genesis }: TestChain, committee: Committee, seat: number): Bytes32 {
  const owner = keyOf(must(committee.members[seat], "seat").validator);
  const place = genesis.validators.findIndex((one) => keyOf(one.owner) === owner);
  return validatorSecret(place, "consensusKey");
}

/** Precommits of `seats` for a block. */
export function precommits(
  chain: TestChain,
  committee: Committee,
  seats: readonly number[],
  of: { readonly height: number; readonly block: Uint8Array; readonly round?: number },
): Certificate {
  const { height, block, round = 0 } = of;
  const content = { kind: voteKinds.precommit, height, round, block, polRound: 0 };
  const digest = voteDigest(chain.genesis.networkId, content);
  const signatures = seats.map((seat) => testBls.sign(seatSecret(chain, committee, seat), digest));
  return {
    height,
    round,
    block,
    bitmap: bitmapOf(seats, committee.members.length),
    signature: testBls.aggregate(signatures),
  };
}

/** What a block may differ in from the next honest one; `stepMs` after its parent. */
export type Change = Partial<Pick<Block, "certificate" | "late" | "transactions">> & {
  readonly stepMs?: number;
  readonly proposer?: number;
};

/** The next block with everything in its header true. */
export function nextBlock(chain: TestChain, change: Change = {}): Block {
  const { genesis, state, certificate } = chain;
  const { networkId } = genesis;
  const { number } = epochOf(state);
  const id = (epoch: number): Bytes32 =>
    committeeId(networkId, must(committeeAt(state, epoch), "committee"));
  const transactions = change.transactions ?? [];
  const votes = {
    certificate: change.certificate ?? (certificate === undefined ? [] : [certificate]),
    late: change.late ?? [],
  };
  const header: Header = {
    version: 1,
    height: chain.height + 1,
    time: chain.time + (change.stepMs ?? 500),
    parent: chain.tip,
    proposer: change.proposer ?? 0,
    transactionsRoot: transactionsRoot(networkId, transactions),
    stateRoot: root(chain.tree),
    utxoCommitment: utxoCommitment(state),
    votesRoot: votesRoot(networkId, votes),
    snapshotRoot: zero32,
    committee: id(number),
    nextCommittee: id(number + 1),
  };
  return { header, ...votes, transactions };
}

/** Applies a block without making it final. */
export function tryBlock(chain: TestChain, change: Change = {}): Applied | Rejected {
  return applyBlock(chain.env, chain.state, chain.tree, nextBlock(chain, change));
}

/** Applies the next block and certifies it by all seats but `absent`; throws when it is not valid. */
export function extend(
  chain: TestChain,
  change: Change & { readonly absent?: readonly number[] } = {},
): Block {
  const block = nextBlock(chain, change);
  const { header } = block;
  const committee = committeeOfHeight(chain.state, header.height);
  const applied = applyBlock(chain.env, chain.state, chain.tree, block);
  if (isRejected(applied)) throw new Error(`${applied.code}: ${applied.message}`);
  const id = blockId(chain.genesis.networkId, header);
  const seats = committee.members.map((_, seat) => seat);
  const present = seats.filter((seat) => !change.absent?.includes(seat));
  chain.certificate = precommits(chain, committee, present, { height: header.height, block: id });
  chain.state.write(applied.puts);
  chain.tree = applied.tree;
  chain.height = header.height;
  chain.time = header.time;
  chain.tip = id;
  return block;
}
