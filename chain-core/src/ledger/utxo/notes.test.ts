// What a transaction says besides: a memo, and the heights that it is for.
import { isRejected, utf8 } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoCodec, memoSizeMax } from "../../codec/action.ts";
import { blockContext } from "../context.ts";
import { ledgerEnv } from "../env.ts";
import { genesisState } from "../genesis-state.ts";
import { memoryState } from "../memory-state.ts";
import type { ActionContext } from "../rule.ts";
import { testBls, testGenesis, testHash } from "../testing.ts";
import { memoRule } from "./memo.ts";
import { withinRule } from "./within.ts";

const genesis = testGenesis(1);
const state = memoryState(genesisState(genesis));
const contextAt = (height: number): ActionContext => ({
  ...blockContext(ledgerEnv(genesis, testBls), state, { height, time: genesis.time + 1 }),
  txid: testHash(genesis.networkId, 1),
  position: 0,
});

describe("a memo", () => {
  const rendered = (text: string): string =>
    memoRule.describe?.(genesis, { text: utf8(text) }) ?? "";

  test("is UTF-8 of 1 to 128 bytes", () => {
    const codeOf = (text: Uint8Array): string | undefined =>
      memoRule.validate(contextAt(1), { text })?.code;
    expect(codeOf(utf8("rent for May, Zürich 漢字"))).toBeUndefined();
    expect(codeOf(new Uint8Array(0))).toBe("bad-memo");
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]])
      expect(codeOf(Uint8Array.from(bytes))).toBe("bad-memo");
    const ofSize = (size: number): Uint8Array => memoCodec.encode({ text: new Uint8Array(size) });
    expect(isRejected(memoCodec.parse(ofSize(memoSizeMax)))).toBe(false);
    expect(isRejected(memoCodec.parse(ofSize(memoSizeMax + 1)))).toBe(true);
  });

  test("is shown as it is, but for what would deceive who signs it", () => {
    expect(rendered("rent for May, Zürich 漢字")).toBe('memo "rent for May, Zürich 漢字"');
    expect(rendered('a"\n\\b')).toBe('memo "a\\u{22}\\u{a}\\u{5c}b"');
    expect(rendered("a\u202eb\u200b\ufeff")).toBe('memo "a\\u{202e}b\\u{200b}\\u{feff}"');
  });

  test("has a text of its own: no two are shown alike, none ends its quotes", () => {
    const letters = [..."au{}2é漢", '"', "\\", "\n", "\u200b", "\u{e0001}"];
    const texts = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        expect(rendered(one) === rendered(other)).toBe(one === other);
        expect(rendered(one)).toMatch(/^memo "[^"]*"$/);
      }),
    );
  });
});

test("a range of heights holds from its first to its last block", () => {
  fc.assert(
    fc.property(fc.nat(20), fc.nat(20), fc.nat(20), (from, to, height) => {
      const code = withinRule.validate(contextAt(height), { from, to })?.code;
      if (from > to) expect(code).toBe("empty-range");
      else if (height < from) expect(code).toBe("too-early");
      else expect(code).toBe(height > to ? "too-late" : undefined);
    }),
  );
  expect(withinRule.describe?.(genesis, { from: 5, to: 9 })).toBe("Only in blocks 5 to 9");
});
