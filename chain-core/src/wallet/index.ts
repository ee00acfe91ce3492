// What a wallet does, exported through the door /client: choose coins, build, sign, share a lock.
export type { IssuedDefinition } from "../codec/action.ts";
export { issuedAssetId } from "../ledger/assets/issued.ts";
export type { FeeEstimate } from "../ledger/fees/base-fee.ts";
export { feeEstimate } from "../ledger/fees/base-fee.ts";
export type { LockTerms } from "../ledger/locks.ts";
export { lockKeysMax, lockOf, lockTerms, lockWitness } from "../ledger/locks.ts";
export type { KnownLock, Unsigned } from "../ledger/sign.ts";
export { signTransaction, unsignedTransaction } from "../ledger/sign.ts";
export type { Offer } from "./fee.ts";
export type { Coin, Payment, PlanCode, Planned, Wish } from "./plan.ts";
export { coinsToJoin, planTransaction } from "./plan.ts";
