import { bigEndian, concat, keccak256, toHex } from "@causeway/primitives";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import { Transaction } from "ethers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { signEvmTransaction } from "./evm-transaction.ts";

test("ethers reads every field and the sender of a signed transaction, and the same hash", () => {
  const amounts = fc.bigInt({ min: 0n, max: (1n << 100n) - 1n });
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }),
      fc.nat(),
      amounts,
      amounts,
      fc.bigInt({ min: 21_000n, max: 30_000_000n }),
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.uint8Array({ maxLength: 400 }),
      fc.bigInt({ min: 1n, max: 2n ** 200n }),
      (chainId, nonce, tip, base, gas, to, data, seed) => {
        const secret = bigEndian(seed, 32);
        const fees = { priorityFee: tip, feeMax: tip + base };
        const signed = signEvmTransaction({ chainId, nonce, ...fees, gas, to, data }, secret);
        const read = Transaction.from(`0x${toHex(signed.bytes)}`);
        expect(read.type).toBe(2);
        expect([read.chainId, read.nonce, read.gasLimit]).toEqual([chainId, nonce, gas]);
        expect([read.maxPriorityFeePerGas, read.maxFeePerGas]).toEqual([tip, tip + base]);
        expect([read.to?.toLowerCase(), read.data]).toEqual([`0x${toHex(to)}`, `0x${toHex(data)}`]);
        expect(read.value).toBe(0n);
        expect(read.hash).toBe(`0x${toHex(signed.hash)}`);
        expect(read.from?.toLowerCase()).toBe(`0x${toHex(addressOf(publicPoint(secret)))}`);
      },
    ),
    { numRuns: 200 },
  );
});

test("signatures whose r or s begins with zeros are written without them", () => {
  const secret = bigEndian(5, 32);
  const base = { chainId: 1n, priorityFee: 1n, feeMax: 2n, gas: 21_000n };
  let short = 0;
  for (let nonce = 0; nonce < 2_000 && short < 3; nonce++) {
    const to = keccak256(concat(bigEndian(nonce, 8))).slice(0, 20);
    const signed = signEvmTransaction({ ...base, nonce, to, data: new Uint8Array(0) }, secret);
    const read = Transaction.from(`0x${toHex(signed.bytes)}`);
    if (read.signature?.r.startsWith("0x00") || read.signature?.s.startsWith("0x00")) short += 1;
    expect(read.from?.toLowerCase()).toBe(`0x${toHex(addressOf(publicPoint(secret)))}`);
  }
  expect(short).toBe(3);
});
