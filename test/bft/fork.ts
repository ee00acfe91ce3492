// More than f Byzantine seats: each of them runs two honest machines with one key, one towards each half of the honest
// seats, which do not hear of each other. Both halves go on, and sooner or later two final blocks of one height differ.
// What the honest nodes of the two halves can show then must convict more than a third of the power, and nobody else.
import type { Random } from "@causeway/primitives";
import { isRejected, keyOf, must, seeded } from "@causeway/primitives";
import { seatsOf } from "../../chain-core/src/codec/bitmap.ts";
import type {
  Certificate,
  Committee,
  Vote,
  VoteContent,
} from "../../chain-core/src/codec/block.ts";
import {
  certificateCodec,
  voteCodec,
  voteDigest,
  voteKinds,
} from "../../chain-core/src/codec/block.ts";
import { contradiction, culprits } from "../../chain-core/src/consensus/accountability.ts";
import { parseRecord } from "../../chain-core/src/consensus/journal.ts";
import { shuffled, times } from "../seeds/plan.ts";
import { after, next } from "../seeds/queue.ts";
import type { World } from "./model.ts";
import { heightOf, isHonest } from "./model.ts";
import { start, submit } from "./node.ts";
import type { Plan } from "./plan.ts";
import type { SeatStrategy } from "./strategies.ts";
import { createWorld } from "./world.ts";

export type Fork = {
  readonly committee: Committee;
  /** Seats that run for both halves. */
  readonly byzantine: readonly number[];
  /** The rounds in which the two blocks were decided. */
  readonly rounds: readonly [number, number];
  /** Seats that two of their signed statements convict. */
  readonly convicted: readonly number[];
  /** Besides them: seats that prevoted on a proof of lock that nobody can show. */
  readonly unproven: readonly number[];
  /** What {@link culprits} says of the two certificates: of one round alone. */
  readonly inBoth: readonly number[];
};

/** What the honest nodes of a half have of one height: its certificate, and the prevotes in their journals. */
type Shown = { readonly certificate: Certificate; readonly prevotes: readonly Vote[] };

const heightsMax = 4;
const patienceMs = 120_000;

/** `lies`: towards the second half the Byzantine seats claim proofs of lock that they do not have. */
export function forkOf(seed: number, seats: number, byzantineCount: number, lies: boolean): Fork {
  const random = seeded(seed);
  const order = shuffled(
    random,
    times(seats, (i) => i),
  );
  const byzantine = order.slice(0, byzantineCount);
  const honest = order.slice(byzantineCount);
  const cut = honest.length >> 1;
  const halves = [honest.slice(0, cut), honest.slice(cut)] as const;
  const worlds = halves.map((half, side) => {
    const plays: readonly SeatStrategy[] | undefined =
      lies && side === 1 ? ["false proof of lock"] : undefined;
    const plan = planFor(random, seats, byzantine, plays);
    const world = createWorld(2 * seed + side, plan);
    run(world, [...half, ...byzantine], random);
    return world;
  }) as [World, World];
  return judge(worlds, byzantine);
}

function planFor(
  random: Random,
  seats: number,
  byzantine: readonly number[],
  plays: readonly SeatStrategy[] | undefined,
): Plan {
  const all = times(seats, (i) => i);
  return {
    seats,
    peers: seats,
    powers: all.map(() => 1n),
    committees: [all],
    epochHeights: Number.MAX_SAFE_INTEGER,
    barredFrom: new Map(),
    drawn: plays ?? [],
    byzantine: new Map(plays === undefined ? [] : byzantine.map((peer) => [peer, plays])),
    realBls: false,
    realLedger: false,
    healAfterMs: patienceMs,
    // So much that heights take rounds, and the halves decide in different ones.
    loss: random.below(30) / 100,
    duplication: 0,
    reordering: 0.2,
    cuts: [],
    isolation: undefined,
    crash: 0.001,
    skews: [],
  };
}

