// The door of the `causeway` command: what this package lets a person do.
export { beaconCommand, beaconUsage, ringCommand, ringUsage } from "./adapters/beacon-cli.ts";
export { genesisCommand, genesisUsage } from "./adapters/genesis-cli.ts";
export { governCommand, governUsage } from "./adapters/govern-cli.ts";
export { stakeCommand, stakeUsage } from "./adapters/stake-cli.ts";
export { validatorCommand, validatorUsage } from "./adapters/validator-cli.ts";
export { walletCommand, walletUsage } from "./adapters/wallet-cli.ts";
export type { Terminal } from "./adapters/wallet-terminal.ts";
