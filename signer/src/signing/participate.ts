// This seat's shares: to whom it commits, and when a share may leave.
import { equal, isRejected, keyOf, toHex } from "@causeway/primitives";
import type { Share } from "../ceremony/machine.ts";
import { take } from "../guard.ts";
import { approve } from "../policy/approve.ts";
import type { SessionOpen } from "../roast/message.ts";
import { commitCodec, sessionOpenCodec, shareCodec } from "../roast/message.ts";
import { checkOpen, makeCommit, makeShare, takeNonces } from "../roast/participant.ts";
import type { Envelope } from "../wire.ts";
import { messageKinds } from "../wire.ts";
import type { Conversation, Request } from "./request.ts";
import { coordinatorOf, jobOf, ringOf } from "./request.ts";
import type { Work } from "./work.ts";
import { log, put, refuse, requestOf, send } from "./work.ts";

const resendMs = { first: 700, most: 5_000 } as const;

/** Own share of the request's key, if it is the one that the ledger has for the own seat. */
export function ownShare(work: Work, request: Request): Share | undefined {
  const { seat, group } = request.ring;
  const share = work.state.shares.get(request.plan.keyId);
  if (seat === undefined || share === undefined || share.seat !== seat) return undefined;
  return group.shares.has(seat) ? share : undefined;
}

/** Commits to the coordinator of the round, and repeats what a coordinator may have lost. */
export function converse(work: Work, key: string): void {
  const { turn, state } = work;
  const request = state.requests.get(key);
  if (request === undefined || request.verdict.kind !== "approved") return;
  const share = ownShare(work, request);
  if (share === undefined) return;
  const current = coordinatorOf(request, turn.nowMs);
  if (!request.conversations.has(current)) commitTo(work, request, share, current);
  const latest = work.state.requests.get(key) ?? request;
  for (const conversation of latest.conversations.values()) repeat(work, key, conversation);
}

export function commitTo(work: Work, request: Request, share: Share, seat: number): void {
  const job = jobOf(work.context.genesis.networkId, request, seat);
  const { pool, boot } = work.state;
  const fresh = makeCommit(pool, job, share.seat, boot, share.secret, work.turn.draw());
  if (isRejected(fresh)) return;
  work.state = { ...work.state, pool: fresh.pool };
  const body = commitCodec.encode(fresh.commit);
  say(work, request, seat, messageKinds.commit, body, undefined);
}

/** Sends, and remembers what to repeat. */
export function say(
  work: Work,
  request: Request,
  coordinatorSeat: number,
  kind: number,
  body: Uint8Array,
  sid: Uint8Array | undefined,
): void {
  const said = { coordinator: coordinatorSeat, kind, body, sid, sends: 1 };
  const conversation: Conversation = { ...said, sentAtMs: work.turn.nowMs };
  const conversations = new Map(request.conversations).set(coordinatorSeat, conversation);
  put(work, { ...request, conversations });
  send(work, request, coordinatorSeat, kind, body);
}

export function repeatAtMs({ sentAtMs, sends }: Conversation): number {
  return sentAtMs + Math.min(resendMs.most, resendMs.first * 2 ** Math.min(sends - 1, 8));
}

export function repeat(work: Work, key: string, conversation: Conversation): void {
  const request = work.state.requests.get(key);
  if (request === undefined || repeatAtMs(conversation) > work.turn.nowMs) return;
  const { coordinator: seat, kind, body, sends } = conversation;
  const again = { ...conversation, sends: sends + 1, sentAtMs: work.turn.nowMs };
  const conversations = new Map(request.conversations).set(seat, again);
  put(work, { ...request, conversations });
  send(work, request, seat, kind, body);
}

export function heardOpen(work: Work, from: number, envelope: Envelope): undefined {
  const open = sessionOpenCodec.parse(envelope.body);
  if (isRejected(open)) return refuse(work, from, open.code, "open");
  const request = requestOf(work, from, open, open.coordinator);
  const conversation = request?.conversations.get(open.coordinator);
  if (request === undefined || conversation === undefined) return;
  const share = ownShare(work, request);
  if (share === undefined) return;
  release(work, request, conversation, share, open);
}

/**
 * Lets a share leave: approved at this moment (RNG-6), the opening checked, the slots free or taken for the same
 * messages, the nonces ours and unused, and all of that on disk before (DESIGN 10, rules 3 and 5).
 */
export function release(
  work: Work,
  request: Request,
  conversation: Conversation,
  share: Share,
  open: SessionOpen,
): undefined {
  const { context, turn } = work;
  const plan = toHex(request.id);
  const no = (code: string): undefined => {
    log(work, "warn", "share withheld", { code, plan });
  };
  const { ledger } = work.state;
  if (ledger === undefined) return;
  const found = ringOf(context.genesis, ledger.view, request.plan, context.seat);
  if (isRejected(found)) return no(found.code);
  const verdict = approve(context.genesis, ledger, request.id, request.plan, found.key, turn.nowMs);
  if (verdict.kind !== "approved") return no(verdict.code);
  const job = jobOf(context.genesis.networkId, request, open.coordinator);
  const checked = checkOpen(job, share.seat, open);
  if (isRejected(checked)) return no(checked.code);
  const { sid } = checked.batch;
  if (conversation.sid !== undefined && equal(conversation.sid, sid))
    return send(work, request, open.coordinator, conversation.kind, conversation.body);
  const held = work.state.pool.get(keyOf(checked.commitment));
  const isOurs =
    held !== undefined && held.coordinator === open.coordinator && equal(held.request, request.id);
  if (!isOurs) return no("unknown-nonce");
  const guard = take(work.state.guard, request.slots);
  if (isRejected(guard)) return no(guard.code);
  const taken = takeNonces(work.state.pool, checked.commitment);
  if (isRejected(taken)) return no(taken.code);
  const { boot } = work.state;
  const next = makeCommit(taken.pool, job, share.seat, boot, share.secret, turn.draw());
  if (isRejected(next)) return no(next.code);
  work.state = { ...work.state, guard, pool: next.pool };
  work.effects.push({
    kind: "release",
    release: {
      keyId: request.plan.keyId,
      plan: request.id,
      coordinator: open.coordinator,
      sid,
      commitment: checked.commitment,
      slots: [...request.slots],
    },
  });
  const answer = makeShare(checked, share.seat, share.secret, taken.nonces, next.commit);
  const body = shareCodec.encode(answer);
  say(work, request, open.coordinator, messageKinds.share, body, sid);
}
