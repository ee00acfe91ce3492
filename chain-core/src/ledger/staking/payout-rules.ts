// withdraw, claim: what staking pays out. The amounts are those of the block, not of the signature (rewards grow, a
// slash may come between), so the ledger makes the outputs, to the delegator's own lock.
import { bigEndian, concat, equal, H, rejected } from "@causeway/primitives";
import type { Output } from "../../codec/action.ts";
import { kinds } from "../../codec/action.ts";
import type { Claim, Withdraw } from "../../codec/stake.ts";
import { claimCodec, withdrawCodec } from "../../codec/stake.ts";
import { btm, formatLock } from "../assets.ts";
import { moveEconomy } from "../economy.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import { bondedBy } from "../ring/liability-records.ts";
import { payable, takeEarned } from "../ring/pay.ts";
import type { ActionContext, Rule } from "../rule.ts";
import { addOutput } from "../utxo/outputs.ts";
import { bond, putDelegation, settle } from "./delegation.ts";
import { releaseTime } from "./fixed.ts";
import { pools } from "./pool.ts";
import { stakeView } from "./stake-rules.ts";
import { exitPools, exits, takeExit } from "./unbonding.ts";

export type PayoutCode =
  /** The delegator has nothing that left this validator in that epoch, or has withdrawn it. */
  | "unknown-exit"
  /** Its delay is not over (STK-2). */
  | "unbonding"
  /** It answers for a key of the ring that holds credited value, or did until a short time ago (RNG-7). */
  | "bonded-by-ring"
  | "no-rewards"
  /** Rewards cannot be delegated to a validator that is out of service. */
  | "closed-validator";

/** The outputs of one action, in this order. */
function pay(
  { state, genesis, txid, position }: ActionContext,
  what: string,
  outputs: readonly Output[],
): void {
  const id = H(what, genesis.networkId, concat(txid, bigEndian(position, 4)));
  for (const [index, output] of outputs.entries())
    addOutput(state, { txid: id, index }, output, true);
}

export const withdrawRule: Rule<Withdraw> = {
  kind: kinds.withdraw,
  codec: withdrawCodec,
  carriers: "user",
  signers: ({ delegator }) => [delegator],
  balance: () => [],
  validate: (context, key) => {
    const { state, params, time } = context;
    const pool = exitPools.get(state, key);
    if (pool === undefined || exits.get(state, key) === undefined)
      return rejected<PayoutCode>("unknown-exit", `nothing undelegated in epoch ${key.epoch}`);
    const release = releaseTime(state, params, pool.until);
    if (release === undefined || time < release)
      return rejected<PayoutCode>(
        "unbonding",
        release === undefined
          ? `bound until epoch ${pool.until} has ended, and then unbonding`
          : `unbonding for ${release - time} ms more`,
      );
    const keyId = bondedBy(context, key);
    if (keyId !== undefined)
      return rejected<PayoutCode>("bonded-by-ring", `it answers for key ${keyId} of the ring`);
    return undefined;
  },
  apply: (context, { delegator, validator, epoch }) => {
    const amount = takeExit(context.state, { validator, epoch, delegator });
    const output = { asset: btm(context.genesis), amount, lock: delegator };
    if (amount > 0n) pay(context, "withdraw", [output]);
  },
  describe: (_, { validator, epoch }) =>
    `Withdraw what was undelegated from ${formatLock(validator)} in epoch ${epoch}`,
};

export const claimRule: Rule<Claim> = {
  kind: kinds.claim,
  codec: claimCodec,
  carriers: "user",
  signers: ({ delegator }) => [delegator],
  balance: () => [],
  validate: (context, { delegator, validator, isDelegated }) => {
    const { rewards } = stakeView(context, { validator, delegator });
    const earned = equal(validator, delegator) ? payable(context.state, validator) : [];
    if (rewards === 0n && earned.length === 0)
      return rejected<PayoutCode>("no-rewards", `no rewards from ${formatLock(validator)}`);
    const status = validators.get(context.state, validator)?.status;
    const isOpen = status === validatorStatus.active || status === validatorStatus.jailed;
    if (isDelegated && !isOpen)
      return rejected<PayoutCode>("closed-validator", "the validator is out of service, for good");
    return undefined;
  },
  apply: (context, { delegator, validator, isDelegated }) => {
    const { state, genesis } = context;
    const key = { validator, delegator };
    const { pool, delegation } = settle(context, key);
    const isOwner = equal(validator, delegator);
    const own = isOwner ? pool.commission : 0n;
    const amount = delegation.accrued + own;
    pools.put(state, validator, {
      ...pool,
      rewards: pool.rewards - delegation.accrued,
      commission: pool.commission - own,
    });
    putDelegation(state, key, { ...delegation, accrued: 0n });
    moveEconomy(state, { rewards: -amount });
    const paid = isOwner ? [...takeEarned(state, validator)] : [];
    if (amount > 0n && isDelegated) bond(context, key, amount);
    else if (amount > 0n) paid.unshift({ asset: btm(genesis), amount });
    pay(
      context,
      "claim",
      paid.map((one) => ({ ...one, lock: delegator })),
    );
  },
  describe: (_, { validator, isDelegated }) =>
    `Claim the rewards from ${formatLock(validator)}${isDelegated ? " and delegate them to it" : ""}`,
};
