// A signer's side of ROAST, the pure pieces: nonces that are taken once, commitments, and the shares of an opened
// session. When a share may leave (policy, slot, the durable record that its nonce is consumed) is the guard's
// business, between `checkOpen` and `makeShare` (DESIGN 10, rules 3 and 5). Secret nonces are in memory only.

import { hashAnswer, hashItems, outputKey } from "@causeway/chain-core/ring";
import type { Bytes32, Rejected } from "@causeway/primitives";
import {
  assert,
  bigEndian,
  concat,
  equal,
  H,
  isRejected,
  keyOf,
  must,
  rejected,
} from "@causeway/primitives";
import { publicPoint, signSchnorr } from "@causeway/primitives/secp256k1";
import { generateNonce } from "../frost/nonce.ts";
import { sign } from "../frost/signing.ts";
import type { Commit, Conversation, SessionOpen, Share } from "./message.ts";
import { hashCommit, messagesMax } from "./message.ts";
import type { Batch, Job, OpenCode } from "./session.ts";
import { assertJob, openBatch, sameConversation } from "./session.ts";

/** Secret nonces of one commitment, 64 bytes a message, overwritten when they sign. */
export type HeldNonces = Conversation & {
  readonly seat: number;
  /** hashCommit of the commitment. */
  readonly commitment: Bytes32;
  readonly secrets: readonly Uint8Array[];
};

/** Unused nonces by the key of their commitment's hash. */
export type NoncePool = ReadonlyMap<string, HeldNonces>;

/** Nonces, of 64 bytes each, that a seat keeps for one coordinator at a time: bounds what it makes the seat hold. */
export const heldPerCoordinatorMax: number = 2 * messagesMax;

export const emptyPool: NoncePool = new Map();

/** A commitment of this seat with its secrets put into the pool, to be sent to the coordinator. */
export type Fresh = { readonly commit: Commit; readonly hash: Bytes32; readonly pool: NoncePool };

/**
 * Makes nonces for every message of the job. `entropy` are 32 fresh random bytes, never used before; they are
 * hedged with the share, the key, the message and the boot. `boot` is larger at each start of the process (for
 * instance the time of the start in ms). "pool-full": the coordinator holds too many of this seat's commitments.
 */
export function makeCommit(
  pool: NoncePool,
  job: Job,
  seat: number,
  boot: number,
  secretShare: Uint8Array,
  entropy: Uint8Array,
): Fresh | Rejected<"pool-full"> {
  assertJob(job);
  assert(entropy.length === 32, "entropy is 32 bytes");
  let held = job.inputs.length;
  for (const one of pool.values())
    if (one.coordinator === job.coordinator && one.seat === seat) held += one.secrets.length;
  if (held > heldPerCoordinatorMax)
    return rejected("pool-full", `${held} nonces for coordinator ${job.coordinator}`);
  const { keyId, attempt, request, coordinator, group, network } = job;
  const publicShare = publicPoint(secretShare);
  const pairs = job.inputs.map(({ message, tweaks }, i) => {
    const output = outputKey(group.thresholdPoint, tweaks);
    assert(!isRejected(output), "the job's key or tweak is wrong");
    const random = H("roast-nonce", network, concat(entropy, bigEndian(i, 2)));
    const extra = concat(request, bigEndian(coordinator, 2), bigEndian(boot, 8));
    const { key } = output;
    const pair = generateNonce(random, { secretShare, publicShare, key, message, extra });
    assert(!isRejected(pair), "our own nonce input is malformed");
    return pair;
  });
  const nonces = pairs.map(({ nonce }) => nonce);
  const commit: Commit = { keyId, attempt, request, coordinator, seat, boot, nonces };
  const hash = hashCommit(network, commit);
  const secrets = pairs.map(({ secret }) => secret);
  const next = new Map(pool).set(keyOf(hash), {
    keyId,
    attempt,
    request,
    coordinator,
    seat,
    commitment: hash,
    secrets,
  });
  return { commit, hash, pool: next };
}

