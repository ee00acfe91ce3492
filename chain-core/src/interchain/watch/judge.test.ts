// A signer's judgement: each way to lie has its code, and what the own node does not show yet is no lie (WIT-1).
import type { Bytes32, NetworkId } from "@causeway/primitives";
import {
  bigEndian,
  bytes32,
  concat,
  isRejected,
  must,
  sha256,
  toHex,
  utf8,
} from "@causeway/primitives";
import { addressOf, publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import { describe, expect, test } from "vitest";
import type { Genesis } from "../../ledger/genesis.ts";
import type { StateReader } from "../../ledger/state.ts";
import { currentKeys, keys } from "../../ring/records.ts";
import { merkleRoot, proveInclusion } from "../bitcoin/inclusion.ts";
import { depositScript } from "../bitcoin/scripts.ts";
import { encodeTransaction } from "../bitcoin/transaction.ts";
import { uintWord } from "../ethereum/abi.ts";
import { guardiansHash } from "../ethereum/contract.ts";
import { parseLog, topics } from "../ethereum/events.ts";
import type { ForeignEvent } from "../statement.ts";
import { bitcoinDepositCodec, eventKinds, evmContractCodec } from "../statement.ts";
import type { BitcoinFacts, EvmFacts } from "./facts.ts";
import { bodyOf, judgeEvent } from "./judge.ts";

const named = (what: string): Bytes32 => sha256(utf8(what));
const point = (what: string): Uint8Array => publicPoint(named(what));
const evmChain = bytes32(bigEndian(31_337, 32));
const gateway = addressOf(point("gateway"));
const genesis = {
  networkId: named("network") as Uint8Array as NetworkId,
  guardians: { keys: [point("guardian")], threshold: 1 },
  bitcoin: { kind: "bitcoin", chain: named("bitcoin"), network: "regtest" },
  evm: [
    { kind: "evm", chain: evmChain, chainId: 31_337n, gateway, templateHash: named("template") },
  ],
} as unknown as Genesis;

const records = new Map<string, Uint8Array>();
const view: StateReader = { get: (key) => records.get(toHex(key)) };
for (const [keyId, chain] of [
  [1, genesis.bitcoin.chain],
  [2, evmChain],
] as const) {
  const key = {
    keyId,
    attempt: 0,
    term: 0,
    heldBy: 0,
    chain,
    groupPoint: point(`ring ${keyId}`),
    threshold: 1,
    seats: [],
    shares: [],
    active: true,
    canary: new Uint8Array(64),
    activatedAt: 0,
  };
  records.set(toHex(keys.key(keyId)), keys.codec.encode(key));
  records.set(toHex(currentKeys.key(chain)), currentKeys.codec.encode({ keyId }));
}

function verdict(facts: BitcoinFacts | EvmFacts, event: ForeignEvent): string {
  const judged = judgeEvent(genesis, view, facts, event);
  return isRejected(judged) ? judged.code : judged;
}

describe("A deposit on Bitcoin", () => {
  const refund = xOnly(point("refund"));
  const destination = { chain: bytes32(genesis.networkId), payload: new Uint8Array(32).fill(1) };
  const terms = { version: 1, keyId: 1, destination, maxFee: 5n, refund };
  const address = depositScript(genesis, { ...terms, keyPoint: point("ring 1") });
  if (isRejected(address)) throw new Error(address.message);
  const transaction = encodeTransaction({
    version: 2,
    inputs: [{ txid: named("in"), vout: 0, script: new Uint8Array(0), sequence: 0 }],
    outputs: [
      { amount: 9n, script: Uint8Array.of(0x51) },
      { amount: 70_000n, script: address.script },
    ],
    lockTime: 0,
  });
  const other = encodeTransaction({
    version: 2,
    inputs: [{ txid: named("other"), vout: 0, script: new Uint8Array(0), sequence: 0 }],
    outputs: [{ amount: 1n, script: Uint8Array.of(0x51, 0x51) }],
    lockTime: 0,
  });
  const stripped = [other, transaction];
  const header = concat(new Uint8Array(36), merkleRoot(stripped), new Uint8Array(12));
  const hash = sha256(sha256(header));
  const facts: BitcoinFacts = {
    kind: "bitcoin",
    tip: { hash: named("tip"), height: 20 },
    block: { hash, header },
  };
  const body = { ...terms, amount: 70_000n, ...proveInclusion(stripped, 1) };
  const txid: Uint8Array = sha256(sha256(transaction));
  const place = { kind: eventKinds.bitcoinDeposit, txid, index: 1, blockHash: hash, height: 10 };
  const event: ForeignEvent = { ...place, body: bitcoinDepositCodec.encode(body) };
  const lie = (change: Partial<typeof body>): ForeignEvent => ({
    ...event,
    body: bitcoinDepositCodec.encode({ ...body, ...change }),
  });

  test("that the own node shows is true", () => {
    expect(verdict(facts, event)).toBe("true");
  });

  test.each([
    ["wrong-amount", lie({ amount: 70_001n })],
    ["wrong-script", lie({ maxFee: 6n })],
    ["wrong-script", { ...event, index: 0 }],
    ["no-such-output", { ...event, index: 2 }],
    ["wrong-txid", { ...event, txid: named("another") }],
    ["bad-terms", lie({ refund: bytes32(new Uint8Array(32).fill(0xff)) })],
    ["bad-terms", lie({ version: 2 })],
    ["bad-inclusion", lie({ position: 0 })],
    ["bad-inclusion", lie({ transaction: other })],
    ["bad-event", { ...event, body: Uint8Array.of(1) }],
    ["block-not-on-best-chain", { ...event, blockHash: named("stale") }],
    ["wrong-facts", { ...event, kind: eventKinds.evmBurned }],
    ["wrong-facts", { ...event, kind: 77 }],
  ])("is refused with %s", (code, bad) => {
    expect(verdict(facts, bad)).toBe(code);
  });

  test("to a key that the proved view does not show is not yet", () => {
    expect(verdict(facts, lie({ keyId: 2 }))).toBe("not-yet");
    expect(verdict(facts, lie({ keyId: 3 }))).toBe("not-yet");
  });

  test("above the own tip, or in another block near it, is not yet", () => {
    expect(verdict({ kind: "bitcoin", tip: { hash, height: 9 } }, event)).toBe("not-yet");
    const near = { ...facts, tip: { hash, height: 12 } };
    expect(verdict(near, { ...event, blockHash: named("new branch") })).toBe("not-yet");
  });
});

describe("A log of the gateway", () => {
  const token = addressOf(point("token"));
  const from = addressOf(point("from"));
  const word = (address: Uint8Array): Uint8Array => concat(new Uint8Array(12), address);
  const hex = (bytes: Uint8Array): string => `0x${toHex(bytes)}`;
  const payload = new Uint8Array(32).fill(3);
  const raw = {
    address: hex(gateway),
    topics: [topics.burned, word(token), word(from)].map(hex),
    data: hex(
      concat(
        uintWord(500n),
        bytes32(genesis.networkId),
        uintWord(128n),
        uintWord(7n),
        uintWord(32n),
        payload,
      ),
    ),
  };
  const receipt = {
    blockHash: named("block"),
    height: 5,
    succeeded: true,
    logs: [raw, raw],
    gasUsed: 50_000,
    gasPrice: 3n,
  };
  const facts: EvmFacts = {
    kind: "evm",
    chain: evmChain,
    finalized: { hash: named("final"), height: 6 },
    blockHash: receipt.blockHash,
    receipt,
  };
  const log = parseLog(raw);
  if (isRejected(log)) throw new Error(log.message);
  const stated = must(bodyOf(log, receipt), "body");
  const event: ForeignEvent = {
    ...stated,
    txid: named("txid"),
    index: 1,
    blockHash: receipt.blockHash,
    height: 5,
  };

  test("in a finalized receipt of the own node is true", () => {
    expect(verdict(facts, event)).toBe("true");
    expect(verdict(facts, { ...event, index: 0 })).toBe("true");
  });

  test.each([
    ["log-not-found", facts, { ...event, index: 2 }],
    ["log-not-found", { ...facts, receipt: { ...receipt, succeeded: false } }, event],
    ["wrong-log", facts, { ...event, kind: eventKinds.evmDeposited }],
    ["wrong-log", facts, { ...event, body: concat(event.body, Uint8Array.of(0)) }],
    ["block-not-on-best-chain", facts, { ...event, blockHash: named("stale") }],
    [
      "block-not-on-best-chain",
      { ...facts, receipt: { ...receipt, blockHash: named("elsewhere") } },
      event,
    ],
    [
      "wrong-contract",
      { ...facts, receipt: { ...receipt, logs: [raw, { ...raw, address: hex(token) }] } },
      event,
    ],
    ["wrong-contract", { ...facts, chain: named("another chain") }, event],
  ] as const)("is refused with %s", (code, seen, bad) => {
    expect(verdict(seen as EvmFacts, bad)).toBe(code);
  });

  test("above the finalized block is not yet", () => {
    expect(verdict({ ...facts, finalized: { hash: named("f"), height: 4 } }, event)).toBe(
      "not-yet",
    );
  });

  test("of a batch that ran carries the gas of its receipt", () => {
    const executed = {
      kind: "executed" as const,
      contract: gateway,
      nonce: 4,
      digest: named("digest"),
      failedBitmap: 0n,
      executor: from,
    };
    const other = bodyOf(executed, { gasUsed: 1, gasPrice: 3n });
    expect(bodyOf(executed, receipt)).not.toEqual(other);
  });
});

describe("The contract", () => {
  const blockHash = named("block");
  const code = {
    codeHash: named("code"),
    network: bytes32(genesis.networkId),
    guardiansHash: guardiansHash([addressOf(point("guardian"))], 1),
  };
  const key = xOnly(point("ring 2"));
  const contract = {
    code,
    templateHash: named("template"),
    key: concat(uintWord(2), key),
  };
  const facts: EvmFacts = {
    kind: "evm",
    chain: evmChain,
    finalized: { hash: blockHash, height: 5 },
    blockHash,
    contract,
  };
  const body = {
    contract: gateway,
    codeHash: code.codeHash,
    network: genesis.networkId,
    keyId: 2,
    key,
  };
  const place = { kind: eventKinds.evmContract, txid: blockHash, index: 0, blockHash, height: 5 };
  const event = (change: Partial<typeof body> = {}): ForeignEvent => ({
    ...place,
    body: evmContractCodec.encode({ ...body, ...change }),
  });
  const seen = (change: Partial<typeof contract>): EvmFacts => ({
    ...facts,
    contract: { ...contract, ...change },
  });

  test("with our code, network, guardians and the ring's current key is true (ETH-3)", () => {
    expect(verdict(facts, event())).toBe("true");
  });

  test.each([
    ["wrong-code-hash", facts, event({ codeHash: named("other") })],
    ["wrong-code-hash", seen({ templateHash: named("other") }), event()],
    ["wrong-code-hash", seen({ code: { ...code, guardiansHash: named("other") } }), event()],
    ["wrong-network", seen({ code: { ...code, network: named("other") } }), event()],
    ["wrong-key", seen({ key: concat(uintWord(3), key) }), event()],
    ["wrong-contract", facts, event({ contract: addressOf(point("other")) })],
    ["bad-event", facts, { ...event(), index: 1 }],
  ])("is refused with %s", (expected, own, bad) => {
    expect(verdict(own, bad)).toBe(expected);
  });

  test("with a key that the proved view does not have as the chain's own is not yet", () => {
    expect(verdict(seen({ key: concat(uintWord(1), key) }), event({ keyId: 1 }))).toBe("not-yet");
    expect(verdict(seen({ key: concat(uintWord(5), key) }), event({ keyId: 5 }))).toBe("not-yet");
  });

  test("with a newer key is true once that is active, and with an older one never again (ETH-1)", () => {
    const next = xOnly(point("ring 3"));
    const held = seen({ key: concat(uintWord(3), next) });
    const stated = event({ keyId: 3, key: next });
    const like = must(keys.get(view, 2), "key");
    const put = (active: boolean): void => {
      const record = { ...like, keyId: 3, groupPoint: point("ring 3"), active };
      records.set(toHex(keys.key(3)), keys.codec.encode(record));
    };
    put(false);
    expect(verdict(held, stated)).toBe("not-yet");
    put(true);
    expect(verdict(held, stated)).toBe("true");
    // The own node says which key the contract holds, whatever is active.
    expect(verdict(facts, stated)).toBe("wrong-key");
    expect(verdict(facts, event())).toBe("true");
    records.set(toHex(currentKeys.key(evmChain)), currentKeys.codec.encode({ keyId: 3 }));
    expect(verdict(facts, event())).toBe("not-yet");
    records.set(toHex(currentKeys.key(evmChain)), currentKeys.codec.encode({ keyId: 2 }));
  });

  test("that does not stand there yet is not yet", () => {
    const absent = { kind: "rejected" as const, code: "not-deployed" as const, message: "" };
    expect(verdict(seen({ code: absent as never }), event())).toBe("not-yet");
    const { contract: _, ...without } = facts;
    expect(verdict(without, event())).toBe("not-yet");
  });
});
