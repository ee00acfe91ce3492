// The records of the signer's journal: what must survive a crash before something leaves the process.
import type { Codec } from "@causeway/primitives";
import {
  assert,
  ByteListType,
  b32,
  ContainerType,
  codec,
  InvariantError,
  isRejected,
  ListCompositeType,
  must,
  u8,
  u16,
  u32,
  u64,
} from "@causeway/primitives";

const recordKinds = {
  boot: 1,
  release: 2,
  deal: 3,
  trust: 4,
  sent: 5,
  bar: 6,
  restored: 7,
  known: 8,
} as const;

/** What one signing slot (BTC-3, ETH-1) was used for: `slot` names it, `message` is the 32 bytes signed. */
export type SlotUse = { slot: Uint8Array; message: Uint8Array };

/** Written before a signature share leaves: its slots are taken for ever, its nonces are consumed. */
export type Release = {
  keyId: number;
  /** The epoch of the shares, and the own seat. */
  attempt: number;
  seat: number;
  plan: Uint8Array;
  coordinator: number;
  sid: Uint8Array;
  /** Hash of the nonces' commitment. */
  commitment: Uint8Array;
  slots: SlotUse[];
};

/** The deal of a seat in a ceremony's attempt, so that a restarted process publishes the same one. */
export type DealMade = { keyId: number; attempt: number; seat: number; body: Uint8Array };

/** The newest final header that was acted on: the light client never goes back behind it (CON-6). */
export type Trust = { height: number; header: Uint8Array };

export type JournalRecord =
  | { readonly kind: "boot"; readonly number: number }
  | { readonly kind: "release"; readonly release: Release }
  | { readonly kind: "deal"; readonly deal: DealMade }
  | { readonly kind: "trust"; readonly trust: Trust }
  /** Before the envelope with this sequence leaves (CON-7): one on the ledger that is not here was another process's. */
  | { readonly kind: "sent"; readonly sequence: number }
  /** Slots that may have been signed by a process whose journal is lost: never signed again (fence.ts). */
  | { readonly kind: "bar"; readonly slots: readonly SlotUse[] }
  /** This journal came out of a backup: what was signed since is not in it. Done with at the next `known`. */
  | { readonly kind: "restored" }
  /** After the bars: whoever used the numbers up to this one, what follows from that is done. */
  | { readonly kind: "known"; readonly sequence: number };

/** Own numbers that are told from another's: twice as many as the ledger's record tells apart (CON-7). */
export const sentSpan = 256;

/** Slots in one `release` or `bar`: as many as a plan has messages (roast/message.ts). */
export const slotsMax = 1_000;

/** The number of a start: of its time, so that it is above those that a restored disk has forgotten. */
export function nextBoot(records: readonly JournalRecord[], nowMs: number): number {
  const before = records.flatMap((record) => (record.kind === "boot" ? [record.number] : []));
  return Math.max(nowMs, 1 + Math.max(0, ...before));
}

/** The slots of every release and bar, oldest first. */
export function usesOf(
  records: readonly JournalRecord[],
): { readonly slots: readonly SlotUse[] }[] {
  return records.flatMap((record): { readonly slots: readonly SlotUse[] }[] => {
    if (record.kind === "release") return [record.release];
    return record.kind === "bar" ? [record] : [];
  });
}

const frameCodec: Codec<{ kind: number; body: Uint8Array }> = codec(
  "journal record",
  new ContainerType({ kind: u8, body: new ByteListType(192 * 1024) }),
  193 * 1024,
);
const bootCodec: Codec<{ number: number }> = codec("boot", new ContainerType({ number: u64 }), 8);
const slotUses: ListCompositeType<ContainerType<{ slot: ByteListType; message: typeof b32 }>> =
  new ListCompositeType(new ContainerType({ slot: new ByteListType(64), message: b32 }), slotsMax);
