// Randomness of the operating system.
import { randomBytes } from "node:crypto";
import type { Entropy } from "../ports.ts";

/** Fresh bytes of the operating system's generator. */
export const systemEntropy: Entropy = (size) => Uint8Array.from(randomBytes(size));
