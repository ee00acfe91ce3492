// What followed from two certificates of one height: who is convicted by signatures, and who is only suspected,
// because it claims what nobody shows. With two final blocks at one height more than a third of the power is in
// one of the two lists: of the first quorum of prevotes against the first certificate, all who are in both broke
// their lock, or claim a proof of a round in which no quorum of prevotes existed.
import { isRejected, isZero, keyOf } from "@causeway/primitives";
import { seatsOf } from "../codec/bitmap.ts";
import type { Certificate, Vote, VoteContent } from "../codec/block.ts";
import { voteKinds } from "../codec/block.ts";
import type { Contradiction } from "./accountability.ts";
import { contradiction } from "./accountability.ts";
import type { Voters } from "./voters.ts";

export type Finding = {
  /** By two statements that the seat signed, in a vote or in a certificate's aggregate. */
  readonly convicted: readonly {
    readonly seat: number;
    readonly kind: Contradiction;
    readonly first: VoteContent;
    readonly second: VoteContent;
  }[];
  /** It states a proof of lock of `round` for `block`, of which the votes show no quorum. Ascending seats. */
  readonly suspected: readonly {
    readonly seat: number;
    readonly round: number;
    readonly block: Uint8Array;
  }[];
};

/**
 * `a` and `b` are verified certificates of one height; `votes` what all nodes together can show of it, verified.
 * A seat is listed once, a convicted one not as a suspect.
 */
export function investigate(
  voters: Voters,
  a: Certificate,
  b: Certificate,
  votes: readonly Vote[],
): Finding {
  const statements = new Map<number, VoteContent[]>();
  const state = (seat: number, content: VoteContent): void => {
    const known = statements.get(seat);
    if (known === undefined) statements.set(seat, [content]);
    else known.push(content);
  };
  for (const vote of votes) if (vote.height === a.height) state(vote.seat, vote);
  for (const { bitmap, height, round, block } of [a, b]) {
    const seats = seatsOf(bitmap, voters.size);
    if (isRejected(seats)) continue;
    for (const seat of seats)
      state(seat, { kind: voteKinds.precommit, height, round, block, polRound: 0 });
  }
  const convicted: Finding["convicted"][number][] = [];
  const suspected: Finding["suspected"][number][] = [];
  const shown = shownProofs(voters, statements);
  for (const [seat, said] of [...statements].sort(([x], [y]) => x - y)) {
    const found = firstContradiction(said);
    if (found !== undefined) convicted.push({ seat, ...found });
    const claim = found ? undefined : said.map(claimOf).find((of) => of && !shown.has(of.key));
    if (claim !== undefined) suspected.push({ seat, round: claim.round, block: claim.block });
  }
  return { convicted, suspected };
}

function firstContradiction(
  said: readonly VoteContent[],
): Pick<Finding["convicted"][number], "kind" | "first" | "second"> | undefined {
  for (const [i, first] of said.entries())
    for (const second of said.slice(i + 1)) {
      const kind = contradiction(first, second);
      if (kind !== undefined) return { kind, first, second };
    }
  return undefined;
}

type Claim = { readonly round: number; readonly block: Uint8Array; readonly key: string };

/** A precommit rests on its own round's prevotes, a prevote on those of the round that it names. */
function claimOf({ kind, round, block, polRound }: VoteContent): Claim | undefined {
  if (isZero(block)) return undefined;
  const of = kind === voteKinds.precommit ? round : polRound - 1;
  return of < 0 ? undefined : { round: of, block, key: `${of}/${keyOf(block)}` };
}

/** "round/block" of every quorum of prevotes that the statements show. */
function shownProofs(
  voters: Voters,
  statements: ReadonlyMap<number, readonly VoteContent[]>,
): Set<string> {
  const powers = new Map<string, bigint>();
  for (const [seat, said] of statements) {
    const keys = said
      .filter((content) => content.kind === voteKinds.prevote && !isZero(content.block))
      .map(({ round, block }) => `${round}/${keyOf(block)}`);
    for (const key of new Set(keys))
      powers.set(key, (powers.get(key) ?? 0n) + (voters.members[seat]?.power ?? 0n));
  }
  return new Set([...powers].filter(([, power]) => power >= voters.quorum).map(([key]) => key));
}
