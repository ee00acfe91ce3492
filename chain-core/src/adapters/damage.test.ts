// What happens to the folder of a stopped node: torn and rotten files, lost files, another genesis, clocks that jump.
// The real store and journal under the real machine of the network's only validator. Whatever the damage, the folder
// opens as it was at some final block or refuses with a sentence that says what to do, and no vote contradicts one
// that was cast before.
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Random } from "@causeway/primitives";
import { Failure, isRejected, must, seeded } from "@causeway/primitives";
import { openLevelStore } from "@causeway/primitives/adapters/level-store";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Vote } from "../codec/block.ts";
import { contradicts } from "../consensus/accountability.ts";
import { parseRecord } from "../consensus/journal.ts";
import { testBls, testGenesis, validatorSecret } from "../ledger/testing.ts";
import { bindLedger } from "../node/ledger.ts";
import type { Effect, Event, State } from "../node/machine.ts";
import { initial, step } from "../node/machine.ts";
import { parseMessage } from "../node/message.ts";
import type { DataFolder } from "./data-folder.ts";
import { openDataFolder } from "./data-folder.ts";
import { blockKey, certificateKey, metaKeys } from "./node-keys.ts";

const genesis = testGenesis(1, { heartbeatMs: 400, blockIntervalMs: 100 });
const hour = 3_600_000;

type Driven = {
  readonly data: DataFolder;
  readonly state: State;
  /** Of the newest block that was on the disk. */
  readonly opened: number;
  /** Every vote that left the node. */
  readonly sent: Vote[];
  /** Goes on until the clock says so, ms. */
  readonly run: (until: number) => Promise<void>;
  readonly jump: (ms: number) => void;
};

/** The node on `folder`, its clock at `at`. */
async function drive(folder: string, at: number, anew: boolean = false): Promise<Driven> {
  const data = await openDataFolder(folder, genesis, undefined, anew);
  const { store, journal } = data;
  const opened = store.head().height;
  const sent: Vote[] = [];
  let now = at;
  let wakeAt = 0;
  const perform = async (effects: readonly Effect[]): Promise<void> => {
    for (const effect of effects) {
      if (effect.kind === "journal")
        if (effect.fresh) journal.rewrite([effect.record]);
        else journal.append(effect.record);
      if (effect.kind === "persist") await store.persist(effect);
      if (effect.kind === "wake") wakeAt = effect.at;
      if (effect.kind !== "send") continue;
      const message = parseMessage(effect.bytes);
      if (!isRejected(message) && message.kind === "votes") sent.push(...message.votes);
    }
  };
  const tip = store.tip();
  const [state, first] = initial(
    {
      genesis,
      bls: testBls,
      secretKey: validatorSecret(0, "consensusKey"),
      ledger: bindLedger(genesis, testBls),
      store: store.state,
      blocks: store.blocks,
    },
    { tree: store.tree(), root: store.head().root, journal: journal.read(), ...(tip && { tip }) },
    now,
  );
  await perform(first);
  const deliver = (event: Event): Promise<void> => perform(step(state, event)[1]);
  return {
    data,
    state,
    opened,
    sent,
    run: async (until) => {
      for (; now < until; now = Math.max(now + 1, Math.min(wakeAt, until)))
        await deliver({ kind: "woke", at: now });
    },
    jump: (ms) => {
      now += ms;
    },
  };
}

let folder = "";
let copies = 0;
/** A stopped node of several tables and a log; the votes that it cast, and its height. */
let base = "";
let height = 0;
let cast: Vote[] = [];
const blocks: (Uint8Array | undefined)[] = [];
let stoppedAt = genesis.time;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "damage-"));
  base = join(folder, "base");
  for (let run = 0; run < 4; run++) {
    const node = await drive(base, stoppedAt);
    await node.run(stoppedAt + 12_000);
    stoppedAt += 12_000;
    height = node.data.store.head().height;
    for (let h = blocks.length; h <= height; h++) blocks[h] = node.data.store.blocks(h)?.block;
    await node.data.close();
  }
  cast = votesIn(base);
  expect(height).toBeGreaterThan(60);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function copyOfBase(): string {
  const copy = join(folder, `copy-${copies++}`);
  cpSync(base, copy, { recursive: true });
  return copy;
}

function votesIn(at: string): Vote[] {
  const votes: Vote[] = [];
  const bytes = readFileSync(join(at, "votes.journal"));
  for (let offset = 16; offset < bytes.length; ) {
    const length = bytes.readUInt32LE(offset);
    const entries = parseRecord(Uint8Array.from(bytes.subarray(offset + 20, offset + 20 + length)));
    if (isRejected(entries)) throw new Error(entries.message);
    for (const entry of entries) if (entry.kind === "vote") votes.push(entry.vote);
    offset += 21 + length;
  }
  return votes;
}

