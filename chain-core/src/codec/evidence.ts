// Evidence: two statements that one consensus key signed at one height and that no honest validator signs both.
import type { Bytes32, Codec, NetworkId } from "@causeway/primitives";
import { b32, b96, ContainerType, codec, u8, u16, u32, u64 } from "@causeway/primitives";
import { proposalDigest, voteDigest } from "./block.ts";

/** What a consensus key signs: the numbers of votes, and one for proposals. */
export const statementKinds = { prevote: 1, precommit: 2, proposal: 3 } as const;

/** `block` is a block id or 32 zero bytes for nil; `polRound` as in a vote. */
export type SignedStatement = {
  kind: number;
  round: number;
  block: Uint8Array;
  polRound: number;
  signature: Uint8Array;
};

/**
 * `seat` in the committee that decided `height`. `reporter` is the lock that a user's report is paid to, 32 zero bytes
 * for nobody; in an envelope the sender is paid.
 */
export type Evidence = {
  height: number;
  seat: number;
  first: SignedStatement;
  second: SignedStatement;
  reporter: Uint8Array;
};

const statementType = new ContainerType({
  kind: u8,
  round: u32,
  block: b32,
  polRound: u32,
  signature: b96,
});
export const evidenceCodec: Codec<Evidence> = codec(
  "evidence",
  new ContainerType({
    height: u64,
    seat: u16,
    first: statementType,
    second: statementType,
    reporter: b32,
  }),
  512,
);

/** What the seat signed. */
export function statementDigestOf(
  network: NetworkId,
  height: number,
  { kind, round, block, polRound }: SignedStatement,
): Bytes32 {
  return kind === statementKinds.proposal
    ? proposalDigest(network, { height, round, block, polRound })
    : voteDigest(network, { kind, height, round, block, polRound });
}
