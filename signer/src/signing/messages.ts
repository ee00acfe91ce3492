// What other seats say: bounded bytes of an authenticated sender, who must sit where the message says.
import type { Bytes32 } from "@causeway/primitives";
import { equal, isRejected, keyOf } from "@causeway/primitives";
import { commitCodec, shareCodec } from "../roast/message.ts";
import type { Envelope } from "../wire.ts";
import { messageKinds } from "../wire.ts";
import { coordinate } from "./coordinate.ts";
import { heardOpen } from "./participate.ts";
import { heardSigned } from "./signed.ts";
import type { Work } from "./work.ts";
import { refuse, requestOf } from "./work.ts";

/** Commitments kept for each peer about plans that the own node has not shown yet: how many, and bytes in all. */
const earlyMax = { count: 256, size: 512 * 1024 } as const;

export function drain(work: Work): void {
  for (let next = work.inbox.shift(); next !== undefined; next = work.inbox.shift())
    heard(work, next.from, next.envelope);
}

function heard(work: Work, from: number, envelope: Envelope): void {
  switch (envelope.kind) {
    case messageKinds.commit:
      heardCommit(work, from, envelope);
      break;
    case messageKinds.open:
      heardOpen(work, from, envelope);
      break;
    case messageKinds.share:
      heardShare(work, from, envelope);
      break;
    case messageKinds.signed:
      heardSigned(work, from, envelope);
      break;
    default:
      break;
  }
}

function heardCommit(work: Work, from: number, envelope: Envelope): undefined {
  const commit = commitCodec.parse(envelope.body);
  if (isRejected(commit)) return refuse(work, from, commit.code, "commit");
  if (!work.state.requests.has(keyOf(commit.request))) return keepEarly(work, from, envelope);
  const request = requestOf(work, from, commit, commit.seat);
  if (request === undefined) return refuse(work, from, "wrong-seat", "commit");
  coordinate(work, request, commit.coordinator, { kind: "committed", seat: commit.seat, commit });
}

/** Bounded for each peer: the oldest gives way. */
function keepEarly(work: Work, from: number, envelope: Envelope): undefined {
  const before = work.state.early.get(from) ?? [];
  const same = (one: Envelope): boolean => equal(one.body, envelope.body);
  if (before.some(same)) return;
  const kept = [...before, envelope].slice(-earlyMax.count);
  let size = kept.reduce((sum, { body }) => sum + body.length, 0);
  while (size > earlyMax.size) size -= kept.shift()?.body.length ?? 0;
  work.state = { ...work.state, early: new Map(work.state.early).set(from, kept) };
}

function heardShare(work: Work, from: number, envelope: Envelope): undefined {
  const share = shareCodec.parse(envelope.body);
  if (isRejected(share)) return refuse(work, from, share.code, "share");
  const request = requestOf(work, from, share, share.seat);
  if (request === undefined) return;
  coordinate(work, request, share.coordinator, { kind: "answered", seat: share.seat, share });
}

/** Commitments that came before the plan was seen here. */
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
