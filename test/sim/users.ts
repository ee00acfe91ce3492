// What people do in a simulated world, as scripts that wait: a bitcoin comes in, is passed on, leaves to Bitcoin or to
// Ethereum and comes back from there. Everything that a user knows is final on some node or on the foreign chains.
import { bytes32, concat, fromHex, isRejected, keyOf, must, reversed } from "@causeway/primitives";
import { publicPoint, xOnly } from "@causeway/primitives/secp256k1";
import type { Destination } from "../../chain-core/src/codec/action.ts";
import { depositScript, vaultScript } from "../../chain-core/src/interchain/bitcoin/scripts.ts";
import { creditId, withdrawalId } from "../../chain-core/src/interchain/policy.ts";
import {
  evmStates,
  inboundStatus,
  withdrawalStatus,
} from "../../chain-core/src/interchain/records.ts";
import type { DepositRequest } from "../../chain-core/src/interchain/statement.ts";
import { depositRequestCodec, eventId } from "../../chain-core/src/interchain/statement.ts";
import { assetId, btm } from "../../chain-core/src/ledger/assets.ts";
import { accountOf } from "../../chain-core/src/ledger/interchain/accounting.ts";
import type { StateReader } from "../../chain-core/src/ledger/state.ts";
import { outputs } from "../../chain-core/src/ledger/utxo/outputs.ts";
import type { Key } from "../../chain-core/src/ring/records.ts";
import { currentKeys, keys } from "../../chain-core/src/ring/records.ts";
import type { Coin } from "../../chain-core/src/wallet/index.ts";
import { note } from "../seeds/trace.ts";
import { violated } from "../seeds/violation.ts";
import type { Tx } from "./bitcoin.ts";
import { broadcast, payment } from "./bitcoin.ts";
import { watchLock } from "./checkers/checks.ts";
import { balanceOf, receiptOf, submit } from "./ethereum.ts";
import { addressNamed, lockNamed, named, secretOf, tokenAddress } from "./genesis.ts";
import { readerOf } from "./ledger.ts";
import type { Operator, World } from "./model.ts";
import { heightOf, submitTo } from "./node-process.ts";
import type { Sent, Wallet } from "./wallet.ts";
import { genesisCoin, pay, receive, sumOf, wallet } from "./wallet.ts";

/** A script is resumed now and then, and returns when its story is over. */
export type Story = Generator<undefined, void, undefined>;
type Wait<T> = Generator<undefined, T, undefined>;

const maxFee = 20_000n;
const againMs = 4_000;
/** Below `expiryMaxMs` by more than clocks differ. */
const expiresMs = 8 * 60_000;

export type DepositKind = "ledger" | "ledger-and-ethereum" | "forward-to-ethereum" | "too-small";

/** A payment to a deposit address that is on its way. */
export type Deposit = {
  readonly kind: DepositKind;
  readonly tx: Tx;
  readonly conflict: () => Tx;
  /** Its user knows that it is spent elsewhere for good. */
  isGone: boolean;
  isCredited: boolean;
};

/** Stories that a world can have. */
const storiesMax = 3;

/** Everyone with BTM in the genesis: Alice and Bob of each story, and Carol. */
export const userNames: readonly string[] = [
  ...Array.from({ length: storiesMax }, (_, i) => [`alice ${i} change`, `bob ${i} change`]).flat(),
  "carol change",
];

function* until<T>(look: () => T | undefined): Wait<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    yield;
  }
}

/** Does `act` at once and every few seconds until `look` finds something. */
function* insist<T>(world: World, act: () => void, look: () => T | undefined): Wait<T> {
  let actAt = 0;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (world.queue.now >= actAt) {
      act();
      actAt = world.queue.now + againMs;
    }
    yield;
  }
}

/** The node with the most blocks, running or not: what is final stays final. */
export function newest(world: World): Operator {
  let found = must(world.operators[0], "operator");
  for (const one of world.operators) if (heightOf(one.node) > heightOf(found.node)) found = one;
  return found;
}

function ledgerOf(world: World): StateReader {
  return readerOf(newest(world).node.disk);
}

/** A portal that answers: users go on with the next when one is silent. */
function portal(world: World): Operator | undefined {
  const up = world.operators.filter(({ node, isSilent }) => node.isUp && !isSilent);
  return up.length === 0 ? undefined : world.random.pick(up);
}

