// Bitcoin's header rules, by cases of Bitcoin Core's own tests (pow_tests.cpp) and by mined regtest headers.
import { concat, fromHex, isRejected, must, sha256, utf8, zero32 } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { littleEndian } from "./bytes.ts";
import type { Ancestry, ChainHeader } from "./headers.ts";
import {
  bitsOf,
  checkpointHeader,
  extendChain,
  hasProofOfWork,
  parseHeader,
  requiredBits,
  targetOf,
  workOf,
} from "./headers.ts";

type Network = Ancestry["chain"]["network"];

function headerBytes(
  of: Partial<{ parent: Uint8Array; time: number; bits: number; version: number; nonce: number }>,
): Uint8Array {
  const { parent = zero32, time = 0, bits = 0x207fffff, version = 0x20000000, nonce = 0 } = of;
  const root = sha256(utf8("root"));
  const fields = [littleEndian(version, 4), parent, root, littleEndian(time, 4)];
  return concat(...fields, littleEndian(bits, 4), littleEndian(nonce, 4));
}

/** A header that stands in a chain at a height, whatever its proof of work. */
function at(height: number, time: number, bits: number): ChainHeader {
  return { ...parseHeader(headerBytes({ time, bits })), height, work: 0n };
}

/** A chain of which only the period's first header and the tip matter. */
function ancestry(network: Network, first: ChainHeader, tip: ChainHeader): Ancestry {
  const checkpoint = { height: first.height, header: first.bytes, periodStart: first.time };
  const known = new Map([first, tip].map((one) => [one.height, one]));
  return { chain: { network, checkpoint }, tip, at: (height) => known.get(height), now: 2e9 };
}

describe("Compact targets", () => {
  test.each([
    [0x1d00ffff, 0xffffn << 208n],
    [0x207fffff, 0x7fffffn << 232n],
    [0x1b0404cb, 0x0404cbn << 192n],
    [0x01123456, 0x12n],
    [0x02123456, 0x1234n],
  ])("%s is its target", (bits, target) => {
    expect(targetOf(bits)).toBe(target);
  });

  test.each([[0], [0x01003456], [0x1d80ffff], [0x01fedcba], [0xff123456], [0x2300ffff]])(
    "%s is no target: zero, negative or above 2^256",
    (bits) => {
      expect(targetOf(bits)).toBeUndefined();
    },
  );

  test("round down and never set the sign", () => {
    expect(bitsOf(0x80n)).toBe(0x02008000);
    expect(bitsOf(0xffffn << 208n)).toBe(0x1d00ffff);
    expect(bitsOf(0x12345678n)).toBe(0x04123456);
  });

  test("of difficulty 1 stands for 4,295,032,833 hashes", () => {
    expect(workOf(0x1d00ffff)).toBe(4_295_032_833n);
  });
});

describe("The difficulty of the next period", () => {
  // Height of the last block, times of the first and last, bits before and after: Core's pow_tests.cpp.
  test.each([
    [32_255, 1_261_130_161, 1_262_152_739, 0x1d00ffff, 0x1d00d86a],
    [2_015, 1_231_006_505, 1_233_061_996, 0x1d00ffff, 0x1d00ffff],
    [68_543, 1_279_008_237, 1_279_297_671, 0x1c05a3f4, 0x1c0168fd],
    [46_367, 1_263_163_443, 1_269_211_443, 0x1c387f6f, 0x1d00e1fd],
  ])("after height %s on mainnet is Core's", (height, start, end, before, after) => {
    const chain = ancestry("mainnet", at(height - 2015, start, before), at(height, end, before));
    expect(requiredBits(chain, end + 600)).toBe(after);
  });

  test("starts on testnet4 from the period's first block, which no late block made easy (BIP94)", () => {
    const first = at(2016, 1_000_000, 0x1c05a3f4);
    const tip = at(4031, 1_000_000 + 14 * 24 * 3600, 0x1d00ffff);
    expect(requiredBits(ancestry("testnet4", first, tip), tip.time + 1)).toBe(0x1c05a3f4);
    expect(requiredBits(ancestry("mainnet", first, tip), tip.time + 1)).toBe(0x1d00ffff);
  });

  test("never changes on regtest", () => {
    const first = at(0, 1, 0x207fffff);
    expect(requiredBits(ancestry("regtest", first, at(2015, 5, 0x207fffff)), 6)).toBe(0x207fffff);
  });
});

