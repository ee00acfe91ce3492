// Who brings what: operator (base + i) mod N after 2 i seconds, so that one is enough and none is needed
// (DESIGN 1). The i-th operator acts only while the thing is still undone.

/** Milliseconds that each operator waits for the one before it. */
export const turnMs = 2_000;

/** When seat `seat` of `count` may bring a thing that it first saw undone at `sinceMs`. */
export function turnAt(seat: number, count: number, base: number, sinceMs: number): number {
  const place = (((seat - base) % count) + count) % count;
  return sinceMs + turnMs * place;
}

/** Own tries that are under way, by name; a try that changed nothing is made again after a full round. */
export type Turns = Map<string, { readonly since: number; triedAt: number | undefined }>;

/**
 * The names in `due` whose turn has come, and the time of the next turn. Forgets names that are not in `due`
 * any more; `base` is the number that the rota of a name starts from.
 */
export function takeTurns(
  turns: Turns,
  due: ReadonlyMap<string, number>,
  who: { readonly seat: number; readonly count: number },
  nowMs: number,
): { readonly names: string[]; readonly nextAt: number | undefined } {
  for (const name of turns.keys()) if (!due.has(name)) turns.delete(name);
  const names: string[] = [];
  let nextAt: number | undefined;
  for (const [name, base] of due) {
    const turn = turns.get(name) ?? { since: nowMs, triedAt: undefined };
    turns.set(name, turn);
    const at =
      turn.triedAt === undefined
        ? turnAt(who.seat, who.count, base, turn.since)
        : turn.triedAt + turnMs * who.count;
    if (at <= nowMs) {
      turn.triedAt = nowMs;
      names.push(name);
    } else nextAt = Math.min(nextAt ?? at, at);
  }
  return { names, nextAt };
}
