// update, exit, unjail: what a validator's owner may change of its registration.
import type { Rejected } from "@causeway/primitives";
import { rejected } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import type { Exit, Unjail, Update } from "../../codec/stake.ts";
import { exitCodec, unjailCodec, updateCodec } from "../../codec/stake.ts";
import { asciiOf } from "../assets/issued.ts";
import { formatLock } from "../assets.ts";
import { epochOf } from "../epoch/epochs.ts";
import type { Validator } from "../epoch/validators.ts";
import { takeKeys, validatorStatus, validators } from "../epoch/validators.ts";
import { forgiveMisses } from "../epoch/votes.ts";
import type { Rule } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { selfStakeOf } from "./candidates.ts";
import { stopRewards } from "./punish.ts";
import { checkKeys, checkProfile, percent } from "./register.ts";
import { pendingUpdates, putUpdate } from "./updates.ts";

export type OwnerCode =
  | "unknown-validator"
  /** For good: it offended. */
  | "tombstoned"
  /** It left, for good. */
  | "exited"
  /** One update waits for its epoch. */
  | "update-pending"
  | "not-jailed"
  /** Its time in jail is not over. */
  | "jailed"
  /** Less of its own than `selfStakeMin`. */
  | "stake-too-small";

/** The registration of one that can still be a validator. */
function living(state: StateReader, owner: Uint8Array): Validator | Rejected<OwnerCode> {
  const validator = validators.get(state, owner);
  if (validator === undefined)
    return rejected("unknown-validator", `no validator ${formatLock(owner)}`);
  if (validator.status === validatorStatus.tombstoned)
    return rejected("tombstoned", "the validator is tombstoned, for good");
  if (validator.status === validatorStatus.exited)
    return rejected("exited", "the validator has left, for good");
  return validator;
}

export const updateRule: Rule<Update> = {
  kind: kinds.update,
  codec: updateCodec,
  carriers: "user",
  signers: ({ owner }) => [owner],
  balance: () => [],
  validate: (context, { owner, profile, keys }) => {
    const { state } = context;
    const validator = living(state, owner);
    if ("code" in validator) return validator;
    if (pendingUpdates.get(state, owner) !== undefined)
      return rejected<OwnerCode>("update-pending", "an update waits for its epoch");
    const [fresh] = keys;
    return checkProfile(profile) ?? (fresh && checkKeys(context, owner, fresh));
  },
  apply: ({ state }, { owner, profile, keys }) => {
    const [fresh] = keys;
    const epoch = epochOf(state).number + 2;
    putUpdate(state, owner, { epoch, profile, keys: fresh === undefined ? [] : [fresh.keys] });
    if (fresh !== undefined) takeKeys(state, owner, fresh.keys);
  },
  describe: (_, { owner, profile, keys }) =>
    `Rename validator ${formatLock(owner)} to "${asciiOf(profile.name)}" with a commission of ` +
    `${percent(profile.commission)}${keys.length > 0 ? " and new keys" : ""}, in two epochs`,
};

export const exitRule: Rule<Exit> = {
  kind: kinds.exit,
  codec: exitCodec,
  carriers: "user",
  signers: ({ owner }) => [owner],
  balance: () => [],
  validate: ({ state }, { owner }) => {
    const validator = living(state, owner);
    return "code" in validator ? validator : undefined;
  },
  apply: ({ state, time }, { owner }) => {
    const validator = validators.get(state, owner);
    if (validator === undefined) return;
    stopRewards(state, owner, time);
    const since = epochOf(state).number;
    validators.put(state, owner, { ...validator, status: validatorStatus.exited, since });
  },
  describe: (_, { owner }) => `Take validator ${formatLock(owner)} out of service, for good`,
};

export const unjailRule: Rule<Unjail> = {
  kind: kinds.unjail,
  codec: unjailCodec,
  carriers: "user",
  signers: ({ owner }) => [owner],
  balance: () => [],
  validate: ({ state, params, time }, { owner }) => {
    const validator = living(state, owner);
    if ("code" in validator) return validator;
    if (validator.status !== validatorStatus.jailed)
      return rejected<OwnerCode>("not-jailed", "the validator is not jailed");
    if (time < validator.jailedUntil)
      return rejected<OwnerCode>("jailed", `jailed for ${validator.jailedUntil - time} ms more`);
    if (selfStakeOf(state, owner) < params.selfStakeMin)
      return rejected<OwnerCode>("stake-too-small", "too little of its own at stake");
    return undefined;
  },
  apply: ({ state }, { owner }) => {
    const validator = validators.get(state, owner);
    if (validator === undefined) return;
    const since = epochOf(state).number;
    forgiveMisses(state, owner);
    validators.put(state, owner, {
      ...validator,
      status: validatorStatus.active,
      since,
      jailedUntil: 0,
    });
  },
  describe: (_, { owner }) => `Put validator ${formatLock(owner)} back into service`,
};
