import { isRejected, zero32 } from "@causeway/primitives";
import { getAddress } from "ethers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assetId, btm, formatAddress, formatAsset, formatLock, parseLock } from "./assets.ts";
import { testGenesis } from "./testing.ts";

describe("a lock as text (FMT-4)", () => {
  test("is read back for any 32 bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.boolean(), (bytes, isKey) => {
        if (isKey) bytes.fill(0, 0, 12);
        expect(parseLock(formatLock(bytes))).toEqual(bytes);
      }),
    );
  });

  test("of a key is the address in the case that Ethereum uses", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (address) => {
        const text = formatAddress(address);
        expect(text).toBe(getAddress(text.toLowerCase()));
      }),
    );
  });

  test("is refused with a wrong checksum, of another length or kind", () => {
    const address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    expect(isRejected(parseLock(address))).toBe(false);
    expect(isRejected(parseLock(address.toLowerCase()))).toBe(false);
    const other = formatLock(new Uint8Array(32).fill(1));
    for (const bad of [
      address.replace("5aA", "5AA"),
      address.slice(0, -1),
      address.slice(2),
      other.slice(0, -1),
      other.replace("cw1", "bc1"),
      `${address}00`,
      "",
      undefined,
      7,
    ])
      expect(parseLock(bad)).toMatchObject({ code: "bad-lock" });
  });
});

test("asset ids differ between networks, and amounts carry their symbol", () => {
  const [one, two] = [testGenesis(1), testGenesis(2)];
  expect(btm(one)).not.toEqual(btm(two));
  expect(assetId(one, "BBTC")).not.toEqual(btm(one));
  expect(assetId(one, "XYZ")).toBeUndefined();
  expect(formatAsset(one, btm(one), 150_000_000n)).toBe("1.5 BTM");
  expect(formatAsset(one, zero32, 5n)).toBe(`5 0x${"00".repeat(32)}`);
});
