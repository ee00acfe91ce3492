// The door for tools that make networks: genesis files, parameters, and the ledger as functions. Programs of
// the house use the narrower doors /light, /interchain, /foreign and /client.
export * from "./codec/action.ts";
export * from "./codec/bitmap.ts";
export * from "./codec/block.ts";
export * from "./codec/transaction.ts";
export * from "./ledger/assets.ts";
export type * from "./ledger/genesis.ts";
export {
  encodeGenesisBody,
  type GenesisBody,
  genesisSizeMax,
  parseGenesis,
} from "./ledger/genesis-file.ts";
export {
  encodeProofs,
  type KeyRole,
  keyRoleNames,
  type Proofs,
  signPossession,
} from "./ledger/possession.ts";
export { devnetParams } from "./params/devnet.ts";
