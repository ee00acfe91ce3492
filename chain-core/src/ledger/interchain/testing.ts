// A small world for the tests of these rules: a state, regtest blocks with real proof of work, a committee that
// signs with real BLS keys, and a ring whose key one test secret stands for. The rules run as they are.
import type { Bytes32, Rejected } from "@causeway/primitives";
import {
  bigEndian,
  bytes32,
  concat,
  fromBigEndian,
  isRejected,
  keyOf,
  must,
  sha256,
  utf8,
  zero32,
} from "@causeway/primitives";
import {
  hasEvenY,
  mod,
  order,
  publicPoint,
  scalarBytes,
  signSchnorr,
  xOnly,
} from "@causeway/primitives/secp256k1";
import { judge } from "../../beacon/contribution.ts";
import type { Destination } from "../../codec/action.ts";
import { bitmapOf } from "../../codec/bitmap.ts";
import { littleEndian } from "../../interchain/bitcoin/bytes.ts";
import { hasProofOfWork, parseHeader } from "../../interchain/bitcoin/headers.ts";
import { merkleRoot, proveInclusion } from "../../interchain/bitcoin/inclusion.ts";
import { depositScript } from "../../interchain/bitcoin/scripts.ts";
import type { BitcoinTransaction } from "../../interchain/bitcoin/transaction.ts";
import { encodeTransaction, parseTransaction } from "../../interchain/bitcoin/transaction.ts";
import { planMessages } from "../../interchain/messages.ts";
import type { Accounting, Plan } from "../../interchain/records.ts";
import { listNames, planKinds, plans } from "../../interchain/records.ts";
import type { ForeignEvent, Inclusion, Statement } from "../../interchain/statement.ts";
import {
  bitcoinDepositCodec,
  eventIdOf,
  eventKinds,
  statementDigest,
} from "../../interchain/statement.ts";
import { canaryMessage } from "../../ring/keygen.ts";
import { currentKeys, keys, nextKeys } from "../../ring/records.ts";
import { taprootTweak } from "../../ring/tweak.ts";
import { assetId } from "../assets.ts";
import { committeeOf } from "../committee.ts";
import type { Genesis, Params } from "../genesis.ts";
import { genesisState } from "../genesis-state.ts";
import { genesisVersion } from "../governance/version.ts";
import type { MemoryState } from "../memory-state.ts";
import { memoryState } from "../memory-state.ts";
import { answerFor } from "../ring/liability.ts";
import type { ActionContext, Rule } from "../rule.ts";
import {
  regtestHeader,
  testBls,
  testGenesis,
  testLock,
  testSecret,
  validatorSecret,
} from "../testing.ts";
import { accountOf, listOf, setDue } from "./accounting.ts";
import { attestRule } from "./attest.ts";
import { interchainEndBlock } from "./end-block.ts";
import { headersRule } from "./headers.ts";
import { settleRule } from "./settle.ts";
import { signatureRule } from "./signature.ts";

export const ringSecrets: Readonly<Record<1 | 2, Bytes32>> = {
  1: testSecret("ring of Bitcoin"),
  2: testSecret("ring of the EVM"),
};

const aux: Bytes32 = sha256(utf8("aux"));

/** Of the genesis' keys, and of later ones. */
function ringSecret(keyId: number): Bytes32 {
  return ringSecrets[keyId as 1 | 2] ?? testSecret(`ring of key ${keyId}`);
}

/** A mined block with its transactions without witness, the coinbase first. */
export type Block = {
  readonly header: Uint8Array;
  readonly hash: Bytes32;
  readonly height: number;
  readonly transactions: readonly Uint8Array[];
};

export type World = {
  readonly genesis: Genesis;
  readonly state: MemoryState;
  readonly bbtc: Bytes32;
  /** Every block mined, by hash. */
  readonly blocks: Map<string, Block>;
  tip: Block;
  height: number;
  time: number;
  /** Makes every transaction and block its own. */
  serial: number;
};

