// A random life of the bridge, for tests: people pay and burn, blocks come and go, the ring signs, the contract runs what
// it gets, and the committee hears of it in any order.
import type { Random } from "@causeway/primitives";
import { isRejected, keyOf, must, seeded, sha256d } from "@causeway/primitives";
import { parseHeader } from "../../interchain/bitcoin/headers.ts";
import type { BitcoinTransaction } from "../../interchain/bitcoin/transaction.ts";
import { parseTransaction } from "../../interchain/bitcoin/transaction.ts";
import { batchCodec, setKeyCodec } from "../../interchain/messages.ts";
import { vaultsOf } from "../../interchain/policy.ts";
import {
  coinKinds,
  isEvmPlan,
  listNames,
  outpoint,
  planKinds,
  planStatus,
  plans,
  plansByTxid,
} from "../../interchain/records.ts";
import type { ForeignEvent } from "../../interchain/statement.ts";
import { testLock } from "../testing.ts";
import { outputs } from "../utxo/outputs.ts";
import { isBalanced, listOf, queueName } from "./accounting.ts";
import { burnRule } from "./burn.ts";
import { heldCoins } from "./coins.ts";
import type { Block, Deposit, World } from "./testing.ts";
import {
  account,
  act,
  attest,
  bring,
  deposit,
  endBlock,
  mine,
  rotateBitcoin,
  rotateEvm,
  settle,
  sign,
} from "./testing.ts";
import { evmOf, executedEvent, stateContract, transferEvent } from "./testing-evm.ts";
import { p2wpkh } from "./testing-funded.ts";

/** What one life remembers outside the ledger. */
export type Life = {
  readonly world: World;
  readonly random: Random;
  /** Deposits not in a block of the present chain. */
  readonly waiting: Deposit[];
  readonly made: Deposit[];
  /** Ring transactions not in a block of the present chain. */
  readonly pool: Map<string, Uint8Array>;
  readonly seen: Map<string, Uint8Array>;
  /** Blocks of the present chain, from height 1. */
  chain: Block[];
  /** Keys of Bitcoin so far, and the next id of any key. */
  readonly keyIds: number[];
  nextKeyId: number;
  burnt: bigint;
  readonly contract: { keyId: number; minted: bigint; readonly used: Set<number> };
  /** Messages that ran and that the committee has not stated. */
  readonly unstated: Map<number, { readonly keyId: number }>;
};

export function createLife(world: World, seed: number): Life {
  return {
    world,
    random: seeded(seed),
    waiting: [],
    made: [],
    pool: new Map(),
    seen: new Map(),
    chain: [],
    keyIds: [1],
    nextKeyId: 3,
    burnt: 0n,
    contract: { keyId: 2, minted: 0n, used: new Set() },
    unstated: new Map(),
  };
}

function amountOf(random: Random): bigint {
  return random.pick([5_000n, 20_000n, 1_000_000n, 40_000_000n, 300_000_000n, 2_000_000_000n]);
}

function pay(life: Life): void {
  const { world, random } = life;
  const { networkId } = world.genesis;
  const destination = random.pick([
    { chain: networkId, payload: testLock("alice") },
    { chain: networkId, payload: new Uint8Array(32) },
    { chain: evmOf(world).chain, payload: new Uint8Array(20).fill(1 + random.below(9)) },
  ]);
  const maxFee = random.pick([100n, 400n, 5_000n]);
  const keyId = random.pick(life.keyIds);
  const one = deposit(world, { amount: amountOf(random), destination, maxFee, keyId });
  life.made.push(one);
  life.waiting.push(one);
}

function mineOne(life: Life): void {
  const { world, waiting, pool } = life;
  const transactions = [...waiting.map(({ transaction }) => transaction), ...pool.values()];
  waiting.length = 0;
  pool.clear();
  const parent = life.chain.at(-1);
  life.chain.push(mine(world, transactions, parent ?? genesisBlock(world)));
}

function genesisBlock(world: World): Block {
  const header = world.genesis.bitcoin.checkpoint.header;
  return { header, hash: parseHeader(header).hash, height: 0, transactions: [] };
}

/** Takes blocks off the chain; what was in them waits again, in the order of before. */
function reorganise(life: Life, depth: number): void {
  const gone = life.chain.splice(Math.max(0, life.chain.length - depth));
  const lost = new Set(gone.flatMap(({ transactions }) => transactions.map(keyOf)));
  for (const one of life.made) if (lost.has(keyOf(one.transaction))) life.waiting.push(one);
  for (const [name, transaction] of life.seen) if (lost.has(name)) life.pool.set(name, transaction);
  for (let i = 0; i <= gone.length; i++) {
    if (i === gone.length && life.random.chance(0.5)) mineOne(life);
    else life.chain.push(mine(life.world, [], life.chain.at(-1) ?? genesisBlock(life.world)));
  }
}

