// How own transactions leave: straight to each peer while enough of the committee is connected, else by gossip.
import { must } from "@causeway/primitives";
import type { P2p } from "@causeway/primitives/adapters/p2p";
import { peerIdOfKey } from "@causeway/primitives/adapters/p2p";
import { expect, test } from "vitest";
import { genesisState } from "../ledger/genesis-state.ts";
import { memoryState } from "../ledger/memory-state.ts";
import { testGenesis } from "../ledger/testing.ts";
import { parseMessage, transactionsCodec } from "../node/message.ts";
import { committeeReach } from "./committee-peers.ts";
import { networkOf } from "./node-network.ts";

const genesis = testGenesis(7);
const peers = genesis.validators.map(({ nodePeerKey }) => peerIdOfKey(nodePeerKey));
const reach = committeeReach(memoryState(genesisState(genesis)), must(peers[0], "self"));

test("the committee is reached by more than two thirds of its nodes, the own one included", () => {
  expect(reach(peers.slice(1))).toBe(true);
  expect(reach(peers.slice(1, 5))).toBe(true);
  expect(reach(peers.slice(1, 4))).toBe(false);
  expect(reach([...peers.slice(1, 4), "a follower", "another"])).toBe(false);
});

test("transactions go to each peer by itself while the committee is reached; requests are gossip always", () => {
  let connected = peers.slice(1);
  const out: { by: string; bytes: Uint8Array }[] = [];
  const p2p = {
    peers: () => connected,
    broadcast: (_: string, bytes: Uint8Array) => out.push({ by: "stream", bytes }),
    publish: (topic: string, bytes: Uint8Array) => out.push({ by: topic, bytes }),
  } as unknown as P2p;
  const network = networkOf(p2p, reach);
  const batch = { transactions: [Uint8Array.of(1, 2, 3), Uint8Array.of(4)] };
  const bytes = transactionsCodec.encode(batch);
  network.publish("transactions", bytes);
  network.publish("requests", bytes);
  connected = connected.slice(3);
  network.publish("transactions", bytes);
  expect(out.map(({ by }) => by)).toEqual(["stream", "requests", "transactions"]);
  expect(parseMessage(must(out[0], "message").bytes)).toEqual({ kind: "transactions", ...batch });
  expect(out[2]?.bytes).toEqual(bytes);
});
