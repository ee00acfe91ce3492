// What operators do not believe: a gateway's lie, a node's false proof, and a deposit whose block went away.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { BitcoinDeposit, ForeignEvent, Inbound } from "@causeway/chain-core/interchain";
import {
  accountings,
  bitcoinDepositCodec,
  encodeTransaction,
  eventId,
  eventKinds,
  formatAddress,
  hintCodec,
  inboundStatus,
  inbounds,
  listNames,
  lists,
  parseBitcoinAddress,
  plans,
} from "@causeway/chain-core/interchain";
import type { Transport } from "@causeway/primitives";
import { fromHex, must, reversed, sha256d, toHex } from "@causeway/primitives";
import { openBus } from "@causeway/primitives/adapters/bus";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { startLog } from "@causeway/primitives/adapters/log";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyPortal, record, until } from "../../deploy/devnet/follow.ts";
import type { Network } from "../../deploy/devnet/network.ts";
import { createNetwork } from "../../deploy/devnet/network.ts";
import { stepKeys, stepStart } from "../../deploy/devnet/steps-network.ts";
import type { Trip } from "../../deploy/devnet/trip.ts";
import { makeTrip } from "../../deploy/devnet/trip.ts";
import { accepted } from "./strangers.ts";
import type { Tamper } from "./tamper.ts";
import { tamperingProxy } from "./tamper.ts";

let network: Network;
let trip: Trip;
let bitcoin: Transport;
let tamper: Tamper;
/** The operator whose signer sits behind the tampering proxy. */
const deceived = 3;

beforeAll(async () => {
  network = await createNetwork({});
  trip = makeTrip(network);
  bitcoin = rpcClient({
    url: network.bitcoin.url,
    auth: { cookieFile: network.bitcoin.cookieFile },
  });
  const victim = must(network.operators[deceived], "operator");
  const prefix = toHex(plans.key(new Uint8Array(32))).slice(0, 4);
  tamper = await tamperingProxy(victim.nodeUrl, (key) => key.startsWith(prefix));
  victim.configure("signer", { NODE_RPC: tamper.url });
  await stepStart(trip);
  await stepKeys(trip);
});
afterAll(async () => {
  trip.close();
  await network.stop();
  await tamper.close();
});

const amount = 10_000_000n;
const maxFee = 20_000n;

type Address = { readonly script: Uint8Array; readonly terms: BitcoinDeposit };

async function newAddress(): Promise<Address> {
  const { genesis } = network;
  const answer = await anyPortal(network, "POST", "/v1/deposits", {
    chain: "bitcoin",
    destination: { chain: "causeway", address: formatAddress(trip.alice.lock.slice(12)) },
    maxFee: maxFee.toString(),
    refund: toHex(trip.bitcoin.xOnlyKey),
  });
  const script = accepted(parseBitcoinAddress(genesis.bitcoin.network, String(answer.address)));
  const destination = { chain: genesis.networkId, payload: trip.alice.lock };
  const terms: BitcoinDeposit = {
    version: Number(answer.version),
    keyId: Number(answer.keyId),
    amount,
    destination,
    maxFee,
    refund: trip.bitcoin.xOnlyKey,
    transaction: new Uint8Array(0),
    position: 0,
    branch: [],
  };
  return { script, terms };
}

function idOf(txid: Uint8Array): Uint8Array {
  const { networkId, bitcoin: chain } = network.genesis;
  return eventId(networkId, chain.chain, undefined, txid, 0);
}

async function pay({ script }: Address): Promise<Uint8Array> {
  return reversed(fromHex(await trip.bitcoin.pay(script, amount)));
}

/** Mines a block at a time until the inbound event is what is asked for. */
async function minedUntil(id: Uint8Array, isSo: (inbound: Inbound) => boolean): Promise<Inbound> {
  let mined = performance.now();
  return until("the inbound event", async () => {
    const inbound = await record(trip.node, inbounds, id);
    if (inbound !== undefined && isSo(inbound)) return inbound;
    if (performance.now() - mined > 1_500) {
      mined = performance.now();
      await trip.bitcoin.mine(1);
    }
    return undefined;
  });
}

const isMinted = ({ status }: Inbound): boolean => status === inboundStatus.minted;

function signerLog(operator: number): string {
  return readFileSync(must(network.operators[operator], "operator").logFile("signer"), "utf8");
}

/** Lines of a signer's log with this code that mention `what`. */
function refusals(operator: number, codes: readonly string[], what: string): string[] {
  const lines = signerLog(operator).split("\n");
  return lines.filter((line) => {
    if (!line.includes(what)) return false;
    return codes.some((code) => line.includes(`"code":"${code}"`));
  });
}

