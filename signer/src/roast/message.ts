// What coordinator and signers say to each other in ROAST, as bounded bytes. One session signs all messages of one
// request, each with its own nonce pair. The coordinator sends sums of nonces and the hash of each commitment, not
// the commitments: BIP-445 needs no more, and 1,000 messages for 100 signers are 71 kB instead of 6.6 MB. Senders
// are authenticated by the envelope around these bytes.
import type { Bytes32, Codec, NetworkId } from "@causeway/primitives";
import {
  b32,
  ContainerType,
  codec,
  concat,
  H,
  ListCompositeType,
  u16,
  u32,
  u64,
} from "@causeway/primitives";
import { ByteVectorType } from "@chainsafe/ssz";

/** Messages in one session. A plan of 9,000 vB (BTC-4) has at most 152. */
export const messagesMax = 1_000;

const seatsMax = 150;

/** Names one conversation: a request to sign, under one set of shares of one key, with one coordinator. */
export type Conversation = {
  readonly keyId: number;
  /** Of the ceremony that made the shares: their epoch. Shares of two epochs never meet (RNG-2). */
  readonly attempt: number;
  /** The plan's id; a reference, from which each signer rebuilds the messages itself. */
  readonly request: Uint8Array;
  /** The coordinator's seat. */
  readonly coordinator: number;
};

/** A signer is ready: one public nonce of 66 bytes a message. */
export type Commit = Conversation & {
  readonly seat: number;
  /** Grows with each start of the signer's process: nonces of an earlier one are dead. */
  readonly boot: number;
  readonly nonces: readonly Uint8Array[];
};

/** The coordinator opens session `number` (from 0) with these signers, in order of seats. */
export type SessionOpen = Conversation & {
  readonly number: number;
  readonly signers: readonly { readonly seat: number; readonly commitment: Uint8Array }[];
  /** The aggregate nonce of 66 bytes of each message. */
  readonly nonces: readonly Uint8Array[];
};

/** A signer's partial signatures for session `sid`, one a message, and its next commitment. */
export type Share = Conversation & {
  readonly seat: number;
  readonly boot: number;
  readonly sid: Uint8Array;
  readonly shares: readonly Uint8Array[];
  readonly nonces: readonly Uint8Array[];
};

const conversation = { keyId: u32, attempt: u32, request: b32, coordinator: u16 };
const nonceList = new ListCompositeType(new ByteVectorType(66), messagesMax);
const shareList = new ListCompositeType(b32, messagesMax);

const commitType = new ContainerType({ ...conversation, seat: u16, boot: u64, nonces: nonceList });

const openType = new ContainerType({
  ...conversation,
  number: u16,
  signers: new ListCompositeType(new ContainerType({ seat: u16, commitment: b32 }), seatsMax),
  nonces: nonceList,
});

const shareType = new ContainerType({
  ...conversation,
  seat: u16,
  boot: u64,
  sid: b32,
  shares: shareList,
  nonces: nonceList,
});

/** At most 66,056 bytes. */
export const commitCodec: Codec<Commit> = codec("Commit", commitType, 56 + 66 * messagesMax);

/** At most 71,152 bytes. */
export const sessionOpenCodec: Codec<SessionOpen> = codec(
  "SessionOpen",
  openType,
  52 + 34 * seatsMax + 66 * messagesMax,
);

/** At most 98,092 bytes. */
export const shareCodec: Codec<Share> = codec("Share", shareType, 92 + (32 + 66) * messagesMax);

/** Names a commitment: what a session is opened over and a nonce is taken by. */
export function hashCommit(network: NetworkId, commit: Commit): Bytes32 {
  return H("roast-commit", network, commitCodec.encode(commit));
}

/**
 * Session id (research: threshold 7): everything that the shares of the session depend on. `keys` and `messages`,
 * 32 bytes each, are what the signer has rebuilt itself, so that another plan or tweak is another session.
 */
export function sessionId(
  network: NetworkId,
  open: SessionOpen,
  inputs: readonly { readonly key: Bytes32; readonly message: Bytes32 }[],
): Bytes32 {
  const signed = inputs.flatMap(({ key, message }) => [key, message]);
  return H("roast-session", network, concat(sessionOpenCodec.encode(open), ...signed));
}
