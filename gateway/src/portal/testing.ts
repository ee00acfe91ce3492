// A portal over ledger records in memory, for the tests of this folder.
import type { TransactionStatus } from "@causeway/chain-core/client";
import type { Genesis, State as Records } from "@causeway/chain-core/interchain";
import { currentKeys, keys } from "@causeway/chain-core/interchain";
import type { Rejected } from "@causeway/primitives";
import { bytes32, Failure, keyOf } from "@causeway/primitives";
import type { Ledger } from "../ports.ts";
import { initial } from "../relay/machine.ts";
import type { Portal } from "./portal.ts";

export type TestPortal = {
  readonly portal: Portal;
  readonly records: Records;
  /** What happened, in order: "post" and "gossip" of requests. */
  readonly calls: string[];
  readonly posted: Uint8Array[];
  /** The node answers nothing any more. */
  isNodeAway: boolean;
  refusal: Rejected | undefined;
  readonly transactions: Map<string, TransactionStatus["status"]>;
};

/** `groupPoint`: the ring's Bitcoin key, id 1; none is active without one. */
export function testPortal(genesis: Genesis, groupPoint?: Uint8Array): TestPortal {
  const values = new Map<string, Uint8Array>();
  const records: Records = {
    get: (key) => values.get(keyOf(key)),
    put: (key, value) => void values.set(keyOf(key), value),
    delete: (key) => void values.delete(keyOf(key)),
  };
  const own: Omit<TestPortal, "portal"> = {
    records,
    calls: [],
    posted: [],
    isNodeAway: false,
    refusal: undefined,
    transactions: new Map(),
  };
  const test: TestPortal = Object.assign(own, {
    portal: {
      genesis,
      ledger: ledgerOf(genesis, values, () => test),
      relay: initial({ genesis, relaySecret: new Uint8Array(32).fill(1), codeHashes: [] }),
      post: (request: Uint8Array) => {
        test.calls.push("post");
        test.posted.push(request);
      },
      timeText: (ms: number) => `time ${ms}`,
      health: async () => ({ node: { ok: !test.isNodeAway, since: 1, message: "up" } }),
    },
  });
  if (groupPoint !== undefined) putKey(records, genesis, groupPoint);
  return test;
}

function ledgerOf(
  genesis: Genesis,
  values: ReadonlyMap<string, Uint8Array>,
  test: () => TestPortal,
): Ledger {
  const reach = (): void => {
    if (test().isNodeAway) throw new Failure("unreachable", "the node is unreachable");
  };
  const unused = async (): Promise<never> => {
    throw new Error("not asked by a portal");
  };
  return {
    status: async () => {
      reach();
      return {
        networkId: bytes32(genesis.networkId),
        name: genesis.name,
        height: 7,
        block: bytes32(new Uint8Array(32)),
        time: genesis.time + 1_000,
        validator: 0,
        peers: 3,
        syncing: false,
        health: "ok",
      };
    },
    records: async (keysAsked) => {
      reach();
      return keysAsked.map((key) => values.get(keyOf(key)));
    },
    request: async () => {
      reach();
      test().calls.push("gossip");
      return test().refusal;
    },
    transaction: async (id) => {
      reach();
      const status = test().transactions.get(keyOf(id)) ?? "unknown";
      const height = status === "final" ? 5 : undefined;
      return {
        id: bytes32(id),
        status,
        height,
        position: undefined,
        bytes: undefined,
        by: undefined,
      };
    },
    waitForHeight: unused,
    submit: unused,
    requests: unused,
    evidence: unused,
    duties: unused,
  };
}

function putKey(records: Records, genesis: Genesis, groupPoint: Uint8Array): void {
  const { chain } = genesis.bitcoin;
  keys.put(records, 1, {
    keyId: 1,
    attempt: 0,
    term: 0,
    heldBy: 0,
    chain,
    groupPoint,
    threshold: 3,
    seats: [],
    shares: [],
    active: true,
    canary: new Uint8Array(64),
    activatedAt: 1,
  });
  currentKeys.put(records, chain, { keyId: 1 });
}