/** The half decides some heights without the other seats. */
function run(world: World, present: readonly number[], random: Random): void {
  const { queue, peers } = world;
  for (const index of present)
    after(queue, random.below(400), "", () => start(world, must(peers[index], "peer")));
  const first = must(peers[present[0] ?? 0], "peer");
  after(queue, 500, "", () =>
    submit(world, first, world.chain.transaction(random.below(1_000_000), queue.now)),
  );
  const limit = queue.now + patienceMs;
  for (let item = next(queue); item !== undefined && queue.now < limit; item = next(queue)) {
    item.run();
    if (present.every((index) => heightOf(must(peers[index], "peer")) >= heightsMax)) return;
  }
}

function judge([a, b]: readonly [World, World], byzantine: readonly number[]): Fork {
  let height = 1;
  while (a.history.has(height) && a.history.get(height)?.id === b.history.get(height)?.id)
    height += 1;
  const committee = a.chain.committeeAt(height);
  const shown = [shownOf(a, height), shownOf(b, height)] as const;
  const statements = new Map<number, VoteContent[]>(committee.members.map((_, seat) => [seat, []]));
  // Each half's table of signatures knows what was signed there.
  collect(statements, a, committee, shown[0]);
  collect(statements, b, committee, shown[1]);
  const size = committee.members.length;
  const convicted = [...statements].flatMap(([seat, said]) =>
    said.some((one, i) => said.slice(i + 1).some((other) => contradiction(one, other)))
      ? [seat]
      : [],
  );
  const unproven = [...statements].flatMap(([seat, said]) =>
    !convicted.includes(seat) && said.some((vote) => !isProven(vote, statements, committee))
      ? [seat]
      : [],
  );
  return {
    committee,
    byzantine,
    rounds: [shown[0].certificate.round, shown[1].certificate.round],
    convicted,
    unproven,
    inBoth: culprits(shown[0].certificate, shown[1].certificate, size),
  };
}

function shownOf(world: World, height: number): Shown {
  const prevotes: Vote[] = [];
  let certificate: Certificate | undefined;
  for (const peer of world.peers.filter(isHonest)) {
    const final = peer.disk.blocks[height - 1];
    if (final !== undefined) certificate ??= certificateCodec.decode(final.certificate);
    for (const record of peer.disk.journal) {
      const entries = parseRecord(record);
      if (isRejected(entries)) continue;
      for (const entry of entries)
        if (entry.kind === "polka" && entry.polka.height === height)
          prevotes.push(...entry.polka.votes.map((bytes) => voteCodec.decode(bytes)));
    }
  }
  return { certificate: must(certificate, `a certificate of height ${height}`), prevotes };
}

/** By seat: the prevotes whose signatures are right, and the precommits that the certificate aggregates. */
function collect(
  statements: ReadonlyMap<number, VoteContent[]>,
  { bls, chain }: World,
  { members }: Committee,
  { certificate, prevotes }: Shown,
): void {
  const { height, round, block } = certificate;
  const seats = seatsOf(certificate.bitmap, members.length);
  const precommit = { kind: voteKinds.precommit, height, round, block, polRound: 0 };
  for (const seat of isRejected(seats) ? [] : seats) statements.get(seat)?.push(precommit);
  for (const vote of prevotes) {
    const key = must(members[vote.seat], "member").consensusKey;
    if (bls.verify(key, voteDigest(chain.network, vote), vote.signature))
      statements.get(vote.seat)?.push(vote);
  }
}

/** Whoever prevotes on a proof of lock keeps it in its journal: a claim without any such prevotes is a lie. */
function isProven(
  vote: VoteContent,
  statements: ReadonlyMap<number, readonly VoteContent[]>,
  { members }: Committee,
): boolean {
  if (vote.kind !== voteKinds.prevote || vote.polRound === 0) return true;
  const rests = (one: VoteContent): boolean =>
    one.kind === voteKinds.prevote &&
    one.round === vote.polRound - 1 &&
    keyOf(one.block) === keyOf(vote.block);
  let [power, total] = [0n, 0n];
  for (const [seat, member] of members.entries()) {
    total += member.power;
    if (statements.get(seat)?.some(rests) === true) power += member.power;
  }
  return 3n * power > 2n * total;
}
