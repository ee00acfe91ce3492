// The end of what this code knows (GOV-1): no vote, no block and no answer of a version that it does not have.
import { must } from "@causeway/primitives";
import { expect, test } from "vitest";
import { blockCodec } from "../codec/block.ts";
import { epochs } from "../ledger/epoch/epochs.ts";
import { protocolVersions } from "../ledger/governance/version.ts";
import { rules } from "../ledger/rules.ts";
import { testBls, testGenesis, validatorSecret } from "../ledger/testing.ts";
import { knownProtocol, protocolOf } from "../ledger/versions.ts";
import { bindLedger } from "./ledger.ts";
import { initial, step } from "./machine.ts";
import type { LedgerPort } from "./port.ts";
import type { Peer } from "./testing-world.ts";
import { world } from "./testing-world.ts";

const genesis = testGenesis(4, { epochMs: 4_000, heartbeatMs: 500, seats: 4 });
const scheduled = protocolVersions.codec.encode({ current: 1, next: 2, epoch: 1 });

/** The true ledger, on which version 2 is scheduled for epoch 1 from the start. */
function ledgerOf(protocol: typeof knownProtocol): LedgerPort {
  const ledger = bindLedger(genesis, testBls, protocol);
  return {
    ...ledger,
    genesis: () => {
      const { puts, tree } = ledger.genesis();
      return { tree, puts: [...puts, { key: protocolVersions.key("only"), value: scheduled }] };
    },
  };
}

test("every node stops after the last block of the version that it knows, and goes on with a newer one", () => {
  let protocol = knownProtocol;
  const w = world({
    mayHalt: true,
    ground: {
      genesis,
      bls: testBls,
      ledger: () => ledgerOf(protocol),
      secret: (seat) => validatorSecret(seat, "consensusKey"),
    },
  });
  w.run(8_000);
  const heights = w.peers.map(w.height);
  const [first] = w.peers as [Peer];
  const last = w.height(first);
  expect(heights).toEqual(heights.map(() => last));
  const { number, firstHeight } = must(epochs.get(first.disk.store, "only"), "epoch");
  expect([number, firstHeight]).toEqual([1, last + 1]);

  // It is deaf and dumb: not even a signature of a vote is left.
  const state = must(first.state, "state");
  const at = w.now() + 1_000;
  const journal = first.disk.journal.length;
  const bytes = new Uint8Array(3);
  expect(step(state, { kind: "woke", at })[1]).toEqual([]);
  expect(step(state, { kind: "message", at, from: "v1", bytes })[1]).toEqual([]);
  expect(step(state, { kind: "submit", at, ticket: 7, topic: "transactions", bytes })[1]).toEqual([
    { kind: "reply", ticket: 7, result: expect.objectContaining({ code: "upgrade-needed" }) },
  ]);
  w.run(12_000);
  expect(first.disk.journal.length).toBe(journal);

  // Started again as it is, it says the same at once.
  const { store, journal: votes, tip } = first.disk;
  const stored = { tree: state.tree, journal: votes, ...(tip && { tip }) };
  const context = { ...state.context, ledger: ledgerOf(knownProtocol), store };
  expect(initial(context, stored, at)[1]).toEqual([
    { kind: "halt", reason: expect.objectContaining({ code: "upgrade-needed" }) },
  ]);

  protocol = protocolOf(2, rules);
  for (const peer of w.peers) w.boot(peer);
  w.run(20_000);
  expect(w.height(first)).toBeGreaterThan(last + 4);
  const versionAt = (height: number): number =>
    blockCodec.decode(must(first.disk.blocks.get(height), "block").block).header.version;
  expect([versionAt(last), versionAt(last + 1), versionAt(w.height(first))]).toEqual([1, 2, 2]);
});
