// What signers say to each other, over direct streams between libp2p identities that the genesis names
// (signerPeerKey). The stream authenticates the sender; what has to be proved to others is signed in the body.
import type { Codec, Rejected } from "@causeway/primitives";
import {
  ByteListType,
  b32,
  b96,
  ContainerType,
  codec,
  isRejected,
  ListCompositeType,
  rejected,
  u8,
  u16,
} from "@causeway/primitives";

export const messageKinds = {
  /** A statement to endorse (WIT-1). */
  propose: 1,
  /** The sender's attest signature over a statement's digest. */
  endorse: 2,
  /** The sender will not sign a statement, and why. */
  refuse: 3,
  /** ROAST, see roast/message.ts. */
  commit: 4,
  open: 5,
  share: 6,
  /** The plan is signed: ringSignatureCodec bytes. */
  signed: 7,
} as const;

/** Largest message between signers, bytes: a statement with its frame. */
export const messageSizeMax: number = 260 * 1024;

/** `seat` is the sender's. */
export type Envelope = {
  version: number;
  kind: number;
  seat: number;
  body: Uint8Array;
};

const envelopeCodec: Codec<Envelope> = codec(
  "signer message",
  new ContainerType({
    version: u8,
    kind: u8,
    seat: u16,
    body: new ByteListType(messageSizeMax),
  }),
  messageSizeMax,
);

export function seal(kind: number, seat: number, body: Uint8Array): Uint8Array {
  return envelopeCodec.encode({ version: 1, kind, seat, body });
}

/** The envelope, if its sender is the peer it came from. */
export function open(
  from: number,
  bytes: Uint8Array,
): Envelope | Rejected<"bad-bytes" | "bad-version" | "wrong-sender"> {
  const envelope = envelopeCodec.parse(bytes);
  if (isRejected(envelope)) return envelope;
  if (envelope.version !== 1) return rejected("bad-version", `message version ${envelope.version}`);
  if (envelope.seat !== from)
    return rejected("wrong-sender", `seat ${envelope.seat} in a message of seat ${from}`);
  return envelope;
}

/**
 * `statement` in statementCodec bytes; `signature` the sender's, or none: then the sender asks for a second
 * opinion about something that its own nodes do not show.
 */
export type Propose = { statement: Uint8Array; signature: Uint8Array[] };
export const proposeCodec: Codec<Propose> = codec(
  "propose",
  new ContainerType({
    statement: new ByteListType(256 * 1024),
    signature: new ListCompositeType(b96, 1),
  }),
  messageSizeMax - 128,
);

export type Endorse = { digest: Uint8Array; signature: Uint8Array };
export const endorseCodec: Codec<Endorse> = codec(
  "endorse",
  new ContainerType({ digest: b32, signature: b96 }),
  128,
);

/** `event` is the position in the list, `code` the ASCII of a typed refusal's code. */
export type Refuse = { digest: Uint8Array; event: number; code: Uint8Array };
export const refuseCodec: Codec<Refuse> = codec(
  "refuse",
  new ContainerType({ digest: b32, event: u16, code: new ByteListType(64) }),
  128,
);
