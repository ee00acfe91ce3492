// In-memory twins of the ports, for tests and simulations, and the suites that real and in-memory ones
// both pass. Nothing here touches the world.
export * from "./testing/bls.ts";
export * from "./testing/bus.ts";
export * from "./testing/clock.ts";
export * from "./testing/compliance.ts";
export * from "./testing/journal.ts";
export * from "./testing/store.ts";
