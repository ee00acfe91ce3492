// The committee's approval (GOV-1): one aggregate of attest keys over an act, its sequence number and the epoch
// whose committee approves. The attest key, as for statements (WIT-2): a quorum of those can state any deposit, so
// that governance gives a thief of them nothing new, and the node's key on the open network signs votes only.
import type { Bytes32, Codec, NetworkId, Rejected } from "@causeway/primitives";
import {
  ByteListType,
  b96,
  ContainerType,
  codec,
  H,
  isRejected,
  rejected,
  u16,
  u64,
} from "@causeway/primitives";
import { seatsOf } from "../../codec/bitmap.ts";
import { bitmapType } from "../../codec/block.ts";
import type { BlockContext } from "../rule.ts";
import type { State, StateReader, Table } from "../state.ts";
import { modules, single, table } from "../state.ts";

/** Largest subject of an approval, bytes. */
export const subjectSizeMax = 2_048;

/**
 * What is approved: an action kind and the bytes that say what it does. `sequence` is the act's own number, so that
 * an approval holds once; `epoch` names the committee that approves.
 */
export type Act = { kind: number; subject: Uint8Array; sequence: number; epoch: number };
const actCodec: Codec<Act> = codec(
  "act",
  new ContainerType({
    kind: u16,
    subject: new ByteListType(subjectSizeMax),
    sequence: u64,
    epoch: u64,
  }),
  subjectSizeMax + 64,
);

/** What an operator signs with the attest key. */
export function approvalDigest(network: NetworkId, act: Act): Bytes32 {
  return H("govern", network, actCodec.encode(act));
}

/** Signatures of the seats in `bitmap` as one. */
export type Approval = {
  sequence: number;
  epoch: number;
  bitmap: Uint8Array;
  signature: Uint8Array;
};
export const approvalType: ContainerType<{
  sequence: typeof u64;
  epoch: typeof u64;
  bitmap: typeof bitmapType;
  signature: typeof b96;
}> = new ContainerType({ sequence: u64, epoch: u64, bitmap: bitmapType, signature: b96 });

export type ApprovalCode =
  /** Not the number that comes next: approved before, or too late. */
  | "wrong-sequence"
  /** Not the running epoch, nor the one before within its ten minutes (WIT-2). */
  | "unknown-epoch"
  | "bad-bitmap"
  /** The seats of the bitmap do not hold enough power. */
  | "no-quorum"
  | "bad-signature";

/** `needed`: least power of the committee's total. `expected`: the sequence number that comes next. */
export function checkApproval(
  { genesis, bls, committee }: BlockContext,
  of: Pick<Act, "kind" | "subject">,
  { sequence, epoch, bitmap, signature }: Approval,
  { expected, needed }: { readonly expected: number; readonly needed: (total: bigint) => bigint },
): Rejected<ApprovalCode> | undefined {
  if (sequence !== expected)
    return rejected("wrong-sequence", `sequence ${sequence}, next is ${expected}`);
  const voters = committee(epoch);
  if (voters === undefined) return rejected("unknown-epoch", `no epoch ${epoch} now`);
  const { members } = voters;
  const seats = seatsOf(bitmap, members.length);
  if (isRejected(seats)) return seats;
  const signers = members.filter((_, seat) => seats.includes(seat));
  const power = signers.reduce((sum, member) => sum + member.power, 0n);
  const total = members.reduce((sum, member) => sum + member.power, 0n);
  const least = needed(total);
  if (power < least)
    return rejected("no-quorum", `power ${power} of ${total} approves, needed are ${least}`);
  const digest = approvalDigest(genesis.networkId, { ...of, sequence, epoch });
  const keys = signers.map(({ attestKey }) => attestKey);
  return bls.verifyAggregate(keys, digest, signature)
    ? undefined
    : rejected("bad-signature", "the aggregate does not verify");
}

/** The number of the next setParameter or upgrade; dense from 0. */
const governSequences: Table<"only", { next: number }> = table(
  modules.system,
  10,
  single,
  codec("governance sequence", new ContainerType({ next: u64 }), 8),
);

export function governSequence(state: StateReader): number {
  return governSequences.get(state, "only")?.next ?? 0;
}

export function useGovernSequence(state: State): void {
  governSequences.put(state, "only", { next: governSequence(state) + 1 });
}
