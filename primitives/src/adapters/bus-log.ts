// One topic of the bus on one journal: messages in order, and how far each subscriber has come.
import type { Codec } from "../codec.ts";
import { ByteListType, ContainerType, codec, u8, u64 } from "../codec.ts";
import { Failure, isRejected } from "../failure.ts";
import type { Journal, Log } from "../ports.ts";

/** Largest message, bytes; longest subscriber name. */
export const messageSizeMax: number = 512 * 1024;
export const nameSizeMax = 64;
/** What a topic keeps for subscribers that do not come; then the oldest go. */
const countMax = 16_384;
const sizeMax: number = 64 * 1024 * 1024;
/** The journal is rewritten when it is larger than this and mostly waste. */
const compactionSizeMin: number = 1024 * 1024;

type Entry = { kind: number; sequence: number; name: Uint8Array; message: Uint8Array };
const kinds = { message: 1, cursor: 2 } as const;
const entryCodec: Codec<Entry> = codec(
  "bus entry",
  new ContainerType({
    kind: u8,
    sequence: u64,
    name: new ByteListType(nameSizeMax),
    message: new ByteListType(messageSizeMax),
  }),
  messageSizeMax + 256,
);
const empty = new Uint8Array(0);

export type Message = { readonly sequence: number; readonly message: Uint8Array };

export type TopicLog = {
  /** Durable when it returns. */
  readonly publish: (message: Uint8Array) => void;
  /** The first message after `sequence`. */
  readonly after: (sequence: number) => Message | undefined;
  /** What the subscriber acknowledged last, 0 for nothing; from now on messages are kept for it. */
  readonly cursor: (name: string) => number;
  /** Takes effect at once, and on the disk with the next `save`. */
  readonly acknowledge: (name: string, sequence: number) => void;
  /** Writes the cursors that changed; a crash before it only repeats messages. */
  readonly save: () => void;
  readonly close: () => void;
};

/** Throws Failure "journal-broken" for a record that is none. */
export function openTopicLog(journal: Journal, topic: string, log: Log): TopicLog {
  const messages: Message[] = [];
  const cursors = new Map<string, number>();
  const changed = new Set<string>();
  let next = 1;
  let liveSize = 0;
  let journalSize = 0;

  for (const bytes of journal.read()) {
    const entry = entryCodec.parse(bytes);
    if (isRejected(entry))
      throw new Failure("journal-broken", `topic ${topic} of the bus: ${entry.message}; remove it`);
    journalSize += bytes.length;
    // A nameless cursor only keeps the numbering.
    if (entry.kind === kinds.cursor && entry.name.length > 0)
      cursors.set(Buffer.from(entry.name).toString(), entry.sequence);
    else if (entry.kind === kinds.message)
      keep({ sequence: entry.sequence, message: entry.message });
    next = Math.max(next, entry.sequence + 1);
  }
  forget();

  function keep(message: Message): void {
    messages.push(message);
    liveSize += message.message.length;
  }
  function drop(count: number): void {
    for (const { message } of messages.splice(0, count)) liveSize -= message.length;
  }
  /** Drops what every known subscriber has acknowledged, and what is too much. */
  function forget(): void {
    const done = cursors.size === 0 ? 0 : Math.min(...cursors.values());
    let count = 0;
    while (count < messages.length && (messages[count]?.sequence ?? 0) <= done) count += 1;
    drop(count);
    let excess = 0;
    while (messages.length > countMax || liveSize > sizeMax) {
      drop(1);
      excess += 1;
    }
    if (excess > 0) log.warn("bus dropped its oldest messages", { topic, count: excess });
    if (journalSize > compactionSizeMin && journalSize > 2 * liveSize) compact();
  }
  function compact(): void {
    const entries = compacted(cursors, messages, next - 1);
    journal.rewrite(entries);
    journalSize = entries.reduce((size, { length }) => size + length, 0);
    changed.clear();
  }
  function append(entry: Uint8Array): void {
    journal.append(entry);
    journalSize += entry.length;
  }

  return {
    publish: (message) => {
      const entry = { sequence: next, message: Uint8Array.from(message) };
      append(messageEntry(entry));
      next += 1;
      keep(entry);
      forget();
    },
    after: (sequence) => {
      const first = messages[0]?.sequence;
      return first === undefined ? undefined : messages[Math.max(0, sequence + 1 - first)];
    },
    cursor: (name) => {
      const known = cursors.get(name);
      if (known !== undefined) return known;
      cursors.set(name, 0);
      changed.add(name);
      return 0;
    },
    acknowledge: (name, sequence) => {
      if (sequence <= (cursors.get(name) ?? 0) || sequence >= next) return;
      cursors.set(name, sequence);
      changed.add(name);
      forget();
    },
    save,
    close: () => {
      save();
      journal.close();
    },
  };

  function save(): void {
    for (const name of changed) append(cursorEntry(name, cursors.get(name) ?? 0));
    changed.clear();
  }
}

/** The entries that say the same as the whole journal; the last number when no message is left to show it. */
function compacted(
  cursors: ReadonlyMap<string, number>,
  messages: readonly Message[],
  last: number,
): Uint8Array[] {
  const entries = [...cursors].map(([name, sequence]) => cursorEntry(name, sequence));
  entries.push(...messages.map(messageEntry));
  if (messages.length === 0) entries.push(cursorEntry("", last));
  return entries;
}

function messageEntry({ sequence, message }: Message): Uint8Array {
  return entryCodec.encode({ kind: kinds.message, sequence, name: empty, message });
}

function cursorEntry(name: string, sequence: number): Uint8Array {
  return entryCodec.encode({
    kind: kinds.cursor,
    sequence,
    name: Buffer.from(name),
    message: empty,
  });
}