export function ringKey(world: World, chain: Uint8Array): Key | undefined {
  const reader = ledgerOf(world);
  const current = currentKeys.get(reader, chain);
  const key = current && keys.get(reader, current.keyId);
  return key?.active === true ? key : undefined;
}

function bbtc(world: World): Uint8Array {
  return must(assetId(world.genesis, "BBTC"), "asset");
}

function* send(world: World, sent: Sent, look: () => true | undefined): Wait<void> {
  const hand = (): void => {
    const to = portal(world);
    if (to === undefined) return;
    submitTo(world, to, "transactions", sent.bytes, (result) => {
      const answer = isRejected(result) ? result.code : "accepted";
      note(world.trace, world.queue.now, `user hands ${keyOf(sent.txid).slice(0, 8)}: ${answer}`);
    });
  };
  yield* insist(world, hand, look);
}

function isFinalOutput(world: World, { first }: Sent): true | undefined {
  return outputs.get(ledgerOf(world), first) === undefined ? undefined : true;
}

function expiry(world: World): number {
  return newest(world).node.disk.time + expiresMs;
}

/** A script that nothing else pays to, and whom it stands for. */
function payee(world: World, what: string, amount: bigint): Destination {
  const script = concat(Uint8Array.of(0, 20), named(what).subarray(0, 20));
  world.checks.payees.set(keyOf(script), { amount, maxFee, chain: "bitcoin" });
  return { chain: world.genesis.bitcoin.chain, payload: script };
}

function evmPayee(world: World, what: string, amount: bigint): Destination {
  const payload = addressNamed(what);
  world.checks.payees.set(keyOf(payload), { amount, maxFee, chain: "ethereum" });
  return { chain: must(world.genesis.evm[0], "chain").chain, payload };
}

// ------------------------------------------------------------------------------------------ stories

function aliceOf({ genesis }: World, index: number): Wallet {
  const alice = wallet(`alice ${index}`, `alice ${index}`, `alice ${index} change`);
  alice.coins.push(genesisCoin(genesis, btm(genesis), 2 * index));
  return alice;
}

function bobOf({ genesis }: World, index: number): Wallet {
  const bob = wallet(`bob ${index}`, `bob ${index}`, `bob ${index} change`);
  bob.coins.push(genesisCoin(genesis, btm(genesis), 2 * index + 1));
  return bob;
}

/** One deposit to Alice, passed on to Bob, who leaves. */
export function* roundTrip(world: World, index: number, kind: DepositKind, list: Deposit[]): Story {
  const { genesis } = world;
  const event = yield* comeIn(world, index, kind, list);
  if (kind === "too-small") return;
  if (kind === "forward-to-ethereum") {
    yield* settled(world, withdrawalId(genesis.networkId, event, 0));
    yield* comeBack(world, `eve in ${index}`, index);
    return;
  }
  const alice = aliceOf(world, index);
  const bob = bobOf(world, index);
  yield* credited(world, alice, event);
  yield* passOn(world, alice, bob);
  yield* leave(world, bob, index, kind === "ledger-and-ethereum");
}

/** One deposit, and what the ledger makes of it. */
export function* depositOnly(
  world: World,
  index: number,
  kind: DepositKind,
  list: Deposit[],
): Story {
  const event = yield* comeIn(world, index, kind, list);
  if (kind === "forward-to-ethereum")
    yield* settled(world, withdrawalId(world.genesis.networkId, event, 0));
  else if (kind !== "too-small") yield* credited(world, aliceOf(world, index), event);
}

/** Bob, who got a coin from Carol before, leaves. */
export function* withdrawalOnly(
  world: World,
  index: number,
  coin: Coin,
  toEthereum: boolean,
): Story {
  const bob = bobOf(world, index);
  receive(bob, coin);
  yield* leave(world, bob, index, toEthereum);
}