test("a deposit that never happened is refused by all four signers with a typed code", async () => {
  const { script, terms } = await newAddress();
  const tip = (await bitcoin("getbestblockhash", [])) as string;
  const { height } = (await bitcoin("getblockheader", [tip])) as { height: number };
  const input = { txid: sha256d(script), vout: 0, script: new Uint8Array(0), sequence: 0 };
  const output = { amount, script };
  const transaction = encodeTransaction({
    version: 2,
    inputs: [input],
    outputs: [output],
    lockTime: 0,
  });
  const txid = sha256d(transaction);
  const event: ForeignEvent = {
    kind: eventKinds.bitcoinDeposit,
    txid,
    index: 0,
    blockHash: reversed(fromHex(tip)),
    height,
    body: bitcoinDepositCodec.encode({ ...terms, transaction }),
  };
  const liar = must(network.operators[0], "operator");
  const bus = openBus({ socket: liar.busSocket, log: startLog("test", "silent") });
  const chain = network.genesis.bitcoin.chain;
  await bus.publish("hints", hintCodec.encode({ chain, event, final: false }));
  const id = idOf(txid);
  for (const { index } of network.operators)
    await until(`the refusal of signer ${index}`, async () =>
      refusals(index, ["bad-inclusion"], toHex(id)).length > 0 ? true : undefined,
    );
  await bus.close();
  expect(await record(trip.node, inbounds, id)).toBeUndefined();
});

test("a true deposit that comes next is credited", async () => {
  const txid = await pay(await newAddress());
  await trip.bitcoin.mine(network.genesis.params.creditDepth);
  const inbound = await minedUntil(idOf(txid), isMinted);
  expect(inbound.amount).toBe(amount);
});

for (const [mode, code] of [
  ["false-proof", "bad-proof"],
  ["no-proof", "missing-proof"],
] as const)
  test(`a signer whose node serves a plan with ${mode} refuses it, and the ring signs without it`, async () => {
    await until("no open plan", async () => {
      const open = await record(trip.node, lists, listNames.plans);
      if ((open?.ids.length ?? 0) === 0) return true;
      await trip.bitcoin.mine(1);
      await sleep(500);
      return undefined;
    });
    tamper.mode = mode;
    const before = refusals(deceived, [code], "plan").length;
    const txid = await pay(await newAddress());
    await trip.bitcoin.mine(network.genesis.params.finalDepth);
    await minedUntil(idOf(txid), isMinted);
    await until("the refusal", async () =>
      refusals(deceived, [code], "plan").length > before ? true : undefined,
    );
    await until("the plan to be signed by the others", async () => {
      const [open] = (await record(trip.node, lists, listNames.plans))?.ids ?? [];
      const plan = open && (await record(trip.node, plans, open));
      return plan === undefined || plan.status > 1 ? true : undefined;
    });
    tamper.mode = "honest";
  });

/** Blocks without transactions: a miner that leaves the mempool aside. */
async function mineEmpty(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await bitcoin("generateblock", [trip.bitcoin.address, []]);
}

async function supply(): Promise<bigint> {
  const books = must(await record(trip.node, accountings, trip.bbtc), "the books");
  return books.supply;
}

test("a deposit whose block left after its statement is credited once, in the block that has it again", async () => {
  const txid = await pay(await newAddress());
  const [block] = await trip.bitcoin.mine(1);
  const id = idOf(txid);
  const first = await until("the statement", () => record(trip.node, inbounds, id));
  expect(first.status).toBe(inboundStatus.waiting);
  const before = await supply();
  await bitcoin("invalidateblock", [block]);
  await mineEmpty(network.genesis.params.creditDepth + 1);
  await sleep(4_000);
  const gone = must(await record(trip.node, inbounds, id), "the inbound event");
  expect(gone.status).toBe(inboundStatus.waiting);
  expect(await supply()).toBe(before);
  await trip.bitcoin.mine(network.genesis.params.creditDepth);
  const credited = await minedUntil(id, isMinted);
  expect(credited.candidates.at(-1)?.height).not.toBe(first.candidates[0]?.height);
  expect((await supply()) - before).toBe(credited.credited);
});

test("a deposit whose block left before anybody proposed it is credited once, when it is mined again", async () => {
  const address = await newAddress();
  // Let every relay watch the address, then stop them all: they see the chain only when it has changed.
  await sleep(1_500);
  const gateways = network.operators.map((one) => must(one.processOf("gateway"), "gateway"));
  for (const gateway of gateways) gateway.kill("SIGSTOP");
  const before = await supply();
  const txid = await pay(address);
  const [block] = await trip.bitcoin.mine(1);
  await bitcoin("invalidateblock", [block]);
  await mineEmpty(network.genesis.params.creditDepth);
  for (const gateway of gateways) gateway.kill("SIGCONT");
  await sleep(4_000);
  const id = idOf(txid);
  expect(await record(trip.node, inbounds, id)).toBeUndefined();
  expect(await supply()).toBe(before);
  await trip.bitcoin.mine(network.genesis.params.creditDepth);
  const credited = await minedUntil(id, isMinted);
  expect((await supply()) - before).toBe(credited.credited);
});
