// The ring rotates while deposits and withdrawals go on (RNG-2, ETH-1, BTC-3): five operators, a ring of four of them that
// the beacon elects. Nothing is lost, and what the members of the old ring kept is worth nothing.
import type { Key, Plan } from "@causeway/chain-core/interchain";
import {
  accountings,
  coinStatus,
  coins,
  currentKeys,
  eventId,
  evmStates,
  executeCall,
  formatAddress,
  inboundStatus,
  inbounds,
  keys,
  listNames,
  lists,
  parseBitcoinAddress,
  planMessages,
  plans,
  ringSignatureCodec,
  roles,
  signedTransaction,
  taprootTweak,
  withdrawalId,
  withdrawalStatus,
  withdrawals,
} from "@causeway/chain-core/interchain";
import { fromHex, isRejected, isZero, must, reversed, toHex } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import * as bitcoinjs from "bitcoinjs-lib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kinds } from "../../chain-core/src/codec/action.ts";
import { transactionCodec } from "../../chain-core/src/codec/transaction.ts";
import { batchDigest } from "../../chain-core/src/interchain/ethereum/batch.ts";
import { signEnvelope } from "../../chain-core/src/ledger/sign.ts";
import { anyPortal, record, until } from "../../deploy/devnet/follow.ts";
import type { Network } from "../../deploy/devnet/network.ts";
import { createNetwork } from "../../deploy/devnet/network.ts";
import {
  stepAccounting,
  stepDeposit,
  stepExport,
  stepTransfer,
} from "../../deploy/devnet/steps-money.ts";
import { stepContracts, stepKeys, stepStart } from "../../deploy/devnet/steps-network.ts";
import type { Trip } from "../../deploy/devnet/trip.ts";
import { makeTrip } from "../../deploy/devnet/trip.ts";
import { keptShares, signWithKept } from "./rotation/old-ring.ts";
import { accepted } from "./strangers.ts";

const maxFee = 20_000n;
const epochMs = 9_000;

let network: Network;
let trip: Trip;

beforeAll(async () => {
  network = await createNetwork({
    operators: 5,
    params: {
      epochMs,
      ringSeats: 4,
      ringTermEpochs: 5,
      // The smallest beacon that still is one: an output an epoch.
      beaconWindowMs: 4_000,
      beaconDifficulty: 1_024,
      beaconSegments: 4,
      beaconSegmentSteps: 5_000,
      beaconTurnMs: 700,
    },
  });
  trip = makeTrip(network);
  await stepStart(trip);
  await stepKeys(trip);
  await stepContracts(trip);
}, 180_000);
afterAll(async () => {
  trip.close();
  await network.stop();
});

/** Mines a block a second until it answers: regtest has no other miner. */
async function mined<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  let next = performance.now() + 1_000;
  return until(
    what,
    async () => {
      const answer = await ask();
      if (answer !== undefined || performance.now() < next) return answer;
      next = performance.now() + 1_000;
      await trip.bitcoin.mine(1);
      return undefined;
    },
    { timeoutMs: 300_000 },
  );
}

async function keyOn(chain: Uint8Array): Promise<Key> {
  const { keyId } = must(await record(trip.node, currentKeys, chain), "current key");
  return must(await record(trip.node, keys, keyId), "key");
}

/** An address of the key that is current now, and what pays to it is known by. */
async function depositAddress(): Promise<{ readonly script: Uint8Array; readonly keyId: number }> {
  const answer = await anyPortal(network, "POST", "/v1/deposits", {
    chain: "bitcoin",
    destination: { chain: "causeway", address: formatAddress(trip.alice.lock.slice(12)) },
    maxFee: maxFee.toString(),
    refund: toHex(trip.bitcoin.xOnlyKey),
  });
  const address = String(answer.address);
  const script = accepted(parseBitcoinAddress(network.genesis.bitcoin.network, address));
  const { keyId } = must(
    await record(trip.node, currentKeys, network.genesis.bitcoin.chain),
    "key",
  );
  return { script, keyId };
}

/** Pays to the script; the event by which the ledger knows the deposit. */
async function pay(script: Uint8Array, amount: bigint): Promise<Uint8Array> {
  const txid = reversed(fromHex(await trip.bitcoin.pay(script, amount)));
  const { networkId, bitcoin } = network.genesis;
  return eventId(networkId, bitcoin.chain, undefined, txid, 0);
}

