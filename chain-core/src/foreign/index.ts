// The door to foreign nodes: written once, imported by the main files of relay and signer (DESIGN 1).
export * from "./bitcoin.ts";
export * from "./bitcoin-broadcast.ts";
export { checkedTransport } from "./checked.ts";
export * from "./ethereum.ts";
export * from "./follow.ts";
export * from "./health.ts";
