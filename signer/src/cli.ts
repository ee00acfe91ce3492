// The door of the `causeway` command: what this package lets a person do.
export { rehearseCommand, rehearseUsage } from "./adapters/rehearse-cli.ts";
export { signerCommand, signerUsage } from "./adapters/signer-cli.ts";
