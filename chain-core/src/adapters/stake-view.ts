// What the RPC says of stake (client/stake-api.ts), read from the node's store.
import type { Rejected } from "@causeway/primitives";
import { equal, fromBigEndian, must, rejected } from "@causeway/primitives";
import type {
  BondsResult,
  EconomyResult,
  ExitEntry,
  SlashEntry,
  StakeResult,
  ValidatorEntry,
  ValidatorResult,
  ValidatorsResult,
} from "../client/stake-api.ts";
import { causeNames, validatorStatusNames, validatorsPageMax } from "../client/stake-api.ts";
import type { PageParams } from "../client/types.ts";
import { asciiOf } from "../ledger/assets/issued.ts";
import { economyOf, supplyOf } from "../ledger/economy.ts";
import { ownersOf, validators } from "../ledger/epoch/validators.ts";
import { missedVotes } from "../ledger/epoch/votes.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { inForce } from "../ledger/governance/in-force.ts";
import { bondOf } from "../ledger/ring/liability.ts";
import {
  bondedBy,
  contractRoomOf,
  custodies,
  holdersOf,
  liableKeysOf,
  roomOf,
  unbounded,
} from "../ledger/ring/liability-records.ts";
import type { Earned } from "../ledger/ring/pay.ts";
import { earnedBy } from "../ledger/ring/pay.ts";
import { selfStakeOf, standbys } from "../ledger/staking/candidates.ts";
import { delegations } from "../ledger/staking/delegation.ts";
import { releaseTime } from "../ledger/staking/fixed.ts";
import { issuanceFor, yearMs, yieldBps } from "../ledger/staking/issuance.ts";
import { stakeOf } from "../ledger/staking/pool.ts";
import { slashesOf } from "../ledger/staking/punish.ts";
import { stakeView } from "../ledger/staking/stake-rules.ts";
import type { ExitKey } from "../ledger/staking/unbonding.ts";
import { exitPools, exits, exitValue } from "../ledger/staking/unbonding.ts";
import { pendingUpdates } from "../ledger/staking/updates.ts";
import type { StateReader } from "../ledger/state.ts";
import type { State } from "../node/machine.ts";
import type { StakeReader } from "../rpc/node.ts";
import { rangeOf, stateKey } from "./node-keys.ts";
import type { Runtime } from "./node-runtime.ts";
import type { NodeStore } from "./node-store.ts";

export function stakeReader(genesis: Genesis, store: NodeStore, runtime: Runtime): StakeReader {
  return {
    validators: (page) => runtime.read(({ frame }) => allOf(store.state, frame, page)),
    validator: ({ owner }) => runtime.read(({ frame }) => oneOf(store, frame, owner)),
    stake: async (params) => {
      const { owners, more } = pageOf(store.state, params);
      const left = await exitsFrom(store, owners);
      return runtime.read((state) => stakeIn(store, state, params.delegator, owners, left, more));
    },
    bonds: () =>
      runtime.read(() => bondsIn(store.state, inForce(store.state, genesis), store.head().height)),
    economy: () => runtime.read(({ frame }) => economyIn(store, frame)),
  };
}

/** Names are in the order of their numbers, the first of which is `first`. */
function named<T extends string>(names: readonly T[], number: number, first: number = 0): T {
  return must(names[number - first], "name of the number");
}

/** `after` counts validators in the order of the register. */
function pageOf(
  state: StateReader,
  { after = 0, limit = validatorsPageMax }: PageParams,
): { readonly owners: readonly Uint8Array[]; readonly more: number | undefined } {
  const all = ownersOf(state);
  const end = after + limit;
  return { owners: all.slice(after, end), more: end < all.length ? end : undefined };
}

function entryOf(state: StateReader, owner: Uint8Array): ValidatorEntry | undefined {
  const validator = validators.get(state, owner);
  if (validator === undefined) return undefined;
  const { status, since, jailedUntil, name, site, commission } = validator;
  return {
    owner,
    status: named(validatorStatusNames, status),
    since,
    jailedUntil,
    name: asciiOf(name),
    site: asciiOf(site),
    commission,
    stake: stakeOf(state, owner),
    selfStake: selfStakeOf(state, owner),
  };
}

function allOf(state: StateReader, frame: State["frame"], page: PageParams): ValidatorsResult {
  const { epoch, epochEndsAt, committee, nextCommittee } = frame;
  const { owners, more } = pageOf(state, page);
  return {
    epoch,
    endsAt: epochEndsAt,
    committee: committee.members,
    next: nextCommittee.members,
    standby: standbys.get(state, epoch)?.owners ?? [],
    nextStandby: standbys.get(state, epoch + 1)?.owners ?? [],
    validators: owners.map((owner) => must(entryOf(state, owner), "validator")),
    more,
  };
}

