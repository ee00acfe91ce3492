// What a Byzantine seat makes with its own key: votes and proposals of any content, blocks that are wrong in one way,
// certificates that are none.
import type { Random } from "@causeway/primitives";
import { isRejected, sha256, zero32 } from "@causeway/primitives";
import { bitmapOf } from "../../chain-core/src/codec/bitmap.ts";
import type {
  Block,
  Certificate,
  Proposal,
  Vote,
  VoteContent,
} from "../../chain-core/src/codec/block.ts";
import {
  blockCodec,
  blockId,
  certificateCodec,
  proposalDigest,
  transactionsRoot,
  voteDigest,
  voteKinds,
  votesRoot,
} from "../../chain-core/src/codec/block.ts";
import type { FinalBlock } from "../../chain-core/src/node/machine.ts";
import { proposerAt, seatsAt } from "./ledger.ts";
import type { Adversary } from "./model.ts";

/** The own seat at a height, or -1. */
export function seatAt({ world, index }: Adversary, height: number): number {
  return seatsAt(world.plan, height).indexOf(index);
}

export function isProposer(adversary: Adversary, height: number, round: number): boolean {
  return proposerAt(adversary.world.plan, height, round) === adversary.index;
}

/** A vote of the own seat. */
export function signVote(adversary: Adversary, content: VoteContent): Vote {
  const { world, secret } = adversary;
  const seat = Math.max(0, seatAt(adversary, content.height));
  const { kind, height, round, block, polRound } = content;
  const plain = { kind, height, round, block, polRound };
  return {
    ...plain,
    seat,
    signature: world.bls.sign(secret, voteDigest(world.chain.network, plain)),
  };
}

export function signProposal(
  { world, secret }: Adversary,
  { height, round, polRound }: Proposal,
  block: Block,
): { readonly proposal: Proposal; readonly id: Uint8Array } {
  const id = blockId(world.chain.network, block.header);
  const digest = proposalDigest(world.chain.network, { height, round, polRound, block: id });
  const signature = world.bls.sign(secret, digest);
  return { proposal: { height, round, polRound, block: blockCodec.encode(block), signature }, id };
}

/** The same block but for one thing, under a header that fits it. */
export function withHeader(block: Block, changes: Partial<Block["header"]>): Block {
  return { ...block, header: { ...block.header, ...changes } };
}

/** A block that no honest node may vote for. */
export function wrongBlock({ random, world }: Adversary, block: Block): Block {
  const { header } = block;
  const hash = sha256(random.bytes(8));
  const { network } = world.chain;
  const withTransactions = (transactions: Uint8Array[]): Block => ({
    ...withHeader(block, { transactionsRoot: transactionsRoot(network, transactions) }),
    transactions,
  });
  const withVotes = (certificate: Certificate[], late: Certificate[]): Block => ({
    ...withHeader(block, { votesRoot: votesRoot(network, { certificate, late }) }),
    certificate,
    late,
  });
  const [parent] = block.certificate;
  const makers: (() => Block)[] = [
    () => withHeader(block, { stateRoot: hash }),
    () => withHeader(block, { parent: hash }),
    () => withHeader(block, { time: header.time + 60_000 }),
    () => withHeader(block, { time: 1 }),
    () => withHeader(block, { proposer: header.proposer + 1 }),
    () => withHeader(block, { committee: hash }),
    () => withHeader(block, { nextCommittee: hash }),
    () => withHeader(block, { height: header.height + 1 }),
    () => ({ ...block, transactions: [random.bytes(40)] }),
    () => withTransactions([random.bytes(60)]),
    () => withTransactions([...block.transactions, ...block.transactions, random.bytes(9)]),
  ];
  if (parent !== undefined)
    makers.push(
      () => withVotes([], []),
      () => withVotes([{ ...parent, signature: random.bytes(96) }], []),
      () => withVotes([{ ...parent, bitmap: new Uint8Array(parent.bitmap.length) }], []),
      () => withVotes([{ ...parent, block: hash }], []),
      () => withVotes([parent], [{ ...parent, signature: random.bytes(96) }]),
    );
  return random.pick(makers)();
}

/** A final block with a certificate that is none: too few, too many, other seats, another block, rubbish. */
export function forgedFinal(adversary: Adversary, height: number, final: FinalBlock): FinalBlock {
  const { random, world, secret } = adversary;
  const parsed = certificateCodec.parse(final.certificate);
  const block = blockCodec.parse(final.block);
  if (isRejected(parsed) || isRejected(block)) return final;
  const of = (changes: Partial<Certificate>): FinalBlock => ({
    block: final.block,
    certificate: certificateCodec.encode({ ...parsed, ...changes }),
  });
  const size = seatsAt(world.plan, height).length;
  const seat = Math.max(0, seatAt(adversary, height));
  const full = bitmapOf(
    Array.from({ length: size }, (_, i) => i),
    size,
  );
  const other = withHeader(block, { time: block.header.time + 1, height });
  const id = blockId(world.chain.network, other.header);
  const content = { kind: voteKinds.precommit, height, round: 0, block: id, polRound: 0 };
  const own = world.bls.sign(secret, voteDigest(world.chain.network, content));
  const forOther = (bitmap: Uint8Array, count: number): FinalBlock => ({
    block: blockCodec.encode(other),
    certificate: certificateCodec.encode({
      height,
      round: 0,
      block: id,
      bitmap,
      signature: world.bls.aggregate(Array.from({ length: count }, () => own)),
    }),
  });
  return random.pick([
    () => of({ bitmap: bitmapOf([seat], size) }),
    () => of({ bitmap: full }),
    () => of({ bitmap: bitmapOf([...Array(size + 1).keys()], 8 * full.length) }),
    () => of({ bitmap: new Uint8Array(full.length + 1).fill(255) }),
    () => of({ round: parsed.round + 1 }),
    () => of({ block: zero32 }),
    () => of({ signature: random.bytes(96) }),
    () => forOther(bitmapOf([seat], size), 1),
    () => forOther(full, size),
    () => forOther(full, 1),
    () => ({ block: random.bytes(50), certificate: final.certificate }),
  ])();
}

/** Bytes that are no message, or one that says too much. */
export function garbage(random: Random): Uint8Array {
  const bytes = random.bytes(1 + random.below(120));
  if (random.chance(0.7)) bytes[0] = 1 + random.below(9);
  return bytes;
}
