// What a peer has done wrong so far. Points fade with time, so that honest mistakes do not add up; a peer that was
// banned is banned for longer the next time. It outlives the connection: to hang up and come back clears nothing.

/** Points at which a peer is banned: bytes that no honest node sends cost all of it. */
export const scoreMax = 100;
/** One point is forgiven in so long, ms. */
const forgiveMs = 1_000;
/** The first ban, ms; each further one is twice as long, at most some 17 hours. */
export const banMs = 60_000;
const doublingsMax = 10;
/** One ban less counts after so long without another, ms. */
const forgetBanMs: number = 24 * 3_600_000;
/** Peers whose standing is kept; the one that was blamed longest ago gives way. */
export const standingsMax = 10_000;

export type Standing = {
  points: number;
  /** Own clock when `points` were counted, ms. */
  countedAt: number;
  /** Own clock until which the peer is refused, ms. */
  bannedUntil: number;
  /** How often it was banned, as far as that is remembered. */
  bans: number;
};

/** By peer, in the order of the newest blame. */
export type Standings = Map<string, Standing>;

/** Takes note of `points`; true when the peer is to be hung up on, until its `bannedUntil`. */
export function blame(all: Standings, peer: string, points: number, at: number): boolean {
  const standing = all.get(peer) ?? { points: 0, countedAt: at, bannedUntil: 0, bans: 0 };
  const quietMs = Math.max(0, at - standing.countedAt);
  standing.points = Math.max(0, standing.points - Math.floor(quietMs / forgiveMs)) + points;
  standing.countedAt = at;
  const isBan = standing.points >= scoreMax;
  if (isBan) {
    const forgotten = Math.floor(Math.max(0, at - standing.bannedUntil) / forgetBanMs);
    standing.bans = Math.max(0, standing.bans - forgotten);
    standing.bannedUntil = at + banMs * 2 ** Math.min(standing.bans, doublingsMax);
    standing.bans += 1;
    standing.points = 0;
  }
  all.delete(peer);
  const [oldest] = all.keys();
  if (all.size >= standingsMax && oldest !== undefined) all.delete(oldest);
  all.set(peer, standing);
  return isBan;
}

/** Until when the peer is refused, own clock, ms; undefined when it is not. */
export function bannedUntil(all: Standings, peer: string, at: number): number | undefined {
  const until = all.get(peer)?.bannedUntil ?? 0;
  return at < until ? until : undefined;
}

/** The own clock went by so much, ms. */
export function shift(all: Standings, by: number): void {
  for (const standing of all.values()) {
    standing.countedAt += by;
    standing.bannedUntil += by;
  }
}