const releaseCodec: Codec<Release> = codec(
  "release",
  new ContainerType({
    keyId: u32,
    attempt: u32,
    seat: u16,
    plan: b32,
    coordinator: u16,
    sid: b32,
    commitment: b32,
    slots: slotUses,
  }),
  160 * 1024,
);
const sentCodec: Codec<{ sequence: number }> = codec(
  "sent",
  new ContainerType({ sequence: u64 }),
  8,
);
const barCodec: Codec<{ slots: SlotUse[] }> = codec(
  "bar",
  new ContainerType({ slots: slotUses }),
  160 * 1024,
);
const dealMadeCodec: Codec<DealMade> = codec(
  "deal made",
  new ContainerType({ keyId: u32, attempt: u32, seat: u16, body: new ByteListType(16 * 1024) }),
  17 * 1024,
);
const trustCodec: Codec<Trust> = codec(
  "trust",
  new ContainerType({ height: u64, header: new ByteListType(512) }),
  1024,
);

export function encodeRecord(record: JournalRecord): Uint8Array {
  const frame = (kind: number, body: Uint8Array): Uint8Array => frameCodec.encode({ kind, body });
  switch (record.kind) {
    case "boot":
      return frame(recordKinds.boot, bootCodec.encode({ number: record.number }));
    case "release":
      return frame(recordKinds.release, releaseCodec.encode(record.release));
    case "deal":
      return frame(recordKinds.deal, dealMadeCodec.encode(record.deal));
    case "trust":
      return frame(recordKinds.trust, trustCodec.encode(record.trust));
    case "sent":
      return frame(recordKinds.sent, sentCodec.encode({ sequence: record.sequence }));
    case "bar":
      return frame(recordKinds.bar, barCodec.encode({ slots: [...record.slots] }));
    case "known":
      return frame(recordKinds.known, sentCodec.encode({ sequence: record.sequence }));
    case "restored":
      return frame(recordKinds.restored, new Uint8Array(0));
  }
}

/**
 * A record of our own journal. Asserts that it is whole and of a kind that this version knows: what it cannot read
 * may be a slot that is taken, so that a signer must not start without it.
 */
export function decodeRecord(bytes: Uint8Array): JournalRecord {
  const frame = frameCodec.parse(bytes);
  assert(!isRejected(frame), "a record of the signer's journal is damaged: this key must not sign");
  switch (frame.kind) {
    case recordKinds.boot:
      return { kind: "boot", number: bootCodec.decode(frame.body).number };
    case recordKinds.release:
      return { kind: "release", release: releaseCodec.decode(frame.body) };
    case recordKinds.deal:
      return { kind: "deal", deal: dealMadeCodec.decode(frame.body) };
    case recordKinds.trust:
      return { kind: "trust", trust: trustCodec.decode(frame.body) };
    case recordKinds.sent:
      return { kind: "sent", sequence: sentCodec.decode(frame.body).sequence };
    case recordKinds.bar:
      return { kind: "bar", slots: barCodec.decode(frame.body).slots };
    case recordKinds.known:
      return { kind: "known", sequence: sentCodec.decode(frame.body).sequence };
    case recordKinds.restored:
      return { kind: "restored" };
    default:
      throw new InvariantError(`journal record of kind ${frame.kind}: by a newer version?`);
  }
}

/**
 * The same records without those that a later one replaces: of boots, trusted points, marks of a restore and of what is
 * known only the newest counts, of numbers sent the last `sentSpan`, and of a key's deals those of its newest attempt.
 * Releases and bars stay for ever.
 */
export function compacted(records: readonly Uint8Array[]): Uint8Array[] {
  const all = records.map(decodeRecord);
  const newest = new Map(all.map(({ kind }, i) => [kind, i]));
  const sent = all.flatMap((record) => (record.kind === "sent" ? [record.sequence] : []));
  const lastSent = sent.reduce((a, b) => Math.max(a, b), 0);
  const attempts = new Map<number, number>();
  for (const record of all)
    if (record.kind === "deal") {
      const { keyId, attempt } = record.deal;
      attempts.set(keyId, Math.max(attempt, attempts.get(keyId) ?? 0));
    }
  return records.filter((_, i) => {
    const record = must(all[i], "record");
    if (record.kind === "release" || record.kind === "bar") return true;
    if (record.kind === "sent") return record.sequence > lastSent - sentSpan;
    if (record.kind === "deal") return attempts.get(record.deal.keyId) === record.deal.attempt;
    return newest.get(record.kind) === i;
  });
}
