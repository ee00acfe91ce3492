// Real processes, disks, sockets and signatures: a node that has nothing catches up 2,000 blocks from three others while
// these go on.
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isRejected, must } from "@causeway/primitives";
import { afterAll, expect, test } from "vitest";
import { openDataFolder } from "../../chain-core/src/adapters/data-folder.ts";
import type { Persist } from "../../chain-core/src/adapters/node-store.ts";
import type { NodeConfig } from "../../chain-core/src/adapters/run-node.ts";
import { testClient, testNetwork } from "../../chain-core/src/adapters/testing.ts";
import { blockCodec, blockId, certificateCodec } from "../../chain-core/src/codec/block.ts";
import { genesisHeader } from "../../chain-core/src/consensus/header.ts";
import { applyBlock } from "../../chain-core/src/ledger/apply.ts";
import { committeeAt } from "../../chain-core/src/ledger/epoch/epochs.ts";
import { nextBlock, precommits, testChain } from "../../chain-core/src/ledger/epoch/testing.ts";
import type { Genesis } from "../../chain-core/src/ledger/genesis.ts";
import { parseGenesis } from "../../chain-core/src/ledger/genesis-file.ts";
import { testBls } from "../../chain-core/src/ledger/testing.ts";
import { root } from "../../chain-core/src/ledger/tree.ts";
import { freePorts } from "../../deploy/devnet/ports.ts";
import type { Process } from "../../deploy/devnet/processes.ts";
import { launchNode } from "../node-process.ts";

const size = 4;
const count = 2_000;
const network = testNetwork(size, { heartbeatMs: 1_000, blockIntervalMs: 100 });
const nodes: Process[] = [];
afterAll(async () => {
  for (const node of nodes) node.kill("SIGKILL");
  await Promise.all(nodes.map(({ ended }) => ended));
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
  const launch = async (i: number, config: NodeConfig): Promise<void> => {
    const folder = join(network.folder, `${i}`);
    nodes.push(await launchNode({ name: `node ${i}`, config, folder }));
  };
  await Promise.all(configs.slice(1).map((config, i) => launch(i + 1, config)));
  const client = testClient(must(ports[0], "ports").rpc);
  const began = performance.now();
  await launch(0, { ...must(away, "node"), sync: "blocks" });
  const height = await client.waitForHeight(count + 1, 90_000);
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