function bringHeaders(life: Life): void {
  const from = Math.max(0, life.chain.length - 40);
  bring(life.world, ...life.chain.slice(from));
}

function eventsOf(life: Life): ForeignEvent[] {
  return life.chain
    .slice(-12)
    .flatMap((block) =>
      life.made
        .filter(({ transaction }) => block.transactions.includes(transaction))
        .map(({ event }) => event(block)),
    );
}

function signPlans(life: Life): void {
  const { world } = life;
  for (const id of listOf(world.state, listNames.plans)) {
    const plan = must(plans.get(world.state, id), "plan");
    if (plan.status === planStatus.planned && life.random.chance(0.8)) sign(world, id);
    const signed = plans.get(world.state, id);
    if (signed?.status !== planStatus.signed || signed.inputs.length === 0) continue;
    const name = keyOf(signed.subject);
    if (life.seen.has(name)) continue;
    life.seen.set(name, signed.subject);
    life.pool.set(name, signed.subject);
  }
}

function settlePlans(life: Life): void {
  for (const block of life.chain.slice(-12))
    for (const transaction of block.transactions)
      if (life.seen.has(keyOf(transaction))) settle(life.world, block, transaction);
}

export function leave(life: Life): void {
  const { world, random } = life;
  const { supply } = account(world);
  const amount = random.pick([20_000n, 1_000_000n, supply / 2n, supply]);
  if (amount > supply || amount === 0n) return;
  const { bitcoin } = world.genesis;
  const destination = random.chance(0.6)
    ? { chain: bitcoin.chain, payload: p2wpkh }
    : { chain: evmOf(world).chain, payload: new Uint8Array(20).fill(6) };
  const refund = testLock("bob");
  const maxFee = 5_000n;
  const code = act(world, burnRule, { asset: world.bbtc, amount, destination, maxFee, refund });
  // The rules alone are under test: nobody spends the outputs that a burn takes.
  if (code === undefined) life.burnt += amount;
}

function evm(life: Life): void {
  const { world, random } = life;
  const { chain } = evmOf(world);
  runMessages(life);
  if (random.chance(0.7)) stateContract(world, life.contract.keyId);
  for (const [nonce, { keyId }] of life.unstated) {
    if (random.chance(0.3)) continue;
    const code = attest(world, [executedEvent(world, nonce, failed(random), keyId)], { chain });
    if (code === undefined || code === "nothing-new") life.unstated.delete(nonce);
  }
  const { exported } = account(world);
  if (exported < 40_000n || random.chance(0.5)) return;
  const { networkId, bitcoin } = world.genesis;
  const destination = random.pick([
    { chain: networkId, payload: testLock("carol") },
    { chain: bitcoin.chain, payload: p2wpkh },
    { chain: bitcoin.chain, payload: Uint8Array.of(9) },
  ]);
  const amount = exported / 2n;
  const back = attest(world, [transferEvent(world, { amount, destination })], { chain });
  if (back === undefined) life.contract.minted -= amount;
}

function failed(random: Random): bigint {
  return random.chance(0.2) ? 1n : 0n;
}

/** The contract runs what its key has signed, in any order, each nonce once (ETH-1). */
function runMessages(life: Life): void {
  const { world, random, contract, unstated } = life;
  const open = listOf(world.state, listNames.plans)
    .map((id) => must(plans.get(world.state, id), "plan"))
    .filter((plan) => isEvmPlan(plan) && plan.status === planStatus.signed);
  for (const { nonce, keyId, kind, subject } of open) {
    if (keyId !== contract.keyId || contract.used.has(nonce) || random.chance(0.3)) continue;
    contract.used.add(nonce);
    unstated.set(nonce, { keyId });
    if (kind === planKinds.evmSetKey) contract.keyId = setKeyCodec.decode(subject).newKeyId;
    else for (const { amount } of batchCodec.decode(subject).items) contract.minted += amount;
  }
}

const rotationsMax = 6;

/** Bitcoin's key moves (RNG-2). */
function rotateVault(life: Life): void {
  if (life.keyIds.length > rotationsMax) return;
  life.keyIds.push(life.nextKeyId);
  rotateBitcoin(life.world, life.nextKeyId);
  life.nextKeyId += 1;
}

/** The contract is to get another key, maybe before it has taken the one of before (ETH-1). */
function rotateContract(life: Life): void {
  if (life.nextKeyId > 3 * rotationsMax) return;
  rotateEvm(life.world, life.nextKeyId);
  life.nextKeyId += 1;
}

export type Move = (life: Life) => void;

export const moves: readonly Move[] = [
  pay,
  mineOne,
  mineOne,
  (life) => reorganise(life, 1 + life.random.below(4)),
  bringHeaders,
  bringHeaders,
  state,
  state,
  signPlans,
  settlePlans,
  leave,
  evm,
];
/** Those and rotations. */
export const rotatingMoves: readonly Move[] = [...moves, rotateVault, rotateContract];

