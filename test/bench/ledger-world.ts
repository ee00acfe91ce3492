// A ledger of many unspent outputs on a real disk, and signed transfers of them: what the benches `ledger` and
// `growth` run on.
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Put } from "@causeway/primitives";
import { bigEndian, equal, must, sha256, utf8, zero32 } from "@causeway/primitives";
import { openLevelStore } from "@causeway/primitives/adapters/level-store";
import { addressOf, publicPoint } from "@causeway/primitives/secp256k1";
import { metaKeys, stateKey } from "../../chain-core/src/adapters/node-keys.ts";
import { headCodec } from "../../chain-core/src/adapters/node-records.ts";
import type { NodeStore } from "../../chain-core/src/adapters/node-store.ts";
import { createNodeStore } from "../../chain-core/src/adapters/node-store.ts";
import type { OutputId } from "../../chain-core/src/codec/action.ts";
import { createCodec, kinds, spendCodec } from "../../chain-core/src/codec/action.ts";
import { bitmapOf } from "../../chain-core/src/codec/bitmap.ts";
import type { Block, Certificate } from "../../chain-core/src/codec/block.ts";
import {
  blockId,
  certificateCodec,
  committeeId,
  transactionsRoot,
  voteDigest,
  voteKinds,
  votesRoot,
} from "../../chain-core/src/codec/block.ts";
import { transactionCodec } from "../../chain-core/src/codec/transaction.ts";
import { btm, lockOfAddress } from "../../chain-core/src/ledger/assets.ts";
import type { Genesis } from "../../chain-core/src/ledger/genesis.ts";
import { genesisState } from "../../chain-core/src/ledger/genesis-state.ts";
import { signTransaction, unsignedTransaction } from "../../chain-core/src/ledger/sign.ts";
import { testBls, testGenesis, validatorSecret } from "../../chain-core/src/ledger/testing.ts";
import { commitmentOf, utxoSum, utxoSums } from "../../chain-core/src/ledger/utxo/commitment.ts";
import { outputs } from "../../chain-core/src/ledger/utxo/outputs.ts";
import type { Applied, LedgerPort } from "../../chain-core/src/node/port.ts";

/** Of each output; a transfer pays {@link fee}, far above the least. */
const value = 1_00000000n;
const fee = 100_000n;
/** Puts of one batch while the set is loaded. */
const batchSize = 20_000;

export type World = {
  readonly genesis: Genesis;
  readonly folder: string;
  readonly secrets: readonly Uint8Array[];
  readonly locks: readonly Uint8Array[];
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** A network whose owners' keys are named by numbers; nothing is on disk yet. */
export async function makeWorld(owners: number): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "causeway-bench-"));
  const secrets = Array.from({ length: owners }, (_, i) => sha256(utf8(`bench owner ${i}`)));
  const locks = secrets.map((secret) => lockOfAddress(addressOf(publicPoint(secret))));
  const genesis = testGenesis(4);
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  return { genesis, folder, secrets, locks, [Symbol.asyncDispose]: remove };
}

/** The id of the loaded output `i`; its owner is `i` mod the owners. */
export function outputOf(i: number): OutputId {
  return { txid: createHash("sha256").update(bigEndian(i, 8)).digest(), index: 0 };
}

/** Makes a node's database in `folder` with the genesis state and `count` outputs. */
export async function loadOutputs(world: World, folder: string, count: number): Promise<void> {
  await createNodeStore(folder, world.genesis, genesisState(world.genesis));
  await addOutputs(world, folder, count);
}

/** Adds `count` outputs to a database that stands at the genesis. */
export async function addOutputs(
  { genesis, locks }: Pick<World, "genesis" | "locks">,
  folder: string,
  count: number,
): Promise<void> {
  // As a node writes it.
  const db = await openLevelStore(folder, { create: false, compression: false });
  const asset = btm(genesis);
  const head = headCodec.decode(must(db.get(metaKeys.head), "head"));
  const sum = utxoSum(must(db.get(stateKey(utxoSums.key("only"))), "sum"));
  for (let from = 0; from < count; from += batchSize) {
    const puts: Put[] = [];
    for (let i = from; i < Math.min(count, from + batchSize); i++) {
      const lock = must(locks[i % locks.length], "lock");
      const key = outputs.key(outputOf(i));
      const bytes = outputs.codec.encode({ asset, amount: value, lock });
      sum.add(key, bytes);
      puts.push({ key: stateKey(key), value: bytes });
    }
    await db.write(puts);
  }
  const utxoCommitment = commitmentOf(sum.bytes());
  await db.write([
    { key: stateKey(utxoSums.key("only")), value: sum.bytes() },
    { key: metaKeys.head, value: headCodec.encode({ ...head, utxoCommitment }) },
  ]);
  await db.close();
}

