import type { NetworkId } from "@causeway/primitives";
import { sha256 } from "@causeway/primitives";
import { testBls } from "@causeway/primitives/testing";
import { expect, it } from "vitest";
import { blockId, transactionsRoot } from "../codec/block.ts";
import { testCommittee } from "../consensus/testing.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { memoryState } from "../ledger/memory-state.ts";
import { emptyTree, root } from "../ledger/tree.ts";
import { devnetParams } from "../params/devnet.ts";
import * as node from "./machine.ts";
import { testLedger } from "./testing.ts";

it("keeps what few of a height's valid blocks change, however many rounds it takes", () => {
  const network = sha256(new Uint8Array(1)) as unknown as NetworkId;
  const bls = testBls();
  const time = 1_000_000;
  const context: node.Context = {
    genesis: { networkId: network, time, params: devnetParams } as unknown as Genesis,
    bls,
    ledger: testLedger(network, testCommittee(bls, 4)),
    store: memoryState(),
    blocks: () => undefined,
  };
  const [state] = node.initial(context, { tree: emptyTree, journal: [] }, time);
  for (let round = 0; round < 50; round++) {
    const header = {
      ...state.tip.header,
      height: 1,
      time: time + 1 + round,
      parent: state.tip.id,
      stateRoot: root(emptyTree),
      transactionsRoot: transactionsRoot(network, []),
    };
    const block = { header, certificate: [], late: [], transactions: [] };
    expect(state.config.validate(block, blockId(network, header))).toBeUndefined();
  }
  expect(state.applied.size).toBeLessThanOrEqual(4);
});
