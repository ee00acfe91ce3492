// BIP340 on a real EVM: every vector with a 32-byte message through contracts/src/Bip340.sol on Anvil, and
// the contract's answers to what chain-core's side of the seam makes (ETH-1 to ETH-3).
// The vectors are test-vectors.csv of BIP340, in the folder that CAUSEWAY_VECTORS names.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { NetworkId } from "@causeway/primitives";
import {
  concat,
  fromBigEndian,
  fromHex,
  isRejected,
  keccak256,
  sha256,
  toHex,
  utf8,
} from "@causeway/primitives";
import { addressOf, publicPoint, signSchnorr, xOnly } from "@causeway/primitives/secp256k1";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { selector, uintWord } from "../../chain-core/src/interchain/ethereum/abi.ts";
import * as ethereum from "../../chain-core/src/interchain/ethereum/batch.ts";
import * as contract from "../../chain-core/src/interchain/ethereum/contract.ts";
import type { GatewayEvent } from "../../chain-core/src/interchain/ethereum/events.ts";
import { parseLog } from "../../chain-core/src/interchain/ethereum/events.ts";
import { burnCall, depositCall } from "../../chain-core/src/interchain/ethereum/transfer.ts";
import { compile, readArtifact } from "../../contracts/build.ts";
import type { Anvil, Receipt } from "../../contracts/test/anvil.ts";
import { startAnvil, unhex } from "../../contracts/test/anvil.ts";

const file = join(process.env.CAUSEWAY_VECTORS ?? "vectors", "bip340", "test-vectors.csv");
const present = existsSync(file);
if (!present) console.warn(`SKIPPED: no BIP340 vectors at ${file} (set CAUSEWAY_VECTORS)`);

/** Selector of the contract's error. */
const badKey: string = toHex(selector("BadKey()"));
const field = secp256k1.Point.CURVE().p;

let anvil: Anvil;
beforeAll(async () => {
  anvil = await startAnvil();
});
afterAll(() => anvil[Symbol.asyncDispose]());

type Vector = {
  readonly name: string;
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly isValid: boolean;
};