function slashesTold(state: StateReader, owner: Uint8Array): SlashEntry[] {
  return slashesOf(state, owner).map((one) => ({ ...one, cause: named(causeNames, one.cause, 1) }));
}

function oneOf(
  { state, head }: NodeStore,
  { params }: State["frame"],
  owner: Uint8Array,
): ValidatorResult | Rejected {
  const entry = entryOf(state, owner);
  if (entry === undefined) return rejected("not-found", "no such validator");
  const { consensusKey, attestKey, relayKey, hostKey, nodePeerKey, signerPeerKey } = must(
    validators.get(state, owner),
    "validator",
  );
  return {
    ...entry,
    keys: { consensusKey, attestKey, relayKey, hostKey, nodePeerKey, signerPeerKey },
    updateIn: pendingUpdates.get(state, owner)?.epoch,
    earned: earnedBy(state, owner),
    missed: missedVotes(state, owner, head().height, params.missedWindow),
    slashes: slashesTold(state, owner),
  };
}

/** The pools of exits that are not all withdrawn; for each validator as many as epochs at most. */
async function exitsFrom(
  { db }: NodeStore,
  owners: readonly Uint8Array[],
): Promise<readonly ExitKey[]> {
  const found: ExitKey[] = [];
  for (const validator of owners) {
    const start = stateKey(exitPools.key({ validator, epoch: 0 }).slice(0, -8));
    for await (const [key] of db.scan(...rangeOf(start)))
      found.push({ validator, epoch: Number(fromBigEndian(key.subarray(start.length))) });
  }
  return found;
}

function stakeIn(
  { state, head }: NodeStore,
  { tip, frame }: State,
  delegator: Uint8Array,
  owners: readonly Uint8Array[],
  left: readonly ExitKey[],
  more: number | undefined,
): StakeResult {
  const { params } = frame;
  const { time } = tip;
  const own = left.flatMap((key): ExitEntry[] => {
    const pool = exitPools.get(state, key);
    const ofDelegator = { ...key, delegator };
    if (pool === undefined || exits.get(state, ofDelegator) === undefined) return [];
    const value = exitValue(state, ofDelegator);
    const releaseAt = releaseTime(state, params, pool.until);
    return [{ ...key, value, releaseAt, boundBy: bondedBy({ state, params, time }, key) }];
  });
  const earned = (validator: Uint8Array): readonly Earned[] =>
    equal(validator, delegator) ? earnedBy(state, validator) : [];
  const behind = owners.filter(
    (validator) =>
      delegations.get(state, { validator, delegator }) !== undefined ||
      earned(validator).length > 0,
  );
  const concerned = owners.filter(
    (owner) => behind.includes(owner) || own.some(({ validator }) => validator === owner),
  );
  return {
    height: head().height,
    time,
    delegations: behind.map((validator) => ({
      validator,
      ...stakeView({ state, params, time }, { validator, delegator }),
      earned: earned(validator),
    })),
    exits: own,
    slashes: concerned.flatMap((validator) =>
      slashesTold(state, validator).map((one) => ({ validator, ...one })),
    ),
    more,
  };
}

/** `genesis` as it is in force, `height` of the newest block. */
export function bondsIn(state: StateReader, genesis: Genesis, height: number): BondsResult {
  const { params } = genesis;
  const { custody, limit, loan } = roomOf(state);
  const bounded = (amount: bigint): bigint | undefined =>
    amount === unbounded ? undefined : amount;
  return {
    height,
    custody,
    limit: bounded(limit),
    loan: bounded(loan),
    contracts: genesis.evm.map(({ chain }) => {
      const room = contractRoomOf(state, chain);
      return { chain, custody: room.custody, limit: bounded(room.limit) };
    }),
    restitution: economyOf(state).restitution,
    keys: liableKeysOf(state).map((keyId) => {
      const { isLoaded, emptiedAt, isForfeited } = must(custodies.get(state, keyId), "custody");
      const boundUntil = isLoaded || isForfeited ? undefined : emptiedAt + params.unbondingMs;
      const bond = bondOf({ state, params }, keyId);
      return { keyId, holders: holdersOf(state, keyId), bond, isLoaded, boundUntil, isForfeited };
    }),
  };
}

function economyIn({ state, head }: NodeStore, { params }: State["frame"]): EconomyResult {
  const economy = economyOf(state);
  const supply = supplyOf(economy);
  const { staked } = economy;
  const year = issuanceFor(params, {
    lengthMs: yearMs,
    supply,
    staked,
    paid: staked,
    rest: 0n,
    fraction: 0n,
  });
  return {
    height: head().height,
    supply,
    staked,
    stakedBps: supply === 0n ? 0 : Number((staked * 10_000n) / supply),
    yieldBps: yieldBps(params, { staked, supply }),
    yearStakers: year.stakers,
    yearFoundation: year.foundation,
  };
}
