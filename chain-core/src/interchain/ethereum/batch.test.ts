import { readFileSync } from "node:fs";
import type { NetworkId } from "@causeway/primitives";
import { concat, fromHex, isRejected, sha256, toHex, utf8 } from "@causeway/primitives";
import { publicPoint, signSchnorr, xOnly } from "@causeway/primitives/secp256k1";
import { AbiCoder, Interface } from "ethers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Batch, Domain, Item, RingSeal } from "./batch.ts";
import * as ethereum from "./batch.ts";

const artifact = JSON.parse(
  readFileSync(new URL("../../../../contracts/artifacts/Gateway.json", import.meta.url), "utf8"),
);
const abi = new Interface(artifact.abi);
const coder = AbiCoder.defaultAbiCoder();
const hex = (bytes: Uint8Array): string => `0x${toHex(bytes)}`;

const network = sha256(utf8("a network")) as unknown as NetworkId;
const domain: Domain = { network, chainId: 31337n, contract: new Uint8Array(20).fill(0xc0) };
const secret = sha256(utf8("a key"));
const sealOf = (digest: Uint8Array): RingSeal => ({
  key: xOnly(publicPoint(secret)),
  signature: signSchnorr(secret, digest, new Uint8Array(32)),
});
const address = (byte: number): Uint8Array => new Uint8Array(20).fill(byte);
const item: Item = { kind: 1, token: address(1), to: address(2), amount: 5n };
const batch: Batch = { keyId: 3, nonce: 9, stipend: 50_000, overhead: 20_000, items: [item] };

/** FMT-1 spelled out. */
function tagged(what: string, message: string): string {
  const tag = sha256(utf8(`causeway/${what}/v1`));
  return toHex(sha256(concat(tag, tag, network, fromHex(message))));
}

const items = fc.array(
  fc.record({
    kind: fc.integer({ min: 1, max: 3 }),
    token: fc.uint8Array({ minLength: 20, maxLength: 20 }),
    to: fc.uint8Array({ minLength: 20, maxLength: 20 }),
    amount: fc.bigInt({ min: 1n, max: (1n << 128n) - 1n }),
  }),
  { minLength: 1, maxLength: 50 },
);
const batches: fc.Arbitrary<Batch> = fc.record({
  keyId: fc.integer({ min: 1, max: 0xffff_ffff }),
  nonce: fc.maxSafeNat().map((nonce) => Math.max(1, nonce)),
  stipend: fc.integer({ min: 1, max: 60_000 }),
  overhead: fc.integer({ min: 16_000, max: 1_000_000 }),
  items,
});

describe("digests", () => {
  test("a batch's digest is H over the ABI encoding of all its fields (ETH-3)", () => {
    fc.assert(
      fc.property(batches, (some) => {
        const packed = ethereum.encodeItems(some.items);
        expect(packed.length).toBe(some.items.length * ethereum.itemSize);
        const fields = [some.keyId, some.nonce, some.stipend, some.overhead];
        const message = coder.encode(
          ["uint256", "address", "uint32", "uint64", "uint32", "uint32", "bytes"],
          [domain.chainId, hex(domain.contract), ...fields, packed],
        );
        expect(toHex(ethereum.batchDigest(domain, some))).toBe(tagged("eth-batch", message));
      }),
      { numRuns: 30 },
    );
  });

  test("the other messages are H over their fields, each with its tag", () => {
    const slot = { keyId: 3, nonce: 9 };
    const start = [domain.chainId, hex(domain.contract), 3, 9];
    const types = ["uint256", "address", "uint32", "uint64"];
    const key = sha256(utf8("x"));
    const cases: [string, Uint8Array, string[], unknown[]][] = [
      ["eth-heartbeat", ethereum.heartbeatDigest(domain, slot), [], []],
      [
        "eth-set-key",
        ethereum.setKeyDigest(domain, slot, { keyId: 4, key }),
        ["uint32", "bytes32"],
        [4, key],
      ],
      [
        "eth-set-token",
        ethereum.setTokenDigest(domain, slot, { token: address(7), status: 2, capacity: 8n }),
        ["address", "uint8", "uint104"],
        [hex(address(7)), 2, 8n],
      ],
      [
        "eth-set-pause",
        ethereum.setPauseDigest(domain, slot, { inUntil: 5, outUntil: 6 }),
        ["uint40", "uint40"],
        [5, 6],
      ],
      [
        "eth-move-minter",
        ethereum.moveMinterDigest(domain, slot, { token: address(7), minter: address(8) }),
        ["address", "address"],
        [hex(address(7)), hex(address(8))],
      ],
    ];
    for (const [what, digest, more, values] of cases) {
      const message = coder.encode([...types, ...more], [...start, ...values]);
      expect(toHex(digest), what).toBe(tagged(what, message));
    }
  });

  test("the digest of a batch is frozen", () => {
    expect(toHex(ethereum.batchDigest(domain, batch))).toMatchInlineSnapshot(
      `"1ad7f9d67207417c8c60f51358ef4b0dfcf09150b81967cc7c51335722c347fc"`,
    );
  });
});

