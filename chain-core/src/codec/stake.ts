// Bodies of the staking actions (STK). Amounts are BTM in units of 10^-8; owners and delegators are locks of 32
// bytes, and each action is signed by the one whose stake or registration it changes.
import type { Codec } from "@causeway/primitives";
import {
  ByteListType,
  b32,
  b33,
  b48,
  b65,
  b96,
  bool,
  ContainerType,
  codec,
  ListCompositeType,
  u16,
  u64,
  u128,
} from "@causeway/primitives";

/** A validator's keys (STK-1): BLS 48 bytes, secp256k1 33 bytes. */
export type ValidatorKeys = {
  consensusKey: Uint8Array;
  attestKey: Uint8Array;
  relayKey: Uint8Array;
  hostKey: Uint8Array;
  nodePeerKey: Uint8Array;
  signerPeerKey: Uint8Array;
};
type KeyFields = {
  consensusKey: typeof b48;
  attestKey: typeof b48;
  relayKey: typeof b33;
  hostKey: typeof b33;
  nodePeerKey: typeof b33;
  signerPeerKey: typeof b33;
};
export const keyFields: KeyFields = {
  consensusKey: b48,
  attestKey: b48,
  relayKey: b33,
  hostKey: b33,
  nodePeerKey: b33,
  signerPeerKey: b33,
};

/** A proof of possession for each key: BLS signatures of 96 bytes, recoverable ECDSA ones of 65. */
const proofFields = {
  consensusKey: b96,
  attestKey: b96,
  relayKey: b65,
  hostKey: b65,
  nodePeerKey: b65,
  signerPeerKey: b65,
} as const;
const keysType = new ContainerType(keyFields);
const proofsType = new ContainerType(proofFields);

/** Bytes of a name and of a site, printable ASCII. */
export const nameSizeMax = 32;
export const siteSizeMax = 128;
/** What anybody may know of a validator; `commission` in basis points of its delegators' rewards. */
export type Profile = { name: Uint8Array; site: Uint8Array; commission: number };
export const profileFields: { name: ByteListType; site: ByteListType; commission: typeof u16 } = {
  name: new ByteListType(nameSizeMax),
  site: new ByteListType(siteSizeMax),
  commission: u16,
};
const profileType = new ContainerType(profileFields);

/** Makes `owner` a validator with `stake` of its own. */
export type Register = {
  owner: Uint8Array;
  profile: Profile;
  keys: ValidatorKeys;
  proofs: ValidatorKeys;
  stake: bigint;
};
export const registerCodec: Codec<Register> = codec(
  "register",
  new ContainerType({
    owner: b32,
    profile: profileType,
    keys: keysType,
    proofs: proofsType,
    stake: u128,
  }),
  2_048,
);

/** Changes a validator's profile and, where `keys` has an entry, all its keys: two epochs later (STK-1). */
export type Update = {
  owner: Uint8Array;
  profile: Profile;
  keys: { keys: ValidatorKeys; proofs: ValidatorKeys }[];
};
export const updateCodec: Codec<Update> = codec(
  "update",
  new ContainerType({
    owner: b32,
    profile: profileType,
    keys: new ListCompositeType(new ContainerType({ keys: keysType, proofs: proofsType }), 1),
  }),
  2_048,
);

/** Takes a validator out of every committee that is fixed from now on. */
export type Exit = { owner: Uint8Array };
export const exitCodec: Codec<Exit> = codec("exit", new ContainerType({ owner: b32 }), 32);
/** Makes a jailed validator a candidate again. */
export type Unjail = { owner: Uint8Array };
export const unjailCodec: Codec<Unjail> = codec("unjail", new ContainerType({ owner: b32 }), 32);

const stakeFields = { delegator: b32, validator: b32, amount: u128 } as const;
/** Moves `amount` of the transaction's BTM behind a validator. */
export type Delegate = { delegator: Uint8Array; validator: Uint8Array; amount: bigint };
export const delegateCodec: Codec<Delegate> = codec(
  "delegate",
  new ContainerType(stakeFields),
  128,
);
/** Begins to unbond `amount`, 0 for all that is not bound by a redelegation. */
export type Undelegate = Delegate;
export const undelegateCodec: Codec<Undelegate> = codec(
  "undelegate",
  new ContainerType(stakeFields),
  128,
);
/** Moves `amount` from one validator to another without unbonding, 0 for all. */
export type Redelegate = {
  delegator: Uint8Array;
  from: Uint8Array;
  to: Uint8Array;
  amount: bigint;
};
export const redelegateCodec: Codec<Redelegate> = codec(
  "redelegate",
  new ContainerType({ delegator: b32, from: b32, to: b32, amount: u128 }),
  128,
);
/** Pays what was undelegated in `epoch` to the delegator, once it is unbonded. */
export type Withdraw = { delegator: Uint8Array; validator: Uint8Array; epoch: number };
export const withdrawCodec: Codec<Withdraw> = codec(
  "withdraw",
  new ContainerType({ delegator: b32, validator: b32, epoch: u64 }),
  128,
);
/** Takes the rewards that have accrued, a validator's owner its commission too: paid out, or delegated again. */
export type Claim = { delegator: Uint8Array; validator: Uint8Array; isDelegated: boolean };
export const claimCodec: Codec<Claim> = codec(
  "claim",
  new ContainerType({ delegator: b32, validator: b32, isDelegated: bool }),
  128,
);
