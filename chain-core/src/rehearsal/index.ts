// The door of a rehearsal: a network of scratch keys around a ledger in memory, for the signers to play on.
export type { ScratchFinality, ScratchRecord } from "./chain.ts";
export { ScratchChain } from "./chain.ts";
export type { ScratchNetwork, ScratchValidator } from "./genesis.ts";
export { scratchNetwork } from "./genesis.ts";
export { planPayment } from "./payment.ts";
