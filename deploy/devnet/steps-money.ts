// Steps 4 to 8: the bitcoin goes in, to a second person, on to Ethereum, and home; then the books.
import { randomBytes } from "node:crypto";
import type { Inbound, Withdrawal } from "@causeway/chain-core/interchain";
import {
  accountings,
  eventId,
  formatAddress,
  formatBitcoinAddress,
  inboundStatus,
  inbounds,
  listNames,
  lists,
  parseBitcoinAddress,
  plans,
  withdrawalId,
  withdrawalStatus,
  withdrawals,
} from "@causeway/chain-core/interchain";
import { bigEndian, Failure, fromHex, must, reversed, toHex } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import * as bitcoinjs from "bitcoinjs-lib";
import { anyPortal, proofOfNow, record, until } from "./follow.ts";
import type { Facts } from "./report.ts";
import type { Trip } from "./trip.ts";
import { accepted } from "./trip.ts";

export const amounts = {
  deposit: 50_000_000n,
  transfer: 30_000_000n,
  export: 25_000_000n,
  return: 20_000_000n,
} as const;
/** Most that each transfer may cost, sats. */
const maxFee = 20_000n;

/** A receipt from any portal, as people read it. */
async function receipt(trip: Trip, id: Uint8Array): Promise<unknown> {
  return anyPortal(trip.network, "GET", `/v1/transfers/${toHex(id)}`);
}

/** Mines a block a second while it waits: regtest has no other miner. */
async function mineUntil<T>(
  trip: Trip,
  what: string,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  let next = performance.now() + 1_000;
  return until(what, async () => {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= next) {
      next = performance.now() + 1_000;
      await trip.bitcoin.mine(1);
    }
    return undefined;
  });
}

export async function stepDeposit(trip: Trip): Promise<Facts> {
  const { network, bitcoin, alice, node } = trip;
  const terms = {
    chain: "bitcoin",
    destination: { chain: "causeway", address: formatAddress(alice.lock.slice(12)) },
    maxFee: maxFee.toString(),
    refund: toHex(bitcoin.xOnlyKey),
  };
  const answer = await anyPortal(network, "POST", "/v1/deposits", terms);
  const address = String(answer.address);
  const script = accepted(parseBitcoinAddress(network.genesis.bitcoin.network, address));
  const txidText = await bitcoin.pay(script, amounts.deposit);
  const txid = reversed(fromHex(txidText));
  const vout = 0;
  const { networkId, params } = network.genesis;
  const id = eventId(networkId, network.genesis.bitcoin.chain, undefined, txid, vout);
  const [blockHash] = await bitcoin.mine(params.creditDepth);
  const inbound = await mineUntil(trip, "the deposit to be credited", () => credited(trip, id));
  const balance = await until("the coins to be there", async () => {
    const now = await alice.balance(trip.bbtc);
    return now > 0n ? now : undefined;
  });
  return {
    address,
    outpoint: `${txidText}:${vout}`,
    blockHash,
    amount: amounts.deposit,
    event: id,
    credited: inbound.credited,
    fee: inbound.fee,
    balance,
    receipt: await receipt(trip, id),
    ...(await proofOfNow(node)),
  };
}

async function credited(trip: Trip, id: Uint8Array): Promise<Inbound | undefined> {
  const inbound = await record(trip.node, inbounds, id);
  if (inbound?.status === inboundStatus.reclaim)
    throw new Failure("not-credited", `the deposit is left to reclaim, reason ${inbound.reason}`);
  return inbound?.status === inboundStatus.minted ? inbound : undefined;
}

export async function stepTransfer(trip: Trip): Promise<Facts> {
  const { alice, bob, bbtc, node } = trip;
  const sent = await alice.pay(bob.lock, bbtc, amounts.transfer);
  const balance = await until("the coins to arrive", async () => {
    const now = await bob.balance(bbtc);
    return now > 0n ? now : undefined;
  });
  return {
    from: formatAddress(alice.lock.slice(12)),
    to: formatAddress(bob.lock.slice(12)),
    amount: amounts.transfer,
    transaction: sent.id,
    transactionHeight: sent.height,
    feeBtm: sent.feeBtm,
    balance,
    ...(await proofOfNow(node)),
  };
}

