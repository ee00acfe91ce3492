// The demo, and every fact that it told read again: from the Bitcoin node, from Anvil, and from the ledger through
// a light client that starts at the genesis files. Nothing here comes from the demo's own process.

import { assetId } from "@causeway/chain-core";
import type { Genesis } from "@causeway/chain-core/interchain";
import {
  accountings,
  bitcoinTips,
  canaryMessage,
  inboundStatus,
  inbounds,
  keyCall,
  keys,
  parseKey,
  parseTransaction,
  planMessages,
  plans,
  transactionHash,
  verifyPlanSignature,
  withdrawalStatus,
  withdrawals,
} from "@causeway/chain-core/interchain";
import type { Transport } from "@causeway/primitives";
import { bigEndian, fromHex, reversed, toHex } from "@causeway/primitives";
import { verifySchnorr, xOnly } from "@causeway/primitives/secp256k1";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DemoRun } from "./demo-run.ts";
import { runDemo } from "./demo-run.ts";
import type { Stranger } from "./strangers.ts";
import { accepted, bitcoinRpc, ethereumRpc, loadGenesis, stranger } from "./strangers.ts";

let demo: DemoRun;
let genesis: Genesis;
let eyes: Stranger;
let bitcoin: Transport;
let ethereum: Transport;

beforeAll(async () => {
  demo = await runDemo(["--hold"]);
  const start = demo.step("start");
  genesis = loadGenesis(start.genesis, start.genesisProofs);
  eyes = stranger(genesis, start.nodes[0]);
  bitcoin = bitcoinRpc(start.bitcoin.url, start.bitcoin.cookieFile);
  ethereum = ethereumRpc(start.ethereum.url);
  await eyes.waitAbove(demo.step("accounting").height);
});
afterAll(async () => {
  expect(await demo.close()).toBe(0);
});

test("the demo ends ok in under 120 s with no operator over 500 MB", () => {
  expect(demo.last).toMatchObject({ ok: true });
  expect(demo.last.totalMs).toBeLessThan(120_000);
  expect(demo.last.operators).toHaveLength(4);
  for (const { pids, rssPeakMb } of demo.last.operators) {
    expect(pids).toHaveLength(3);
    expect(rssPeakMb).toBeGreaterThan(0);
    expect(rssPeakMb).toBeLessThan(500);
  }
  process.stderr.write(`demo: ${JSON.stringify({ ...demo.last, pids: undefined })}\n`);
});

test("both keys are on the ledger, 3 of 4, and signed their canary under the untweaked key", async () => {
  const { keys: told } = demo.step("keys");
  expect(told).toHaveLength(2);
  for (const { keyId, groupPoint } of told) {
    const key = await eyes.proven(keys, keyId);
    expect(key).toMatchObject({ keyId, threshold: 3, active: true });
    if (key === undefined) continue;
    expect(key.seats).toHaveLength(4);
    expect(toHex(key.groupPoint)).toBe(groupPoint);
    const message = canaryMessage(genesis.networkId, key);
    expect(verifySchnorr(xOnly(key.groupPoint), message, key.canary)).toBe(true);
  }
});

test("the contract holds the ring's key and this network", async () => {
  const { gateway, codeHash } = demo.step("contracts");
  const call = { to: gateway, data: `0x${toHex(keyCall)}` };
  const answer = (await ethereum("eth_call", [call, "latest"])) as string;
  const held = accepted(parseKey(fromHex(answer)));
  const key = await eyes.proven(keys, held.keyId);
  expect(toHex(held.key)).toBe(toHex(xOnly(key?.groupPoint ?? new Uint8Array(33))));
  const code = (await ethereum("eth_getCode", [gateway, "latest"])) as string;
  expect(code).toContain(toHex(genesis.networkId));
  expect(codeHash).toMatch(/^0x[0-9a-f]{64}$/);
});