const isMinted = async (id: Uint8Array): Promise<true | undefined> =>
  (await record(trip.node, inbounds, id))?.status === inboundStatus.minted ? true : undefined;

/** Alice sends some BBTC home to an address of her own; the withdrawal's id. */
async function withdraw(amount: bigint): Promise<Uint8Array> {
  const pubkey = publicPoint(crypto.getRandomValues(new Uint8Array(32)));
  const payment = bitcoinjs.payments.p2wpkh({ pubkey, network: bitcoinjs.networks.regtest });
  const { id, burnPosition } = await trip.alice.burn({
    asset: trip.bbtc,
    amount,
    destination: { chain: network.genesis.bitcoin.chain, payload: must(payment.output, "script") },
    maxFee,
  });
  return withdrawalId(network.genesis.networkId, id, burnPosition);
}

const statusOf = async (id: Uint8Array): Promise<number | undefined> =>
  (await record(trip.node, withdrawals, id))?.status;

test("the ring rotates under deposits and withdrawals; nothing is lost, and kept shares are worth nothing", async () => {
  const { genesis } = network;
  const evm = must(genesis.evm[0], "an EVM chain");
  const [oldBitcoin, oldEvm] = [await keyOn(genesis.bitcoin.chain), await keyOn(evm.chain)];
  await stepDeposit(trip);
  await stepTransfer(trip);
  await stepExport(trip);
  const before = await depositAddress();
  expect(before.keyId).toBe(oldBitcoin.keyId);
  const kept = keptShares(network);
  expect(kept.length).toBeGreaterThanOrEqual(2 * oldBitcoin.threshold);
  // What is refused later would be a thousand bitcoins now.
  await expect(callAsOld({ oldEvm, kept })).resolves.toMatch(/^0x/);

  // Money moves all the time until both chains have their new keys.
  const sent: Uint8Array[] = [];
  const paid: Uint8Array[] = [];
  let nextAt = 0;
  await mined("both chains to have the key of the next ring", async () => {
    if (performance.now() >= nextAt && sent.length < 8) {
      nextAt = performance.now() + 5_000;
      sent.push(await withdraw(1_000_000n));
      paid.push(await pay((await depositAddress()).script, 2_000_000n));
    }
    const now = [await keyOn(genesis.bitcoin.chain), await keyOn(evm.chain)];
    const isNew = now[0]?.keyId !== oldBitcoin.keyId && now[1]?.keyId !== oldEvm.keyId;
    return isNew ? true : undefined;
  });
  const newBitcoin = await keyOn(genesis.bitcoin.chain);
  expect(newBitcoin.term).toBeGreaterThan(oldBitcoin.term);
  expect(newBitcoin.seats).toHaveLength(4);
  expect(toHex(newBitcoin.groupPoint)).not.toBe(toHex(oldBitcoin.groupPoint));

  // To an address of the ring before.
  const late = await pay(before.script, 3_000_000n);
  await mined("the deposit to an old address to be minted", () => isMinted(late));
  const swept = must(await record(trip.node, inbounds, late), "inbound");
  expect(swept.keyId).toBe(oldBitcoin.keyId);
  for (const id of paid) await mined("every deposit to be minted", () => isMinted(id));
  for (const id of sent)
    await mined("every withdrawal to be settled", async () =>
      (await statusOf(id)) === withdrawalStatus.settled ? true : undefined,
    );
  await mined("the old vault to be empty", async () => {
    const ids = (await record(trip.node, lists, listNames.coins))?.ids ?? [];
    for (const id of ids) {
      const coin = await record(trip.node, coins, id);
      if (coin !== undefined && coin.status !== coinStatus.spent && coin.keyId === oldBitcoin.keyId)
        return undefined;
    }
    return true;
  });
  await mined("the old Bitcoin key to be dealt to the new ring", async () => {
    const key = must(await record(trip.node, keys, oldBitcoin.keyId), "old key");
    return key.heldBy > oldBitcoin.heldBy ? true : undefined;
  });
  const reshared = must(await record(trip.node, keys, oldBitcoin.keyId), "old key");
  expect(toHex(reshared.groupPoint)).toBe(toHex(oldBitcoin.groupPoint));
  expect(reshared.attempt).toBeGreaterThan(oldBitcoin.attempt);

  await oldRingIsWorthless({ oldBitcoin, oldEvm, kept });
  const books = await stepAccounting(trip);
  expect(books).toMatchObject({ halted: false, deficit: 0n });
  const now = must(await record(trip.node, accountings, trip.bbtc), "books");
  expect(now.coins).toBeGreaterThan(0n);
}, 400_000);

