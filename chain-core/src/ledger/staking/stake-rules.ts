// delegate, undelegate, redelegate: where a holder's BTM stands. Amounts are BTM units; each is signed by the delegator.
import type { Rejected } from "@causeway/primitives";
import { equal, rejected } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import type { Delegate, Redelegate, Undelegate } from "../../codec/stake.ts";
import { delegateCodec, redelegateCodec, undelegateCodec } from "../../codec/stake.ts";
import { btm, formatAsset, formatLock, isLock } from "../assets.ts";
import { committeeAt, epochOf } from "../epoch/epochs.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import type { Genesis } from "../genesis.ts";
import type { BlockContext, Rule } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { standbys } from "./candidates.ts";
import type { DelegationKey } from "./delegation.ts";
import {
  bond,
  delegationOf,
  movable,
  peek,
  putDelegation,
  sourcesMax,
  sourcesWith,
  unbond,
} from "./delegation.ts";
import { foundationLock } from "./foundation.ts";
import { poolOf, sharesOf, worth } from "./pool.ts";
import { addMove, movesMax, movesOf } from "./redelegation.ts";
import { leave } from "./unbonding.ts";

export type StakeCode =
  | "unknown-validator"
  /** Tombstoned or gone: nobody can delegate to it any more. */
  | "closed-validator"
  /** Less than `delegationMin`. */
  | "amount-too-small"
  | "bad-delegator"
  /** The foundation's BTM stands behind nobody (STK-3). */
  | "foundation"
  /** More than the delegator has behind that validator, or nothing at all. */
  | "not-delegated"
  /** More than it may move: the rest came by a redelegation and is bound until its delay is over (STK-2). */
  | "locked"
  | "same-validator"
  /** As many redelegations out of that validator as an epoch can have. */
  | "redelegations-full";

function text(genesis: Genesis, amount: bigint): string {
  return amount === 0n ? "all" : formatAsset(genesis, btm(genesis), amount);
}

/** May stake of this delegator stand behind this validator from now on? */
function checkTarget(
  { state, params, genesis }: BlockContext,
  { delegator, validator, amount }: Delegate,
): Rejected<StakeCode> | undefined {
  if (!isLock(delegator)) return rejected("bad-delegator", "nobody can sign for the delegator");
  if (equal(delegator, foundationLock(genesis)))
    return rejected("foundation", "the foundation cannot delegate");
  const status = validators.get(state, validator)?.status;
  if (status === undefined)
    return rejected("unknown-validator", `no validator ${formatLock(validator)}`);
  if (status === validatorStatus.tombstoned || status === validatorStatus.exited)
    return rejected("closed-validator", "the validator is out of service, for good");
  if (amount < params.delegationMin)
    return rejected("amount-too-small", `at least ${text(genesis, params.delegationMin)}`);
  return undefined;
}

/** What leaves a pool: `shares` of it, worth `tokens`. */
type Part = { readonly shares: bigint; readonly tokens: bigint };

/** `amount` 0: all that can move. */
function partOf(
  context: BlockContext,
  key: DelegationKey,
  amount: bigint,
): Part | Rejected<StakeCode> {
  const { state, genesis } = context;
  const delegation = delegationOf(state, key);
  if (delegation.shares === 0n)
    return rejected("not-delegated", `nothing delegated to ${formatLock(key.validator)}`);
  const pool = poolOf(state, key.validator);
  const free = movable(context, delegation);
  const shares = amount === 0n ? free : sharesOf(pool, amount);
  const tokens = amount === 0n ? worth(pool, free) : amount;
  if (shares > delegation.shares) {
    const held = text(genesis, worth(pool, delegation.shares));
    return rejected("not-delegated", `${text(genesis, amount)} of ${held}`);
  }
  if (shares > free || shares === 0n)
    return rejected("locked", "that part is bound by a redelegation until its delay is over");
  return { shares, tokens };
}

/** The last epoch whose fixed sets may hold the validator (STK-2). */
function lastFixed({ state }: BlockContext, validator: Uint8Array): number {
  const { number } = epochOf(state);
  const next = number + 1;
  const isFixed =
    committeeAt(state, next)?.members.some((member) => equal(member.validator, validator)) ||
    standbys.get(state, next)?.owners.some((owner) => equal(owner, validator));
  return isFixed ? next : number;
}

