// The public vocabulary.
export * from "./amount.ts";
export * from "./assert.ts";
export type { Brand } from "./brand.ts";
export * from "./bytes.ts";
export * from "./codec.ts";
export * from "./failure.ts";
export * from "./hash.ts";
export * from "./host.ts";
export * from "./machine.ts";
export type * from "./ports.ts";
export * from "./queue.ts";
export * from "./random.ts";
