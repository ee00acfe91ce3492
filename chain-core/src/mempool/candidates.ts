// What a proposer takes into its block first.
import type { Entry, Pool } from "./entry.ts";

/**
 * For a proposer: envelopes by sender and number, then the rest by what they pay, older first, each after what it
 * builds on; about `sizeMax` bytes of each, since a block takes no more.
 */
export function candidates(state: Pool, sizeMax: number): Uint8Array[] {
  const envelopes: Entry[] = [];
  const paid: Entry[] = [];
  for (const entry of state.entries.values())
    (entry.sender === undefined ? paid : envelopes).push(entry);
  envelopes.sort(
    (a, b) => (a.sender?.sequence ?? 0) - (b.sender?.sequence ?? 0) || a.order - b.order,
  );
  const best = atLeast(paid, rateOfSize(paid, sizeMax));
  best.sort((a, b) => b.rate - a.rate || a.order - b.order);
  return [...upTo(envelopes, sizeMax), ...upTo(best, sizeMax)];
}

const atLeast = (entries: Entry[], rate: number): Entry[] =>
  rate === 0 ? entries : entries.filter((entry) => entry.rate >= rate);

/** Rates are sorted roughly, by powers of this. */
const base = 1.25;
const bucketOf = (rate: number): number => Math.floor(Math.log(1 + rate) / Math.log(base));

/** A rate that entries of at least `sizeMax` bytes pay, so that only they are sorted; 0 when all fit. */
function rateOfSize(entries: readonly Entry[], sizeMax: number): number {
  const sizes = new Map<number, number>();
  let total = 0;
  for (const { rate, bytes } of entries) {
    const bucket = bucketOf(rate);
    sizes.set(bucket, (sizes.get(bucket) ?? 0) + bytes.length);
    total += bytes.length;
  }
  if (total <= sizeMax) return 0;
  let size = 0;
  for (const bucket of [...sizes.keys()].sort((a, b) => b - a)) {
    size += sizes.get(bucket) ?? 0;
    // Half a step lower: rounding must not leave out what pays as much as the rest of its bucket.
    if (size >= sizeMax) return Math.max(0, base ** (bucket - 0.5) - 1);
  }
  return 0;
}

function upTo(entries: readonly Entry[], sizeMax: number): Uint8Array[] {
  const chosen: Uint8Array[] = [];
  let size = 0;
  for (const { bytes } of entries) {
    size += bytes.length;
    if (size > sizeMax) break;
    chosen.push(bytes);
  }
  return chosen;
}