/** Carol brings in coins for the ring's vault and gives of them to every Bob; gives his coins. */
export function* fund(world: World, list: Deposit[], coins: Coin[]): Story {
  const { genesis } = world;
  const carol = wallet("carol", "alice 9", "carol change");
  carol.coins.push(genesisCoin(genesis, btm(genesis), 2 * storiesMax));
  const event = yield* comeIn(world, 9, "ledger", list, 100_000_000n);
  yield* credited(world, carol, event);
  const asset = bbtc(world);
  const payments = Array.from({ length: storiesMax }, (_, i) => ({
    asset,
    amount: 5_000_000n + BigInt(i),
    lock: must(bobOf(world, i).locks[0], "lock"),
  }));
  const sent = pay(genesis, carol, { payments, expires: expiry(world) });
  yield* send(world, sent, () => isFinalOutput(world, sent));
  coins.push(...sent.outputs.slice(0, storiesMax));
  yield* until(() => (accountOf(ledgerOf(world), asset).unswept === 0n ? true : undefined));
  const { chain } = must(genesis.evm[0], "chain");
  yield* until(() => (evmStates.get(ledgerOf(world), chain)?.stated === true ? true : undefined));
}

/** A deposit from the request to its outcome; gives the event's id. */
function* comeIn(
  world: World,
  index: number,
  kind: DepositKind,
  list: Deposit[],
  wanted?: bigint,
): Wait<Uint8Array> {
  const { genesis, checks, random } = world;
  const key = yield* until(() => ringKey(world, genesis.bitcoin.chain));
  checks.ringScripts.add(keyOf(vaultScript(genesis, key.groupPoint).script));
  const usual = kind === "too-small" ? 5_000n : 200_000n + BigInt(random.below(5_000_000));
  const amount = wanted ?? usual;
  const lock = lockNamed(`alice ${index}`);
  if (kind === "ledger" || kind === "ledger-and-ethereum") watchLock(checks, lock);
  const destination =
    kind === "forward-to-ethereum"
      ? evmPayee(world, `eve in ${index}`, amount)
      : { chain: bytes32(genesis.networkId), payload: lock };
  return yield* deposit(world, { index, key, amount, destination, kind, list });
}

function* credited(world: World, to: Wallet, event: Uint8Array): Wait<void> {
  const id = { txid: creditId(world.genesis.networkId, event), index: 0 };
  const output = yield* until(() => outputs.get(ledgerOf(world), id));
  receive(to, { id, output });
}

/** Burns most of what the wallet holds: to Bitcoin, or half of it to Ethereum and back from there. */
function* leave(world: World, from: Wallet, index: number, toEthereum: boolean): Wait<void> {
  const held = sumOf(from, bbtc(world));
  const leaving = toEthereum ? held / 2n : held - held / 5n;
  const first = yield* burn(world, from, leaving, payee(world, `withdrawal ${index}`, leaving));
  if (toEthereum) {
    const rest = held - leaving - held / 10n;
    const second = yield* burn(world, from, rest, evmPayee(world, `eve out ${index}`, rest));
    yield* settled(world, second);
    yield* comeBack(world, `eve out ${index}`, index);
  }
  yield* settled(world, first);
}

type Terms = {
  readonly index: number;
  readonly key: Key;
  readonly amount: bigint;
  readonly destination: Destination;
  readonly kind: DepositKind;
  readonly list: Deposit[];
};

/** Pays to a deposit address until the ledger has an outcome for it; gives the event's id. */
function* deposit(world: World, terms: Terms): Wait<Uint8Array> {
  const { genesis, bitcoin } = world;
  const { key, amount, destination, kind, list, index } = terms;
  const refund = xOnly(publicPoint(secretOf(`refund ${index}`)));
  const script = depositScript(genesis, {
    version: 1,
    keyPoint: key.groupPoint,
    destination,
    maxFee,
    refund,
  });
  if (isRejected(script)) throw new Error(script.message);
  world.checks.ringScripts.add(keyOf(script.script));
  const { chain } = genesis.bitcoin;
  const body = { version: 1, chain, keyId: key.keyId, destination, maxFee, refund };
  for (;;) {
    const { tx, conflict } = payment(bitcoin, script.script, amount);
    const mine: Deposit = { kind, tx, conflict, isGone: false, isCredited: false };
    list.push(mine);
    const refused = broadcast(bitcoin, tx.raw);
    if (refused !== undefined) violated("the simulation pays right", refused);
    note(world.trace, world.queue.now, `user ${index} pays ${amount} in ${tx.txid.slice(0, 8)}`);
    const event = eventId(genesis.networkId, chain, undefined, reversed(fromHex(tx.txid)), 0);
    const outcome = yield* insist(
      world,
      () => request(world, { ...body, expires: newest(world).node.disk.time + 3_600_000 }),
      () => (mine.isGone ? "gone" : outcomeOf(world, event)),
    );
    if (outcome === "gone") continue;
    mine.isCredited = outcome !== inboundStatus.reclaim;
    note(world.trace, world.queue.now, `deposit ${tx.txid.slice(0, 8)} has outcome ${outcome}`);
    if (!mine.isCredited && kind !== "too-small")
      violated("a good deposit is credited", `${tx.txid} is left to its reclaim`);
    return event;
  }
}

