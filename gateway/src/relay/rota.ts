// Who brings what: of the epoch's committee of N, member (base + i) mod N after 2 i seconds, so that one is enough and
// none is needed (DESIGN 1). The i-th acts only while the thing is still undone; who is no member, after all of them.

/** The validators of an epoch's committee, in seat order. */
export type Rota = { readonly epoch: number; readonly owners: readonly Uint8Array[] };

/** Milliseconds that each operator waits for the one before it. */
export const turnMs = 2_000;

/** Own seat among `count` in the committee; undefined: no member. */
export type Place = { readonly seat: number | undefined; readonly count: number };

/** When one may bring a thing that it first saw undone at `sinceMs`. Without a base nobody else can: at once. */
export function turnAt({ seat, count }: Place, base: number | undefined, sinceMs: number): number {
  if (base === undefined) return sinceMs;
  const place = seat === undefined ? count : (((seat - base) % count) + count) % count;
  return sinceMs + turnMs * place;
}

/** By name: when the next own try of a thing is due. */
export type Turns = Map<string, number>;

/**
 * The names in `due` whose turn has come, and the time of the next turn. A try that changed nothing is made again
 * after a full round. Forgets names that are not in `due` any more; the value in `due` is the number that the
 * rota of a name starts from.
 */
export function takeTurns(
  turns: Turns,
  due: ReadonlyMap<string, number | undefined>,
  who: Place,
  nowMs: number,
): { readonly names: readonly string[]; readonly nextAt: number | undefined } {
  for (const name of turns.keys()) if (!due.has(name)) turns.delete(name);
  const names: string[] = [];
  for (const [name, base] of due) {
    const at = turns.get(name) ?? turnAt(who, base, nowMs);
    const isNow = at <= nowMs;
    if (isNow) names.push(name);
    turns.set(name, isNow ? nowMs + turnMs * who.count : at);
  }
  const nextAt = turns.size === 0 ? undefined : Math.min(...turns.values());
  return { names, nextAt };
}

/** The own try of `name` came to nothing: the next one does not wait for a full round. */
export function tryAgain(turns: Turns, name: string, nowMs: number): void {
  if (turns.has(name)) turns.set(name, nowMs + turnMs);
}
