// What the RPC says of the ring on the ledger (RNG).
import { must } from "@causeway/primitives";
import type { RingKey, RingKeysResult, RingResult } from "../client/ring-api.ts";
import { electionNames, purposeNames, stageNames } from "../client/ring-api.ts";
import { lastCreditOf } from "../interchain/key-life.ts";
import { isGone } from "../ledger/ring/redraw.ts";
import type { StateReader } from "../ledger/state.ts";
import {
  activeKeys,
  ceremonyOf,
  draws,
  heartbeats,
  keys,
  openCeremonies,
  rings,
  terms,
} from "../ring/records.ts";

/** Undefined for a term that has not begun. */
export function ringOf(state: StateReader, asked: number | undefined): RingResult | undefined {
  const { term: running, election } = must(terms.get(state, "only"), "terms");
  const ring = rings.get(state, asked ?? running);
  if (ring === undefined) return undefined;
  const { creditUntil, seats, ...rest } = ring;
  return {
    ...rest,
    running,
    election: must(electionNames[election], "election"),
    creditUntil: creditUntil === 0 ? undefined : creditUntil,
    seats: seats.map((seat) => ({
      ...seat,
      beatAt: heartbeats.get(state, seat.validator)?.at,
      inService: !isGone(state, seat.validator),
    })),
    candidates: draws.get(state, ring.term)?.candidates ?? [],
  };
}

/** Of all keys that are active or have an open ceremony, by key id. */
export function ringKeysOf(state: StateReader): RingKeysResult {
  const lists = [activeKeys, openCeremonies].flatMap((of) => of.get(state, "only")?.keyIds ?? []);
  const keyIds = [...new Set(lists)].sort((a, b) => a - b);
  return { keys: keyIds.map((keyId) => keyEntry(state, keyId)) };
}

function keyEntry(state: StateReader, keyId: number): RingKey {
  const ceremony = must(ceremonyOf(state, keyId), `ceremony of key ${keyId}`);
  const { chain, purpose, stage, term, attempt, seats, dealt, voided, wronged, confirmed } =
    ceremony;
  const key = keys.get(state, keyId);
  return {
    keyId,
    chain,
    key: key && {
      term: key.term,
      heldBy: key.heldBy,
      attempt: key.attempt,
      active: key.active,
      groupPoint: key.groupPoint,
      lastCredit: lastCreditOf(state, keyId),
    },
    ceremony: {
      purpose: must(purposeNames[purpose], "purpose"),
      stage: must(stageNames[stage - 1], "stage"),
      term,
      attempt,
      seats: seats.length,
      dealt: dealt.length,
      voided: voided.length,
      wronged: new Set(wronged.map(({ seat }) => seat)).size,
      confirmed: confirmed.length,
    },
  };
}