/** Bob sends on to his own account on Ethereum: one BIP340 signature of the ring mints there. */
export async function stepExport(trip: Trip): Promise<Facts> {
  const { bob, bobOnEthereum, bbtc, token, node, network } = trip;
  const evm = must(network.genesis.evm[0], "an EVM chain");
  const sent = await bob.burn({
    asset: bbtc,
    amount: amounts.export,
    destination: { chain: evm.chain, payload: bobOnEthereum.address },
    maxFee,
  });
  const id = withdrawalId(network.genesis.networkId, sent.id, sent.burnPosition);
  const balance = await until("the tokens on Ethereum", async () => {
    const now = await bobOnEthereum.balance(token);
    return now > 0n ? now : undefined;
  });
  const settled = await until("the export to be settled", () => settledWithdrawal(trip, id));
  const plan = must(await record(node, plans, settled.plan), "the plan of the export");
  return {
    transaction: sent.id,
    transactionHeight: sent.height,
    withdrawal: id,
    amount: amounts.export,
    fee: settled.fee,
    batchNonce: plan.nonce,
    ringSignature: plan.signatures[0],
    to: formatAddress(bobOnEthereum.address),
    tokenBalance: balance,
    ethereum: await executedLog(trip, plan.nonce),
    receipt: await receipt(trip, id),
    ...(await proofOfNow(node)),
  };
}

async function settledWithdrawal(trip: Trip, id: Uint8Array): Promise<Withdrawal | undefined> {
  const found = await record(trip.node, withdrawals, id);
  if (found?.status === withdrawalStatus.refunded)
    throw new Failure("refunded", `the withdrawal went back, reason ${found.reason}`);
  return found?.status === withdrawalStatus.settled ? found : undefined;
}

/** The log of the contract that says that this batch ran. */
async function executedLog(trip: Trip, nonce: number): Promise<Facts> {
  const { provider, network } = trip;
  const address = formatAddress(must(network.genesis.evm[0], "an EVM chain").gateway);
  const logs = await provider.getLogs({ address, fromBlock: 0, toBlock: "latest" });
  const topic = `0x${toHex(bigEndian(nonce, 32))}`;
  const log = logs.find(({ topics }) => topics[1] === topic && topics.length === 3);
  if (log === undefined) return {};
  const { transactionHash, blockHash, blockNumber } = log;
  return { transactionHash, blockHash, blockNumber, logAddress: address };
}

/** Bob burns the tokens towards a Bitcoin address; the ledger writes the transaction, the ring signs it. */
export async function stepReturn(trip: Trip): Promise<Facts> {
  const { bobOnEthereum, token, network, node } = trip;
  const { genesis } = network;
  const pubkey = publicPoint(randomBytes(32));
  const payment = bitcoinjs.payments.p2wpkh({ pubkey, network: bitcoinjs.networks.regtest });
  const script = must(payment.output, "a script");
  const burnt = await bobOnEthereum.burn({
    token,
    amount: amounts.return,
    chain: genesis.bitcoin.chain,
    payload: script,
    maxFee,
  });
  const evm = must(genesis.evm[0], "an EVM chain");
  const position = burnt.logs.findIndex(
    ({ address, topics }) => address === formatAddress(evm.gateway) && topics.length === 3,
  );
  const event = eventId(genesis.networkId, evm.chain, evm.gateway, fromHex(burnt.hash), position);
  const id = withdrawalId(genesis.networkId, event, 0);
  const settled = await mineUntil(trip, "the bitcoins to arrive", () =>
    settledWithdrawal(trip, id),
  );
  const plan = must(await record(node, plans, settled.plan), "the plan of the withdrawal");
  return {
    ethereum: {
      transactionHash: burnt.hash,
      blockHash: burnt.blockHash,
      blockNumber: burnt.blockNumber,
      logPosition: position,
    },
    event,
    withdrawal: id,
    amount: amounts.return,
    fee: settled.fee,
    address: formatBitcoinAddress(genesis.bitcoin.network, script),
    txid: toHex(reversed(plan.txid)),
    receipt: await receipt(trip, id),
    ...(await proofOfNow(node)),
  };
}

/** ACC-1 once everything is settled: from a node, and from any portal. */
export async function stepAccounting(trip: Trip): Promise<Facts> {
  const { node, bbtc, network } = trip;
  const books = await mineUntil(trip, "every plan to be final", async () => {
    const open = await record(node, lists, listNames.plans);
    const now = must(await record(node, accountings, bbtc), "the books of BBTC");
    return (open?.ids.length ?? 0) === 0 && now.pending === 0n ? now : undefined;
  });
  const left = books.coins + books.deficit;
  const { supply, exported, pending, reserve, rewards } = books;
  const right = supply + exported + pending + reserve + rewards;
  if (left !== right || books.halted)
    throw new Failure("equation", `coins ${left}, liabilities ${right}, halted ${books.halted}`);
  return {
    asset: "BBTC",
    ...books,
    equation: `${books.coins} + ${books.deficit} = ${supply} + ${exported} + ${pending} + ${reserve} + ${rewards}`,
    reserves: await anyPortal(network, "GET", "/v1/reserves"),
    ...(await proofOfNow(node)),
  };
}
