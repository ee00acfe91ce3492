// The door to the pure knowledge of the beacon (BCN): walking, proving, mixing, drawing, electing.
export * from "./capture.ts";
export * from "./contribution.ts";
export * from "./draw.ts";
export * from "./elect.ts";
export * from "./field.ts";
export * as machine from "./machine.ts";
export * from "./output.ts";
export * from "./seqpow.ts";
export * from "./sloth.ts";
export * from "./transcript.ts";
