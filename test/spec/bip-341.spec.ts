// BIP341 by its wallet vectors: output keys, control blocks, addresses and every signature hash.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromHex, toHex } from "@causeway/primitives";
import { liftX } from "@causeway/primitives/secp256k1";
import { describe, expect, test } from "vitest";
import {
  formatBitcoinAddress,
  parseBitcoinAddress,
} from "../../chain-core/src/interchain/bitcoin/address.ts";
import { leafHash } from "../../chain-core/src/interchain/bitcoin/scripts.ts";
import {
  encodeTransaction,
  parseTransaction,
  sighash,
} from "../../chain-core/src/interchain/bitcoin/transaction.ts";
import { outputKey, taprootTweak } from "../../chain-core/src/ring/tweak.ts";
import { countCases, familyFolder } from "./families.ts";

type Output = {
  given: { internalPubkey: string; scriptTree: { script: string; leafVersion: number } | null };
  intermediary: { merkleRoot: string | null; leafHashes?: string[] };
  expected: { scriptPubKey: string; bip350Address: string };
};
type Spending = {
  given: { rawUnsignedTx: string; utxosSpent: { scriptPubKey: string; amountSats: number }[] };
  inputSpending: {
    given: { txinIndex: number; hashType: number };
    intermediary: { sigHash: string };
  }[];
  auxiliary: { fullySignedTx: string };
};
const file = join(familyFolder("bip341") ?? "none", "wallet-test-vectors.json");
const present = existsSync(file);
const vectors = present
  ? (JSON.parse(readFileSync(file, "utf8")) as {
      scriptPubKey: Output[];
      keyPathSpending: Spending[];
    })
  : { scriptPubKey: [], keyPathSpending: [] };

countCases(
  "bip341",
  vectors.scriptPubKey.length + vectors.keyPathSpending.flatMap((one) => one.inputSpending).length,
);

describe.skipIf(!present)("BIP341", () => {
  test.each(vectors.scriptPubKey)("output $expected.bip350Address", (vector) => {
    const point = liftX(fromHex(vector.given.internalPubkey));
    const root = vector.intermediary.merkleRoot;
    const tweak = taprootTweak(point, root === null ? undefined : fromHex(root));
    const output = outputKey(point, [tweak]);
    const script = fromHex(vector.expected.scriptPubKey);
    expect("key" in output ? `5120${toHex(output.key)}` : output.code).toBe(toHex(script));
    expect(formatBitcoinAddress("mainnet", script)).toBe(vector.expected.bip350Address);
    expect(parseBitcoinAddress("mainnet", vector.expected.bip350Address)).toEqual(script);
    const tree = vector.given.scriptTree;
    if (tree?.leafVersion === 0xc0)
      expect(toHex(leafHash(fromHex(tree.script)))).toBe(vector.intermediary.leafHashes?.[0]);
  });

  test.each(vectors.keyPathSpending)("transaction of $inputSpending.length inputs", (vector) => {
    const transaction = parseTransaction(fromHex(vector.given.rawUnsignedTx));
    if ("kind" in transaction) throw new Error(transaction.message);
    const spent = vector.given.utxosSpent.map(({ scriptPubKey, amountSats }) => ({
      amount: BigInt(amountSats),
      script: fromHex(scriptPubKey),
    }));
    for (const { given, intermediary } of vector.inputSpending) {
      const { txinIndex, hashType } = given;
      const hash = sighash(transaction, spent, txinIndex, { hashType });
      expect(toHex(hash)).toBe(intermediary.sigHash);
    }
    const signed = parseTransaction(fromHex(vector.auxiliary.fullySignedTx));
    if ("kind" in signed) throw new Error(signed.message);
    expect(signed.outputs).toEqual(transaction.outputs);
    const bare = encodeTransaction(transaction);
    expect(toHex(bare)).toBe(vector.given.rawUnsignedTx);
  });
});