function expectNoContradiction(votes: readonly Vote[], what: string): void {
  for (const vote of votes)
    for (const before of cast) expect(contradicts(before, vote), what).toBeUndefined();
}

/** Of a Failure that says what to do about a damaged store. */
function refusal(error: unknown, what: string): string {
  if (!(error instanceof Failure)) throw new Error(`${what}: ${error}`, { cause: error });
  expect(error.message, what).toMatch(/start the node once with --resync/);
  return error.code;
}

/** "open": the folder opens and goes on; else the code with which it refuses. */
async function outcome(at: string, what: string): Promise<string> {
  let node: Driven;
  try {
    node = await drive(at, stoppedAt);
  } catch (error) {
    return refusal(error, what);
  }
  const { opened } = node;
  const { store, close } = node.data;
  try {
    expect(opened, what).toBeLessThanOrEqual(height);
    for (let h = 1; h <= opened; h++) expect(store.blocks(h), `${what}: block ${h}`).toBeDefined();
    for (let t = stoppedAt; t < stoppedAt + 60_000 && store.head().height <= height; t += 500)
      await node.run(t);
    expectNoContradiction(node.sent, what);
    // What the store lost the votes still have: the network of one decides the same blocks again, and goes on.
    expect(store.head().height, what).toBeGreaterThan(height);
    for (let h = 1; h <= height; h++) expect(store.blocks(h)?.block, what).toEqual(blocks[h]);
  } catch (error) {
    return refusal(error, what);
  } finally {
    await close();
  }
  return "open";
}

/** One fault of a disk in one of the files. */
function damage(random: Random, at: string): string {
  const store = join(at, "store");
  const files = readdirSync(store).filter((name) => /log$|ldb$|^MANIFEST|^CURRENT/.test(name));
  const name = random.pick(files.filter((file) => statSync(join(store, file)).size > 0));
  const path = join(store, name);
  const bytes = readFileSync(path);
  const place = random.below(bytes.length);
  // LevelDB reads tables without their sums: what rotted in one may abort the process, which no test here survives.
  const isTable = name.endsWith(".ldb");
  const kind = isTable ? "cut" : random.pick(["flip", "cut", "zero", "noise"] as const);
  if (kind === "cut") truncateSync(path, place);
  else {
    const length = kind === "flip" ? 1 : Math.min(1 + random.below(512), bytes.length - place);
    if (kind === "flip") bytes[place] = (bytes[place] ?? 0) ^ (1 << random.below(8));
    else bytes.set(kind === "zero" ? new Uint8Array(length) : random.bytes(length), place);
    writeFileSync(path, bytes);
  }
  return `${kind} at byte ${place} of ${name} (${bytes.length})`;
}

test("a database that was torn anywhere, or rotted in its log, opens at a final block or says what to do, and contradicts no vote", async () => {
  const outcomes = new Map<string, number>();
  for (let seed = 0; seed < 80; seed++) {
    const copy = copyOfBase();
    const what = `seed ${seed}: ${damage(seeded(seed), copy)}`;
    const result = await outcome(copy, what);
    outcomes.set(result, (outcomes.get(result) ?? 0) + 1);
    rmSync(copy, { recursive: true });
  }
  expect([...outcomes.keys()].sort()).toEqual(["open", "state-mismatch", "store-broken"]);
}, 120_000);

test("the tail of the log torn at every length loses no more than what it held", async () => {
  const log = must(
    readdirSync(join(base, "store")).find((name) => name.endsWith(".log")),
    "a log",
  );
  const { size } = statSync(join(base, "store", log));
  const opened: number[] = [];
  for (let cut = 0; cut <= 5; cut++) {
    const copy = copyOfBase();
    truncateSync(join(copy, "store", log), Math.floor((size * cut) / 5));
    const { store, close } = await openDataFolder(copy, genesis);
    opened.push(store.head().height);
    await close();
    expect(await outcome(copy, `cut at ${cut}/5`)).toBe("open");
    rmSync(copy, { recursive: true });
  }
  expect(opened).toEqual([...opened].sort((a, b) => a - b));
  expect(opened[0]).toBeLessThan(height);
}, 60_000);

/** Changes a record behind LevelDB's back, as far as the node can tell. */
async function turnBit(at: string, key: Uint8Array, position: number): Promise<void> {
  const db = await openLevelStore(join(at, "store"), { create: false });
  const value = Uint8Array.from(must(db.get(key), "a record"));
  const place = position % value.length;
  value[place] = (value[place] ?? 0) ^ 1;
  await db.write([{ key, value }]);
  await db.close();
}