function readVectors(): Vector[] {
  const rows = readFileSync(file, "utf8").trim().split(/\r?\n/).slice(1);
  const vectors = rows.map((row) => {
    const [index, , key, , message, signature, result, ...comment] = row.split(",");
    const name = `${index} ${result} ${comment.join(",")}`.trim();
    const [k, m, s] = [key, message, signature].map((text) => fromHex(text as string)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    return { name, key: k, message: m, signature: s, isValid: result === "TRUE" };
  });
  return vectors.filter(({ message }) => message.length === 32);
}

/** Every y that a relayer could claim for R: both roots where x is on the curve, and nonsense. */
function hintsFor(rx: Uint8Array): bigint[] {
  const hints = [0n, 2n];
  try {
    const even = secp256k1.Point.fromBytes(concat(Uint8Array.of(2), rx)).toAffine().y;
    return [even, field - even, ...hints];
  } catch {
    return hints;
  }
}

describe.skipIf(!present)("BIP340 vectors with 32-byte messages on an EVM", () => {
  const verify = selector("verify(bytes32,bytes32,bytes32,bytes32,bytes32)");
  const isKey = selector("isKey(bytes32)");
  const vectors = present ? readVectors() : [];
  let harness: Uint8Array;

  beforeAll(async () => {
    const [artifact] = await compile("test", ["Bip340Harness"]);
    const data = fromHex(artifact?.bytecode as string);
    const receipt = await anvil.send({ from: anvil.accounts[0] as string, data });
    harness = unhex(receipt.contractAddress as string);
  });

  const isTrue = async (...data: Uint8Array[]): Promise<boolean> =>
    fromBigEndian(await anvil.call(harness, concat(...data))) === 1n;

  test("there are 15 of them", () => {
    expect(vectors.length).toBe(15);
  });

  for (const { name, key, message, signature, isValid } of vectors)
    test(name, async () => {
      const [rx, s] = [signature.subarray(0, 32), signature.subarray(32)];
      const answers: boolean[] = [];
      for (const hint of hintsFor(rx)) {
        const isAccepted = await isTrue(verify, key, message, rx, uintWord(hint), s);
        answers.push(isAccepted && (await isTrue(isKey, key)));
      }
      // The even root alone can be right.
      expect(answers).toEqual(answers.map((_, index) => isValid && index === 0));
    });
});

describe("the contract and chain-core agree", () => {
  const network = sha256(utf8("spec network")) as unknown as NetworkId;
  const secrets = [sha256(utf8("first key")), sha256(utf8("second key"))] as const;
  const guardians = [1, 2, 3, 4, 5].map((i) => addressOf(publicPoint(sha256(Uint8Array.of(i)))));
  const bbtc = { name: "Causeway Bitcoin", symbol: "BBTC", decimals: 8 };
  let domain: ethereum.Domain;
  let wrapped: Uint8Array;

  const sealOf = (digest: Uint8Array, which: 0 | 1 = 0): ethereum.RingSeal => ({
    key: xOnly(publicPoint(secrets[which])),
    signature: signSchnorr(secrets[which], digest, sha256(digest)),
  });
  const send = async (data: Uint8Array, value: bigint = 0n): Promise<Receipt> => {
    const from = anvil.accounts[0] as string;
    const receipt = await anvil.send({ from, to: domain.contract, data, value });
    expect(receipt.status).toBe("0x1");
    return receipt;
  };
  const eventsOf = (receipt: Receipt): GatewayEvent[] =>
    receipt.logs.flatMap((log) => {
      const event = parseLog(log);
      return isRejected(event) ? [] : [event];
    });
  const batchOf = (nonce: number, items: ethereum.Item[], which: 0 | 1 = 0): ethereum.Batch => ({
    keyId: which + 1,
    nonce,
    stipend: 50_000,
    overhead: 20_000,
    items,
  });
  const execute = (nonce: number, items: ethereum.Item[], which: 0 | 1 = 0): Uint8Array => {
    const batch = batchOf(nonce, items, which);
    expect(isRejected(ethereum.checkBatch(batch))).toBe(false);
    return ethereum.executeCall(batch, sealOf(ethereum.batchDigest(domain, batch), which));
  };

  beforeAll(async () => {
    const from = anvil.accounts[0] as string;
    const deployer = unhex(from);
    const nonce = Number(await anvil.rpc<string>("eth_getTransactionCount", [from, "latest"]));
    const gateway = contract.createAddress(deployer, nonce);
    wrapped = contract.createAddress(deployer, nonce + 1);
    domain = { network, chainId: anvil.chainId, contract: gateway };
    const first = { keyId: 1, key: xOnly(publicPoint(secrets[0])) };
    const capacity = 10n ** 12n;
    const tokens = [
      { token: new Uint8Array(20), status: ethereum.tokenStatus.foreign, capacity },
      { token: wrapped, status: ethereum.tokenStatus.wrapped, capacity },
    ];
    const args = { network, guardians, guardianThreshold: 3, first, tokens };
    const data = contract.gatewayInitCode(await readArtifact("Gateway"), args);
    await anvil.send({ from, data });
    const token = { ...bbtc, minter: gateway };
    await anvil.send({
      from,
      data: contract.tokenInitCode(await readArtifact("WrappedToken"), token),
    });
  });

  const balanceOf = async (address: Uint8Array): Promise<bigint> =>
    BigInt(await anvil.rpc<string>("eth_getBalance", [`0x${toHex(address)}`, "latest"]));
  const codeAt = async (address: Uint8Array): Promise<Uint8Array> =>
    unhex(await anvil.rpc<string>("eth_getCode", [`0x${toHex(address)}`, "latest"]));

  test("the code at both addresses is the committed one (ETH-3)", async () => {
    const artifact = await readArtifact("Gateway");
    const code = await codeAt(domain.contract);
    const codeHash = contract.gatewayCodeHash(artifact, network, guardians, 3);
    const hash = contract.guardiansHash(guardians, 3);
    const expected = { codeHash, network, guardiansHash: hash };
    expect(contract.parseGatewayCode(artifact, code)).toEqual(expected);
    const token = await readArtifact("WrappedToken");
    const tokenHash = contract.tokenCodeHash(token, bbtc, anvil.chainId, wrapped);
    expect(toHex(keccak256(await codeAt(wrapped)))).toBe(toHex(tokenHash));
    const answer = await anvil.call(domain.contract, contract.keyCall);
    const key = xOnly(publicPoint(secrets[0]));
    expect(contract.parseKey(answer)).toEqual({ keyId: 1, key });
  });

  test("deposits and burns are told as they were made", async () => {
    const destination = { chain: network as Uint8Array, payload: fromHex("0102030405") };
    const token = new Uint8Array(20);
    const data = depositCall({ token, amount: 77n, destination, maxFee: 3n });
    const from = unhex(anvil.accounts[0] as string);
    const common = { contract: domain.contract, from, destination };
    expect(eventsOf(await send(data, 77n))).toEqual([
      { kind: "deposited", token, amount: 77n, maxFee: 3n, ...common },
    ]);
    const mint = { kind: ethereum.itemKinds.mint, token: wrapped, to: from, amount: 50n };
    await send(execute(1, [mint]));
    const burn = burnCall({ token: wrapped, amount: 20n, destination, maxFee: 4n });
    expect(eventsOf(await send(burn))).toEqual([
      { kind: "burned", token: wrapped, amount: 20n, maxFee: 4n, ...common },
    ]);
  });

  test("a claim is paid with the bitmap that the event gave", async () => {
    const to = addressOf(publicPoint(sha256(utf8("poor"))));
    const token = new Uint8Array(20);
    const kind = ethereum.itemKinds.releaseEth;
    const held = await balanceOf(domain.contract);
    const items = [
      { kind, token, to, amount: 1n },
      { kind, token, to, amount: held },
    ];
    const [executed] = eventsOf(await send(execute(2, items)));
    const digest = ethereum.batchDigest(domain, batchOf(2, items));
    expect(executed).toMatchObject({ kind: "executed", nonce: 2, digest, failedBitmap: 2n });
    const destination = { chain: network as Uint8Array, payload: Uint8Array.of(1) };
    await send(depositCall({ token, amount: 1n, destination, maxFee: 0n }), 1n);
    await send(ethereum.claimCall(2, 2n, 1, items));
    expect(await balanceOf(to)).toBe(held + 1n);
  });

  test("every kind of message is accepted as chain-core seals it", async () => {
    const heartbeat = { keyId: 1, nonce: 3 };
    await send(
      ethereum.heartbeatCall(heartbeat, sealOf(ethereum.heartbeatDigest(domain, heartbeat))),
    );
    const slot = { keyId: 1, nonce: 4 };
    const setting = { token: wrapped, status: 2, capacity: 10n ** 11n };
    const set = sealOf(ethereum.setTokenDigest(domain, slot, setting));
    await send(ethereum.setTokenCall(slot, setting, set));
    const pauseSlot = { keyId: 1, nonce: 5 };
    const pause = { inUntil: 0, outUntil: 1 };
    const paused = sealOf(ethereum.setPauseDigest(domain, pauseSlot, pause));
    await send(ethereum.setPauseCall(pauseSlot, pause, paused));
    const minterSlot = { keyId: 1, nonce: 6 };
    const next = { token: wrapped, minter: domain.contract };
    const moved = sealOf(ethereum.moveMinterDigest(domain, minterSlot, next));
    await send(ethereum.moveMinterCall(minterSlot, next, moved));
    const keySlot = { keyId: 1, nonce: 7 };
    const key = { keyId: 2, key: xOnly(publicPoint(secrets[1])) };
    const digest = ethereum.setKeyDigest(domain, keySlot, key);
    const seal = sealOf(digest);
    const events = eventsOf(await send(ethereum.setKeyCall(keySlot, key, seal)));
    expect(events).toMatchObject([
      { kind: "executed", nonce: 7, digest, failedBitmap: 0n },
      { kind: "key-set", nonce: 7, keyId: 2, key: key.key },
    ]);
    await send(execute(8, [{ kind: 1, token: wrapped, to: domain.contract, amount: 1n }], 1));
    const old = execute(9, [{ kind: 1, token: wrapped, to: domain.contract, amount: 1n }], 0);
    await expect(anvil.call(domain.contract, old)).rejects.toThrow(badKey);
  });
});
