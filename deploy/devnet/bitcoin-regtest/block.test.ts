// Merkle proofs: what gettxoutproof makes, verifytxoutproof reads; nothing else passes.
import fc from "fast-check";
import { expect, test } from "vitest";
import * as block from "./block.ts";
import { keyHash, pay } from "./testing.ts";
import { describe as describeTx } from "./tx.ts";

function blockOf(count: number): block.Block {
  const owner = keyHash("a");
  const txs = Array.from({ length: count }, (_, i) => {
    const spend = { txid: "22".repeat(32), vout: i, value: 1000n, owner };
    return describeTx(pay({ spends: [spend], outs: [{ script: owner.script, value: 900n }] }).body);
  });
  const header: block.Header = {
    version: 0x20000000,
    previous: new Uint8Array(32),
    merkleRoot: block.txMerkleRoot(txs),
    time: 1,
    bits: block.regtestBits,
    nonce: 0,
  };
  const parsed = block.parseBlock(block.encodeBlock(header, txs));
  if (parsed === undefined) throw new Error("own block does not parse");
  return parsed;
}

const blocks = Array.from({ length: 9 }, (_, i) => blockOf(i + 1));

test("a proof of any choice of transactions shows exactly that choice", () => {
  const choice = fc
    .integer({ min: 1, max: 9 })
    .chain((count) =>
      fc.tuple(fc.constant(count), fc.array(fc.boolean(), { minLength: count, maxLength: count })),
    );
  fc.assert(
    fc.property(choice, ([count, matches]) => {
      const parsed = blocks[count - 1] as block.Block;
      const shown = block.readMerkleProof(block.merkleProof(parsed, matches));
      const chosen = parsed.txs.filter((_, i) => matches[i]).map((tx) => tx.txid);
      expect(shown).toEqual({ block: parsed.hash, count, txids: chosen });
    }),
  );
});

test("a proof with a changed, missing or added byte shows nothing that the block does not hold", () => {
  const parsed = blocks[6] as block.Block;
  const proof = block.merkleProof(parsed, [false, true, false, false, true, false, false]);
  const at = fc.integer({ min: 0, max: proof.length - 1 });
  fc.assert(
    fc.property(at, fc.integer({ min: 1, max: 255 }), (index, change) => {
      const bytes = Uint8Array.from(proof);
      bytes[index] = (bytes[index] as number) ^ change;
      const shown = block.readMerkleProof(bytes);
      // A flag may hide a transaction or show the sibling of one: still nothing foreign to the block.
      const known = parsed.txs.map((tx) => tx.txid);
      if (shown?.block === parsed.hash)
        expect(shown.txids.filter((txid) => !known.includes(txid))).toEqual([]);
      expect(block.readMerkleProof(proof.slice(0, index))).toBeUndefined();
    }),
  );
  expect(block.readMerkleProof(Uint8Array.of(...proof, 0))).toBeUndefined();
});

test("the genesis block is regtest's", () => {
  const genesis = block.parseBlock(block.genesisRaw);
  expect(genesis?.hash).toBe("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206");
});
