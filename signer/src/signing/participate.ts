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
import type { Bundle, Conversation } from "./bundle.ts";
import {
  conversationName,
  coordinatorOf,
  isCurrent,
  jobOf,
  keepRounds,
  roundsSince,
} from "./bundle.ts";
import { breathe } from "./coordinate.ts";
import type { Request } from "./request.ts";
import { ringOf } from "./request.ts";
import type { Work } from "./work.ts";
import { bundleFor, isLive, log, putBundle, refuse, requestsOf, send } from "./work.ts";

const resendMs = { first: 700, most: 5_000 } as const;

/** Own shares of the bundle's key and epoch that are those that the ledger has for the own seats. */
export function ownShares(work: Work, { keyId, ring }: Bundle): Share[] {
  const { own, group, attempt } = ring;
  return own.flatMap((seat) => {
    const share = work.state.shares.get(nameOf({ keyId, attempt, seat }));
    const point = group.shares.get(seat);
    return share !== undefined && point !== undefined && equal(share.point, point) ? [share] : [];
  });
}

/** Commits to the coordinator of the round, and repeats what a coordinator may have lost. */
export function converse(work: Work, key: string): void {
  const { nowMs } = work.turn;
  breathe(work, key);
  forget(work, key);
  const bundle = work.state.bundles.get(key);
  if (bundle === undefined || !isLive(work, bundle)) return;
  const current = coordinatorOf(bundle, nowMs);
  if (isCurrent(bundle, nowMs))
    for (const share of ownShares(work, bundle)) {
      const latest = work.state.bundles.get(key) ?? bundle;
      if (!latest.conversations.has(conversationName(current, share.seat)))
        commitTo(work, latest, share, current);
    }
  const latest = work.state.bundles.get(key) ?? bundle;
  for (const conversation of latest.conversations.values()) repeat(work, key, conversation);
}

/** Conversations of long ago: in a large ring there would be as many as seats squared. */
function forget(work: Work, key: string): void {
  const bundle = work.state.bundles.get(key);
  if (bundle === undefined) return;
  const age = (seat: number): number => roundsSince(bundle, seat, work.turn.nowMs);
  const isOld = (seat: number): boolean => age(seat) > keepRounds.seat;
  const roasts = [...bundle.roasts].filter(([seat]) => age(seat) <= keepRounds.coordinator);
  const conversations = [...bundle.conversations].filter(([, one]) => !isOld(one.coordinator));
  const isSame =
    roasts.length === bundle.roasts.size && conversations.length === bundle.conversations.size;
  if (isSame) return;
  const pool = dropNonces(
    work.state.pool,
    (held) => equal(held.request, bundle.id) && isOld(held.coordinator),
  );
  work.state = { ...work.state, pool };
  putBundle(work, { ...bundle, roasts: new Map(roasts), conversations: new Map(conversations) });
}

function commitTo(work: Work, bundle: Bundle, share: Share, seat: number): void {
  const job = jobOf(work.context.genesis.networkId, bundle, seat);
  const { pool, boot } = work.state;
  const fresh = makeCommit(pool, job, share.seat, boot, share.secret, work.turn.draw());
  if (isRejected(fresh)) return;
  work.state = { ...work.state, pool: fresh.pool };
  const body = commitCodec.encode(fresh.commit);
  const from = { coordinator: seat, seat: share.seat };
  say(work, bundle, { ...from, kind: messageKinds.commit, body, answered: undefined });
}

/** Sends, and remembers what to repeat. */
export function say(
  work: Work,
  bundle: Bundle,
  said: Omit<Conversation, "sentAtMs" | "sends">,
): void {
  keep(work, bundle, { ...said, sends: 1, sentAtMs: work.turn.nowMs });
}

function keep(work: Work, bundle: Bundle, conversation: Conversation): void {
  const { coordinator: to, seat, kind, body } = conversation;
  const conversations = new Map(bundle.conversations);
  conversations.set(conversationName(to, seat), conversation);
  putBundle(work, { ...bundle, conversations });
  send(work, bundle.ring, to, kind, body);
}

export function repeatAtMs({ sentAtMs, sends }: Conversation): number {
  return sentAtMs + Math.min(resendMs.most, resendMs.first * 2 ** Math.min(sends - 1, 8));
}

export function repeat(work: Work, key: string, conversation: Conversation): void {
  const bundle = work.state.bundles.get(key);
  if (bundle === undefined || repeatAtMs(conversation) > work.turn.nowMs) return;
  const sends = conversation.sends + 1;
  keep(work, bundle, { ...conversation, sends, sentAtMs: work.turn.nowMs });
}

