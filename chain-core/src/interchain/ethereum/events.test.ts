import { readFileSync } from "node:fs";
import { isRejected, toHex } from "@causeway/primitives";
import { Interface } from "ethers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GatewayEvent, RawLog } from "./events.ts";
import { parseLog, topics } from "./events.ts";

const artifact = JSON.parse(
  readFileSync(new URL("../../../../contracts/artifacts/Gateway.json", import.meta.url), "utf8"),
);
const abi = new Interface(artifact.abi);
const hex = (bytes: Uint8Array): string => `0x${toHex(bytes)}`;
const address = `0x${"c0".repeat(20)}`;

/** A log as the contract writes it, by ethers. */
function logOf(name: string, values: unknown[]): RawLog {
  const { data, topics } = abi.encodeEventLog(name, values);
  return { address, data, topics };
}

const bytes = (size: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: size, maxLength: size });
const amounts = fc.bigInt({ min: 1n, max: (1n << 128n) - 1n });

function parsed(log: RawLog): GatewayEvent {
  const event = parseLog(log);
  if (isRejected(event)) throw new Error(event.message);
  return event;
}

const codeOf = (log: unknown): string => {
  const event = parseLog(log as RawLog);
  return isRejected(event) ? event.code : "ok";
};

describe("parseLog", () => {
  test("the topics are those of the contract's ABI", () => {
    for (const [name, topic] of [
      ["Deposited", topics.deposited],
      ["Burned", topics.burned],
      ["Executed", topics.executed],
      ["KeySet", topics.keySet],
    ] as const)
      expect(hex(topic)).toBe(abi.getEvent(name)?.topicHash);
  });

  test("a deposit and a burn come back as they were", () => {
    const payloads = fc.uint8Array({ minLength: 1, maxLength: 128 });
    const transfers = fc.tuple(bytes(20), bytes(20), amounts, bytes(32), payloads, amounts);
    fc.assert(
      fc.property(transfers, ([token, from, amount, chain, payload, maxFee]) => {
        for (const name of ["Deposited", "Burned"]) {
          const values = [hex(token), hex(from), amount, chain, payload, maxFee];
          const event = parsed(logOf(name, values));
          expect(event).toMatchObject({ kind: name.toLowerCase(), amount, maxFee });
          if (event.kind !== "deposited" && event.kind !== "burned") throw new Error("kind");
          expect([event.token, event.from]).toEqual([token, from]);
          expect(event.destination).toEqual({ chain, payload });
          expect(hex(event.contract)).toBe(address);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("an execution and a new key come back as they were", () => {
    const executor = `0x${"ee".repeat(20)}`;
    const bitmap = (1n << 50n) - 1n;
    const digest = `0x${"cd".repeat(32)}`;
    const executed = parsed(logOf("Executed", [9, digest, bitmap, executor]));
    expect(executed).toMatchObject({ kind: "executed", nonce: 9, failedBitmap: bitmap });
    if (executed.kind !== "executed") throw new Error("kind");
    expect(hex(executed.digest)).toBe(digest);
    expect(hex(executed.executor)).toBe(executor);
    const key = `0x${"ab".repeat(32)}`;
    const keySet = parsed(logOf("KeySet", [0, 7, key]));
    expect(keySet).toMatchObject({ kind: "key-set", nonce: 0, keyId: 7 });
    if (keySet.kind !== "key-set") throw new Error("kind");
    expect(hex(keySet.key)).toBe(key);
  });

  test("another event is told from a malformed one", () => {
    expect(codeOf(logOf("PauseSet", [1, 2]))).toBe("other-event");
    expect(codeOf({ address, topics: [], data: "0x" })).toBe("bad-log");
    expect(codeOf({ address, topics: [hex(topics.executed)], data: "0x" })).toBe("bad-log");
  });

  const good = logOf("Deposited", [address, address, 5n, `0x${"01".repeat(32)}`, "0x0203", 1n]);
  const word = (log: RawLog, index: number, value: string): RawLog => {
    const start = 2 + index * 64;
    const data = log.data.slice(0, start) + value.padStart(64, "0") + log.data.slice(start + 64);
    return { ...log, data };
  };

  test("data that Solidity would not have written is refused", () => {
    expect(codeOf(good)).toBe("ok");
    const wrong: RawLog[] = [
      word(good, 0, "0"),
      word(good, 0, `1${"0".repeat(32)}`),
      word(good, 2, "a0"),
      word(good, 3, `1${"0".repeat(32)}`),
      word(good, 4, "0"),
      word(good, 4, "81"),
      word(good, 4, "ff".repeat(32)),
      word(good, 5, `0203${"0".repeat(59)}1`),
      { ...good, data: `${good.data}${"00".repeat(32)}` },
      { ...good, data: good.data.slice(0, -64) },
      { ...good, data: "0x" },
      { ...good, data: "nonsense" },
      { ...good, data: `0x${"00".repeat(100_000)}` },
      { ...good, address: "0x01" },
      { ...good, topics: good.topics.slice(0, 2) },
      {
        ...good,
        topics: [good.topics[0] as string, `0x${"11".repeat(32)}`, good.topics[2] as string],
      },
      { ...good, topics: [...good.topics, good.topics[2] as string, good.topics[2] as string] },
    ];
    for (const [index, log] of wrong.entries())
      expect(codeOf(log), `case ${index}`).toBe("bad-log");
  });

  test("numbers beyond their type are refused", () => {
    const executed = logOf("Executed", [9, `0x${"cd".repeat(32)}`, 1n, address]);
    expect(codeOf(word(executed, 1, `4${"0".repeat(12)}`))).toBe("bad-log");
    const nonce = `0x${"20000000000000".padStart(64, "0")}`;
    const [first, , third] = executed.topics as [string, string, string];
    expect(codeOf({ ...executed, topics: [first, nonce, third] })).toBe("bad-log");
  });

  test("nothing from outside makes it throw", () => {
    const names = Object.values(topics).map(hex);
    const texts = fc.oneof(fc.string(), fc.constantFrom(...names), bytes(32).map(hex));
    const logs = fc.record({
      address: fc.oneof(fc.constant(address), fc.string()),
      topics: fc.array(texts, { maxLength: 6 }),
      data: fc.oneof(fc.string(), fc.uint8Array({ maxLength: 400 }).map(hex)),
    });
    fc.assert(fc.property(logs, (log) => parseLog(log) !== undefined));
    for (const strange of [null, 5, {}, ["x"]])
      expect(codeOf({ address, data: "0x", topics: strange })).toBe("bad-log");
  });
});
