// Four nodes as processes over real libp2p, each in a network namespace of its own: they decide blocks, one is killed
// and comes back, a partition heals. Where the kernel has netem the links delay by 50 ms and lose one packet of a
// hundred; where anything is missing the test that needs it is skipped and says so.
import { join } from "node:path";
import { isRejected, must, toHex } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { peerIdOfKey } from "@causeway/primitives/adapters/p2p";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { TestNetwork } from "../../chain-core/src/adapters/testing.ts";
import { testNetwork } from "../../chain-core/src/adapters/testing.ts";
import type { NodeClient } from "../../chain-core/src/client.ts";
import { nodeClient, planTransaction, signTransaction } from "../../chain-core/src/client.ts";
import { transactionCodec } from "../../chain-core/src/codec/transaction.ts";
import { btm } from "../../chain-core/src/ledger/assets.ts";
import { testLock, testSecret, validatorSecret } from "../../chain-core/src/ledger/testing.ts";
import type { Process } from "../../deploy/devnet/processes.ts";
import { launchNode } from "../node-process.ts";
import type { Namespaces, Support } from "./namespaces.ts";
import { createNamespaces, probe } from "./namespaces.ts";

const size = 4;
const p2pPort = 18_500;
const rpcPort = 18_501;
const support: Support = probe();
const shape = support.netem
  ? ["delay", "50ms", "10ms", "distribution", "normal", "loss", "1%"]
  : [];
const missing = (has: boolean): string => (has ? "" : ` (SKIPPED: ${support.blocker})`);

let network: TestNetwork;
let namespaces: Namespaces;
const nodes: (Process | undefined)[] = [];
const clients: NodeClient[] = [];
const closing: (() => void)[] = [];

async function start(i: number): Promise<void> {
  const { addresses, before } = namespaces;
  const peers = addresses.map((address, seat) => {
    const id = peerIdOfKey(publicPoint(validatorSecret(seat, "nodePeerKey")));
    return `/ip4/${address}/tcp/${p2pPort}/p2p/${id}`;
  });
  nodes[i] = await launchNode({
    name: `node ${i}`,
    config: {
      ...network.config(i, []),
      listenHost: must(addresses[i], "address"),
      p2pPort,
      rpcPort,
      peers: peers.filter((_, seat) => seat !== i),
      logLevel: "info",
    },
    folder: join(network.folder, `${i}`),
    before: before(i),
  });
}

const client = (i: number): NodeClient => must(clients[i], "client");
const heightOf = async (i: number): Promise<number> => (await client(i).status()).height;
const heights = (of: readonly number[] = [0, 1, 2, 3]): Promise<number[]> =>
  Promise.all(of.map(heightOf));
/** All of them are at least `more` blocks above where the highest of them is now. */
async function expectProgress(of: readonly number[], more: number): Promise<void> {
  const target = Math.max(...(await heights(of))) + more;
  await vi.waitFor(
    async () => expect(Math.min(...(await heights(of)))).toBeGreaterThanOrEqual(target),
    { timeout: 30_000, interval: 200 },
  );
}
/** Every node has the same final block at each height that all of them have. */
async function expectOneChain(): Promise<void> {
  const common = Math.min(...(await heights()));
  for (let height = 1; height <= common; height++) {
    const blocks = await Promise.all(clients.map((one) => one.block(height)));
    expect(new Set(blocks.map((block) => toHex(must(block, "block").header))).size).toBe(1);
  }
}

describe.skipIf(!support.namespaces)(
  `a network of processes in namespaces${missing(support.namespaces)}`,
  () => {
    beforeAll(async () => {
      if (support.blocker !== undefined)
        process.stderr.write(`SKIPPED in part: ${support.blocker}\n`);
      network = testNetwork(size, { heartbeatMs: 1_000, blockIntervalMs: 250 });
      namespaces = createNamespaces(size, shape);
      for (const address of namespaces.addresses) {
        const rpc = rpcClient({ url: `http://${address}:${rpcPort}` });
        clients.push(nodeClient(rpc));
        closing.push(rpc.close);
      }
      await Promise.all(namespaces.addresses.map((_, i) => start(i)));
    });
    afterAll(async () => {
      for (const close of closing) close();
      for (const node of nodes) node?.kill("SIGKILL");
      await Promise.all(nodes.map((node) => node?.ended));
      namespaces?.remove();
      network?.remove();
    });

    test("decides blocks and takes a payment", async () => {
      await expectProgress([0, 1, 2, 3], 3);
      const { genesis } = network;
      const { time } = await client(1).status();
      const planned = planTransaction(genesis, await client(1).utxos(testLock("alice")), {
        payments: [{ asset: btm(genesis), amount: 5_00000000n, lock: testLock("bob") }],
        change: testLock("alice"),
        expires: time + 60_000,
      });
      if (isRejected(planned)) throw new Error(planned.message);
      const signed = signTransaction(planned.unsigned, [testSecret("alice")]);
      if (isRejected(signed)) throw new Error(signed.message);
      const sent = await client(1).submit(transactionCodec.encode(signed));
      if (isRejected(sent)) throw new Error(sent.message);
      await vi.waitFor(
        async () => {
          for (const one of clients)
            expect(await one.transaction(sent.id)).toMatchObject({ status: "final" });
        },
        { timeout: 20_000, interval: 200 },
      );
      await expectOneChain();
    });

    test("goes on without a node that was killed, which catches up when it is back", async () => {
      nodes[3]?.kill("SIGKILL");
      await nodes[3]?.ended;
      await expectProgress([0, 1, 2], 4);
      await start(3);
      await expectProgress([0, 1, 2, 3], 2);
      await expectOneChain();
    });

    test("stops in two halves, has one history, and goes on when they hear each other", async () => {
      namespaces.part([0, 1], [2, 3]);
      // A block that was nearly final may still become so on one side.
      const before = Math.max(...(await heights()));
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const during = await heights();
      expect(Math.max(...during)).toBeLessThanOrEqual(before + 1);
      namespaces.heal();
      await expectProgress([0, 1, 2, 3], 3);
      await expectOneChain();
    });

    test.skipIf(!support.netem)(
      `all of it under delays of 50 ms and losses of 1 %${missing(support.netem)}`,
      async () => {
        const began = performance.now();
        for (let i = 0; i < 10; i++) await heightOf(0);
        // The links of the tests above: ten answers, each at least once through a link.
        expect(performance.now() - began).toBeGreaterThan(10 * 25);
      },
    );
  },
);
