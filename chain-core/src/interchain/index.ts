// The door to what is known of foreign chains: records, statements, scripts, transactions, batches, watchers.
// Pure and without the ledger's rules: signer, gateway and wallets import it.
export * from "../codec/action.ts";
export * from "../codec/bitmap.ts";
export * from "../codec/block.ts";
export * from "../codec/evidence.ts";
export * from "../codec/transaction.ts";
export { quorum } from "../consensus/quorum.ts";
export * from "../ledger/assets.ts";
export { sequences } from "../ledger/envelope.ts";
export { committees, epochs } from "../ledger/epoch/epochs.ts";
export { registered, usedKeys, validatorStatus, validators } from "../ledger/epoch/validators.ts";
export type * from "../ledger/genesis.ts";
export { type BadGenesis, type GenesisBody, parseGenesis } from "../ledger/genesis-file.ts";
export { governingKeys, inForce, inForceBy } from "../ledger/governance/in-force.ts";
export {
  directions,
  isPaused,
  restrictions,
  restrictionsOf,
} from "../ledger/governance/restrictions.ts";
export { accountOf } from "../ledger/interchain/accounting.ts";
export { mintable } from "../ledger/ring/liability-custody.ts";
export { roomOf } from "../ledger/ring/liability-records.ts";
export { signEnvelope } from "../ledger/sign.ts";
export * from "../ledger/state.ts";
export * from "../ring/index.ts";
export * from "../ring/records.ts";
export * from "./bitcoin/address.ts";
export * from "./bitcoin/headers.ts";
export * from "./bitcoin/inclusion.ts";
export * from "./bitcoin/reclaim.ts";
export * from "./bitcoin/scripts.ts";
export * from "./bitcoin/transaction.ts";
export * from "./ethereum/abi.ts";
export * from "./ethereum/batch.ts";
export * from "./ethereum/contract.ts";
export * from "./ethereum/events.ts";
export * from "./ethereum/transfer.ts";
export * from "./key-life.ts";
export * from "./messages.ts";
export * from "./policy.ts";
export * from "./quote.ts";
export * from "./receipt.ts";
export * from "./records.ts";
export * from "./statement.ts";
export * as bitcoinWatch from "./watch/bitcoin.ts";
export * as ethereumWatch from "./watch/ethereum.ts";
export * from "./watch/facts.ts";
export * from "./watch/judge.ts";
