// Who follows what over a WebSocket: from a final block to the notes that each subscriber asked for.
import type { Rejected } from "@causeway/primitives";
import { isRejected, keyOf, zero32 } from "@causeway/primitives";
import type { Note, Topic } from "../client/topics.ts";
import { noteShape, topicShape } from "../client/topics.ts";
import type { Movement } from "../client/types.ts";
import { fields, read } from "../client/wire.ts";
import { committees } from "../ledger/epoch/epochs.ts";
import { validators } from "../ledger/epoch/validators.ts";
import { standbys } from "../ledger/staking/candidates.ts";
import { delegations } from "../ledger/staking/delegation.ts";
import { pools } from "../ledger/staking/pool.ts";
import { slashes } from "../ledger/staking/punish.ts";
import { exitPools, exits } from "../ledger/staking/unbonding.ts";
import { modules } from "../ledger/state.ts";
import type { Effect } from "../node/machine.ts";
import { noIndex } from "./node.ts";

export type Persist = Effect & { readonly kind: "persist" };

export type Feed = {
  /** `params` is {topic: {topic, lock?}}; the function that it gives ends the subscription. */
  readonly subscribe: (params: unknown, notify: (note: unknown) => void) => Rejected | (() => void);
  readonly onBlock: (block: Persist, movements: readonly Movement[]) => void;
};

type Subscriber = { readonly topic: Topic; readonly notify: (note: unknown) => void };

/** `hasIndex`: addresses can be followed. */
export function feed(hasIndex: boolean): Feed {
  const byTopic = new Map<string, Set<Subscriber>>();
  return {
    subscribe: (params, notify) => {
      const parsed = read(fields({ topic: topicShape.read }), params);
      if (isRejected(parsed)) return parsed;
      const { topic } = parsed;
      if (topic.topic === "address" && !hasIndex) return noIndex;
      const name = nameOf(topic);
      const subscriber = { topic, notify };
      const all = byTopic.get(name) ?? new Set();
      byTopic.set(name, all.add(subscriber));
      return () => {
        all.delete(subscriber);
        if (all.size === 0 && byTopic.get(name) === all) byTopic.delete(name);
      };
    },
    onBlock: (block, movements) => {
      if (byTopic.size === 0) return;
      const tell = (topic: Topic, notes: () => Iterable<Note>): void => {
        const all = byTopic.get(nameOf(topic));
        if (all === undefined) return;
        for (const note of notes()) {
          const json = noteShape.write(note);
          for (const { notify } of all) notify(json);
        }
      };
      tell({ topic: "blocks" }, () => [blockNote(block)]);
      tell({ topic: "transactions" }, () => transactionNotes(block));
      tell({ topic: "interchain" }, () => interchainNotes(block));
      tell({ topic: "stake" }, () => stakeNotes(block));
      for (const movement of movements)
        tell({ topic: "address", lock: movement.lock }, () => [{ topic: "address", ...movement }]);
    },
  };
}

function nameOf(topic: Topic): string {
  return topic.topic === "address" ? `address ${keyOf(topic.lock)}` : topic.topic;
}

function blockNote({ height, id, time, receipts }: Persist): Note {
  return { topic: "blocks", height, id, time, transactions: receipts.length };
}

function transactionNotes({ height, receipts }: Persist): Note[] {
  return receipts.map(({ id }, position) => ({ topic: "transactions", height, position, id }));
}

/** Of the module's tables, those that say who stands where: not votes and pots, which change with every block. */
const stakeTables: ReadonlySet<number | undefined> = new Set(
  [
    validators.key(zero32),
    pools.key(zero32),
    delegations.key({ validator: zero32, delegator: zero32 }),
    exitPools.key({ validator: zero32, epoch: 0 }),
    exits.key({ validator: zero32, epoch: 0, delegator: zero32 }),
    slashes.key(zero32),
    committees.key(0),
    standbys.key(0),
  ].map(([, table]) => table),
);

function stakeNotes({ height, puts }: Persist): Note[] {
  return puts
    .filter(({ key }) => key[0] === modules.staking && stakeTables.has(key[1]))
    .map(({ key, value }) => ({ topic: "stake", height, key, value }));
}

function interchainNotes({ height, puts }: Persist): Note[] {
  return puts
    .filter(({ key }) => key[0] === modules.interchain)
    .map(({ key, value }) => ({ topic: "interchain", height, key, value }));
}
