// The own seats' shares: to whom they commit, and when a share may leave.
import { equal, isRejected, keyOf, must, sha256, toHex } from "@causeway/primitives";
import type { Share } from "../ceremony/machine.ts";
import { take } from "../guard.ts";
import { once } from "../once.ts";
import { approve } from "../policy/approve.ts";
import type { SessionOpen } from "../roast/message.ts";
import { commitCodec, sessionOpenCodec, shareCodec } from "../roast/message.ts";
import type { Signatory } from "../roast/participant.ts";
import { checkOpen, dropNonces, makeCommit, makeShare, takeNonces } from "../roast/participant.ts";
import type { Job } from "../roast/session.ts";
import { openBatch, sameConversation } from "../roast/session.ts";
import { nameOf } from "../share-file.ts";
import type { Envelope } from "../wire.ts";
import { messageKinds } from "../wire.ts";
import { breathe } from "./coordinate.ts";
import type { Conversation, Request } from "./request.ts";
import {
  conversationName,
  coordinatorOf,
  jobOf,
  keepRounds,
  ringOf,
  roundsSince,
} from "./request.ts";
import { bringLate } from "./signed.ts";
import type { Work } from "./work.ts";
import { log, put, refuse, requestOf, send } from "./work.ts";

const resendMs = { first: 700, most: 5_000 } as const;

/** Own shares of the request's key and epoch that are those that the ledger has for the own seats. */
export function ownShares(work: Work, request: Request): Share[] {
  const { own, group, attempt } = request.ring;
  const { keyId } = request.plan;
  return own.flatMap((seat) => {
    const share = work.state.shares.get(nameOf({ keyId, attempt, seat }));
    const point = group.shares.get(seat);
    return share !== undefined && point !== undefined && equal(share.point, point) ? [share] : [];
  });
}

/** Commits to the coordinator of the round, and repeats what a coordinator may have lost. */
export function converse(work: Work, key: string): void {
  const { turn } = work;
  breathe(work, key);
  forget(work, key);
  const request = work.state.requests.get(key);
  if (request?.verdict.kind !== "approved") return;
  if (request.signed !== undefined) {
    bringLate(work, request);
    return;
  }
  const current = coordinatorOf(request, turn.nowMs);
  for (const share of ownShares(work, request)) {
    const latest = work.state.requests.get(key) ?? request;
    if (!latest.conversations.has(conversationName(current, share.seat)))
      commitTo(work, latest, share, current);
  }
  const latest = work.state.requests.get(key) ?? request;
  for (const conversation of latest.conversations.values()) repeat(work, key, conversation);
}

/** Conversations of long ago: in a large ring there would be as many as seats squared. */
function forget(work: Work, key: string): void {
  const request = work.state.requests.get(key);
  if (request === undefined) return;
  const age = (seat: number): number => roundsSince(request, seat, work.turn.nowMs);
  const isOld = (seat: number): boolean => age(seat) > keepRounds.seat;
  const roasts = [...request.roasts].filter(([seat]) => age(seat) <= keepRounds.coordinator);
  const conversations = [...request.conversations].filter(([, one]) => !isOld(one.coordinator));
  const isSame =
    roasts.length === request.roasts.size && conversations.length === request.conversations.size;
  if (isSame) return;
  const pool = dropNonces(
    work.state.pool,
    (held) => equal(held.request, request.id) && isOld(held.coordinator),
  );
  work.state = { ...work.state, pool };
  put(work, { ...request, roasts: new Map(roasts), conversations: new Map(conversations) });
}

export function commitTo(work: Work, request: Request, share: Share, seat: number): void {
  const job = jobOf(work.context.genesis.networkId, request, seat);
  const { pool, boot } = work.state;
  const fresh = makeCommit(pool, job, share.seat, boot, share.secret, work.turn.draw());
  if (isRejected(fresh)) return;
  work.state = { ...work.state, pool: fresh.pool };
  const body = commitCodec.encode(fresh.commit);
  const from = { coordinator: seat, seat: share.seat };
  say(work, request, { ...from, kind: messageKinds.commit, body, answered: undefined });
}

/** Sends, and remembers what to repeat. */
export function say(
  work: Work,
  request: Request,
  said: Omit<Conversation, "sentAtMs" | "sends">,
): void {
  keep(work, request, { ...said, sends: 1, sentAtMs: work.turn.nowMs });
}

function keep(work: Work, request: Request, conversation: Conversation): void {
  const { coordinator: to, seat, kind, body } = conversation;
  const conversations = new Map(request.conversations);
  conversations.set(conversationName(to, seat), conversation);
  put(work, { ...request, conversations });
  send(work, request, to, kind, body);
}

export function repeatAtMs({ sentAtMs, sends }: Conversation): number {
  return sentAtMs + Math.min(resendMs.most, resendMs.first * 2 ** Math.min(sends - 1, 8));
}

