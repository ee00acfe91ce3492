// The RPC's methods of stake (STK): part of the table in api.ts. Amounts are BTM in units of 10^-8, times ledger time in
// ms, parts in basis points.
import type { ValidatorKeys } from "../codec/stake.ts";
import { nameSizeMax, siteSizeMax } from "../codec/stake.ts";
import type { MethodShape, Shape } from "./shape.ts";
import {
  amount,
  bytesOf,
  choice,
  flag,
  listOf,
  maybe,
  method,
  record,
  whole,
  words,
} from "./shape.ts";
import type { MemberEntry, Nothing, PageParams } from "./types.ts";
import { heightMax } from "./wire.ts";

/** Validators in one page of `validators` and of `stake`. */
export const validatorsPageMax = 100;
/** In the order of the ledger's numbers. */
export const validatorStatusNames = ["active", "tombstoned", "jailed", "exited"] as const;
/** Why stake was burnt, or for a theft forfeited, in the order of the ledger's numbers, from 1 on. */
export const causeNames = ["doubleSign", "ring", "beacon", "theft"] as const;

export type ValidatorEntry = {
  owner: Uint8Array;
  /** `since`: the epoch in which the status began; `jailedUntil`: 0 for who is not jailed. */
  status: (typeof validatorStatusNames)[number];
  since: number;
  jailedUntil: number;
  name: string;
  site: string;
  commission: number;
  /** All that stands behind it, and the owner's part of that. */
  stake: bigint;
  selfStake: bigint;
};
export type ValidatorsResult = {
  epoch: number;
  endsAt: number;
  /** The formal ones of this epoch and of the next, with their seats, and those who stand by. */
  committee: readonly MemberEntry[];
  next: readonly MemberEntry[];
  standby: readonly Uint8Array[];
  nextStandby: readonly Uint8Array[];
  /** In the order of their registration; `more`: the `after` of the next page. */
  validators: readonly ValidatorEntry[];
  more: number | undefined;
};

/** `epoch` of the offence; `height` and `time` of the block that burnt `amount`, `bps` of what backed the validator. */
export type SlashEntry = {
  height: number;
  time: number;
  epoch: number;
  cause: (typeof causeNames)[number];
  bps: number;
  amount: bigint;
};
export type ValidatorResult = ValidatorEntry & {
  keys: ValidatorKeys;
  /** First epoch of an update that waits. */
  updateIn: number | undefined;
  /** Votes missed in the window that decides about jail (CON-4). */
  missed: number;
  /** Of wrapped assets, what its seats in the ring have earned, which `claim` pays with its other rewards (ACC-2). */
  earned: readonly EarnedEntry[];
  slashes: readonly SlashEntry[];
};

/** Of a wrapped asset, in its unit. */
export type EarnedEntry = { asset: Uint8Array; amount: bigint };
/**
 * `movable` of the `value` is not bound by a redelegation; `rewards` can be claimed, and by a validator's owner with them
 * what its seats in the ring have `earned` (ACC-2).
 */
export type DelegationEntry = {
  validator: Uint8Array;
  value: bigint;
  movable: bigint;
  rewards: bigint;
  earned: readonly EarnedEntry[];
};
/**
 * Undelegated in `epoch`; `releaseAt` is unknown until the last epoch that binds it has ended. `boundBy`: the key of the
 * ring for which it answers and waits besides (RNG-7).
 */
export type ExitEntry = {
  validator: Uint8Array;
  epoch: number;
  value: bigint;
  releaseAt: number | undefined;
  boundBy: number | undefined;
};
export type StakeParams = PageParams & { delegator: Uint8Array };
/** Of a page of the register's validators: all that concerns the delegator. */
export type StakeResult = {
  height: number;
  time: number;
  delegations: readonly DelegationEntry[];
  exits: readonly ExitEntry[];
  slashes: readonly (SlashEntry & { validator: Uint8Array })[];
  more: number | undefined;
};

export type EconomyResult = {
  height: number;
  /** BTM that exists, and how much of it is staked. */
  supply: bigint;
  staked: bigint;
  stakedBps: number;
  /** What a staked BTM earns in a year at this stake, commission included. */
  yieldBps: number;
  /** Of a year at this stake: to validators and their delegators, and to the foundation. */
  yearStakers: bigint;
  yearFoundation: bigint;
};

/**
 * A key that stake answers for (RNG-7): `holders` are the owners who have or had shares of it, `bond` what its forfeit
 * would take now, at least. Stake waits for it while it is loaded, and up to `boundUntil` where that is known.
 */
export type BondEntry = {
  keyId: number;
  holders: readonly Uint8Array[];
  bond: bigint;
  isLoaded: boolean;
  boundUntil: number | undefined;
  isForfeited: boolean;
};
/** Of an EVM chain's contract, BTM units: what its key can take, and may at most; `limit` undefined: there are no bonds, or no key. */
export type ContractEntry = {
  chain: Uint8Array;
  custody: bigint;
  limit: bigint | undefined;
};
export type BondsResult = {
  height: number;
  /** Sats that the ring holds on Bitcoin and may hold, and what may be on loan (BTC-2); undefined: bonds are not valued. */
  custody: bigint;
  limit: bigint | undefined;
  loan: bigint | undefined;
  contracts: readonly ContractEntry[];
  /** Forfeited BTM that nobody has been paid yet. */
  restitution: bigint;
  keys: readonly BondEntry[];
};

