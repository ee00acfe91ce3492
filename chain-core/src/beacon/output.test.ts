import type { NetworkId } from "@causeway/primitives";
import { sha256, toHex, utf8 } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { beaconField, mersenneField } from "./field.ts";
import type { Round } from "./output.ts";
import {
  delaySegment,
  delayStart,
  enoughPower,
  mixOf,
  nextSeed,
  outputOf,
  subSeed,
} from "./output.ts";
import { advance, verifySegment } from "./sloth.ts";

const network = sha256(utf8("network")) as Uint8Array as NetworkId;
const seed = sha256(utf8("seed"));
const round: Round = { network, epoch: 3, seed };
const contributions = [
  { seat: 0, solution: 5n },
  { seat: 3, solution: 6n },
  { seat: 300, solution: beaconField.p - 1n },
];

describe("output (BCN-3, BCN-4)", () => {
  test("frozen", () => {
    const mix = mixOf(beaconField, round, contributions);
    const { value } = advance(beaconField, delayStart(beaconField, mix), 10);
    const output = outputOf(beaconField, round, mix, value);
    const hashes = [
      mix,
      output,
      nextSeed(round, undefined),
      subSeed(network, output, "ring"),
      subSeed(network, output, "user", Uint8Array.of(1)),
    ];
    expect(hashes.map(toHex)).toMatchInlineSnapshot(`
      [
        "7b41bffa26036bb3bdbcbe19c09f9742b0cc346db0b91b81e2134c0615b5b651",
        "2ac8f9fff0b4df78870af9b4953a516d00dab0355fac759f450869edd569ffae",
        "a17bb29034f9e772e4aafa14c34791cefbfcd1b94dd62fd63917a786d193b3af",
        "aefb423725f41dc3f45aef788aad923767345f14be22a496ee63e5345e10c980",
        "cb003a2fcbcb8de47bad28523f6e0b12db0c3f0d73d6e9264d9d550b2fe686f9",
      ]
    `);
    expect(nextSeed(round, output)).toBe(output);
  });

  test("the mix does not depend on the order of arrival, and on everything else", () => {
    const mix = mixOf(beaconField, round, contributions);
    fc.assert(
      fc.property(fc.shuffledSubarray(contributions, { minLength: 0, maxLength: 3 }), (some) => {
        const same = some.length === contributions.length;
        expect(toHex(mixOf(beaconField, round, some)) === toHex(mix)).toBe(same);
      }),
    );
    const others = [
      mixOf(beaconField, { ...round, epoch: 4 }, contributions),
      mixOf(beaconField, { ...round, seed: mix }, contributions),
      mixOf(
        beaconField,
        round,
        contributions.map((one) => ({ ...one, seat: one.seat + 1 })),
      ),
    ];
    for (const other of others) expect(other).not.toEqual(mix);
    expect(() => mixOf(beaconField, round, [...contributions, { seat: 3, solution: 7n }])).toThrow(
      "seat 3 contributes twice",
    );
  });

  test("the delay in segments is the delay", () => {
    const field = mersenneField(89);
    const start = delayStart(field, mixOf(field, round, []));
    let value = start.value;
    for (let index = 0; index < 5; index++) {
      const end = advance(field, { index: index * 100, value }, 100).value;
      expect(verifySegment(field, delaySegment(100, index, value, end))).toBe(true);
      expect(verifySegment(field, delaySegment(100, index + 1, value, end))).toBe(false);
      value = end;
    }
    expect(value).toBe(advance(field, start, 500).value);
  });

  test("a third of the power makes an output, less does not", () => {
    expect(enoughPower(33n, 99n)).toBe(true);
    expect(enoughPower(33n, 100n)).toBe(false);
    expect(enoughPower(0n, 0n)).toBe(false);
  });

  test("sub-seeds of different uses differ, wherever the border between them lies", () => {
    const uses = [
      subSeed(network, seed, "ab", utf8("c")),
      subSeed(network, seed, "a", utf8("bc")),
      subSeed(network, seed, "abc"),
      subSeed(network, sha256(seed), "abc"),
    ];
    expect(new Set(uses.map(toHex)).size).toBe(4);
  });
});
