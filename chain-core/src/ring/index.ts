// The door to what is public of the ring: bytes, hashes and judgement of its ceremonies, tweaks of its keys.
export * from "./bad-share.ts";
export * from "./dleq.ts";
export * from "./heartbeat.ts";
export * from "./judge.ts";
export * from "./keygen.ts";
export * from "./polynomial.ts";
export * from "./signing-session.ts";
export * from "./tweak.ts";
