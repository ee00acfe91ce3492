// A committee with what is computed from it once: its id, its total power and its quorum.
import type { Bytes32, NetworkId } from "@causeway/primitives";
import { assert, equal } from "@causeway/primitives";
import type { Committee, Member } from "../codec/block.ts";
import { committeeId } from "../codec/block.ts";
import { honestMin, quorum } from "./quorum.ts";

export type Voters = {
  readonly committee: Committee;
  readonly members: readonly Member[];
  readonly id: Bytes32;
  readonly size: number;
  /** Seats of tombstoned validators: their votes do not count, their power stays in `total` (CON-3). */
  readonly barred: ReadonlySet<number>;
  /** The other seats, ascending; all of them where nobody would be left. */
  readonly eligible: readonly number[];
  /** Sum of the capped powers. */
  readonly total: bigint;
  readonly quorum: bigint;
  readonly honestMin: bigint;
};

/** `barred`: seats of `committee` whose votes do not count. */
export function votersOf(
  network: NetworkId,
  committee: Committee,
  barred: readonly number[] = [],
): Voters {
  const total = committee.members.reduce((sum, member) => sum + member.power, 0n);
  assert(total > 0n, "a committee without power");
  const seats = committee.members.map((_, seat) => seat);
  const eligible = seats.filter((seat) => !barred.includes(seat));
  return {
    committee,
    members: committee.members,
    id: committeeId(network, committee),
    size: committee.members.length,
    barred: new Set(barred),
    eligible: eligible.length > 0 ? eligible : seats,
    total,
    quorum: quorum(total),
    honestMin: honestMin(total),
  };
}

/** The seat whose consensus key is `publicKey`, or undefined. */
export function seatOf(voters: Voters, publicKey: Uint8Array): number | undefined {
  const seat = voters.members.findIndex((member) => equal(member.consensusKey, publicKey));
  return seat < 0 ? undefined : seat;
}
