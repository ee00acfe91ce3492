// The door to what is known of foreign chains: records, statements, scripts, transactions, batches, watchers.
// Pure and without the ledger's rules: signer, gateway and wallets import it.
export * from "../codec/action.ts";
export * from "../ring/index.ts";
export * from "../ring/records.ts";
export * from "./ethereum/abi.ts";
export * from "./ethereum/batch.ts";
export * from "./ethereum/contract.ts";
export * from "./ethereum/events.ts";
export * from "./ethereum/transfer.ts";
export * from "./records.ts";
export * from "./statement.ts";
export * from "./watch/facts.ts";
