// The door: the signer's machine, for the simulator, and the words that signers exchange.
export * as machine from "./machine.ts";
export { messageKinds, messageSizeMax, open, seal } from "./wire.ts";