/** Takes the nonces of a commitment out of the pool: the pool that is kept has them no more. */
export function takeNonces(
  pool: NoncePool,
  commitment: Uint8Array,
):
  | { readonly pool: NoncePool; readonly nonces: HeldNonces }
  /** Taken before, dropped, of an earlier boot, or never made. */
  | Rejected<"unknown-nonce"> {
  const key = keyOf(commitment);
  const nonces = pool.get(key);
  if (nonces === undefined) return rejected("unknown-nonce", "no unused nonce of this commitment");
  const next = new Map(pool);
  next.delete(key);
  return { pool: next, nonces };
}

/** Forgets, and overwrites, the nonces that `match` picks: a request that is over, a coordinator that is gone. */
export function dropNonces(
  pool: NoncePool,
  match: (conversation: Conversation) => boolean,
): NoncePool {
  const kept = new Map<string, HeldNonces>();
  for (const [key, held] of pool)
    if (match(held)) for (const secret of held.secrets) secret.fill(0);
    else kept.set(key, held);
  return kept;
}

/** An opening that this seat may sign in, and which of its commitments it uses. */
export type Checked = { readonly batch: Batch; readonly commitment: Uint8Array };

export type CheckCode =
  | OpenCode
  | "not-a-signer"
  /** Not after the session that the seat answered last: a second one of a number is a lie of the coordinator. */
  | "old-session";

/**
 * Checks an opening against what the signer knows itself (`job`), before any nonce is touched. `answered`: number
 * of the session that the seat answered last in this conversation. Numbers rise and are bounded, so that a
 * coordinator cannot make a seat work without end. `batchOf`: {@link openBatch} of the same job and opening, where
 * several seats share it.
 */
export function checkOpen(
  job: Job,
  seat: number,
  open: SessionOpen,
  answered: number | undefined,
  batchOf: () => ReturnType<typeof openBatch> = () => openBatch(job, open),
): Checked | Rejected<CheckCode> {
  if (answered !== undefined && open.number <= answered)
    return rejected("old-session", `session ${open.number} after session ${answered}`);
  const own = open.signers.find((signer) => signer.seat === seat);
  if (own === undefined) return rejected("not-a-signer", `seat ${seat} is not in the session`);
  const batch = batchOf();
  if (isRejected(batch)) return batch;
  return { batch, commitment: own.commitment };
}

/** The host key of the seat, and 32 fresh random bytes for its signature. */
export type Signatory = { readonly secret: Uint8Array; readonly aux: Uint8Array };

/**
 * This seat's shares of the session, and `next`, its commitment for the session after. `nonces` have been taken
 * for `checked.commitment`, and that is on disk. Asserts that they, and the share, are the seat's own. Without the host
 * key nobody can prove that the seat said it, and the shares are as good.
 */
export function makeShare(
  checked: Checked,
  seat: number,
  secretShare: Uint8Array,
  nonces: HeldNonces,
  next: Commit,
  host: Signatory | undefined,
): Share {
  const { network, sid, sessions, open } = checked.batch;
  const { keyId, attempt, request, coordinator } = open;
  const isOwn = equal(nonces.commitment, checked.commitment) && nonces.seat === seat;
  assert(isOwn, "nonces of another commitment");
  assert(sameConversation(open, next) && next.seat === seat, "the next commitment is another's");
  const shares = sessions.map((session, i) => {
    const partial = sign(session, must(nonces.secrets[i], "secret nonce"), secretShare, seat);
    assert(!isRejected(partial), "own nonce or share is refused");
    return partial;
  });
  const share = must(sessions[0]?.signers.bySeat.get(seat), "signer").share;
  const answer = hashAnswer(network, { seat, share, sid, shares: hashItems(shares) });
  const proof = host ? signSchnorr(host.secret, answer, host.aux) : new Uint8Array(64);
  const { boot, nonces: nextNonces } = next;
  const about = { keyId, attempt, request, coordinator, seat, boot };
  return { ...about, sid, shares, proof, nonces: nextNonces };
}