describe("calls", () => {
  const seal = sealOf(ethereum.batchDigest(domain, batch));
  const words = ethereum.sealWords(seal);
  const signature = [0, 1, 2, 3].map((i) => hex(words.subarray(i * 32, i * 32 + 32)));

  test("the seal names key, R and s, and R's even y", () => {
    expect(words.subarray(0, 32)).toEqual(seal.key);
    expect(words.subarray(32, 64)).toEqual(seal.signature.subarray(0, 32));
    expect(words.subarray(96)).toEqual(seal.signature.subarray(32));
    expect((words[95] as number) % 2).toBe(0);
  });

  test("execute is what ethers makes of the contract's ABI", () => {
    fc.assert(
      fc.property(batches, (some) => {
        const { keyId, nonce, stipend, overhead } = some;
        const packed = ethereum.encodeItems(some.items);
        const struct = [keyId, nonce, stipend, overhead, packed];
        const expected = abi.encodeFunctionData("execute", [struct, signature]);
        expect(hex(ethereum.executeCall(some, seal))).toBe(expected);
      }),
      { numRuns: 30 },
    );
  });

  test("every other call is what ethers makes of the contract's ABI", () => {
    const slot = { keyId: 3, nonce: 9 };
    const key = sha256(utf8("x"));
    const setting = { token: address(7), status: 2, capacity: 8n };
    const calls: [string, Uint8Array, unknown[]][] = [
      [
        "claim",
        ethereum.claimCall(9, 5n, 2, [item, item, item]),
        [9, 5n, 2, ethereum.encodeItems([item, item, item])],
      ],
      ["setKey", ethereum.setKeyCall(slot, { keyId: 4, key }, seal), [3, 9, 4, key, signature]],
      ["heartbeat", ethereum.heartbeatCall(slot, seal), [3, 9, signature]],
      [
        "setToken",
        ethereum.setTokenCall(slot, setting, seal),
        [3, 9, [hex(address(7)), 2, 8n], signature],
      ],
      [
        "setPause",
        ethereum.setPauseCall(slot, { inUntil: 5, outUntil: 6 }, seal),
        [3, 9, 5, 6, signature],
      ],
      [
        "moveMinter",
        ethereum.moveMinterCall(slot, { token: address(7), minter: address(8) }, seal),
        [3, 9, hex(address(7)), hex(address(8)), signature],
      ],
    ];
    for (const [name, data, values] of calls)
      expect(hex(data), name).toBe(abi.encodeFunctionData(name, values));
  });

  test("a chain id is the big-endian number in 32 bytes (FMT-8)", () => {
    expect(ethereum.chainIdOf(fromHex("7a69".padStart(64, "0")))).toBe(31337n);
  });
});

describe("limits (ETH-2)", () => {
  const codeOf = (change: Partial<Batch>): string => {
    const answer = ethereum.checkBatch({ ...batch, ...change });
    return isRejected(answer) ? answer.code : "ok";
  };
  const many = (count: number): Item[] => Array.from({ length: count }, () => item);

  test("at the default stipend 50 items fit, and no more", () => {
    expect(codeOf({ items: many(50) })).toBe("ok");
    expect(codeOf({ items: many(51) })).toBe("bad-batch");
    expect(codeOf({ items: [] })).toBe("bad-batch");
  });

  test("a large stipend leaves room for fewer items, within 5 M gas together", () => {
    expect(ethereum.itemsMaxAt(50_000)).toBe(50);
    expect(ethereum.itemsMaxAt(126_000)).toBe(30);
    expect(ethereum.batchGas(126_000, 30)).toBe(5_000_000);
    expect(codeOf({ stipend: 126_000, items: many(30) })).toBe("ok");
    expect(codeOf({ stipend: 126_001, items: many(30) })).toBe("bad-batch");
    expect(ethereum.itemsMaxAt(10_000_000)).toBe(0);
  });

  test("numbers out of range are refused", () => {
    const wrong: Partial<Batch>[] = [
      { keyId: 0 },
      { keyId: 2 ** 32 },
      { nonce: 0 },
      { nonce: 2 ** 53 },
      { stipend: 0 },
      { stipend: 1.5 },
      { overhead: 15_999 },
      { items: [{ ...item, kind: 0 }] },
      { items: [{ ...item, kind: 4 }] },
      { items: [{ ...item, amount: 0n }] },
      { items: [{ ...item, amount: 1n << 128n }] },
      { items: [{ ...item, to: new Uint8Array(19) }] },
      { items: [{ ...item, token: new Uint8Array(21) }] },
    ];
    for (const change of wrong) expect(codeOf(change)).toBe("bad-batch");
    expect(codeOf({})).toBe("ok");
  });
});
