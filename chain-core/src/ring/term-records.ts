// Records of terms (RNG-2): which ring serves when, by which draw, who could have been drawn, and who gives signs of life.
import type { Codec } from "@causeway/primitives";
import {
  b32,
  b33,
  bool,
  ContainerType,
  codec,
  ListCompositeType,
  u8,
  u16,
  u32,
  u64,
  u128,
} from "@causeway/primitives";
import type { Table } from "../ledger/state.ts";
import { byBytes, byNumber, modules, single, table } from "../ledger/state.ts";

/** The ring of a term as it was drawn. Seats that were silent in a ceremony are drawn anew in that ceremony alone. */
export type Ring = {
  /** From 0, the genesis'. A term lasts `ringTermEpochs` from its first epoch on, or ends early. */
  term: number;
  /** Its first epoch, and that epoch's beginning in ledger time (ms). */
  epoch: number;
  startedAt: number;
  threshold: number;
  seats: { validator: Uint8Array; hostKey: Uint8Array }[];
  /** Of the beacon two epochs before; zero for the ring of the genesis. */
  output: Uint8Array;
  /** Ledger time (ms) after which no deposit to its Bitcoin key is credited; 0: no end is set yet. */
  creditUntil: number;
};
/** By term, for ever: with {@link draws} anybody draws it again. */
export const rings: Table<number, Ring> = table(
  modules.ring,
  11,
  byNumber,
  codec(
    "ring",
    new ContainerType({
      term: u32,
      epoch: u64,
      startedAt: u64,
      threshold: u16,
      seats: new ListCompositeType(new ContainerType({ validator: b32, hostKey: b33 }), 150),
      output: b32,
      creditUntil: u64,
    }),
    16 * 1024,
  ),
);

/** As many as can be registered (ledger/epoch/validators.ts). */
const candidatesMax = 4_096;

/**
 * One who could have a seat: its stake (BTM units) before the output was known. `isGone`: jailed, tombstoned or out of
 * service when the ring was drawn, so that others got its seats.
 */
export type Drawn = { owner: Uint8Array; stake: bigint; isGone: boolean };
type Draw = { candidates: Drawn[] };
const drawCodec: Codec<Draw> = codec(
  "draw",
  new ContainerType({
    candidates: new ListCompositeType(
      new ContainerType({ owner: b32, stake: u128, isGone: bool }),
      candidatesMax,
    ),
  }),
  64 * candidatesMax + 16,
);
/** By term, for ever: among whom its ring was drawn. */
export const draws: Table<number, Draw> = table(modules.ring, 12, byNumber, drawCodec);

/** A candidate when an epoch begins; `since`: the epoch since which it has been one without a break. */
export type Elector = { owner: Uint8Array; stake: bigint; since: number };
type Electorate = { candidates: Elector[] };
const electorateCodec: Codec<Electorate> = codec(
  "electorate",
  new ContainerType({
    candidates: new ListCompositeType(
      new ContainerType({ owner: b32, stake: u128, since: u64 }),
      candidatesMax,
    ),
  }),
  64 * candidatesMax + 16,
);
/**
 * By epoch: among whom its output may draw. Fixed as it begins, before anybody can know the output: who could still
 * move stake then would draw as often as he likes.
 */
export const electorates: Table<number, Electorate> = table(
  modules.ring,
  13,
  byNumber,
  electorateCodec,
);

/** Why the newest election that was due gave no ring, so that the old one stays (BCN-4). */
export const electionStates = { done: 0, noOutput: 1, noCandidates: 2 } as const;

/** `term`: the running one; `nextKeyId`: of the next key that is generated; `earlyEpoch`: of the last early rotation. */
export type Terms = { term: number; nextKeyId: number; earlyEpoch: number; election: number };
export const terms: Table<"only", Terms> = table(
  modules.ring,
  14,
  single,
  codec(
    "terms",
    new ContainerType({ term: u32, nextKeyId: u32, earlyEpoch: u64, election: u8 }),
    24,
  ),
);

/** By the validator's owner: ledger time (ms) of its signer's newest heart-beat (RNG-2). */
export const heartbeats: Table<Uint8Array, { at: number }> = table(
  modules.ring,
  15,
  byBytes,
  codec("heart-beat", new ContainerType({ at: u64 }), 8),
);
