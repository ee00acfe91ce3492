// Commitments that come before the own node shows what they are about.
import type { Bytes32 } from "@causeway/primitives";
import { equal } from "@causeway/primitives";
import { commitCodec } from "../roast/message.ts";
import type { Envelope } from "../wire.ts";
import type { Work } from "./work.ts";

/** Commitments kept for each peer about bundles that are not drawn up here yet: how many, and bytes in all. */
const earlyMax = { count: 256, size: 512 * 1024 } as const;

/** Bounded for each peer: the oldest gives way. */
export function keepEarly(work: Work, from: number, envelope: Envelope): undefined {
  const before = work.state.early.get(from) ?? [];
  const same = (one: Envelope): boolean => equal(one.body, envelope.body);
  if (before.some(same)) return;
  const kept = [...before, envelope].slice(-earlyMax.count);
  let size = kept.reduce((sum, { body }) => sum + body.length, 0);
  while (size > earlyMax.size) size -= kept.shift()?.body.length ?? 0;
  work.state = { ...work.state, early: new Map(work.state.early).set(from, kept) };
}

/** Commitments that came before the bundle was drawn up here. */
export function hearEarly(work: Work, id: Bytes32): void {
  const early = new Map<number, readonly Envelope[]>();
  for (const [from, envelopes] of work.state.early) {
    const rest: Envelope[] = [];
    for (const envelope of envelopes)
      if (equal(commitCodec.decode(envelope.body).request, id)) work.inbox.push({ from, envelope });
      else rest.push(envelope);
    if (rest.length > 0) early.set(from, rest);
  }
  work.state = { ...work.state, early };
}
