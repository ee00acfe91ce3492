// Who voted (CON-4). Block h carries the certificate of its parent and may carry late votes for any final block
// whose window is open. When a window closes, the seats that neither named have missed.
//
//   block x final -> block x + 1 carries its certificate, blocks x + 1 to x + 2N its late votes -> misses are counted
//
// A proposer puts in: the certificate of its parent, and aggregates for the seats that `openVotes` says are missing.
import type { Codec, Rejected } from "@causeway/primitives";
import {
  b32,
  ContainerType,
  codec,
  equal,
  isRejected,
  ListCompositeType,
  must,
  rejected,
  u32,
  u64,
} from "@causeway/primitives";
import { seatsOf } from "../../codec/bitmap.ts";
import type { BlockVotes, Certificate, Committee, Header } from "../../codec/block.ts";
import { bitmapType, voteDigest, voteKinds } from "../../codec/block.ts";
import type { BadCertificate } from "../../consensus/certificate.ts";
import { verifyCertificate } from "../../consensus/certificate.ts";
import { votersOf } from "../../consensus/voters.ts";
import type { BlockContext } from "../rule.ts";
import { jail } from "../staking/punish.ts";
import type { State, StateReader, Table } from "../state.ts";
import { byBytes, byNumber, modules, single, table } from "../state.ts";
import { committeeAt, committeeOfHeight, epochOf } from "./epochs.ts";
import { suspendedSeats } from "./validators.ts";

/** A final block whose window is open: its id, the epoch of its committee, and the seats that were named. */
type Open = { block: Uint8Array; epoch: number; seen: Uint8Array };
const opens: Table<number, Open> = table(
  modules.staking,
  6,
  byNumber,
  codec("open votes", new ContainerType({ block: b32, epoch: u64, seen: bitmapType }), 96),
);

/** Heights from `oldest` to `newest` are open; none when `newest` is the smaller. */
type Window = { oldest: number; newest: number };
const windows: Table<"only", Window> = table(
  modules.staking,
  7,
  single,
  codec("vote window", new ContainerType({ oldest: u64, newest: u64 }), 16),
);

/**
 * Late votes that its blocks added, of which `paid` are paid for (STK-3), and missed ones by where a bucket begins.
 */
type Standing = { included: number; paid: number; misses: { from: number; count: number }[] };
const bucketsMax = 32;
const standingCodec: Codec<Standing> = codec(
  "standing",
  new ContainerType({
    included: u64,
    paid: u64,
    misses: new ListCompositeType(new ContainerType({ from: u64, count: u32 }), bucketsMax),
  }),
  512,
);
/** By the owner's lock. */
export const standings: Table<Uint8Array, Standing> = table(
  modules.staking,
  8,
  byBytes,
  standingCodec,
);

export type VotesCode =
  /** Block 1 has no parent that anybody voted for. */
  | "early-votes"
  /** Every later block carries its parent's. */
  | "no-certificate"
  /** Of another block or height than the parent. */
  | "wrong-certificate"
  /** Late votes not in ascending order of height and round, or two aggregates of one. */
  | "unsorted-votes"
  /** Late votes for a height whose window is closed or has not begun. */
  | "closed-height"
  /** Late votes for another block than the final one. */
  | "wrong-block"
  | "no-votes"
  /** A seat that the certificate or earlier late votes named. */
  | "repeated-vote";
type BadVotes = Rejected<VotesCode> | BadCertificate;

/** Checks the votes of a block and counts them; before its transactions, on the state after the parent. */
export function applyVotes(
  context: BlockContext,
  { header, certificate, late }: BlockVotes & { header: Pick<Header, "parent" | "proposer"> },
): BadVotes | undefined {
  const { state, height } = context;
  if (height === 1)
    return certificate.length + late.length === 0
      ? undefined
      : rejected("early-votes", "block 1 carries votes");
  const [parent] = certificate;
  if (parent === undefined)
    return rejected("no-certificate", `block ${height} without its parent's certificate`);
  const bad = openParent(context, header.parent, parent);
  if (bad !== undefined) return bad;
  const included = addLate(context, late);
  if (isRejected(included)) return included;
  if (included > 0) {
    const { members } = committeeOfHeight(state, height);
    const proposer = must(members[header.proposer], "proposer").validator;
    const standing = standingOf(state, proposer);
    standings.put(state, proposer, { ...standing, included: standing.included + included });
  }
  closeWindows(context);
  return undefined;
}

