// BTC-1: the ring's scripts against frozen vectors, and against bitcoinjs-lib as a second opinion. A change of
// one byte here loses money that was sent to an address shown before.
import { readFileSync } from "node:fs";
import { concat, fromHex, toHex } from "@causeway/primitives";
import {
  isPoint,
  isXOnly,
  liftX,
  multiplyBase,
  parseScalar,
  sum,
  xOnly,
} from "@causeway/primitives/secp256k1";
import { initEccLib, networks, payments } from "bitcoinjs-lib";
import { describe, expect, test } from "vitest";
import type { DepositTerms } from "../../chain-core/src/interchain/bitcoin/scripts.ts";
import {
  depositScript,
  reclaimLeaf,
  vaultLeaf,
  vaultScript,
} from "../../chain-core/src/interchain/bitcoin/scripts.ts";

const vectors = JSON.parse(
  readFileSync(new URL("./vectors/btc-1.json", import.meta.url), "utf8"),
) as Vectors;
type Networks = "mainnet" | "testnet4" | "regtest";
type Script = { merkleRoot: string; script: string; controlBlock: string };
type Vectors = {
  networkId: string;
  guardians: string[];
  threshold: number;
  keyPoint: string;
  vault: Script & { leaf: string; addresses: Record<Networks, string> };
  deposits: (Script & {
    name: string;
    version: number;
    chain: string;
    payload: string;
    maxFee: string;
    refund: string;
    leafA: string;
    leafB: string;
    addresses: Record<Networks, string>;
  })[];
};
const networkNames = ["mainnet", "testnet4", "regtest"] as const;
const bitcoinjs = {
  mainnet: networks.bitcoin,
  testnet4: networks.testnet,
  regtest: networks.regtest,
};

initEccLib({
  isXOnlyPoint: (x) => isXOnly(x),
  xOnlyPointAddTweak: (x, tweak) => {
    const point = sum([liftX(x), multiplyBase(parseScalar(tweak) ?? 0n)]);
    if (point === undefined || !isPoint(point)) return null;
    return { parity: point[0] === 2 ? 0 : 1, xOnlyPubkey: xOnly(point) };
  },
});

const keyPoint = fromHex(vectors.keyPoint);
const guardians = { keys: vectors.guardians.map(fromHex), threshold: vectors.threshold };
const genesisOf = (network: Networks): Parameters<typeof depositScript>[0] =>
  ({ networkId: fromHex(vectors.networkId), guardians, bitcoin: { network } }) as never;
const hexes = (of: Record<string, unknown>, names: string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, toHex(of[name] as Uint8Array)]));

describe("BTC-1: the vault", () => {
  test.each(networkNames)("of %s is as frozen", (network) => {
    const vault = vaultScript(genesisOf(network), keyPoint);
    expect(vault).toMatchObject({ address: vectors.vault.addresses[network] });
    const { leaf, merkleRoot, script, controlBlock } = vectors.vault;
    expect(hexes(vault, ["leaf", "merkleRoot", "script", "controlBlock"])).toEqual({
      leaf,
      merkleRoot,
      script,
      controlBlock,
    });
  });

  test("delay is the push 50cd00 under CHECKSEQUENCEVERIFY, after m of the guardians' keys", () => {
    const keys = guardians.keys.map((key, i) =>
      concat(Uint8Array.of(32), xOnly(key), Uint8Array.of(i === 0 ? 0xac : 0xba)),
    );
    expect(toHex(vaultLeaf(guardians))).toBe(`${toHex(concat(...keys))}539d0350cd00b2`);
  });

  test.each(networkNames)("of %s is what bitcoinjs-lib makes of the same leaf", (network) => {
    const leaf = { output: fromHex(vectors.vault.leaf) };
    const theirs = payments.p2tr({
      internalPubkey: xOnly(keyPoint),
      scriptTree: leaf,
      redeem: leaf,
      network: bitcoinjs[network],
    });
    expect(theirs.address).toBe(vectors.vault.addresses[network]);
    expect(toHex(theirs.witness?.at(-1) ?? new Uint8Array())).toBe(vectors.vault.controlBlock);
  });
});

describe.each(vectors.deposits)("BTC-1: a deposit $name", (vector) => {
  const terms: DepositTerms = {
    version: vector.version,
    keyPoint,
    destination: { chain: fromHex(vector.chain), payload: fromHex(vector.payload) },
    maxFee: BigInt(vector.maxFee),
    refund: fromHex(vector.refund),
  };

  test.each(networkNames)("has its frozen address on %s", (network) => {
    const deposit = depositScript(genesisOf(network), terms);
    expect(deposit).toMatchObject({ address: vector.addresses[network] });
  });

  test("has its frozen script, leaves and control block", () => {
    const { leafA, leafB, merkleRoot, script, controlBlock } = vector;
    const names = ["leafA", "leafB", "merkleRoot", "script", "controlBlock"];
    expect(hexes(depositScript(genesisOf("regtest"), terms), names)).toEqual({
      leafA,
      leafB,
      merkleRoot,
      script,
      controlBlock,
    });
    expect(toHex(reclaimLeaf(terms.refund))).toBe(`20${vector.refund}ad02a866b2`);
  });

  test.each(networkNames)("is what bitcoinjs-lib makes of the same leaves on %s", (network) => {
    const redeem = { output: fromHex(vector.leafA) };
    const theirs = payments.p2tr({
      internalPubkey: xOnly(keyPoint),
      scriptTree: [redeem, { output: fromHex(vector.leafB) }],
      redeem,
      network: bitcoinjs[network],
    });
    expect(theirs.address).toBe(vector.addresses[network]);
    expect(toHex(theirs.witness?.at(-1) ?? new Uint8Array())).toBe(vector.controlBlock);
  });

  test("changes with every one of its terms", () => {
    const other = [
      { ...terms, maxFee: terms.maxFee === 0n ? 1n : terms.maxFee - 1n },
      { ...terms, refund: xOnly(keyPoint) },
      { ...terms, destination: { ...terms.destination, payload: Uint8Array.of(1) } },
      { ...terms, destination: { ...terms.destination, chain: new Uint8Array(32) } },
    ].map((one) => depositScript(genesisOf("regtest"), one));
    const scripts = other.map((one) => ("script" in one ? toHex(one.script) : one.code));
    expect(new Set([...scripts, vector.script]).size).toBe(5);
  });
});

describe("BTC-1: terms that nobody could reclaim", () => {
  const first = vectors.deposits[0];
  const terms = {
    version: 1,
    keyPoint,
    destination: { chain: new Uint8Array(32), payload: new Uint8Array(32) },
    maxFee: 0n,
    refund: fromHex(first?.refund ?? ""),
  };

  test("are refused: a refund key that is no x of a point", () => {
    const bad = { ...terms, refund: new Uint8Array(32).fill(0xff) };
    expect(depositScript(genesisOf("regtest"), bad)).toMatchObject({ code: "bad-refund-key" });
  });

  test("are refused: another version", () => {
    const bad = { ...terms, version: 2 };
    expect(depositScript(genesisOf("regtest"), bad)).toMatchObject({ code: "bad-version" });
  });
});
