// What can be followed over a WebSocket, and what is told (SEAMS, `subscribe`).
import type { Shape } from "./shape.ts";
import {
  amount,
  bytesOf,
  bytesUpTo,
  choice,
  maybe,
  orNull,
  record,
  tagged,
  whole,
} from "./shape.ts";
import type { Movement } from "./types.ts";
import { heightMax, replySizeMax } from "./wire.ts";

const b32 = bytesOf(32);
const height = whole(0, heightMax);
const anyBytes = bytesUpTo(replySizeMax);
/** What one transaction moved to and from a lock. */
export const movementFields: { readonly [Name in keyof Movement]: Shape<Movement[Name]> } = {
  lock: b32,
  asset: b32,
  height,
  position: maybe(whole(0)),
  txid: b32,
  received: amount,
  spent: amount,
};

type PlainTopic = "blocks" | "transactions" | "interchain" | "stake";
/** What can be followed. `address` needs the node's index. */
export type Topic =
  | { readonly topic: PlainTopic }
  | { readonly topic: "address"; readonly lock: Uint8Array };

const plain = (topic: PlainTopic): Shape<Topic> =>
  record({ topic: choice([topic]) }) as unknown as Shape<Topic>;
export const topicShape: Shape<Topic> = tagged<Topic>("topic", {
  blocks: plain("blocks"),
  transactions: plain("transactions"),
  interchain: plain("interchain"),
  stake: plain("stake"),
  address: record({ topic: choice(["address"]), lock: b32 }) as unknown as Shape<Topic>,
});

const note = (topic: string, rest: object): Shape<Note> => {
  const shapes = { topic: choice([topic]), ...rest } as Readonly<Record<string, Shape<unknown>>>;
  return record(shapes, true) as unknown as Shape<Note>;
};

/**
 * One notification. `interchain`: a record of that module that the block changed; null: deleted. `stake`: the same of
 * validators, their pools, delegations, exits, slashes and sets.
 */
export type Note =
  | {
      readonly topic: "blocks";
      readonly height: number;
      readonly id: Uint8Array;
      readonly time: number;
      readonly transactions: number;
    }
  | {
      readonly topic: "transactions";
      readonly height: number;
      readonly position: number;
      readonly id: Uint8Array;
    }
  | ({ readonly topic: "address" } & Movement)
  | {
      readonly topic: "interchain" | "stake";
      readonly height: number;
      readonly key: Uint8Array;
      readonly value: Uint8Array | undefined;
    };
export const noteShape: Shape<Note> = tagged<Note>("topic", {
  blocks: note("blocks", { height, id: b32, time: height, transactions: whole(0) }),
  transactions: note("transactions", { height, position: whole(0), id: b32 }),
  interchain: note("interchain", { height, key: anyBytes, value: orNull(anyBytes) }),
  stake: note("stake", { height, key: anyBytes, value: orNull(anyBytes) }),
  address: note("address", movementFields),
});
