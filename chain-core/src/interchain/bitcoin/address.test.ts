// Destinations that a person writes: of this network, payable, or refused with a code that says why (BTC-4).
import { concat, isRejected, toHex } from "@causeway/primitives";
import { publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import { bech32, bech32m } from "@scure/base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatBitcoinAddress, parseBitcoinAddress, scriptType } from "./address.ts";

const hash20 = new Uint8Array(20).fill(7);
const key = xOnly(publicPoint(new Uint8Array(32).fill(1)));
const scripts = {
  p2pkh: concat(Uint8Array.of(0x76, 0xa9, 20), hash20, Uint8Array.of(0x88, 0xac)),
  p2sh: concat(Uint8Array.of(0xa9, 20), hash20, Uint8Array.of(0x87)),
  p2wpkh: concat(Uint8Array.of(0, 20), hash20),
  p2wsh: concat(Uint8Array.of(0, 32), new Uint8Array(32).fill(8)),
  p2tr: concat(Uint8Array.of(0x51, 32), key),
};
const networks = ["mainnet", "testnet4", "regtest"] as const;

function codeOf(network: (typeof networks)[number], text: unknown): string {
  const script = parseBitcoinAddress(network, text);
  return isRejected(script) ? script.code : toHex(script);
}

describe("An address", () => {
  test.each(Object.entries(scripts))(
    "of type %s goes there and back on every network",
    (type, script) => {
      expect(scriptType(script)).toBe(type);
      for (const network of networks) {
        const text = formatBitcoinAddress(network, script);
        expect(codeOf(network, text)).toBe(toHex(script));
      }
    },
  );

  test.each([
    ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"],
    ["1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "76a91477bff20c60e522dfaa3350c39b030a5d004e839a88ac"],
  ])("that the world knows (%s) is its script", (text, script) => {
    expect(codeOf("mainnet", text)).toBe(script);
  });

  test("of another network is told from a malformed one", () => {
    const mainnet = formatBitcoinAddress("mainnet", scripts.p2wpkh) ?? "";
    expect(codeOf("regtest", mainnet)).toBe("wrong-network");
    expect(codeOf("regtest", formatBitcoinAddress("mainnet", scripts.p2pkh))).toBe("wrong-network");
    expect(codeOf("mainnet", formatBitcoinAddress("testnet4", scripts.p2tr))).toBe("wrong-network");
    expect(codeOf("mainnet", `${mainnet.slice(0, -1)}q`)).toBe("bad-address");
    for (const bad of ["", "x", 7, null, undefined, "1".repeat(40), "bc1", `0x${"11".repeat(20)}`])
      expect(codeOf("mainnet", bad)).toBe("bad-address");
  });

  test("of a type that nobody could spend is refused: P2TR without a point, later witness versions", () => {
    const off = new Uint8Array(32).fill(0xff);
    const taproot = bech32m.encode("bcrt", [1, ...bech32m.toWords(off)]);
    expect(codeOf("regtest", taproot)).toBe("unpayable-address");
    const later = bech32m.encode("bcrt", [2, ...bech32m.toWords(key)]);
    expect(codeOf("regtest", later)).toBe("unpayable-address");
    const anchor = bech32m.encode("bcrt", [1, ...bech32m.toWords(Uint8Array.of(0x4e, 0x73))]);
    expect(codeOf("regtest", anchor)).toBe("unpayable-address");
  });

  test("with the checksum of another witness version is refused (BIP350)", () => {
    const v1 = bech32.encode("bcrt", [1, ...bech32.toWords(key)]);
    expect(codeOf("regtest", v1)).toBe("bad-address");
    const v0 = bech32m.encode("bcrt", [0, ...bech32m.toWords(hash20)]);
    expect(codeOf("regtest", v0)).toBe("bad-address");
  });

  test("of random text never throws", () => {
    fc.assert(fc.property(fc.string({ maxLength: 120 }), (text) => void codeOf("regtest", text)));
  });

  test("does not exist for a script that is not payable", () => {
    for (const script of [
      new Uint8Array(0),
      Uint8Array.of(0x6a),
      concat(Uint8Array.of(0x52, 32), key),
    ])
      expect(formatBitcoinAddress("regtest", script)).toBeUndefined();
  });
});