export type StakeApi = {
  readonly bonds: MethodShape<Nothing, BondsResult>;
  readonly validators: MethodShape<PageParams, ValidatorsResult>;
  readonly validator: MethodShape<{ owner: Uint8Array }, ValidatorResult>;
  readonly stake: MethodShape<StakeParams, StakeResult>;
  readonly economy: MethodShape<Nothing, EconomyResult>;
};

const b32 = bytesOf(32);
const height = whole(0, heightMax);
const bps = whole(0, 10_000);
const page = { after: maybe(whole(0)), limit: maybe(whole(1, validatorsPageMax)) };
const member: Shape<MemberEntry> = record<MemberEntry>(
  { validator: b32, power: amount, consensusKey: bytesOf(48), attestKey: bytesOf(48) },
  true,
);
const entryFields = {
  owner: b32,
  status: choice(validatorStatusNames),
  since: height,
  jailedUntil: height,
  name: words(nameSizeMax),
  site: words(siteSizeMax),
  commission: bps,
  stake: amount,
  selfStake: amount,
};
const earned = listOf(record<EarnedEntry>({ asset: b32, amount }, true), 128);
const slashFields = {
  height,
  time: height,
  epoch: height,
  cause: choice(causeNames),
  bps,
  amount,
};
const keys: Shape<ValidatorKeys> = record<ValidatorKeys>(
  {
    consensusKey: bytesOf(48),
    attestKey: bytesOf(48),
    relayKey: bytesOf(33),
    hostKey: bytesOf(33),
    nodePeerKey: bytesOf(33),
    signerPeerKey: bytesOf(33),
  },
  true,
);

export const stakeApi: StakeApi = {
  validators: method(
    "Who decides and who stands by in this epoch and in the next, and a page of all validators.",
    record<PageParams>(page),
    record<ValidatorsResult>(
      {
        epoch: height,
        endsAt: height,
        committee: listOf(member, 150),
        next: listOf(member, 150),
        standby: listOf(b32, 150),
        nextStandby: listOf(b32, 150),
        validators: listOf(record<ValidatorEntry>(entryFields, true), validatorsPageMax),
        more: maybe(whole(0)),
      },
      true,
    ),
  ),
  validator: method(
    "One validator, with its keys and what was burnt of the stake behind it, and why.",
    record({ owner: b32 }),
    record<ValidatorResult>(
      {
        ...entryFields,
        keys,
        updateIn: maybe(height),
        missed: whole(0),
        earned,
        slashes: listOf(record<SlashEntry>(slashFields, true), 64),
      },
      true,
    ),
  ),
  stake: method(
    "What a delegator has behind a page of the validators, on its way out of them, and what was burnt.",
    record<StakeParams>({ delegator: b32, ...page }),
    record<StakeResult>(
      {
        height,
        time: height,
        delegations: listOf(
          record<DelegationEntry>(
            { validator: b32, value: amount, movable: amount, rewards: amount, earned },
            true,
          ),
          validatorsPageMax,
        ),
        exits: listOf(
          record<ExitEntry>(
            {
              validator: b32,
              epoch: height,
              value: amount,
              releaseAt: maybe(height),
              boundBy: maybe(whole(0, 2 ** 32 - 1)),
            },
            true,
          ),
          100_000,
        ),
        slashes: listOf(
          record<SlashEntry & { validator: Uint8Array }>({ validator: b32, ...slashFields }, true),
          64 * validatorsPageMax,
        ),
        more: maybe(whole(0)),
      },
      true,
    ),
  ),
  bonds: method(
    "What stake answers for the ring's keys, and how much the ring may hold by that.",
    record<Nothing>({}),
    record<BondsResult>(
      {
        height,
        custody: amount,
        limit: maybe(amount),
        loan: maybe(amount),
        contracts: listOf(
          record<ContractEntry>({ chain: b32, custody: amount, limit: maybe(amount) }, true),
          64,
        ),
        restitution: amount,
        keys: listOf(
          record<BondEntry>(
            {
              keyId: whole(0, 2 ** 32 - 1),
              holders: listOf(b32, 4_096),
              bond: amount,
              isLoaded: flag,
              boundUntil: maybe(height),
              isForfeited: flag,
            },
            true,
          ),
          1_024,
        ),
      },
      true,
    ),
  ),
  economy: method(
    "The supply of BTM, the part that is staked, and what that earns.",
    record<Nothing>({}),
    record<EconomyResult>(
      {
        height,
        supply: amount,
        staked: amount,
        stakedBps: bps,
        yieldBps: bps,
        yearStakers: amount,
        yearFoundation: amount,
      },
      true,
    ),
  ),
};
