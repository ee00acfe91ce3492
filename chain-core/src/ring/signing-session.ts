// What the seats of a ring sign together, by name: a seat's nonces, a session over the nonces of its signers, and a seat's
// answer to it. Messages in one session have a nonce and a share each; each list is named by chunks, so that what was said
// of one message is shown without the others, which is what evidence needs (bad-share.ts). Sending is ROAST's business.
import type { Bytes32, NetworkId } from "@causeway/primitives";
import {
  ByteListType,
  b32,
  b33,
  ContainerType,
  codec,
  concat,
  equal,
  H,
  ListCompositeType,
  sha256,
  u16,
  u32,
  u64,
} from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import { seatsMax } from "./keygen.ts";

/** Messages in one session. A plan of 9,000 vB (BTC-4) has at most 152. */
export const messagesMax = 1_000;

// ---------------------------------------------------------------- lists of one item a message

const chunkMax = 32;

/** One item of a list: the chunk that it is in, and the hashes of all chunks. */
export type Shown = { chunk: Uint8Array; hashes: Uint8Array[] };

/** For items of at most `size` bytes. */
export function shownType(size: number): ContainerType<{
  chunk: ByteListType;
  hashes: ListCompositeType<typeof b32>;
}> {
  return new ContainerType({
    chunk: new ByteListType(chunkMax * size),
    hashes: new ListCompositeType(b32, Math.ceil(messagesMax / chunkMax)),
  });
}

function chunksOf(items: readonly Uint8Array[]): Uint8Array[] {
  const count = Math.ceil(items.length / chunkMax);
  return Array.from({ length: count }, (_, i) =>
    concat(...items.slice(i * chunkMax, (i + 1) * chunkMax)),
  );
}

/** The name of a list of 1..1,000 items of one size. 0.1 us a 32 bytes. */
export function hashItems(items: readonly Uint8Array[]): Bytes32 {
  return sha256(concat(...chunksOf(items).map(sha256)));
}

/** Shows item `index` of the list. */
export function showItem(items: readonly Uint8Array[], index: number): Shown {
  const chunks = chunksOf(items);
  const chunk = chunks[Math.floor(index / chunkMax)] ?? new Uint8Array(0);
  return { chunk, hashes: chunks.map(sha256) };
}

/** Item `index`, of `size` bytes, with the name of its list; undefined when that is not what is shown. */
export function readItem(
  { chunk, hashes }: Shown,
  index: number,
  size: number,
): { readonly item: Uint8Array; readonly list: Bytes32 } | undefined {
  const hash = hashes[Math.floor(index / chunkMax)];
  const start = (index % chunkMax) * size;
  if (hash === undefined || chunk.length < start + size) return undefined;
  if (!equal(sha256(chunk), hash)) return undefined;
  return { item: chunk.subarray(start, start + size), list: sha256(concat(...hashes)) };
}

// ---------------------------------------------------------------- names

/** Names one conversation: a request to sign, under one set of shares of one key, with one coordinator. */
export type Conversation = {
  readonly keyId: number;
  /** Of the ceremony that made the shares: their epoch. Shares of two epochs never meet (RNG-2). */
  readonly attempt: number;
  /** `bundleId` of the plans: a reference, from which each signer rebuilds the messages itself. */
  readonly request: Uint8Array;
  /** The coordinator's seat. */
  readonly coordinator: number;
};

/** Who signs in session `number` of the conversation, each with the commitment of that name. */
export type SessionHead = Conversation & {
  readonly number: number;
  readonly signers: readonly { readonly seat: number; readonly commitment: Uint8Array }[];
};

const conversation = { keyId: u32, attempt: u32, request: b32, coordinator: u16 };

export const signerListType: ListCompositeType<
  ContainerType<{ seat: typeof u16; commitment: typeof b32 }>
> = new ListCompositeType(new ContainerType({ seat: u16, commitment: b32 }), seatsMax);

type Committed = Conversation & { readonly seat: number; readonly boot: number };
const commitmentCodec = codec<Committed & { readonly nonces: Uint8Array }>(
  "commitment",
  new ContainerType({ ...conversation, seat: u16, boot: u64, nonces: b32 }),
  84,
);

/** The name of a seat's commitment; `nonces` of its list of public nonces, 66 bytes each. */
export function hashCommitment(
  network: NetworkId,
  { keyId, attempt, request, coordinator, seat, boot }: Committed,
  nonces: Bytes32,
): Bytes32 {
  const named = { keyId, attempt, request, coordinator, seat, boot, nonces };
  return H("roast-commit", network, commitmentCodec.encode(named));
}

/** What a session is about in one message: the sum of nonces, 66 bytes, x of the tweaked key, and the message. */
export const inputSize = 130;

export function inputBytes(nonce: Uint8Array, key: Bytes32, message: Bytes32): Uint8Array {
  return concat(nonce, key, message);
}

const sessionCodec = codec<SessionHead & { readonly inputs: Uint8Array }>(
  "session",
  new ContainerType({ ...conversation, number: u16, signers: signerListType, inputs: b32 }),
  80 + 34 * seatsMax,
);

/**
 * The name of a session (research: threshold 7): everything that its shares depend on; `inputs` of its list of
 * {@link inputBytes}.
 */
export function hashSession(
  network: NetworkId,
  { keyId, attempt, request, coordinator, number, signers }: SessionHead,
  inputs: Bytes32,
): Bytes32 {
  const named = { keyId, attempt, request, coordinator, number, signers, inputs };
  return H("roast-session", network, sessionCodec.encode(named));
}

const answerCodec = codec<{
  readonly seat: number;
  readonly share: Point;
  readonly sid: Uint8Array;
  readonly shares: Uint8Array;
}>("answer", new ContainerType({ seat: u16, share: b33, sid: b32, shares: b32 }), 99);

/**
 * What a seat's host key signs with its answer to session `sid`: `shares` is the name of its list of partial signatures,
 * `share` its Y, so that the answer can be held against no other share of the seat.
 */
export function hashAnswer(
  network: NetworkId,
  answer: {
    readonly seat: number;
    readonly share: Point;
    readonly sid: Uint8Array;
    readonly shares: Bytes32;
  },
): Bytes32 {
  return H("roast-answer", network, answerCodec.encode(answer));
}