export function createWorld(
  params: Partial<Params> = {},
  change: Parameters<typeof testGenesis>[2] = {},
): World {
  const genesis = testGenesis(4, params, change);
  const state = memoryState(genesisState(genesis));
  const hash = bytes32(parseHeader(regtestHeader).hash);
  const tip = { header: regtestHeader, hash, height: 0, transactions: [] };
  const bbtc = must(assetId(genesis, "BBTC"), "BBTC");
  const world = {
    genesis,
    state,
    bbtc,
    blocks: new Map(),
    tip,
    height: 1,
    time: genesis.time,
    serial: 0,
  };
  activate(world, 1, genesis.bitcoin.chain, ringSecrets[1]);
  activate(world, 2, must(genesis.evm[0], "EVM chain").chain, ringSecrets[2]);
  return world;
}

/** A rotation of Bitcoin's key, as the activation of the new one leaves it (RNG-2). */
export function rotateBitcoin(world: World, keyId: number): void {
  activate(world, keyId, world.genesis.bitcoin.chain, ringSecret(keyId));
  setDue(world.state);
}

/** A rotation of the EVM chain's key: the contract still holds the one of before (ETH-1). */
export function rotateEvm(world: World, keyId: number): void {
  const { chain } = must(world.genesis.evm[0], "EVM chain");
  const before = must(currentKeys.get(world.state, chain), "current key");
  activate(world, keyId, chain, ringSecret(keyId));
  currentKeys.put(world.state, chain, before);
  nextKeys.put(world.state, chain, { keyId });
  setDue(world.state);
}

/** A key as the ring's module leaves it once its canary is signed. */
export function activate(world: World, keyId: number, chain: Uint8Array, secret: Uint8Array): void {
  const groupPoint = publicPoint(secret);
  const subject = { keyId, attempt: 0, groupPoint };
  const seats = world.genesis.validators.map(({ owner, hostKey }) => ({
    validator: owner,
    hostKey,
  }));
  keys.put(world.state, keyId, {
    keyId,
    attempt: 0,
    term: 0,
    heldBy: 0,
    chain,
    groupPoint,
    threshold: 3,
    seats,
    shares: seats.map(() => groupPoint),
    active: true,
    canary: signSchnorr(secret, canaryMessage(world.genesis.networkId, subject), aux),
    activatedAt: 0,
  });
  currentKeys.put(world.state, chain, { keyId });
  answerFor(world, keyId, seats);
}

export function contextOf(world: World): ActionContext {
  const { genesis, state, height, time } = world;
  world.serial += 1;
  return {
    genesis,
    params: genesis.params,
    version: genesisVersion,
    baseFee: genesis.params.baseFeeMin,
    bls: testBls,
    state,
    height,
    time,
    judged: (claim) => judge(testBls, claim),
    committee: (epoch) => (epoch === 0 ? committeeOf(genesis) : undefined),
    txid: sha256(bigEndian(world.serial, 8)),
    position: 0,
  };
}

/** One action by its rule; its code when it is refused. Its bytes go through the codec. */
export function act<Body>(world: World, rule: Rule<Body>, body: Body): string | undefined {
  const parsed = rule.codec.parse(rule.codec.encode(body));
  if (isRejected(parsed)) return (parsed as Rejected).code;
  const context = contextOf(world);
  const bad = rule.validate(context, parsed);
  if (bad !== undefined) return bad.code;
  rule.apply(context, parsed);
  return undefined;
}

/** The end of a block, and the beginning of the next. */
export function endBlock(world: World): void {
  interchainEndBlock(contextOf(world));
  world.height += 1;
  world.time += 500;
}

export function account(world: World): Accounting {
  return accountOf(world.state, world.bbtc);
}

// -------------------------------------------------------------------------------------------- Bitcoin

/** A transaction out of nowhere to these outputs. */
export function payment(
  world: World,
  outputs: BitcoinTransaction["outputs"],
  inputs?: BitcoinTransaction["inputs"],
): Uint8Array {
  world.serial += 1;
  const script = new Uint8Array(0);
  const nowhere = {
    txid: sha256(bigEndian(world.serial, 8)),
    vout: 0,
    script,
    sequence: 0xffffffff,
  };
  return encodeTransaction({ version: 2, inputs: inputs ?? [nowhere], outputs, lockTime: 0 });
}

