// What other seats say: bounded bytes of an authenticated sender, who must sit where the message says.
import { isRejected, keyOf } from "@causeway/primitives";
import { commitCodec, shareCodec } from "../roast/message.ts";
import type { Envelope } from "../wire.ts";
import { messageKinds } from "../wire.ts";
import { coordinate } from "./coordinate.ts";
import { keepEarly } from "./early.ts";
import { heardOpen } from "./participate.ts";
import { heardSigned } from "./signed.ts";
import type { Work } from "./work.ts";
import { bundleFor, refuse } from "./work.ts";

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
  if (!work.state.bundles.has(keyOf(commit.request))) return keepEarly(work, from, envelope);
  const bundle = bundleFor(work, from, commit, commit.seat);
  if (bundle === undefined) return refuse(work, from, "wrong-seat", "commit");
  coordinate(work, bundle, commit.coordinator, { kind: "committed", seat: commit.seat, commit });
}

function heardShare(work: Work, from: number, envelope: Envelope): undefined {
  const share = shareCodec.parse(envelope.body);
  if (isRejected(share)) return refuse(work, from, share.code, "share");
  const bundle = bundleFor(work, from, share, share.seat);
  if (bundle === undefined) return;
  coordinate(work, bundle, share.coordinator, { kind: "answered", seat: share.seat, share });
}
