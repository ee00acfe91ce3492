// The body of a heart-beat (RNG-2).
import type { Codec } from "@causeway/primitives";
import { ContainerType, codec, u32 } from "@causeway/primitives";

/** The validator that signs the envelope is there, and follows the ledger: it knows the running term. */
export type Heartbeat = { readonly term: number };

/** Action body of 4 bytes. */
export const heartbeatCodec: Codec<Heartbeat> = codec(
  "Heartbeat",
  new ContainerType({ term: u32 }),
  4,
);