/**
 * Mines a block on `parent` (the tip where none is named), which becomes the tip. `reward` is what its coinbase
 * pays to.
 */
export function mine(
  world: World,
  transactions: readonly Uint8Array[] = [],
  parent?: Block,
  reward: Uint8Array = Uint8Array.of(0x51),
): Block {
  const on = parent ?? world.tip;
  world.serial += 1;
  const script = concat(Uint8Array.of(8), bigEndian(world.serial, 8));
  const inputs = [{ txid: zero32, vout: 0xffffffff, script, sequence: 0xffffffff }];
  const outputs = [{ amount: 50_000_000n, script: reward }];
  const coinbase = encodeTransaction({ version: 2, inputs, outputs, lockTime: 0 });
  const all = [coinbase, ...transactions];
  const time = Math.max(parseHeader(on.header).time + 1, Math.floor(world.time / 1000));
  const times = concat(littleEndian(time, 4), littleEndian(0x207fffff, 4));
  const start = concat(littleEndian(0x20000000, 4), on.hash, merkleRoot(all), times);
  for (let nonce = 0; ; nonce++) {
    const header = concat(start, littleEndian(nonce, 4));
    const parsed = parseHeader(header);
    if (!hasProofOfWork("regtest", parsed)) continue;
    const block = { header, hash: parsed.hash, height: on.height + 1, transactions: all };
    world.blocks.set(keyOf(block.hash), block);
    world.tip = block;
    return block;
  }
}

/** Mines `count` empty blocks and gives the last. */
export function mineMany(world: World, count: number, parent?: Block): Block {
  let block = parent ?? world.tip;
  for (let i = 0; i < count; i++) block = mine(world, [], block);
  return block;
}

/** Brings headers to the ledger. */
export function bring(world: World, ...blocks: readonly Block[]): string | undefined {
  const { chain } = world.genesis.bitcoin;
  return act(world, headersRule, { chain, headers: concat(...blocks.map(({ header }) => header)) });
}

/** Mines and brings `count` blocks, then ends the ledger's block. */
export function confirm(world: World, count: number): void {
  for (let i = 0; i < count; i++) must(bring(world, mine(world)) ?? "ok", "headers");
  endBlock(world);
}

export function included(block: Block, transaction: Uint8Array): Inclusion {
  const position = block.transactions.indexOf(transaction);
  return proveInclusion(block.transactions, position);
}

export type DepositOptions = {
  readonly amount: bigint;
  readonly destination?: Destination;
  readonly maxFee?: bigint;
  readonly keyId?: number;
};

/** `event` is of the block that it is mined in, by `transaction` or by another that pays the same script. */
export type Deposit = {
  readonly transaction: Uint8Array;
  readonly script: Uint8Array;
  readonly event: (block: Block, by?: Uint8Array) => ForeignEvent;
};

const refundKey: Bytes32 = xOnly(publicPoint(testSecret("refund")));

/** A transaction that pays a deposit address, and the event that states it once it is mined. */
export function deposit(
  world: World,
  { amount, destination, maxFee = 10_000n, keyId = 1 }: DepositOptions,
): Deposit {
  const { genesis, state } = world;
  const to = destination ?? { chain: genesis.networkId, payload: testLock("alice") };
  const keyPoint = must(keys.get(state, keyId), "key").groupPoint;
  const terms = { version: 1, destination: to, maxFee, refund: refundKey };
  const script = depositScript(genesis, { ...terms, keyPoint });
  if (isRejected(script)) throw new Error(script.message);
  const transaction = payment(world, [{ amount, script: script.script }]);
  const event = (block: Block, by: Uint8Array = transaction): ForeignEvent => ({
    kind: eventKinds.bitcoinDeposit,
    txid: sha256(sha256(by)),
    index: 0,
    blockHash: block.hash,
    height: block.height,
    body: bitcoinDepositCodec.encode({
      keyId,
      amount,
      ...terms,
      ...included(block, by),
    }),
  });
  return { transaction, script: script.script, event };
}

