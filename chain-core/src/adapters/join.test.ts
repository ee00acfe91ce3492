// Joining by a snapshot with the real stream service on both sides and a real folder: only libp2p is left out.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "@causeway/primitives";
import { Failure, isRejected, must } from "@causeway/primitives";
import type { P2p } from "@causeway/primitives/adapters/p2p";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Header } from "../codec/block.ts";
import { blockId } from "../codec/block.ts";
import { committeeOf } from "../ledger/committee.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import { memoryState } from "../ledger/memory-state.ts";
import { testBls, testGenesis, validatorSecret } from "../ledger/testing.ts";
import { emptyTree, root, update } from "../ledger/tree.ts";
import { utxoCommitment } from "../ledger/utxo/commitment.ts";
import { trustGenesis } from "../light.ts";
import type { Entry, Manifest } from "../snapshot/chunks.ts";
import { chunkHash, chunkTree, encodeChunk, snapshotRoot } from "../snapshot/chunks.ts";
import { testFinality, testHeader } from "../snapshot/testing.ts";
import { joinBySnapshot } from "./join.ts";
import { openNodeStore } from "./node-store.ts";
import type { Staging } from "./staging.ts";
import { openStaging } from "./staging.ts";
import type { Library, SyncService } from "./sync-service.ts";
import { syncService } from "./sync-service.ts";

const genesis = testGenesis(4);
const network = genesis.networkId;
const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};
const clock = { nowMs: () => genesis.time + 60_000 };

const records = genesisState(genesis)
  .filter((put): put is Entry => put.value !== undefined)
  .sort((a, b) => Buffer.compare(a.key, b.key));
const chunks = records.map((entry) => encodeChunk([entry]));
const tree = chunkTree(
  network,
  chunks.map((chunk, index) => chunkHash(network, index, chunk)),
);

/** Epoch 0 ends at 10, its state is the snapshot that the end of epoch 1 commits to. */
const seats = {
  network,
  bls: testBls,
  committee: committeeOf(genesis),
  secret: (seat: number) => validatorSecret(seat, "consensusKey"),
};
const header = (epoch: number, height: number, given: Partial<Header> = {}): Header =>
  testHeader(seats, epoch, { height, time: genesis.time + 1_000 * height, ...given });
const end = header(0, 10);
const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
const block = blockId(network, end);
const manifest: Manifest = {
  epoch: 1,
  height: 10,
  block,
  chunks: chunks.length,
  size,
  tree: tree.root,
};
const roots = {
  stateRoot: root(update(emptyTree, records)),
  utxoCommitment: utxoCommitment(memoryState(records)),
};
const ends = [
  testFinality(seats, 0, end),
  testFinality(seats, 1, header(1, 20, { snapshotRoot: snapshotRoot(network, manifest) })),
];
const after = { ...testFinality(seats, 1, header(1, 11, roots)), committee: new Uint8Array(0) };

const library: Library = {
  headers: async (from, exact) => {
    if (exact) return from === 11 ? [after] : [];
    return ends.slice(from <= 10 ? 0 : from <= 20 ? 1 : 2);
  },
  snapshots: {
    offers: () => [manifest],
    chunk: async (_, index) => ({ chunk: must(chunks[index], "chunk"), path: tree.path(index) }),
  },
};

type Peer = { readonly name: string; readonly library: Library };

/** A joining node's service, connected to one for each peer; bans hang up. */
function connected(peers: readonly Peer[]): {
  readonly service: SyncService;
  readonly banned: string[];
} {
  const banned: string[] = [];
  const service = syncService(clock, silent);
  const links = new Map<string, (bytes: Uint8Array) => void>();
  for (const { name, library: own } of peers) {
    const server = syncService(clock, silent);
    server.serve(own);
    server.attach({
      send: (_to: string, _protocol: string, bytes: Uint8Array) => {
        setImmediate(() => links.has(name) && service.protocol.onMessage(name, bytes));
      },
    } as unknown as P2p);
    links.set(name, (bytes) => setImmediate(() => server.protocol.onMessage("joiner", bytes)));
  }
  service.attach({
    send: (to: string, _protocol: string, bytes: Uint8Array) => links.get(to)?.(bytes),
    peers: () => [...links.keys()],
    ban: (peer: string) => {
      banned.push(peer);
      links.delete(peer);
      service.disconnected(peer);
    },
  } as unknown as P2p);
  return { service, banned };
}

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "join-")), "staging");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

function run(service: SyncService, staging: Staging): ReturnType<typeof joinBySnapshot> {
  const config = {
    network,
    bls: testBls,
    start: trustGenesis(genesis),
    trustMsMax: 86_400_000,
    above: 0,
  };
  return joinBySnapshot({ config, service, staging, earlier: [], clock, log: silent });
}

test("loads a store that opens, from peers of which one turns bits and is banned", async () => {
  const flipping: Library = {
    ...library,
    snapshots: {
      ...library.snapshots,
      chunk: async (_, index) => {
        const chunk = Uint8Array.from(must(chunks[index], "chunk"));
        chunk[chunk.length - 1] = (chunk.at(-1) ?? 0) ^ 1;
        return { chunk, path: tree.path(index) };
      },
    },
  };
  const { service, banned } = connected([
    { name: "flipping", library: flipping },
    { name: "honest", library },
  ]);
  const staging = await openStaging(folder, genesis);
  const result = await run(service, staging);
  await staging.close();
  expect(isRejected(result) ? result.message : result.manifest).toEqual(manifest);
  expect(banned).toEqual(["flipping"]);
  const store = await openNodeStore(folder, genesis);
  expect(store.head().height).toBe(10);
  await store.close();
});

test("a disk that fails ends it with what the disk says, and the next run keeps what was stored", async () => {
  const { service } = connected([{ name: "honest", library }]);
  const staging = await openStaging(folder, genesis);
  let stored = 0;
  const full: Staging = {
    ...staging,
    store: async (...chunk) => {
      if (stored === 3) throw new Failure("disk", "no space left");
      stored += 1;
      await staging.store(...chunk);
    },
  };
  await expect(run(service, full)).rejects.toMatchObject({ code: "disk" });
  await staging.close();

  const again = await openStaging(folder, genesis);
  expect(again.loaded?.chunks.size).toBe(3);
  const result = await run(connected([{ name: "honest", library }]).service, again);
  expect(isRejected(result)).toBe(false);
  await again.close();
});

test("says why where no peer offers what a header committed to", async () => {
  const bare: Library = { ...library, snapshots: { ...library.snapshots, offers: () => [] } };
  const { service } = connected([{ name: "bare", library: bare }]);
  const staging = await openStaging(folder, genesis);
  expect(await run(service, staging)).toMatchObject({ code: "no-snapshot" });
  await staging.close();
});
