// Who the validators are (STK-1), as far as the proven ledger says. A validator's number is its place in the register,
// which only grows and begins with the genesis' validators in their order: what was once proven of it stays true, so
// that it is read again only when somebody matters who is not in it. Keys change with epochs: the records of those who
// matter (the committee, who holds or makes a key, this signer itself) are read once in each.
import type { Ceremony, Committee, Genesis, StateReader } from "@causeway/chain-core/interchain";
import { registered, usedKeys, validatorStatus, validators } from "@causeway/chain-core/interchain";
import { equal, keyOf } from "@causeway/primitives";
import { seatCounts } from "./rings.ts";

/** `epoch`: the one that the record was read in; `isActive`: not jailed, gone or tombstoned then. */
export type Member = {
  readonly number: number;
  readonly owner: Uint8Array;
  readonly hostKey: Uint8Array;
  readonly attestKey: Uint8Array;
  readonly signerPeerKey: Uint8Array;
  readonly isActive: boolean;
  /** The most that it has in one ring; at least 1. */
  readonly seats: number;
  readonly epoch: number;
};

export type Roster = {
  /** The register as far as it was read. */
  readonly owners: readonly Uint8Array[];
  /** Place in it by the hex of the owner. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Who matters, by number. */
  readonly members: ReadonlyMap<number, Member>;
  /** This signer's validator; undefined: not registered, or not known to be. */
  readonly own: { readonly number: number; readonly owner: Uint8Array } | undefined;
  /** Records to be read with the next view. */
  readonly wanted: readonly Uint8Array[];
};

type Known = {
  readonly view: StateReader;
  readonly committee: Committee;
  readonly epoch: number;
};

/** Records of validators read with one view: more would make it older. */
const readMax = 64;
/** Before anything is proven: a validator of the genesis has these keys until the ledger says otherwise. */
const unread = -1;

/** What the genesis says. `peerKey`, this signer's libp2p identity, names its validator for good: no key comes twice. */
export function genesisRoster(genesis: Genesis, peerKey: Uint8Array): Roster {
  const owners = genesis.validators.map(({ owner }) => owner);
  const members = genesis.validators.map((validator, number) => {
    const { owner, hostKey, attestKey, signerPeerKey } = validator;
    return {
      number,
      owner,
      hostKey,
      attestKey,
      signerPeerKey,
      isActive: true,
      seats: 1,
      epoch: unread,
    };
  });
  const own = members.find(({ signerPeerKey }) => equal(signerPeerKey, peerKey));
  return {
    owners,
    numbers: numbersOf(owners),
    members: new Map(members.map((member) => [member.number, member])),
    own: own && { number: own.number, owner: own.owner },
    wanted: own === undefined ? [usedKeys.key(peerKey)] : [],
  };
}

function numbersOf(owners: readonly Uint8Array[]): ReadonlyMap<string, number> {
  return new Map(owners.map((owner, number) => [keyOf(owner), number]));
}

/**
 * Takes up what a view shows, and says what the next one should. `epoch`: of the oldest header that proves a part of the
 * view; `rings`: whose seats' owners matter.
 */
export function learn(
  before: Roster,
  peerKey: Uint8Array,
  { view, committee, epoch }: Known,
  rings: readonly Pick<Ceremony, "seats">[],
): Roster {
  const register = registered.get(view, "only")?.owners ?? [];
  const isLonger = register.length > before.owners.length;
  const owners = isLonger ? register : before.owners;
  const numbers = isLonger ? numbersOf(register) : before.numbers;
  const owner = before.own?.owner ?? usedKeys.get(view, peerKey)?.owner;
  const number = owner && numbers.get(keyOf(owner));
  const own = owner === undefined || number === undefined ? undefined : { number, owner };

  const relevant = new Map(committee.members.map(({ validator }) => [keyOf(validator), 1]));
  if (owner !== undefined) relevant.set(keyOf(owner), 1);
  for (const ring of rings)
    for (const [name, seats] of seatCounts(ring))
      relevant.set(name, Math.max(seats, relevant.get(name) ?? 1));
  const members = new Map<number, Member>();
  const wanted: Uint8Array[] = owner === undefined ? [usedKeys.key(peerKey)] : [];
  let isShort = false;
  for (const [name, seats] of relevant) {
    const place = numbers.get(name);
    const one = owners[place ?? -1];
    if (place === undefined || one === undefined) {
      isShort = true;
      continue;
    }
    const member = readMember(view, one, place, epoch) ?? before.members.get(place);
    if (member !== undefined) members.set(place, { ...member, seats });
    if ((member === undefined || member.epoch < committee.epoch) && wanted.length < readMax)
      wanted.push(validators.key(one));
  }
  if (isShort) wanted.push(registered.key("only"));
  return { owners, numbers, members, own, wanted };
}

function readMember(
  view: StateReader,
  owner: Uint8Array,
  number: number,
  epoch: number,
): Member | undefined {
  const record = validators.get(view, owner);
  if (record === undefined) return undefined;
  const { hostKey, attestKey, signerPeerKey } = record;
  const isActive = record.status === validatorStatus.active;
  return { number, owner, hostKey, attestKey, signerPeerKey, isActive, seats: 1, epoch };
}

/** Identities that this signer talks with: everybody who matters but itself. */
export function peersOf({ members, own }: Roster): { number: number; peerKey: Uint8Array }[] {
  return [...members.values()]
    .filter(({ number }) => number !== own?.number)
    .map(({ number, signerPeerKey }) => ({ number, peerKey: signerPeerKey }));
}