function request(world: World, body: DepositRequest): void {
  const to = portal(world);
  if (to !== undefined)
    submitTo(world, to, "requests", depositRequestCodec.encode(body), () => undefined);
}

function outcomeOf(world: World, event: Uint8Array): number | undefined {
  const status = world.checks.inbounds.get(keyOf(event))?.status ?? 0;
  return status >= inboundStatus.minted ? status : undefined;
}

/** Alice sends all but a fifth to Bob. */
function* passOn(world: World, alice: Wallet, bob: Wallet): Wait<void> {
  const asset = bbtc(world);
  const held = sumOf(alice, bbtc(world));
  const lock = must(bob.locks[0], "lock");
  const payments = [{ asset, amount: held - held / 5n, lock }];
  const sent = pay(world.genesis, alice, { payments, expires: expiry(world) });
  yield* send(world, sent, () => isFinalOutput(world, sent));
  receive(bob, must(sent.outputs[0], "payment"));
}

/** Burns; gives the withdrawal's id as soon as the ledger has it. */
function* burn(
  world: World,
  from: Wallet,
  amount: bigint,
  destination: Destination,
): Wait<Uint8Array> {
  const refund = must(from.locks.at(-1), "lock");
  const sent = pay(world.genesis, from, {
    payments: [],
    burn: { asset: bbtc(world), amount, destination, maxFee, refund },
    expires: expiry(world),
  });
  const id = withdrawalId(world.genesis.networkId, sent.txid, sent.burnAt);
  yield* send(world, sent, () => (world.checks.withdrawals.has(keyOf(id)) ? true : undefined));
  note(world.trace, world.queue.now, `burnt ${amount} for withdrawal ${keyOf(id).slice(0, 8)}`);
  return id;
}

function* settled(world: World, id: Uint8Array): Wait<void> {
  yield* until(() => {
    const found = world.checks.withdrawals.get(keyOf(id));
    if (found?.status === withdrawalStatus.refunded)
      violated("a good withdrawal is paid", `${keyOf(id)} is refunded`);
    return found?.status === withdrawalStatus.settled ? true : undefined;
  });
  note(world.trace, world.queue.now, `withdrawal ${keyOf(id).slice(0, 8)} is settled`);
}

/** Burns everything on Ethereum: to Bitcoin, or to the ledger. */
function* comeBack(world: World, eve: string, index: number): Wait<void> {
  const { genesis, ethereum } = world;
  const from = addressNamed(eve);
  const amount = balanceOf(ethereum, tokenAddress, from);
  if (amount === 0n) violated("a settled mint is on Ethereum", eve);
  const toBitcoin = world.random.chance(0.7);
  const lock = lockNamed(`${eve} on the ledger`);
  if (!toBitcoin) watchLock(world.checks, lock);
  const destination = toBitcoin
    ? payee(world, `return of ${eve}`, amount)
    : { chain: bytes32(genesis.networkId), payload: lock };
  const call = { kind: "burn" as const, token: tokenAddress, amount, destination, maxFee };
  const txid = submit(ethereum, from, call, index);
  note(world.trace, world.queue.now, `${eve} burns ${amount} on Ethereum`);
  const { chain, gateway } = ethereum.chain;
  const at = yield* until(() => receiptOf(ethereum, txid));
  if (!at.succeeded) violated("the simulation burns right", eve);
  const event = eventId(genesis.networkId, chain, gateway, txid, 1);
  const outcome = yield* until(() => outcomeOf(world, event));
  if (outcome === inboundStatus.forwarded)
    yield* settled(world, withdrawalId(genesis.networkId, event, 0));
  else if (outcome !== inboundStatus.minted)
    violated("a good deposit is credited", `${eve}: outcome ${outcome}`);
}
