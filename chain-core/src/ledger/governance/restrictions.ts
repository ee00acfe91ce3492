// Slow mode and pauses (GOV-2) as the rest of the ledger, and every signer, reads them. They end by ledger time.
import {
  b32,
  bool,
  ContainerType,
  codec,
  equal,
  ListCompositeType,
  u8,
  u32,
  u64,
} from "@causeway/primitives";
import type { StateReader, Table } from "../state.ts";
import { modules, single, table } from "../state.ts";

/** Which way value goes, seen from the ledger. */
export const directions = { in: 1, out: 2 } as const;

/**
 * Of one chain and direction. `sequence` counts what was done about it; paused before ledger time `until` (ms).
 * `open`: the ledger has not taken up again yet what waited for its end.
 */
export type Pause = {
  chain: Uint8Array;
  direction: number;
  sequence: number;
  until: number;
  open: boolean;
};

/** A genesis has at most 17 chains. */
const pausesMax = 64;

export type Restrictions = { slowUntil: number; slowOpen: boolean; pauses: Pause[] };
export const restrictions: Table<"only", Restrictions> = table(
  modules.system,
  13,
  single,
  codec(
    "restrictions",
    new ContainerType({
      slowUntil: u64,
      slowOpen: bool,
      pauses: new ListCompositeType(
        new ContainerType({ chain: b32, direction: u8, sequence: u32, until: u64, open: bool }),
        pausesMax,
      ),
    }),
    8 * 1024,
  ),
);

const none: Restrictions = { slowUntil: 0, slowOpen: false, pauses: [] };

/** The newest record that was read: a block may ask for each of thousands of events. */
let newest: { readonly bytes: Uint8Array; readonly value: Restrictions } | undefined;

export function restrictionsOf(state: StateReader): Restrictions {
  const bytes = state.get(restrictions.key("only"));
  if (bytes === undefined) return none;
  if (newest === undefined || !equal(newest.bytes, bytes))
    newest = { bytes, value: restrictions.codec.decode(bytes) };
  return newest.value;
}

export type Way = { readonly chain: Uint8Array; readonly direction: number };

export function pauseOf({ pauses }: Restrictions, way: Way): Pause | undefined {
  return pauses.find(
    ({ chain, direction }) => direction === way.direction && equal(chain, way.chain),
  );
}

/** No credit of what comes in from the chain, or no payment of what goes out to it, at ledger time `time`. */
export function isPaused(state: StateReader, way: Way, time: number): boolean {
  return (pauseOf(restrictionsOf(state), way)?.until ?? 0) > time;
}

export function isSlow(state: StateReader, time: number): boolean {
  return restrictionsOf(state).slowUntil > time;
}

/** A limit of interchain value: a tenth of it in slow mode. */
export function slowed(state: StateReader, time: number, limit: bigint): bigint {
  return isSlow(state, time) ? limit / 10n : limit;
}