/** Signed transfers, each of one random output (none twice) to a random owner with change. */
export function transfers(world: World, outputsCount: number, count: number): Uint8Array[] {
  const { genesis, secrets, locks } = world;
  const random = randomNumbers(7);
  const used = new Set<number>();
  const asset = btm(genesis);
  return Array.from({ length: count }, () => {
    let spent = random(outputsCount);
    while (used.has(spent)) spent = random(outputsCount);
    used.add(spent);
    const owner = spent % locks.length;
    const lock = must(locks[owner], "lock");
    const to = must(locks[random(locks.length)], "lock");
    const amount = BigInt(1 + random(90_000_000));
    const actions = [
      { kind: kinds.spend, body: spendCodec.encode({ inputs: [outputOf(spent)] }) },
      {
        kind: kinds.create,
        body: createCodec.encode({
          outputs: [
            { asset, amount, lock: to },
            { asset, amount: value - amount - fee, lock },
          ],
        }),
      },
    ];
    const unsigned = unsignedTransaction(
      genesis,
      actions,
      [{ asset, amount: value, lock }],
      genesis.time + 60_000,
    );
    const signed = signTransaction(unsigned, [must(secrets[owner], "secret")]);
    if ("code" in signed) throw new Error(signed.message);
    return transactionCodec.encode(signed);
  });
}

/** Repeatable numbers below a bound: the first bytes of SHA-256 of seed and counter. */
function randomNumbers(seed: number): (below: number) => number {
  let counter = 0;
  return (below) => {
    const bytes = createHash("sha256").update(`${seed}/${counter++}`).digest();
    return bytes.readUIntBE(0, 6) % below;
  };
}

/** Height and time of the block after the store's. */
export function nextOf(
  { genesis }: World,
  store: NodeStore,
): { readonly height: number; readonly time: number } {
  const { height } = store.head();
  return { height: height + 1, time: genesis.time + height + 1 };
}

/** A block of these transactions on the store's state, without what consensus adds. */
export function makeBlock(
  world: World,
  ledger: LedgerPort,
  store: NodeStore,
  transactions: Uint8Array[],
): Block {
  const network = world.genesis.networkId;
  const { id } = store.head();
  const at = nextOf(world, store);
  const frame = ledger.frame(store.state);
  const parent = store.tip()?.certificate;
  const votes = { certificate: parent === undefined ? [] : [parent], late: [] };
  const header = {
    ...at,
    version: frame.version,
    parent: id,
    proposer: 0,
    transactionsRoot: transactionsRoot(network, transactions),
    stateRoot: ledger.root(store.tree()),
    utxoCommitment: frame.utxoCommitment,
    votesRoot: votesRoot(network, votes),
    snapshotRoot: zero32,
    committee: committeeId(network, frame.committee),
    nextCommittee: committeeId(network, frame.nextCommittee),
  };
  return { header, ...votes, transactions };
}

/** What all validators say of a block that they found valid. */
export function certify(
  { genesis }: World,
  ledger: LedgerPort,
  store: NodeStore,
  block: Block,
): Certificate {
  const { members } = ledger.frame(store.state).committee;
  const { height } = block.header;
  const content = { height, round: 0, block: blockId(genesis.networkId, block.header) };
  const vote = { ...content, kind: voteKinds.precommit, polRound: 0 };
  const digest = voteDigest(genesis.networkId, vote);
  const signatures = members.map(({ validator }) => {
    const place = genesis.validators.findIndex(({ owner }) => equal(owner, validator));
    return testBls.sign(validatorSecret(place, "consensusKey"), digest);
  });
  const seats = members.map((_, seat) => seat);
  return {
    ...content,
    bitmap: bitmapOf(seats, members.length),
    signature: testBls.aggregate(signatures),
  };
}

export type Decided = {
  readonly block: Block;
  readonly bytes: Uint8Array;
  readonly certificate: Certificate;
  readonly applied: Applied;
};

/** Writes an applied block, synced, as a node does. */
export async function persist(
  { genesis }: World,
  ledger: LedgerPort,
  store: NodeStore,
  { block, bytes, certificate, applied }: Decided,
): Promise<void> {
  await store.persist({
    kind: "persist",
    height: block.header.height,
    id: blockId(genesis.networkId, block.header),
    time: block.header.time,
    block: bytes,
    certificate: certificateCodec.encode(certificate),
    puts: applied.puts,
    root: ledger.root(applied.tree),
    receipts: applied.receipts,
  });
}

/** Wall time, CPU time of all threads and of this one, ms. */
export type Cost = { readonly wallMs: number; readonly cpuMs: number; readonly mainMs: number };

export async function measured<T>(work: () => Promise<T> | T): Promise<readonly [T, Cost]> {
  const cpu = process.cpuUsage();
  const main = process.threadCpuUsage();
  const from = performance.now();
  const result = await work();
  const wallMs = performance.now() - from;
  const ms = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1_000;
  const [cpuMs, mainMs] = [ms(process.cpuUsage(cpu)), ms(process.threadCpuUsage(main))];
  return [result, { wallMs, cpuMs, mainMs }];
}
