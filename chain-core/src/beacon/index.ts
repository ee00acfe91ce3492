// The door to the pure knowledge of the beacon (BCN): walking, proving, mixing, drawing, electing.
export * from "./field.ts";
export * from "./sloth.ts";