function openParent(
  { genesis, bls, state, height }: BlockContext,
  block: Uint8Array,
  certificate: Certificate,
): BadVotes | undefined {
  if (certificate.height !== height - 1 || !equal(certificate.block, block))
    return rejected("wrong-certificate", `block ${height} certifies another than its parent`);
  const committee = committeeOfHeight(state, height - 1);
  const barred = suspendedSeats(state, committee, height - 1);
  const voters = votersOf(genesis.networkId, committee, barred);
  const bad = verifyCertificate(genesis.networkId, bls, voters, certificate);
  if (bad !== undefined) return bad;
  const { epoch } = committee;
  opens.put(state, height - 1, { block, epoch, seen: certificate.bitmap });
  windows.put(state, "only", { oldest: windowOf(state).oldest, newest: height - 1 });
  return undefined;
}

/** How many votes of seats that may vote the aggregates add. */
function addLate(
  context: BlockContext,
  late: readonly Certificate[],
): number | Rejected<VotesCode | "bad-bitmap" | "bad-signature"> {
  let included = 0;
  let before: Certificate | undefined;
  for (const votes of late) {
    if (before !== undefined && !isAfter(votes, before))
      return rejected("unsorted-votes", `late votes of height ${votes.height} are out of order`);
    before = votes;
    const added = addAggregate(context, votes);
    if (isRejected(added)) return added;
    included += added;
  }
  return included;
}

function isAfter(a: Certificate, b: Certificate): boolean {
  return a.height === b.height ? a.round > b.round : a.height > b.height;
}

function addAggregate(
  { genesis, bls, state }: BlockContext,
  { height, round, block, bitmap, signature }: Certificate,
): number | Rejected<VotesCode | "bad-bitmap" | "bad-signature"> {
  const open = opens.get(state, height);
  if (open === undefined) return rejected("closed-height", `no late votes for height ${height}`);
  if (!equal(open.block, block))
    return rejected("wrong-block", `late votes for another block ${height}`);
  const committee = must(committeeAt(state, open.epoch), "committee of an open height");
  const { members } = committee;
  const seats = seatsOf(bitmap, members.length);
  if (isRejected(seats)) return seats;
  if (seats.length === 0) return rejected("no-votes", `late votes of nobody for height ${height}`);
  const repeated = seats.find((seat) => hasSeat(open.seen, seat));
  if (repeated !== undefined)
    return rejected("repeated-vote", `seat ${repeated} at height ${height} was named before`);
  const keys = seats.map((seat) => must(members[seat], "seat in range").consensusKey);
  const content = { kind: voteKinds.precommit, height, round, block, polRound: 0 };
  if (!bls.verifyAggregate(keys, voteDigest(genesis.networkId, content), signature))
    return rejected("bad-signature", `late votes for height ${height} do not verify`);
  const seen = open.seen.map((byte, i) => byte | (bitmap[i] ?? 0));
  opens.put(state, height, { ...open, seen });
  const barred = suspendedSeats(state, committee);
  return seats.filter((seat) => !barred.includes(seat)).length;
}

function hasSeat(bitmap: Uint8Array, seat: number): boolean {
  return (((bitmap[seat >> 3] ?? 0) >> (seat & 7)) & 1) === 1;
}

/**
 * Counts as missed who is still not named after 2N blocks, lowest heights first, and jails who missed too many. The last block of an epoch closes
 * those of the epoch before, whose committee the state is about to forget.
 */