/** The committee states events; `seats` of it sign. */
export function attest(
  world: World,
  events: readonly ForeignEvent[],
  options: {
    readonly chain?: Uint8Array;
    readonly seats?: readonly number[];
    readonly epoch?: number;
  } = {},
): string | undefined {
  const { networkId, bitcoin } = world.genesis;
  const { chain = bitcoin.chain, seats = [0, 1, 2], epoch = 0 } = options;
  const named = events.map((event) => ({ event, id: eventIdOf(networkId, chain, event) }));
  const sorted = named
    .map(({ event, id }) => ({ event, name: isRejected(id) ? "" : keyOf(id) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ event }) => event);
  return attestAs(world, { epoch, chain, events: sorted }, seats);
}

export function attestAs(
  world: World,
  statement: Statement,
  seats: readonly number[],
): string | undefined {
  const digest = statementDigest(world.genesis.networkId, statement);
  const parts = seats.map((seat) => testBls.sign(validatorSecret(seat, "attestKey"), digest));
  const signature = testBls.aggregate(parts);
  return act(world, attestRule, { statement, bitmap: bitmapOf(seats, 4), signature });
}

/** Open plans of a kind, oldest first. */
export function openPlans(world: World, kind: number): { id: Uint8Array; plan: Plan }[] {
  return listOf(world.state, listNames.plans)
    .map((id) => ({ id, plan: must(plans.get(world.state, id), "plan") }))
    .filter(({ plan }) => plan.kind === kind);
}

/** The secret of K under a Taproot tweak (BIP341), as the ring's shares would add up to it. */
function tweaked(secret: Uint8Array, root: Uint8Array | undefined): Uint8Array {
  const point = publicPoint(secret);
  const even = hasEvenY(point) ? fromBigEndian(secret) : order - fromBigEndian(secret);
  if (root === undefined) return secret;
  return scalarBytes(mod(even + fromBigEndian(taprootTweak(point, root).tweak)));
}

export function sign(world: World, id: Uint8Array): string | undefined {
  const plan = must(plans.get(world.state, id), "plan");
  const key = must(keys.get(world.state, plan.keyId), "key");
  const secret = ringSecret(plan.keyId);
  const messages = planMessages(world.genesis, plan, key);
  if (isRejected(messages)) return messages.code;
  const signatures = messages.map(({ message, tweak }) =>
    signSchnorr(tweaked(secret, tweak), message, aux),
  );
  return act(world, signatureRule, { plan: id, signatures });
}

export function settle(world: World, block: Block, transaction: Uint8Array): string | undefined {
  const { chain } = world.genesis.bitcoin;
  return act(world, settleRule, { chain, blockHash: block.hash, ...included(block, transaction) });
}

/** Signs every open Bitcoin plan, mines them, and settles them at final depth. */
export function runPlans(world: World): void {
  const { sweep, withdrawal, handover } = planKinds;
  const open = [sweep, withdrawal, handover].flatMap((kind) => openPlans(world, kind));
  for (const { id, plan } of open)
    if (plan.status === 1) must(sign(world, id) ?? "ok", "signature");
  endBlock(world);
  if (open.length === 0) return;
  const block = mine(
    world,
    open.map(({ plan }) => plan.subject),
  );
  bring(world, block);
  for (let i = 1; i < world.genesis.params.finalDepth; i++) bring(world, mine(world));
  endBlock(world);
  for (const { plan } of open)
    settle(
      world,
      block,
      must(
        block.transactions.find((one) => one === plan.subject),
        "plan",
      ),
    );
  endBlock(world);
}

/** The transaction of a plan's subject, parsed. */
export function subjectOf(plan: Plan): BitcoinTransaction {
  const transaction = parseTransaction(plan.subject);
  if (isRejected(transaction)) throw new Error(transaction.message);
  return transaction;
}
