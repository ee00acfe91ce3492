// Records of the ring module: ceremonies, keys and who holds them (RNG-3 to 5). Provable (CON-8).
import type { Codec, NetworkId } from "@causeway/primitives";
import {
  ByteListType,
  b32,
  b33,
  b64,
  bigEndian,
  bool,
  bytes32,
  ContainerType,
  codec,
  concat,
  ListBasicType,
  ListCompositeType,
  u8,
  u16,
  u32,
  u64,
} from "@causeway/primitives";
import type { StateReader, Table } from "../ledger/state.ts";
import { byBytes, byNumber, modules, single, table } from "../ledger/state.ts";
import { badShareSizeMax } from "./bad-share.ts";
import type { CeremonyParams, OldRing } from "./keygen.ts";

/** A seat of a ring: the validator's owner lock and the host key that its deals are encrypted to. */
export type Seat = { validator: Uint8Array; hostKey: Uint8Array };

export const ceremonyStages = { deal: 1, confirm: 2, canary: 3, active: 4, retired: 5 } as const;

/** A key is made once, and its shares are made anew for another ring by resharing, the group point the same (RNG-2). */
export const purposes = { generate: 0, reshare: 1 } as const;

/**
 * One generation of a key, or one resharing of it. A failed attempt starts the next with the same n and t (RNG-3);
 * attempts are counted over a key's whole life, so that (key id, attempt) names one set of shares for ever, and what is
 * bound to it is void in every other session.
 */
export type Ceremony = {
  keyId: number;
  purpose: number;
  /** The term whose ring `seats` are. */
  term: number;
  /** The foreign chain that the key is for (FMT-8). */
  chain: Uint8Array;
  attempt: number;
  threshold: number;
  seats: Seat[];
  stage: number;
  /** Ledger time and height at which the present window began (RNG-4). */
  startedAt: number;
  startedHeight: number;
  /** Dealers whose deal is on the ledger, and those whose deal a complaint has voided: seats, of the old ring in a resharing. */
  dealt: number[];
  voided: number[];
  /**
   * Seats that proved a wrong share of a deal which counts all the same: the shares are in use already, or a resharing
   * has no other deal in its place. Such a seat has no share of this epoch.
   */
  wronged: { seat: number; dealer: number }[];
  /** H over the deals that are merged, in seat order; zero before, and when a complaint has voided one of them. */
  dealsHash: Uint8Array;
  /** Sum of the accepted deals' commitments; the first is the group point. Empty in stage deal. */
  commitments: Uint8Array[];
  confirmed: { seat: number; share: Uint8Array }[];
};
/** One by each seat, and one about each dealer. */
const wrongedMax = 300;
const ceremonyCodec: Codec<Ceremony> = codec(
  "ceremony",
  new ContainerType({
    keyId: u32,
    purpose: u8,
    term: u32,
    chain: b32,
    attempt: u32,
    threshold: u16,
    seats: new ListCompositeType(new ContainerType({ validator: b32, hostKey: b33 }), 150),
    stage: u8,
    startedAt: u64,
    startedHeight: u64,
    dealt: new ListBasicType(u16, 150),
    voided: new ListBasicType(u16, 150),
    wronged: new ListCompositeType(new ContainerType({ seat: u16, dealer: u16 }), wrongedMax),
    dealsHash: b32,
    commitments: new ListCompositeType(b33, 150),
    confirmed: new ListCompositeType(new ContainerType({ seat: u16, share: b33 }), 150),
  }),
  64 * 1024,
);
/** By key id: the generation or resharing that made the shares in use; before there are any, the generation under way. */
export const ceremonies: Table<number, Ceremony> = table(modules.ring, 1, byNumber, ceremonyCodec);
/** By key id: the resharing under way. The day it activates it takes the place of the one in {@link ceremonies}. */
export const reshares: Table<number, Ceremony> = table(modules.ring, 7, byNumber, ceremonyCodec);

/** True when such a proof would be nothing new: neither of this seat nor about this dealer. */
export function isWronged(
  { wronged }: Ceremony,
  of: { readonly seat: number; readonly dealer: number },
): boolean {
  return (
    wronged.some(({ seat }) => seat === of.seat) &&
    wronged.some(({ dealer }) => dealer === of.dealer)
  );
}

/** The ceremony that a deal, a complaint, a canary of now belongs to: a resharing under way comes first. */
export function ceremonyOf(state: StateReader, keyId: number): Ceremony | undefined {
  return reshares.get(state, keyId) ?? ceremonies.get(state, keyId);
}

/** The ceremony of this epoch of a key's shares: under way, or the one whose shares are in use. */
export function ceremonyOfEpoch(
  state: StateReader,
  { keyId, attempt }: { readonly keyId: number; readonly attempt: number },
): Ceremony | undefined {
  const both = [reshares.get(state, keyId), ceremonies.get(state, keyId)];
  return both.find((one) => one?.attempt === attempt);
}

