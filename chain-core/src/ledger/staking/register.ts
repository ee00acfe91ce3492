// register: somebody becomes a validator (STK-1), with proofs that it holds every key, and stake of its own. It is a
// candidate from the end of the running epoch on.
import type { Rejected } from "@causeway/primitives";
import { equal, rejected, toHex } from "@causeway/primitives";
import { kinds } from "../../codec/action.ts";
import type { Profile, Register, ValidatorKeys } from "../../codec/stake.ts";
import { registerCodec } from "../../codec/stake.ts";
import { asciiOf } from "../assets/issued.ts";
import { btm, formatAsset, formatLock, isLock } from "../assets.ts";
import { epochOf } from "../epoch/epochs.ts";
import { enter, ownersOf, usedKeys, validators, validatorsMax } from "../epoch/validators.ts";
import { provesPossession } from "../possession.ts";
import type { BlockContext, Rule } from "../rule.ts";
import { bond } from "./delegation.ts";
import { foundationLock } from "./foundation.ts";

export type RegisterCode =
  /** The owner has registered before: exited and tombstoned ones never come back under one lock. */
  | "already-registered"
  | "bad-owner"
  /** The foundation's BTM stands behind nobody (STK-3). */
  | "foundation"
  /** Less than `selfStakeMin`. */
  | "stake-too-small"
  /** As many validators as the ledger can hold. */
  | "register-full"
  | ProfileCode
  | KeysCode;

export type ProfileCode =
  /** Not printable ASCII, or a quote in it. */
  | "bad-name"
  /** Above 10,000 basis points. */
  | "bad-commission";

export type KeysCode =
  /** Registered before, by anyone, or twice in this registration. */
  | "key-used"
  /** Not signed by the key over this network, owner and role (STK-1). */
  | "bad-proof";

export function checkProfile({
  name,
  site,
  commission,
}: Profile): Rejected<ProfileCode> | undefined {
  for (const text of [name, site])
    if (!/^[ !#-[\]-~]*$/.test(asciiOf(text)))
      return rejected(
        "bad-name",
        "name and site are printable ASCII without quotes and backslashes",
      );
  if (commission > 10_000)
    return rejected("bad-commission", `a commission of ${commission} basis points of 10,000`);
  return undefined;
}

/** Cheap checks first: the proofs cost two pairings and four recoveries, about 2 ms. */
export function checkKeys(
  { genesis, bls, state }: BlockContext,
  owner: Uint8Array,
  { keys, proofs }: { readonly keys: ValidatorKeys; readonly proofs: ValidatorKeys },
): Rejected<KeysCode> | undefined {
  const all = Object.values(keys);
  for (const [i, key] of all.entries())
    if (usedKeys.get(state, key) !== undefined || all.slice(0, i).some((one) => equal(one, key)))
      return rejected("key-used", `the key ${toHex(key)} was registered before`);
  const wrong = provesPossession(genesis.networkId, { owner, ...keys }, proofs, bls);
  if (wrong === undefined) return undefined;
  return rejected("bad-proof", `${wrong} is not proved for this owner and role`);
}

/** Weight of what a registration leaves for ever: the record, six used keys, a line in the register. */
const registerGrowth = 20_000;

export const registerRule: Rule<Register> = {
  kind: kinds.register,
  codec: registerCodec,
  carriers: "user",
  growth: registerGrowth,
  signers: ({ owner }) => [owner],
  balance: ({ genesis }, { stake }) => [[btm(genesis), -stake]],
  validate: (context, { owner, profile, keys, proofs, stake }) => {
    const { state, params, genesis } = context;
    if (!isLock(owner)) return rejected<RegisterCode>("bad-owner", "nobody can sign for the owner");
    if (equal(owner, foundationLock(genesis)))
      return rejected<RegisterCode>("foundation", "the foundation cannot stake");
    if (validators.get(state, owner) !== undefined)
      return rejected<RegisterCode>("already-registered", "the owner has registered before");
    if (ownersOf(state).length >= validatorsMax)
      return rejected<RegisterCode>("register-full", `there are ${validatorsMax} validators`);
    if (stake < params.selfStakeMin) {
      const least = formatAsset(genesis, btm(genesis), params.selfStakeMin);
      return rejected<RegisterCode>("stake-too-small", `a validator stakes ${least} of its own`);
    }
    return checkProfile(profile) ?? checkKeys(context, owner, { keys, proofs });
  },
  apply: (context, { owner, profile, keys, stake }) => {
    const { state } = context;
    enter(state, owner, { keys, profile, epoch: epochOf(state).number });
    bond(context, { validator: owner, delegator: owner }, stake);
  },
  describe: (genesis, { owner, profile, stake }) =>
    `Register ${formatLock(owner)} as validator "${asciiOf(profile.name)}" with ` +
    `${formatAsset(genesis, btm(genesis), stake)} of its own and a commission of ${percent(profile.commission)}`,
};

/** Basis points as people read them. */
export function percent(bps: number): string {
  return `${(bps / 100).toFixed(2)} %`;
}