test("the deposit is in a Bitcoin block and was credited once", async () => {
  const { outpoint, amount, event, credited, blockHash } = demo.step("deposit");
  const [txid, vout] = String(outpoint).split(":") as [string, string];
  const tx = (await bitcoin("getrawtransaction", [txid, true, blockHash])) as {
    vout: { value: number }[];
  };
  expect(Math.round((tx.vout[Number(vout)]?.value ?? 0) * 1e8)).toBe(Number(amount));
  const inbound = await eyes.proven(inbounds, fromHex(event));
  expect(inbound?.status).toBe(inboundStatus.minted);
  expect(inbound?.credited.toString()).toBe(credited);
  expect(inbound?.amount).toBe((inbound?.credited ?? 0n) + (inbound?.fee ?? 0n));
});

test("the export was minted on Ethereum by one signature of the ring", async () => {
  const { withdrawal, ethereum: log, ringSignature, batchNonce } = demo.step("export");
  const record = await eyes.proven(withdrawals, fromHex(withdrawal));
  expect(record?.status).toBe(withdrawalStatus.settled);
  const plan = await eyes.proven(plans, record?.plan ?? new Uint8Array(32));
  const key = await eyes.proven(keys, plan?.keyId ?? 0);
  if (plan === undefined || key === undefined) throw new Error("no plan or key");
  const [message] = accepted(planMessages(genesis, plan, key));
  expect(message && verifyPlanSignature(key.groupPoint, message, fromHex(ringSignature))).toBe(
    true,
  );
  const receipt = (await ethereum("eth_getTransactionReceipt", [log.transactionHash])) as {
    status: string;
    blockHash: string;
    logs: { topics: string[] }[];
  };
  expect(receipt.status).toBe("0x1");
  expect(receipt.blockHash).toBe(log.blockHash);
  const nonce = `0x${toHex(bigEndian(batchNonce, 32))}`;
  expect(receipt.logs.some(({ topics }) => topics[1] === nonce)).toBe(true);
});

test("the return was paid on Bitcoin exactly, by the transaction that the ledger wrote", async () => {
  const { txid, withdrawal, amount, address } = demo.step("return");
  const record = await eyes.proven(withdrawals, fromHex(withdrawal));
  expect(record?.status).toBe(withdrawalStatus.settled);
  const plan = await eyes.proven(plans, record?.plan ?? new Uint8Array(32));
  const tx = (await bitcoin("getrawtransaction", [txid, true])) as {
    hex: string;
    confirmations: number;
    vout: { value: number; scriptPubKey: { address?: string } }[];
  };
  expect(tx.confirmations).toBeGreaterThanOrEqual(genesis.params.finalDepth);
  const parsed = accepted(parseTransaction(fromHex(tx.hex)));
  expect(toHex(reversed(transactionHash(parsed)))).toBe(txid);
  expect(toHex(plan?.txid ?? new Uint8Array())).toBe(toHex(transactionHash(parsed)));
  const paid = tx.vout.filter(({ scriptPubKey }) => scriptPubKey.address === address);
  expect(paid).toHaveLength(1);
  const sats = BigInt(Math.round((paid[0]?.value ?? 0) * 1e8));
  expect(sats + (record?.fee ?? 0n)).toBe(BigInt(amount));
});

test("the accounting equation holds to the satoshi, and the coins are on Bitcoin", async () => {
  const bbtc = assetId(genesis, "BBTC");
  const books = await eyes.proven(accountings, bbtc ?? new Uint8Array(32));
  if (books === undefined) throw new Error("no books");
  const { coins, deficit, supply, exported, pending, reserve, rewards } = books;
  expect(coins + deficit).toBe(supply + exported + pending + reserve + rewards);
  expect(demo.last.reserves.BBTC.coins).toBe(coins.toString());
  const reserves = demo.step("accounting").reserves;
  let sum = 0n;
  for (const { outpoint, counted } of reserves.assets[0].coinList) {
    if (counted !== true) continue;
    const [txid, vout] = String(outpoint).split(":") as [string, string];
    const out = (await bitcoin("gettxout", [txid, Number(vout), false])) as { value: number };
    sum += BigInt(Math.round(out.value * 1e8));
  }
  expect(sum).toBe(coins);
});

test("the ledger's header chain ends in a block of the Bitcoin node's best chain", async () => {
  const tip = await eyes.proven(bitcoinTips, genesis.bitcoin.chain);
  const hash = await bitcoin("getblockhash", [tip?.height ?? 0]);
  expect(toHex(reversed(tip?.hash ?? new Uint8Array()))).toBe(hash);
});
