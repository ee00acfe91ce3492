// Real nodes, disks, sockets and signatures: one that has nothing catches up 2,000 blocks from three others while
// these go on.
import { cpSync, readFileSync } from "node:fs";
import { isRejected, must } from "@causeway/primitives";
import { afterAll, expect, test } from "vitest";
import { freePorts } from "../../../deploy/devnet/ports.ts";
import { blockCodec, blockId, certificateCodec } from "../codec/block.ts";
import { genesisHeader } from "../consensus/header.ts";
import { applyBlock } from "../ledger/apply.ts";
import { committeeAt } from "../ledger/epoch/epochs.ts";
import { nextBlock, precommits, testChain } from "../ledger/epoch/testing.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { parseGenesis } from "../ledger/genesis-file.ts";
import { testBls } from "../ledger/testing.ts";
import { root } from "../ledger/tree.ts";
import { openDataFolder } from "./data-folder.ts";
import type { Persist } from "./node-store.ts";
import type { NodeConfig, RunningNode } from "./run-node.ts";
import { runNode } from "./run-node.ts";
import { testClient, testNetwork } from "./testing.ts";

const size = 4;
const count = 2_000;
const network = testNetwork(size, { heartbeatMs: 1_000, blockIntervalMs: 100 });
const nodes: RunningNode[] = [];
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  network.remove();
});

function genesisOf(config: NodeConfig): Genesis {
  const files = [config.genesis, config.genesisProofs].map((path) => readFileSync(path));
  const genesis = parseGenesis(must(files[0], "body"), must(files[1], "proofs"), testBls);
  if (isRejected(genesis)) throw new Error(genesis.message);
  return genesis;
}

/** A folder as of a node that has decided `count` blocks with the others. */
async function writeChain(genesis: Genesis, folder: string): Promise<void> {
  const chain = testChain(genesis);
  const committee = must(committeeAt(chain.state, 0), "committee");
  chain.tip = blockId(genesis.networkId, genesisHeader(genesis.networkId, genesis.time, committee));
  const { store, close } = await openDataFolder(folder, genesis);
  const batch: Persist[] = [];
  // Not far into the future: the network is to go on.
  while (chain.height < count) {
    const block = nextBlock(chain, { stepMs: 1 });
    const applied = applyBlock(chain.env, chain.state, chain.tree, block);
    if (isRejected(applied)) throw new Error(applied.message);
    const { height, time } = block.header;
    const id = blockId(genesis.networkId, block.header);
    const certificate = precommits(chain, committee, [0, 1, 2], { height, block: id });
    chain.state.write(applied.puts);
    Object.assign(chain, { tree: applied.tree, height, time, tip: id, certificate });
    batch.push({
      kind: "persist",
      height,
      id,
      time,
      block: blockCodec.encode(block),
      certificate: certificateCodec.encode(certificate),
      puts: applied.puts,
      root: root(applied.tree),
      receipts: applied.receipts,
    });
    if (batch.length === 100) await store.persist(...batch.splice(0));
  }
  await close();
}

test("a new node catches up 2,000 blocks from three others that go on", async () => {
  const free = await freePorts(2 * size);
  const ports = Array.from({ length: size }, (_, i) => ({
    p2p: free[2 * i] ?? 0,
    rpc: free[2 * i + 1] ?? 0,
  }));
  const configs = ports.map((_, i) => network.config(i, ports));
  const [away, first, ...others] = configs;
  const { data } = must(first, "node");
  await writeChain(genesisOf(must(first, "node")), data);
  for (const other of others) cpSync(data, other.data, { recursive: true });
  for (const config of configs.slice(1)) nodes.push(await runNode(config));
  const client = testClient(must(ports[0], "ports").rpc);
  const began = performance.now();
  nodes.push(await runNode({ ...must(away, "node"), sync: "blocks" }));
  const height = await client.waitForHeight(count + 1, 60_000);
  const seconds = (performance.now() - began) / 1_000;
  process.stdout.write(
    `caught up ${height} blocks, ${(height / seconds).toFixed(0)} a second, start included\n`,
  );
  expect(height).toBeGreaterThan(count);
  const other = testClient(must(ports[1], "ports").rpc);
  expect((await client.block(count))?.header).toEqual((await other.block(count))?.header);
  client.close();
  other.close();
}, 170_000);
