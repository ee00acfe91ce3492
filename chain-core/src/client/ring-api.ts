// The RPC's methods of the ring (RNG): part of the table in api.ts. Times are ledger time in ms, stakes BTM units.
import type { MethodShape } from "./shape.ts";
import { amount, bytesOf, choice, flag, listOf, maybe, method, record, whole } from "./shape.ts";
import type { Nothing } from "./types.ts";
import { heightMax } from "./wire.ts";

/** In the order of the ledger's numbers: why the newest election that was due gave no ring. */
export const electionNames = ["done", "noOutput", "noCandidates"] as const;
/** In the order of the ledger's numbers; stages from 1 on. */
export const purposeNames = ["generate", "reshare"] as const;
export const stageNames = ["deal", "confirm", "canary", "active", "retired"] as const;

/** `beatAt`: of the signer's newest heart-beat; `inService`: neither jailed nor tombstoned nor gone. */
export type RingSeat = {
  validator: Uint8Array;
  hostKey: Uint8Array;
  beatAt: number | undefined;
  inService: boolean;
};
/** A ring as it was drawn; `candidates`, those who had gone among them, and `output` draw it again (`drawRing`). */
export type RingResult = {
  term: number;
  running: number;
  election: (typeof electionNames)[number];
  /** Its first epoch, and when that began. */
  epoch: number;
  startedAt: number;
  threshold: number;
  seats: readonly RingSeat[];
  /** Zero for the ring of the genesis. */
  output: Uint8Array;
  /** Until when deposits to its Bitcoin key are credited; undefined while no end is set. */
  creditUntil: number | undefined;
  candidates: readonly { owner: Uint8Array; stake: bigint; isGone: boolean }[];
};

/** A key, its newest ceremony, and how far that is. `lastCredit` as `creditUntil` above. */
export type RingKey = {
  keyId: number;
  chain: Uint8Array;
  /** Absent before the key is active: the term of its generation and of the ring that holds it, and its share epoch. */
  key:
    | {
        term: number;
        heldBy: number;
        attempt: number;
        active: boolean;
        groupPoint: Uint8Array;
        lastCredit: number | undefined;
      }
    | undefined;
  ceremony: {
    purpose: (typeof purposeNames)[number];
    stage: (typeof stageNames)[number];
    term: number;
    attempt: number;
    seats: number;
    dealt: number;
    voided: number;
    /** Seats that proved that they were cheated, and have no share. */
    wronged: number;
    confirmed: number;
  };
};
export type RingKeysResult = { keys: readonly RingKey[] };

export type RingApi = {
  readonly ring: MethodShape<{ term: number | undefined }, RingResult>;
  readonly ringKeys: MethodShape<Nothing, RingKeysResult>;
};

const number = whole(0, heightMax);
const time = whole(0);

export const ringApi: RingApi = {
  ring: method(
    "The ring of a term, the running one's by default, with what draws it again.",
    record({ term: maybe(number) }),
    record(
      {
        term: number,
        running: number,
        election: choice(electionNames),
        epoch: number,
        startedAt: time,
        threshold: number,
        seats: listOf(
          record<RingSeat>(
            { validator: bytesOf(32), hostKey: bytesOf(33), beatAt: maybe(time), inService: flag },
            true,
          ),
          150,
        ),
        output: bytesOf(32),
        creditUntil: maybe(time),
        candidates: listOf(
          record({ owner: bytesOf(32), stake: amount, isGone: flag }, true),
          4_096,
        ),
      },
      true,
    ),
  ),
  ringKeys: method(
    "The keys that are in use or being made, and their newest ceremonies.",
    record<Nothing>({}),
    record(
      {
        keys: listOf(
          record<RingKey>(
            {
              keyId: number,
              chain: bytesOf(32),
              key: maybe(
                record(
                  {
                    term: number,
                    heldBy: number,
                    attempt: number,
                    active: flag,
                    groupPoint: bytesOf(33),
                    lastCredit: maybe(time),
                  },
                  true,
                ),
              ),
              ceremony: record(
                {
                  purpose: choice(purposeNames),
                  stage: choice(stageNames),
                  term: number,
                  attempt: number,
                  seats: number,
                  dealt: number,
                  voided: number,
                  wronged: number,
                  confirmed: number,
                },
                true,
              ),
            },
            true,
          ),
          512,
        ),
      },
      true,
    ),
  ),
};