export function repeat(work: Work, key: string, conversation: Conversation): void {
  const request = work.state.requests.get(key);
  if (request === undefined || repeatAtMs(conversation) > work.turn.nowMs) return;
  const sends = conversation.sends + 1;
  keep(work, request, { ...conversation, sends, sentAtMs: work.turn.nowMs });
}

export function heardOpen(work: Work, from: number, envelope: Envelope): undefined {
  const open = sessionOpenCodec.parse(envelope.body);
  if (isRejected(open)) return refuse(work, from, open.code, "open");
  const request = requestOf(work, from, open, open.coordinator);
  if (request === undefined || request.signed !== undefined) return;
  const hash = sha256(envelope.body);
  const signers = new Set(open.signers.map(({ seat }) => seat));
  const due: { readonly share: Share; readonly conversation: Conversation }[] = [];
  for (const share of ownShares(work, request)) {
    const name = conversationName(open.coordinator, share.seat);
    const conversation = request.conversations.get(name);
    if (conversation === undefined || !signers.has(share.seat)) continue;
    const { answered, kind, body } = conversation;
    if (answered !== undefined && equal(answered.opening, hash))
      send(work, request, open.coordinator, kind, body);
    else due.push({ share, conversation });
  }
  if (due.length === 0) return;
  const session = sessionOf(work, request, open, hash);
  if (session === undefined) return;
  for (const { share, conversation } of due) {
    const latest = work.state.requests.get(keyOf(open.request)) ?? request;
    release(work, latest, conversation, share, session);
  }
}

/** An opening of a plan that is approved at this moment; the batch is the same for all own seats. */
type Session = {
  readonly job: Job;
  readonly open: SessionOpen;
  /** Of the opening's bytes. */
  readonly hash: Uint8Array;
  readonly batchOf: () => ReturnType<typeof openBatch>;
};

/** RNG-6: asked again whenever shares are to leave. */
function sessionOf(
  work: Work,
  request: Request,
  open: SessionOpen,
  hash: Uint8Array,
): Session | undefined {
  const { context, turn } = work;
  const { ledger } = work.state;
  if (ledger === undefined) return undefined;
  const found = ringOf(context, ledger.view, request.plan);
  if (isRejected(found)) return withheld(work, request, found.code);
  if (found.ring.attempt !== request.ring.attempt) return withheld(work, request, "old-epoch");
  const verdict = approve(context.genesis, ledger, request.id, request.plan, found.key, turn.nowMs);
  if (verdict.kind !== "approved") return withheld(work, request, verdict.code);
  const job = jobOf(context.genesis.networkId, request, open.coordinator);
  return { job, open, hash, batchOf: once(() => openBatch(job, open)) };
}

function withheld(work: Work, { id }: Request, code: string): undefined {
  log(work, "warn", "share withheld", { code, plan: toHex(id) });
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
  { job, open, hash, batchOf }: Session,
): undefined {
  const no = (code: string): undefined => withheld(work, request, code);
  const last = conversation.answered?.number;
  const checked = checkOpen(job, share.seat, open, last, batchOf);
  if (isRejected(checked)) return no(checked.code);
  const { sid } = checked.batch;
  const held = work.state.pool.get(keyOf(checked.commitment));
  const isOurs = held !== undefined && sameConversation(held, job) && held.seat === share.seat;
  if (!isOurs) return no("unknown-nonce");
  const guard = take(work.state.guard, request.slots);
  if (isRejected(guard)) return no(guard.code);
  const taken = takeNonces(work.state.pool, checked.commitment);
  if (isRejected(taken)) return no(taken.code);
  const { boot } = work.state;
  const next = makeCommit(taken.pool, job, share.seat, boot, share.secret, work.turn.draw());
  if (isRejected(next)) return no(next.code);
  work.state = { ...work.state, guard, pool: next.pool };
  work.effects.push({
    kind: "release",
    release: {
      keyId: job.keyId,
      attempt: job.attempt,
      seat: share.seat,
      plan: request.id,
      coordinator: open.coordinator,
      sid,
      commitment: checked.commitment,
      slots: [...request.slots],
    },
  });
  const host = hostOf(work, request, share.seat);
  const answer = makeShare(checked, share.seat, share.secret, taken.nonces, next.commit, host);
  const body = shareCodec.encode(answer);
  const answered = { number: open.number, opening: hash };
  const { coordinator, seat } = conversation;
  say(work, request, { coordinator, seat, kind: messageKinds.share, body, answered });
}

/** What answers for the seat's shares, if its host key is here. */
function hostOf({ context, turn }: Work, { ring }: Request, seat: number): Signatory | undefined {
  const hostKey = must(ring.hostKeys[seat], "host key of the seat");
  const host = context.hosts.find(({ point }) => equal(point, hostKey));
  return host && { secret: host.secret, aux: turn.draw() };
}
