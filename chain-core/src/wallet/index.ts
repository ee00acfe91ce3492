// What a wallet does, exported through the door /client: choose coins, build, sign.
export type { Unsigned } from "../ledger/sign.ts";
export { signTransaction, unsignedTransaction } from "../ledger/sign.ts";
export type { Coin, Payment, PlanCode, Planned, Wish } from "./plan.ts";
export { planTransaction } from "./plan.ts";