function state(life: Life): void {
  attest(life.world, eventsOf(life));
}

/** The asset's outputs on the ledger, by walking all of them. */
function supplyOf(world: World): bigint {
  let sum = 0n;
  const prefix = outputs.key({ txid: new Uint8Array(32), index: 0 }).subarray(0, 2);
  for (const { key, value } of world.state.entries()) {
    if (key[0] !== prefix[0] || key[1] !== prefix[1]) continue;
    const output = outputs.codec.decode(value);
    if (keyOf(output.asset) === keyOf(world.bbtc)) sum += output.amount;
  }
  return sum;
}

/** What is wrong at the end of any block. */
export function problemsOf({ world, burnt }: Life): string[] {
  const books = account(world);
  const counted = heldCoins(world.state).filter(({ coin }) => coin.counted);
  const total = counted.reduce((sum, { coin }) => sum + coin.amount, 0n);
  const checks: Readonly<Record<string, boolean>> = {
    unbalanced: isBalanced(books),
    halted: !books.halted,
    supply: books.supply === supplyOf(world) - burnt,
    coins: books.coins === total,
    loan: books.unswept <= world.genesis.params.loanLimit,
  };
  return Object.keys(checks).filter((name) => !checks[name]);
}

/** What is wrong when everything has come to its end, seen from the chains: coins lost, or paid twice or never. */
export function endProblems(life: Life): string[] {
  const { world, contract } = life;
  const { bitcoin } = world.genesis;
  const queued = [bitcoin.chain, evmOf(world).chain].flatMap((chain) =>
    listOf(world.state, queueName(chain)),
  );
  const checks: Readonly<Record<string, boolean>> = {
    exported: account(world).exported === contract.minted,
    queue: queued.length === 0,
    "open plan": listOf(world.state, listNames.plans).length === 0,
  };
  const wrong = Object.keys(checks).filter((name) => !checks[name]);
  return [...wrong, ...vaultProblems(life), ...paymentProblems(life)];
}

/** Below this the reserve may write a remainder off: one input and output, and dust. */
const writtenOff = 600n;

function vaultProblems({ world, chain, seen }: Life): string[] {
  const scripts = new Set(vaultsOf(world.genesis, world.state).map(({ script }) => keyOf(script)));
  const unspent = new Map<string, bigint>();
  const spent = new Set<string>();
  for (const bytes of chain.flatMap(({ transactions }) => transactions)) {
    if (!seen.has(keyOf(bytes))) continue;
    const { inputs, outputs: made } = parsed(bytes);
    for (const { txid, vout } of inputs) {
      const name = keyOf(outpoint(txid, vout));
      if (spent.has(name)) return ["a coin spent twice"];
      spent.add(name);
      unspent.delete(name);
    }
    for (const [vout, { amount, script }] of made.entries())
      if (scripts.has(keyOf(script))) unspent.set(keyOf(outpoint(sha256d(bytes), vout)), amount);
  }
  const held = heldCoins(world.state).filter(({ coin }) => coin.kind === coinKinds.vault);
  const known = new Set(held.map(({ name }) => keyOf(name)));
  const lost = [...unspent].filter(([name, amount]) => !known.has(name) && amount >= writtenOff);
  const gone = [...known].filter((name) => !unspent.has(name));
  return [...lost.map(() => "a coin lost"), ...gone.map(() => "a coin that is not there")];
}

/** Each withdrawal to Bitcoin is in one transaction of the chain, once it is settled. */
function paymentProblems({ world, chain, seen }: Life): string[] {
  const times = new Map<string, number>();
  for (const bytes of chain.flatMap(({ transactions }) => transactions)) {
    const name = seen.has(keyOf(bytes)) ? plansByTxid.get(world.state, sha256d(bytes)) : undefined;
    const plan = name && plans.get(world.state, name.plan);
    for (const id of plan?.withdrawals ?? []) times.set(keyOf(id), (times.get(keyOf(id)) ?? 0) + 1);
  }
  return [...times.values()].filter((count) => count !== 1).map((count) => `paid ${count} times`);
}

function parsed(bytes: Uint8Array): BitcoinTransaction {
  const transaction = parseTransaction(bytes);
  if (isRejected(transaction)) throw new Error(transaction.message);
  return transaction;
}

/** Runs everything to its end: no more reorganisations, every plan signed, mined and settled. */
export function heal(life: Life, rounds = 30): void {
  const { world } = life;
  for (let round = 0; round < rounds; round++) {
    mineOne(life);
    bringHeaders(life);
    state(life);
    signPlans(life);
    settlePlans(life);
    evm(life);
    endBlock(world);
  }
  for (let i = 0; i < 3; i++) endBlock(world);
}
