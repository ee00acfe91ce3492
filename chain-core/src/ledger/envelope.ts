// Envelopes (CON-7): who may bring fee-free actions and how much in an epoch, and the window that lets each sequence
// number pass once.
import type { Rejected } from "@causeway/primitives";
import { ContainerType, codec, concat, rejected, toHex, u64, u128 } from "@causeway/primitives";
import type { Envelope } from "../codec/transaction.ts";
import { roles } from "../codec/transaction.ts";
import { validators } from "./epoch/validators.ts";
import type { State, StateReader, Table } from "./state.ts";
import { modules, table } from "./state.ts";

/** How far behind the highest a number may still come, and how far ahead of it the next may be. */
export const sequenceWindow = 128;

/**
 * By validator || role. Bit i of `window` says that `highest` - i was used; `spent` is the weight of the envelopes of
 * `epoch`.
 */
export type Sequences = { highest: number; window: bigint; epoch: number; spent: number };
const unused: Sequences = { highest: 0, window: 1n, epoch: 0, spent: 0 };
export const sequences: Table<Pick<Envelope, "validator" | "role">, Sequences> = table(
  modules.system,
  2,
  ({ validator, role }) => concat(validator, Uint8Array.of(role)),
  codec("sequences", new ContainerType({ highest: u64, window: u128, epoch: u64, spent: u64 }), 48),
);

export type EnvelopeCode =
  /** No validator is registered under this owner. */
  | "unknown-validator"
  | "unknown-role"
  /** Used already, or so old that the ledger no longer knows. */
  | "sequence-used"
  /** More than the window ahead of the highest used: a mistake there would lock the sender out. */
  | "sequence-too-high"
  /** The validator's role has brought as much in this epoch as it may. */
  | "quota-exhausted";

/** The key whose signature an envelope needs: 33 bytes (STK-1). */
export function roleKey(
  state: StateReader,
  { validator, role }: Pick<Envelope, "validator" | "role">,
): Uint8Array | Rejected<EnvelopeCode> {
  const registered = validators.get(state, validator);
  if (registered === undefined)
    return rejected("unknown-validator", `no validator ${toHex(validator)}`);
  if (role === roles.relay) return registered.relayKey;
  if (role === roles.signer) return registered.hostKey;
  return rejected("unknown-role", `no role ${role}`);
}

/** The next number that a sender without open envelopes uses; numbers may arrive in any order in the window. */
export function nextSequence(state: StateReader, of: Pick<Envelope, "validator" | "role">): number {
  return (sequences.get(state, of)?.highest ?? 0) + 1;
}

/** Uses up the envelope's number, or says why it cannot. */
export function useSequence(state: State, envelope: Envelope): Rejected<EnvelopeCode> | undefined {
  const { sequence } = envelope;
  const before = sequences.get(state, envelope) ?? unused;
  const { highest, window } = before;
  if (sequence > highest + sequenceWindow)
    return rejected("sequence-too-high", `sequence ${sequence}, highest used ${highest}`);
  const age = highest - sequence;
  if (age >= sequenceWindow || (age >= 0 && ((window >> BigInt(age)) & 1n) === 1n))
    return rejected("sequence-used", `sequence ${sequence}, highest used ${highest}`);
  const next =
    age >= 0
      ? { highest, window: window | (1n << BigInt(age)) }
      : {
          highest: sequence,
          window: BigInt.asUintN(sequenceWindow, (window << BigInt(-age)) | 1n),
        };
  sequences.put(state, envelope, { ...before, ...next });
  return undefined;
}

/** CON-7: charges `weight` to what the sender may bring in `epoch`, at most `quota`, or says that it cannot. */
export function useQuota(
  state: State,
  of: Pick<Envelope, "validator" | "role">,
  charge: { readonly weight: number; readonly epoch: number; readonly quota: number },
): Rejected<EnvelopeCode> | undefined {
  const { weight, epoch, quota } = charge;
  const before = sequences.get(state, of) ?? unused;
  const spent = (before.epoch === epoch ? before.spent : 0) + weight;
  if (spent > quota)
    return rejected("quota-exhausted", `weight ${spent} of ${quota} in epoch ${epoch}`);
  sequences.put(state, of, { ...before, epoch, spent });
  return undefined;
}