function closeWindows(context: BlockContext): void {
  const { state, params, height, time } = context;
  const { number, endsAt } = epochOf(state);
  const isLast = time >= endsAt;
  const { newest } = windowOf(state);
  let { oldest } = windowOf(state);
  for (; oldest <= newest; oldest++) {
    const open = must(opens.get(state, oldest), "open height");
    const committee = must(committeeAt(state, open.epoch), "committee of an open height");
    const isOver = height >= oldest + 2 * committee.members.length;
    if (!isOver && !(isLast && open.epoch < number)) break;
    for (const seat of missing(state, open, committee)) {
      const { validator } = must(committee.members[seat], "seat in range");
      addMiss(state, validator, oldest, params.missedWindow);
      if (missedVotes(state, validator, oldest, params.missedWindow) > params.missedMax)
        jail(context, validator);
    }
    opens.delete(state, oldest);
  }
  windows.put(state, "only", { oldest, newest });
}

/** Seats whose vote may still be added, ascending; the tombstoned are beyond that. */
function missing(state: StateReader, { seen }: Open, committee: Committee): number[] {
  const barred = suspendedSeats(state, committee);
  return committee.members.flatMap((_, seat) =>
    hasSeat(seen, seat) || barred.includes(seat) ? [] : [seat],
  );
}

function windowOf(state: StateReader): Window {
  return windows.get(state, "only") ?? { oldest: 1, newest: 0 };
}

function standingOf(state: StateReader, owner: Uint8Array): Standing {
  return standings.get(state, owner) ?? { included: 0, paid: 0, misses: [] };
}

/** A window has 16 buckets: a record changes only when a vote is missed, and stays small. */
function addMiss(state: State, owner: Uint8Array, height: number, window: number): void {
  const standing = standingOf(state, owner);
  const { misses } = standing;
  const size = Math.max(1, Math.floor(window / 16));
  const from = height - (height % size);
  const kept = misses.filter((bucket) => bucket.from > height - window);
  const last = kept.at(-1);
  const next =
    last !== undefined && last.from >= from
      ? [...kept.slice(0, -1), { from: last.from, count: last.count + 1 }]
      : [...kept, { from, count: 1 }];
  standings.put(state, owner, { ...standing, misses: next.slice(-bucketsMax) });
}

/**
 * Votes that the validator missed in the `window` blocks up to `height`, of those that are counted already; up to a
 * sixteenth of the window at its old end is left out.
 */
export function missedVotes(
  state: StateReader,
  owner: Uint8Array,
  height: number,
  window: number,
): number {
  return standingOf(state, owner)
    .misses.filter(({ from }) => from > height - window)
    .reduce((sum, { count }) => sum + count, 0);
}

/** Forgets them: who comes back from jail begins anew. */
export function forgiveMisses(state: State, owner: Uint8Array): void {
  standings.put(state, owner, { ...standingOf(state, owner), misses: [] });
}

/** Late votes that its blocks have added and that were not paid for; they are now. */
export function takeIncluded(state: State, owner: Uint8Array): number {
  const standing = standingOf(state, owner);
  const { included, paid } = standing;
  if (included > paid) standings.put(state, owner, { ...standing, paid: included });
  return included - paid;
}

/** Late votes that the validator's blocks have added since it registered. */
export function includedVotes(state: StateReader, owner: Uint8Array): number {
  return standingOf(state, owner).included;
}

/** A final block and the seats of the committee of `epoch` whose precommits no block has named. */
export type OpenVotes = {
  readonly height: number;
  readonly block: Uint8Array;
  readonly epoch: number;
  readonly seats: readonly number[];
};

/**
 * What the next block may add as `late`, in the order that it must have; besides, the seats that its own
 * certificate leaves out. At most one aggregate for each height and round, each of seats named here.
 */
export function openVotes(state: StateReader): OpenVotes[] {
  const { oldest, newest } = windowOf(state);
  const found: OpenVotes[] = [];
  for (let height = oldest; height <= newest; height++) {
    const open = must(opens.get(state, height), "open height");
    const committee = must(committeeAt(state, open.epoch), "committee of an open height");
    const seats = missing(state, open, committee);
    const { block, epoch } = open;
    if (seats.length > 0) found.push({ height, block, epoch, seats });
  }
  return found;
}
