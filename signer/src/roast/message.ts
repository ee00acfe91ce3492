// What coordinator and signers say to each other in ROAST, as bounded bytes. One session signs all messages of one
// request, each with its own nonce pair. The coordinator sends sums of nonces and the hash of each commitment, not
// the commitments: BIP-445 needs no more, and 1,000 messages for 100 signers are 71 kB instead of 6.6 MB. Senders
// are authenticated by the link; what a share answers for is signed besides.
import type { Conversation, SessionHead } from "@causeway/chain-core/ring";
import {
  hashCommitment,
  hashItems,
  hashSession,
  inputBytes,
  messagesMax,
  seatsMax,
  signerListType,
} from "@causeway/chain-core/ring";
import type { Bytes32, Codec, NetworkId } from "@causeway/primitives";
import {
  b32,
  b64,
  ContainerType,
  codec,
  ListCompositeType,
  must,
  u16,
  u32,
  u64,
} from "@causeway/primitives";
import { ByteVectorType } from "@chainsafe/ssz";

export type { Conversation } from "@causeway/chain-core/ring";
export { messagesMax } from "@causeway/chain-core/ring";

/** A signer is ready: one public nonce of 66 bytes a message. */
export type Commit = Conversation & {
  readonly seat: number;
  /** Grows with each start of the signer's process: nonces of an earlier one are dead. */
  readonly boot: number;
  readonly nonces: readonly Uint8Array[];
};

/** The coordinator opens session `number` (from 0) with these signers, in order of seats. */
export type SessionOpen = SessionHead & {
  /** The aggregate nonce of 66 bytes of each message. */
  readonly nonces: readonly Uint8Array[];
};

/**
 * A signer's partial signatures for session `sid`, one a message, and its next commitment. `proof`: by the host key of the
 * seat over `hashAnswer`, 64 bytes, so that a wrong one is evidence (ADR 0019); zeros of a seat that lacks the key.
 */
export type Share = Conversation & {
  readonly seat: number;
  readonly boot: number;
  readonly sid: Uint8Array;
  readonly shares: readonly Uint8Array[];
  readonly proof: Uint8Array;
  readonly nonces: readonly Uint8Array[];
};

const conversation = { keyId: u32, attempt: u32, request: b32, coordinator: u16 };
const nonceList = new ListCompositeType(new ByteVectorType(66), messagesMax);
const shareList = new ListCompositeType(b32, messagesMax);

const commitType = new ContainerType({ ...conversation, seat: u16, boot: u64, nonces: nonceList });

const openType = new ContainerType({
  ...conversation,
  number: u16,
  signers: signerListType,
  nonces: nonceList,
});

const shareType = new ContainerType({
  ...conversation,
  seat: u16,
  boot: u64,
  sid: b32,
  shares: shareList,
  proof: b64,
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

/** At most 98,156 bytes. */
export const shareCodec: Codec<Share> = codec("Share", shareType, 156 + (32 + 66) * messagesMax);

/** Names a commitment: what a session is opened over and a nonce is taken by. */
export function hashCommit(network: NetworkId, commit: Commit): Bytes32 {
  return hashCommitment(network, commit, hashItems(commit.nonces));
}

/** What a session signs in each message as its signer has rebuilt it, so that another plan or tweak is another session. */
export type Signed = { readonly key: Bytes32; readonly message: Bytes32 };

/** By message: the bytes that the session is named by. */
export function inputsOf(open: SessionOpen, signed: readonly Signed[]): Uint8Array[] {
  return signed.map(({ key, message }, i) =>
    inputBytes(must(open.nonces[i], "nonce"), key, message),
  );
}

export function sessionId(
  network: NetworkId,
  open: SessionOpen,
  signed: readonly Signed[],
): Bytes32 {
  return hashSession(network, open, hashItems(inputsOf(open, signed)));
}
