import { toHex } from "@causeway/primitives";
import { TypedDataEncoder, verifyTypedData, Wallet } from "ethers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Action, Output } from "../codec/action.ts";
import { createCodec, kinds, spendCodec } from "../codec/action.ts";
import { assetId, btm, formatLock } from "./assets.ts";
import type { SigningMessage } from "./eip712.ts";
import { signingDigest, typedData } from "./eip712.ts";
import { unsignedTransaction } from "./sign.ts";
import { testGenesis, testHash, testLock, testSecret } from "./testing.ts";

const genesis = testGenesis(1);
const own = btm(genesis);
const bbtc = assetId(genesis, "BBTC") ?? own;

/** The digest by ethers. */
function ethersDigest(message: SigningMessage): string {
  const { domain, types } = typedData(genesis, message);
  const { EIP712Domain: _, ...rest } = types;
  return TypedDataEncoder.hash(domain, rest as never, message);
}

const words = fc.array(fc.string({ maxLength: 40 }), { maxLength: 5 });

describe("the message that a user signs (FMT-6)", () => {
  test("has the digest that ethers computes, whatever is in it", () => {
    fc.assert(
      fc.property(
        fc.record({
          spends: words,
          pays: fc.array(fc.record({ to: fc.string(), amount: fc.string() }), { maxLength: 4 }),
          actions: words,
          fee: fc.string(),
          expires: fc.bigInt(0n, 2n ** 64n - 1n).map(String),
          id: fc.nat().map((i) => `0x${toHex(testHash(genesis.networkId, i))}`),
        }),
        (message) => {
          const id = Uint8Array.from(Buffer.from(message.id.slice(2), "hex"));
          const digest = signingDigest(genesis, message, id);
          expect(`0x${toHex(digest)}`).toBe(ethersDigest(message));
        },
      ),
      { numRuns: 50 },
    );
  });

  test("says in words what is spent, paid and burnt", () => {
    const spent: Output[] = [
      { asset: bbtc, amount: 50_000_000n, lock: testLock("alice") },
      { asset: own, amount: 100_000_000n, lock: testLock("alice") },
    ];
    const txid = testHash(genesis.networkId, 1);
    const unknown = testHash(genesis.networkId, 2);
    const actions: Action[] = [
      { kind: kinds.spend, body: spendCodec.encode({ inputs: [{ txid, index: 0 }] }) },
      {
        kind: kinds.create,
        body: createCodec.encode({
          outputs: [
            { asset: bbtc, amount: 12_345_678n, lock: testLock("bob") },
            { asset: own, amount: 99_990_000n, lock: testLock("alice") },
            { asset: unknown, amount: 7n, lock: txid },
          ],
        }),
      },
    ];
    const { message } = unsignedTransaction(genesis, actions, spent, 1_800_000_000_000);
    const [alice, bob] = ["alice", "bob"].map((name) => formatLock(testLock(name)));
    expect(message).toEqual({
      spends: [`0.5 BBTC from ${alice}`, `1 BTM from ${alice}`],
      pays: [
        { to: bob, amount: "0.12345678 BBTC" },
        { to: alice, amount: "0.9999 BTM" },
        { to: formatLock(txid), amount: `7 0x${toHex(unknown)}` },
      ],
      actions: [],
      fee: "0.0001 BTM",
      expires: "1800000000000",
      id: message.id,
    });
    expect(formatLock(txid)).toMatch(/^cw1/);
  });

  test("can be signed by a wallet that knows only EIP-712", async () => {
    const wallet = new Wallet(`0x${toHex(testSecret("alice"))}`);
    const unsigned = unsignedTransaction(genesis, [], [], 5);
    const { domain, types, message } = typedData(genesis, unsigned.message);
    const { EIP712Domain: _, ...rest } = types;
    const signature = await wallet.signTypedData(domain, rest as never, message);
    expect(verifyTypedData(domain, rest as never, message, signature)).toBe(wallet.address);
    expect(wallet.address).toBe(formatLock(testLock("alice")));
  });
});