export const delegateRule: Rule<Delegate> = {
  kind: kinds.delegate,
  codec: delegateCodec,
  carriers: "user",
  growth: 600,
  signers: ({ delegator }) => [delegator],
  balance: ({ genesis }, { amount }) => [[btm(genesis), -amount]],
  validate: checkTarget,
  apply: (context, { delegator, validator, amount }) => {
    bond(context, { validator, delegator }, amount);
  },
  describe: (genesis, { validator, amount }) =>
    `Delegate ${text(genesis, amount)} to validator ${formatLock(validator)}`,
};

export const undelegateRule: Rule<Undelegate> = {
  kind: kinds.undelegate,
  codec: undelegateCodec,
  carriers: "user",
  growth: 600,
  signers: ({ delegator }) => [delegator],
  balance: () => [],
  validate: (context, { delegator, validator, amount }) => {
    const part = partOf(context, { validator, delegator }, amount);
    return "code" in part ? part : undefined;
  },
  apply: (context, { delegator, validator, amount }) => {
    const { state } = context;
    const key = { validator, delegator };
    const part = partOf(context, key, amount);
    if ("code" in part) return;
    const tokens = unbond(context, key, part.shares, part.tokens);
    const until = lastFixed(context, validator);
    leave(state, { ...key, epoch: epochOf(state).number }, { tokens, until });
  },
  describe: (genesis, { validator, amount }) =>
    `Undelegate ${text(genesis, amount)} from validator ${formatLock(validator)}`,
};

export const redelegateRule: Rule<Redelegate> = {
  kind: kinds.redelegate,
  codec: redelegateCodec,
  carriers: "user",
  growth: 1_000,
  signers: ({ delegator }) => [delegator],
  balance: () => [],
  validate: (context, { delegator, from, to, amount }) => {
    const { state } = context;
    if (equal(from, to)) return rejected<StakeCode>("same-validator", "from and to are the same");
    const part = partOf(context, { validator: from, delegator }, amount);
    if ("code" in part) return part;
    const bad = checkTarget(context, { delegator, validator: to, amount: part.tokens });
    if (bad !== undefined) return bad;
    const key = { validator: from, epoch: epochOf(state).number };
    if (movesOf(state, key).length >= movesMax)
      return rejected<StakeCode>(
        "redelegations-full",
        "try again in the next epoch, or undelegate",
      );
    const held = delegationOf(state, { validator: to, delegator });
    const source = { ...key, until: lastFixed(context, from) };
    if (sourcesWith(context, held, source).length > sourcesMax)
      return rejected<StakeCode>("locked", `stake of ${sourcesMax} others is bound there already`);
    return undefined;
  },
  apply: (context, { delegator, from, to, amount }) => {
    const { state } = context;
    const source = { validator: from, delegator };
    const part = partOf(context, source, amount);
    if ("code" in part) return;
    const left = { validator: from, epoch: epochOf(state).number };
    const until = lastFixed(context, from);
    const tokens = unbond(context, source, part.shares, part.tokens);
    const target = { validator: to, delegator };
    const before = delegationOf(state, target);
    const stillLocked = before.shares - movable(context, before);
    const sources = sourcesWith(context, before, { ...left, until });
    const shares = bond(context, target, tokens);
    const after = delegationOf(state, target);
    putDelegation(state, target, { ...after, locked: stillLocked + shares, sources });
    addMove(state, left, { to, delegator, shares });
  },
  describe: (genesis, { from, to, amount }) =>
    `Move ${text(genesis, amount)} of stake from validator ${formatLock(from)} to ${formatLock(to)}`,
};

/** What a delegator has behind a validator now, for queries: BTM units. */
export function stakeView(
  context: Pick<BlockContext, "params" | "time"> & { readonly state: StateReader },
  key: DelegationKey,
): { readonly value: bigint; readonly movable: bigint; readonly rewards: bigint } {
  const { state, time } = context;
  const commission = validators.get(state, key.validator)?.commission ?? 0;
  const { pool, delegation } = peek(state, key, { time, commission });
  const own = equal(key.validator, key.delegator) ? pool.commission : 0n;
  return {
    value: worth(pool, delegation.shares),
    movable: worth(pool, movable(context, delegation)),
    rewards: delegation.accrued + own,
  };
}