test("one turned bit anywhere in a stored block or certificate is found when it is read, and not handed out", async () => {
  const random = seeded(1);
  const copy = copyOfBase();
  const turned = Array.from({ length: 20 }, (_, i) => 1 + 3 * i);
  for (const [i, at] of turned.entries())
    await turnBit(copy, i % 2 === 0 ? blockKey(at) : certificateKey(at), random.below(1e6));
  const { store, close } = await openDataFolder(copy, genesis);
  for (let h = 1; h <= height; h++)
    if (turned.includes(h))
      expect(() => store.blocks(h)).toThrow(`the stored block ${h} is damaged: start the node`);
    else expect(store.blocks(h)).toBeDefined();
  await close();
});

test("one turned bit in the newest block, in the head or in what undoes it refuses to start", async () => {
  for (const key of [blockKey(height), metaKeys.head, metaKeys.undo])
    for (const position of [0, 5, 40, 90]) {
      const copy = copyOfBase();
      await turnBit(copy, key, position);
      expect(await outcome(copy, `key ${key}, byte ${position}`)).toBe("state-mismatch");
      rmSync(copy, { recursive: true });
    }
});

test("a store made anew keeps the votes, and by them decides the same blocks once more", async () => {
  const copy = copyOfBase();
  rmSync(join(copy, "store"), { recursive: true });
  for (const _ of ["at once", "again"])
    await expect(drive(copy, stoppedAt)).rejects.toMatchObject({ code: "missing" });
  const node = await drive(copy, stoppedAt, true);
  expect(node.opened).toBe(0);
  await node.data.close();
  expect(votesIn(copy).slice(0, cast.length)).toEqual(cast);
  expect(await outcome(copy, "made anew")).toBe("open");
});

test("votes that are gone or rotten refuse to start and say what to do; a torn last one was never cast", async () => {
  const votes = (copy: string): string => join(copy, "votes.journal");
  const whole = readFileSync(votes(base));
  const refused = async (change: (path: string) => void): Promise<unknown> => {
    const copy = copyOfBase();
    change(votes(copy));
    return drive(copy, stoppedAt).then(undefined, (error: unknown) => error);
  };
  const advice = expect.stringMatching(/votes may be lost, restore the file, or run without/);
  expect(await refused((path) => rmSync(path))).toMatchObject({ code: "missing", message: advice });
  const random = seeded(2);
  for (let i = 0; i < 10; i++) {
    const rotten = Uint8Array.from(whole);
    const place = 16 + random.below(whole.length - 16);
    rotten[place] = (rotten[place] ?? 0) ^ 0x20;
    const error = await refused((path) => writeFileSync(path, rotten));
    expect(error).toMatchObject({ code: "journal-broken", message: advice });
  }
  const copy = copyOfBase();
  truncateSync(votes(copy), whole.length - 3);
  expect(await outcome(copy, "a torn vote")).toBe("open");
});

test("a folder of another genesis is refused, by its mark and by its store", async () => {
  const other = testGenesis(1, { heartbeatMs: 401 });
  const copy = copyOfBase();
  await expect(openDataFolder(copy, other)).rejects.toMatchObject({
    code: "wrong-network",
    message: expect.stringMatching(/give each genesis a folder of its own/),
  });
  const theirs = join(folder, "theirs");
  await (await openDataFolder(theirs, other)).close();
  rmSync(join(theirs, "store"), { recursive: true });
  cpSync(join(base, "store"), join(theirs, "store"), { recursive: true });
  await expect(openDataFolder(theirs, other)).rejects.toMatchObject({ code: "wrong-network" });
});

test("a clock that jumps by an hour, while the node runs or between two starts, stops nothing for longer than that", async () => {
  const at = join(folder, "clock");
  let node = await drive(at, genesis.time);
  const { store } = node.data;
  let now = genesis.time + 5_000;
  await node.run(now);
  const steady = store.head().height;
  node.jump(hour);
  now += hour + 5_000;
  await node.run(now);
  const ahead = store.head().height;
  expect(ahead).toBeGreaterThan(steady);
  // Back to the true time: no block may be older than its parent (TIM-1), so that this network of one waits.
  node.jump(-hour);
  now -= hour - 5_000;
  await node.run(now);
  expect(store.head().height).toBeLessThanOrEqual(ahead + 1);
  await node.data.close();
  node = await drive(at, now - hour);
  await node.run(now - hour + 5_000);
  expect(node.data.store.head().height).toBe(node.opened);
  await node.data.close();
  cast = votesIn(at);
  node = await drive(at, now + hour + 10_000);
  await node.run(now + hour + 15_000);
  expect(node.data.store.head().height).toBeGreaterThan(ahead + 1);
  expectNoContradiction(node.sent, "after the jumps");
  await node.data.close();
});