describe("Within a period", () => {
  const first = at(2016, 1_000_000, 0x1c05a3f4);
  const easy = at(2020, 1_002_000, 0x1d00ffff);

  test("mainnet keeps the difficulty", () => {
    const tip = at(2020, 1_002_000, 0x1c05a3f4);
    expect(requiredBits(ancestry("mainnet", first, tip), 9_999_999)).toBe(0x1c05a3f4);
  });

  test("testnet4 allows the least difficulty 20 minutes late, and asks for the true one otherwise", () => {
    const chain = ancestry("testnet4", first, easy);
    expect(requiredBits(chain, easy.time + 1_200)).toBe(0x1c05a3f4);
    expect(requiredBits(chain, easy.time + 1_201)).toBe(0x1d00ffff);
  });
});

describe("A header of regtest", () => {
  const now = 1_800_000_000;
  const base = must(chainOf(1)[0], "checkpoint");

  /** `count` linked headers, each a second after the one before, with real proof of work. */
  function chainOf(count: number): ChainHeader[] {
    const chain: ChainHeader[] = [];
    for (let height = 0; height < count; height++) {
      const parent = chain.at(-1);
      const header = mined({ parent: parent?.hash ?? zero32, time: now + height });
      chain.push({ ...header, height, work: (parent?.work ?? 0n) + workOf(header.bits) });
    }
    return chain;
  }

  function mined(of: Parameters<typeof headerBytes>[0]): ReturnType<typeof parseHeader> {
    for (let nonce = 0; ; nonce++) {
      const header = parseHeader(headerBytes({ ...of, nonce }));
      if (hasProofOfWork("regtest", header)) return header;
    }
  }

  function on(chain: readonly ChainHeader[], ledgerTime = now + 100): Ancestry {
    const first = must(chain[0], "checkpoint");
    const checkpoint = { height: first.height, header: first.bytes, periodStart: first.time };
    const tip = must(chain.at(-1), "tip");
    return {
      chain: { network: "regtest", checkpoint },
      tip,
      at: (height) => chain.find((one) => one.height === height),
      now: ledgerTime,
    };
  }

  function code(answer: ReturnType<typeof extendChain>): string {
    return isRejected(answer) ? answer.code : "ok";
  }

  test("extends its parent and adds its work", () => {
    const header = mined({ parent: base.hash, time: now + 1 });
    const next = extendChain(on([base]), header);
    expect(next).toMatchObject({ height: 1, work: base.work + 2n });
  });

  test("is refused with another parent, version, difficulty or without work", () => {
    const chain = on([base]);
    const time = now + 1;
    expect(code(extendChain(chain, mined({ parent: zero32, time })))).toBe("unknown-parent");
    expect(code(extendChain(chain, mined({ parent: base.hash, time, version: 3 })))).toBe(
      "bad-version",
    );
    const bits = 0x1d00ffff;
    expect(
      code(extendChain(chain, parseHeader(headerBytes({ parent: base.hash, time, bits })))),
    ).toBe("bad-difficulty");
    let nonce = 0;
    let lazy = parseHeader(headerBytes({ parent: base.hash, time, nonce }));
    while (hasProofOfWork("regtest", lazy)) {
      nonce += 1;
      lazy = parseHeader(headerBytes({ parent: base.hash, time, nonce }));
    }
    expect(code(extendChain(chain, lazy))).toBe("bad-work");
  });

  test("must be after the median of the last eleven, and at most two hours ahead of the ledger", () => {
    const chain = chainOf(12);
    const tip = must(chain.at(-1), "tip");
    const median = now + 6;
    const old = mined({ parent: tip.hash, time: median });
    expect(code(extendChain(on(chain), old))).toBe("time-too-old");
    expect(code(extendChain(on(chain), mined({ parent: tip.hash, time: median + 1 })))).toBe("ok");
    const ahead = mined({ parent: tip.hash, time: now + 7_301 });
    expect(code(extendChain(on(chain), ahead))).toBe("time-too-new");
    expect(code(extendChain(on(chain, now + 101), ahead))).toBe("ok");
  });
});

describe("A checkpoint", () => {
  test("of testnet4 starts a period, and every one has proof of work", () => {
    // Block 0 of regtest, as every node has it.
    const header = fromHex(
      `01000000${"00".repeat(32)}3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000`,
    );
    const of = (network: Network, height: number): unknown =>
      checkpointHeader({ network, checkpoint: { height, header, periodStart: 0 } });
    expect(of("regtest", 0)).toMatchObject({ height: 0, work: 0n });
    expect(of("mainnet", 0)).toMatchObject({ code: "bad-checkpoint" });
    // Block 0 of mainnet has enough work for testnet4's limit.
    const mainnet = fromHex(
      `01000000${"00".repeat(32)}3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c`,
    );
    const periodStart = 0;
    const testnet4 = (height: number): unknown =>
      checkpointHeader({
        network: "testnet4",
        checkpoint: { height, header: mainnet, periodStart },
      });
    expect(testnet4(2016)).toMatchObject({ height: 2016 });
    expect(testnet4(2017)).toMatchObject({ code: "bad-checkpoint" });
  });
});