/** The bytes of a deal (dealCodec), by key, attempt and the dealer's seat. */
export const deals: Table<{ keyId: number; attempt: number; seat: number }, { deal: Uint8Array }> =
  table(
    modules.ring,
    2,
    ({ keyId, attempt, seat }) =>
      concat(bigEndian(keyId, 4), bigEndian(attempt, 4), bigEndian(seat, 2)),
    codec("deal record", new ContainerType({ deal: new ByteListType(16 * 1024) }), 32 * 1024),
  );

/** The first evidence of a wrong share (badShareCodec) of a seat of an epoch, for which it was punished. */
export const badShares: Table<
  { keyId: number; attempt: number; seat: number },
  { evidence: Uint8Array }
> = table(
  modules.ring,
  17,
  ({ keyId, attempt, seat }) =>
    concat(bigEndian(keyId, 4), bigEndian(attempt, 4), bigEndian(seat, 2)),
  codec(
    "bad share record",
    new ContainerType({ evidence: new ByteListType(badShareSizeMax) }),
    badShareSizeMax + 4,
  ),
);

/** An activated key, by key id: what a signer, a wallet and a contract need to know of it. */
export type Key = {
  keyId: number;
  /** Of the ceremony that made these shares: their epoch. */
  attempt: number;
  /** The term for which the key was generated, and the one whose ring holds it now (RNG-2). */
  term: number;
  heldBy: number;
  chain: Uint8Array;
  /** Threshold point, 33 bytes, any parity; BTC-1's K is its x. */
  groupPoint: Uint8Array;
  threshold: number;
  seats: Seat[];
  /** Y_j by seat; 33 zero bytes for a seat that has not confirmed. */
  shares: Uint8Array[];
  active: boolean;
  canary: Uint8Array;
  activatedAt: number;
};
export const keys: Table<number, Key> = table(
  modules.ring,
  3,
  byNumber,
  codec(
    "key",
    new ContainerType({
      keyId: u32,
      attempt: u32,
      term: u32,
      heldBy: u32,
      chain: b32,
      groupPoint: b33,
      threshold: u16,
      seats: new ListCompositeType(new ContainerType({ validator: b32, hostKey: b33 }), 150),
      shares: new ListCompositeType(b33, 150),
      active: bool,
      canary: b64,
      activatedAt: u64,
    }),
    32 * 1024,
  ),
);

/**
 * By chain: the key of the running term; absent until one is active. An EVM chain's is the one that its contract holds
 * (ETH-1).
 */
export const currentKeys: Table<Uint8Array, { keyId: number }> = table(
  modules.ring,
  4,
  byBytes,
  codec("current key", new ContainerType({ keyId: u32 }), 8),
);

/** By EVM chain: an active key that the contract does not hold yet. */
export const nextKeys: Table<Uint8Array, { keyId: number }> = table(
  modules.ring,
  8,
  byBytes,
  codec("next key", new ContainerType({ keyId: u32 }), 8),
);

/** Keys of all chains at most: 48 terms and one, each with three early ones, and those of other chains. */
const keysMax = 512;
const keyIdsCodec = (what: string): Codec<{ keyIds: number[] }> =>
  codec(what, new ContainerType({ keyIds: new ListBasicType(u32, keysMax) }), 4 * keysMax + 8);

/** Key ids with an open ceremony or resharing (stage before active): what signers visit at every block. */
export const openCeremonies: Table<"only", { keyIds: number[] }> = table(
  modules.ring,
  5,
  single,
  keyIdsCodec("open ceremonies"),
);

/** Keys that are active and not retired, ascending: those whose shares somebody still needs. */
export const activeKeys: Table<"only", { keyIds: number[] }> = table(
  modules.ring,
  9,
  single,
  keyIdsCodec("active keys"),
);

/**
 * By key and attempt of a resharing: the ring that deals in it, as it was when the attempt began, and who had its seats.
 * Kept as long as the deals: whoever derives a share again needs it (RNG-5), and who dealt wrong answers for it.
 */
export const oldRings: Table<
  { keyId: number; attempt: number },
  OldRing & { owners: Uint8Array[] }
> = table(
  modules.ring,
  10,
  ({ keyId, attempt }) => concat(bigEndian(keyId, 4), bigEndian(attempt, 4)),
  codec(
    "old ring",
    new ContainerType({
      t: u16,
      groupPoint: b33,
      hostKeys: new ListCompositeType(b33, 150),
      shares: new ListCompositeType(b33, 150),
      owners: new ListCompositeType(b32, 150),
    }),
    16 * 1024,
  ),
);

/** What everyone knows of the ceremony. A resharing's `from` is absent where `state` does not have the ring that deals. */
export function paramsOf(
  { genesis, state }: { readonly genesis: { networkId: NetworkId }; readonly state: StateReader },
  { keyId, attempt, chain, threshold, seats, purpose }: Ceremony,
): CeremonyParams {
  const from = purpose === purposes.reshare ? oldRings.get(state, { keyId, attempt }) : undefined;
  return {
    network: genesis.networkId,
    keyId,
    attempt,
    chain: bytes32(chain),
    n: seats.length,
    t: threshold,
    hostKeys: seats.map(({ hostKey }) => hostKey),
    ...(from && { from }),
  };
}

export * from "./term-records.ts";
