import { must } from "@causeway/primitives";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Block, Proposal } from "./block.ts";
import { blockCodec } from "./block.ts";
import { blockBytes, compactCodec, compactOf, freshSizeMax, hashesOf } from "./compact.ts";
import { transactionBytesHash } from "./transaction.ts";

const zeros = (size: number): Uint8Array => new Uint8Array(size);
const header = {
  version: 1,
  height: 7,
  time: 9,
  parent: zeros(32),
  proposer: 2,
  transactionsRoot: zeros(32),
  stateRoot: zeros(32),
  utxoCommitment: zeros(32),
  votesRoot: zeros(32),
  snapshotRoot: zeros(32),
  committee: zeros(32),
  nextCommittee: zeros(32),
};
const vote = { height: 6, round: 1, block: zeros(32), bitmap: zeros(1), signature: zeros(96) };

function proposalOf(
  transactions: Uint8Array[],
  late: number,
): { block: Block; proposal: Proposal } {
  const block = { header, certificate: [vote], late: Array(late).fill(vote), transactions };
  const proposal = { height: 7, round: 1, polRound: 0, block: blockCodec.encode(block) };
  return { block, proposal: { ...proposal, signature: zeros(96) } };
}

it("a compact proposal and its transactions make the block's canonical bytes", () => {
  const transactions = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 });
  fc.assert(
    fc.property(transactions, fc.integer({ min: 0, max: 16 }), (list, late) => {
      const { block, proposal } = proposalOf(list, late);
      const compact = compactOf(proposal, list, new Set(list.slice(0, 2)));
      expect(compactCodec.decode(compactCodec.encode(compact))).toEqual(compact);
      expect(blockCodec.decode(compact.head)).toEqual({ ...block, transactions: [] });
      expect(hashesOf(compact)).toEqual(list.map(transactionBytesHash));
      expect(blockBytes(compact.head, list)).toEqual(proposal.block);
    }),
  );
});

it("what comes along is bounded", () => {
  const list = [zeros(freshSizeMax - 1), Uint8Array.of(1, 2), Uint8Array.of(3)];
  const { fresh } = compactOf(proposalOf(list, 0).proposal, list, new Set(list));
  expect(fresh).toEqual([list[0], must(list[2], "smallest")]);
});

it("hashes that are cut are none", () => {
  const { proposal } = proposalOf([], 0);
  const compact = { ...compactOf(proposal, [], new Set()), hashes: zeros(33) };
  expect(hashesOf(compact)).toBeUndefined();
});