export function heardOpen(work: Work, from: number, envelope: Envelope): undefined {
  const open = sessionOpenCodec.parse(envelope.body);
  if (isRejected(open)) return refuse(work, from, open.code, "open");
  const bundle = bundleFor(work, from, open, open.coordinator);
  if (bundle === undefined || !isLive(work, bundle)) return;
  const hash = sha256(envelope.body);
  const signers = new Set(open.signers.map(({ seat }) => seat));
  const due: { readonly share: Share; readonly conversation: Conversation }[] = [];
  for (const share of ownShares(work, bundle)) {
    const name = conversationName(open.coordinator, share.seat);
    const conversation = bundle.conversations.get(name);
    if (conversation === undefined || !signers.has(share.seat)) continue;
    const { answered, kind, body } = conversation;
    if (answered !== undefined && equal(answered.opening, hash))
      send(work, bundle.ring, open.coordinator, kind, body);
    else due.push({ share, conversation });
  }
  if (due.length === 0) return;
  const session = sessionOf(work, bundle, open, hash);
  if (session === undefined) return;
  for (const { share, conversation } of due) {
    const latest = work.state.bundles.get(keyOf(open.request)) ?? bundle;
    release(work, latest, conversation, share, session);
  }
}

/** An opening of plans that are approved at this moment; the batch is the same for all own seats. */
type Session = {
  readonly job: Job;
  readonly open: SessionOpen;
  /** Of the opening's bytes. */
  readonly hash: Uint8Array;
  readonly batchOf: () => ReturnType<typeof openBatch>;
};

/** RNG-6: asked again whenever shares are to leave, of each plan. */
function sessionOf(
  work: Work,
  bundle: Bundle,
  open: SessionOpen,
  hash: Uint8Array,
): Session | undefined {
  for (const request of requestsOf(work, bundle)) {
    const code = refusalOf(work, request);
    if (code !== undefined) return withheld(work, request, code);
  }
  const job = jobOf(work.context.genesis.networkId, bundle, open.coordinator);
  return { job, open, hash, batchOf: once(() => openBatch(job, open)) };
}

/** Why the plan is not to be signed at this moment, if so. */
function refusalOf(work: Work, { id, plan, ring }: Request): string | undefined {
  const { context, turn } = work;
  const { ledger } = work.state;
  if (ledger === undefined) return "no-view";
  const found = ringOf(context, ledger.view, plan);
  if (isRejected(found)) return found.code;
  if (found.ring.attempt !== ring.attempt) return "old-epoch";
  const verdict = approve(context.genesis, ledger, id, plan, found.key, turn.nowMs);
  return verdict.kind === "approved" ? undefined : verdict.code;
}

/** `request`: the first of the bundle, if no other is why. */
function withheld(work: Work, request: Request | undefined, code: string): undefined {
  const plan = request === undefined ? "" : toHex(request.id);
  log(work, "warn", "share withheld", { code, plan });
}

/**
 * Lets a share leave: approved at this moment (RNG-6), the opening checked, the slots free or taken for the same
 * messages, the nonces ours and unused, and all of that on disk before (DESIGN 10, rules 3 and 5).
 */
export function release(
  work: Work,
  bundle: Bundle,
  conversation: Conversation,
  share: Share,
  { job, open, hash, batchOf }: Session,
): undefined {
  const requests = requestsOf(work, bundle);
  const no = (code: string, of = requests[0]): undefined => withheld(work, of, code);
  const last = conversation.answered?.number;
  const checked = checkOpen(job, share.seat, open, last, batchOf);
  if (isRejected(checked)) return no(checked.code);
  const { sid } = checked.batch;
  const held = work.state.pool.get(keyOf(checked.commitment));
  const isOurs = held !== undefined && sameConversation(held, job) && held.seat === share.seat;
  if (!isOurs) return no("unknown-nonce");
  const { guard: before } = work.state;
  const isTaken = ({ slots }: Request): boolean => isRejected(take(before, slots));
  const slots = requests.flatMap((request) => request.slots);
  const guard = take(before, slots);
  if (isRejected(guard)) return no(guard.code, requests.find(isTaken));
  const taken = takeNonces(work.state.pool, checked.commitment);
  if (isRejected(taken)) return no(taken.code);
  const { boot } = work.state;
  const next = makeCommit(taken.pool, job, share.seat, boot, share.secret, work.turn.draw());
  if (isRejected(next)) return no(next.code);
  work.state = { ...work.state, guard, pool: next.pool };
  const { keyId, attempt, coordinator } = job;
  const { commitment } = checked;
  for (const request of requests) {
    const part = { plan: request.id, slots: [...request.slots] };
    const release = { keyId, attempt, seat: share.seat, coordinator, sid, commitment, ...part };
    work.effects.push({ kind: "release", release });
  }
  const host = hostOf(work, bundle, share.seat);
  const answer = makeShare(checked, share.seat, share.secret, taken.nonces, next.commit, host);
  const body = shareCodec.encode(answer);
  const answered = { number: open.number, opening: hash };
  say(work, bundle, { coordinator, seat: share.seat, kind: messageKinds.share, body, answered });
}

/** What answers for the seat's shares, if its host key is here. */
function hostOf({ context, turn }: Work, { ring }: Bundle, seat: number): Signatory | undefined {
  const hostKey = must(ring.hostKeys[seat], "host key of the seat");
  const host = context.hosts.find(({ point }) => equal(point, hostKey));
  return host && { secret: host.secret, aux: turn.draw() };
}