type Rings = {
  readonly oldBitcoin: Key;
  readonly oldEvm: Key;
  readonly kept: ReturnType<typeof keptShares>;
};

async function oldRingIsWorthless(rings: Rings): Promise<void> {
  // Of any ring of four at least two are away, and it cannot sign: a plan stays open for the old members to try.
  const away = network.operators.slice(0, 3);
  const signers = away.map((one) => must(one.processOf("signer"), "signer"));
  for (const one of signers) one.kill("SIGTERM");
  await Promise.all(signers.map(({ ended }) => ended));
  const id = await withdraw(1_500_000n);
  const planId = await mined("a plan of a newer key", async () => {
    const plan = (await record(trip.node, withdrawals, id))?.plan;
    return plan === undefined || isZero(plan) ? undefined : plan;
  });
  const plan = must(await record(trip.node, plans, planId), "plan");
  expect(plan.keyId).not.toBe(rings.oldBitcoin.keyId);
  const key = must(await record(trip.node, keys, plan.keyId), "key of the plan");
  const forged = forge(rings, plan, key);
  expect(await bring(planId, forged)).toMatchObject({ code: "bad-signature" });
  const bitcoin = rpcClient({
    url: network.bitcoin.url,
    auth: { cookieFile: network.bitcoin.cookieFile },
    timeoutMs: 30_000,
  });
  const raw = toHex(signedTransaction(plan.subject, forged));
  await expect(bitcoin("sendrawtransaction", [raw])).rejects.toThrow();
  bitcoin.close();
  await expect(callAsOld(rings)).rejects.toThrow();
  await Promise.all(away.map((one) => one.startOne("signer")));
  await mined("the ring's own signature", async () =>
    (await statusOf(id)) === withdrawalStatus.settled ? true : undefined,
  );
}

/** The messages of a newer key's plan, signed by the old ring: each verifies under the old key. */
function forge({ oldBitcoin, kept }: Rings, plan: Plan, key: Key): Uint8Array[] {
  const messages = planMessages(network.genesis, plan, key);
  if (isRejected(messages)) throw new Error(messages.message);
  return messages.map(({ message, tweak }) =>
    signWithKept(
      oldBitcoin,
      kept,
      message,
      tweak === undefined ? [] : [taprootTweak(oldBitcoin.groupPoint, tweak)],
    ),
  );
}

/** Hands it in as a relay would. */
async function bring(plan: Uint8Array, signatures: readonly Uint8Array[]): Promise<unknown> {
  const { genesis, secrets } = network;
  const last = genesis.validators.length - 1;
  const { owner } = must(genesis.validators[last], "validator");
  const secret = must(secrets.operators[last], "operator").gateway.relay;
  const sequence = (await trip.node.sequence(owner, roles.relay)) + 20;
  const { time } = await trip.node.status();
  const body = ringSignatureCodec.encode({ plan, signatures: [...signatures] });
  const envelope = { validator: owner, role: roles.relay, sequence };
  const tx = signEnvelope(
    genesis,
    envelope,
    time + 30_000,
    [{ kind: kinds.signature, body }],
    secret,
  );
  return trip.node.submit(transactionCodec.encode(tx));
}

/** A batch that pays the old members a thousand bitcoins' worth of tokens, under their key and the next nonce. */
async function callAsOld({ oldEvm, kept }: Pick<Rings, "oldEvm" | "kept">): Promise<string> {
  const evm = must(network.genesis.evm[0], "an EVM chain");
  const { nextNonce } = must(await record(trip.node, evmStates, evm.chain), "contract");
  const { stipend, overhead } = network.genesis.params;
  const to = trip.bobOnEthereum.address;
  const items = [{ kind: 1, token: trip.token, to, amount: 100_000_000_000n }];
  const batch = { keyId: oldEvm.keyId, nonce: nextNonce, stipend, overhead, items };
  const domain = {
    network: network.genesis.networkId,
    chainId: evm.chainId,
    contract: evm.gateway,
  };
  const signature = signWithKept(oldEvm, kept, batchDigest(domain, batch));
  const data = `0x${toHex(executeCall(batch, { key: xOnly(oldEvm.groupPoint), signature }))}`;
  return trip.provider.call({ to: formatAddress(evm.gateway), data });
}
