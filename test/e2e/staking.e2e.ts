// Six validators for four seats (STK, CON-3, CON-4), as node processes: one is voted out, one registers and gets a seat,
// one signs double and is slashed, one is jailed and comes back, while a person's payments go on.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, keyOf, must, toHex, utf8, zero32 } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { NodePorts, TestNetwork } from "../../chain-core/src/adapters/testing.ts";
import { testClient, testNetwork } from "../../chain-core/src/adapters/testing.ts";
import type { Action, Output } from "../../chain-core/src/codec/action.ts";
import { createCodec, kinds, spendCodec } from "../../chain-core/src/codec/action.ts";
import type { Evidence, SignedStatement } from "../../chain-core/src/codec/evidence.ts";
import {
  evidenceCodec,
  statementDigestOf,
  statementKinds,
} from "../../chain-core/src/codec/evidence.ts";
import type { ValidatorKeys } from "../../chain-core/src/codec/stake.ts";
import { delegateCodec, registerCodec, unjailCodec } from "../../chain-core/src/codec/stake.ts";
import { transactionCodec } from "../../chain-core/src/codec/transaction.ts";
import { btm } from "../../chain-core/src/ledger/assets.ts";
import { economy } from "../../chain-core/src/ledger/economy.ts";
import { committees, epochs } from "../../chain-core/src/ledger/epoch/epochs.ts";
import { validatorStatus, validators } from "../../chain-core/src/ledger/epoch/validators.ts";
import { keyRoleNames, keyRoles, signPossession } from "../../chain-core/src/ledger/possession.ts";
import { signTransaction, unsignedTransaction } from "../../chain-core/src/ledger/sign.ts";
import { pools } from "../../chain-core/src/ledger/staking/pool.ts";
import { slashes } from "../../chain-core/src/ledger/staking/punish.ts";
import type { Table } from "../../chain-core/src/ledger/state.ts";
import {
  testBls,
  testHash,
  testLock,
  testSecret,
  validatorSecret,
} from "../../chain-core/src/ledger/testing.ts";
import { freePorts } from "../../deploy/devnet/ports.ts";
import type { SpawnedNode } from "../node-process.ts";
import { spawnNode } from "../node-process.ts";

const seats = 4;
/** Of the genesis; the last one registers. */
const founders = 5;
const newcomer = founders;
const coin = 1_00000000n;
const fee = coin / 10n;
const whale = "whale";

let network: TestNetwork;
let ports: NodePorts[];
const nodes: SpawnedNode[] = [];
const clients: ReturnType<typeof testClient>[] = [];
const client = (i: number): ReturnType<typeof testClient> => must(clients[i], "client");
const ownerLock = testLock("owner of the newcomer");
const ownerSecret = testSecret("owner of the newcomer");
const eventually = (check: () => unknown, timeout = 60_000): Promise<unknown> =>
  vi.waitFor(check, { timeout, interval: 200 });

function run(i: number): SpawnedNode {
  const node = spawnNode({
    config: { ...network.config(i, ports), oneMachine: true, verifyThreads: 0 },
    folder: join(network.folder, `${i}`),
  });
  nodes[i] = node;
  return node;
}

function writeKeys(i: number, consensus: Uint8Array, peer: Uint8Array): void {
  mkdirSync(join(network.folder, `${i}`), { recursive: true });
  const keys = JSON.stringify({ consensus: toHex(consensus), peer: toHex(peer) });
  writeFileSync(join(network.folder, `${i}`, "keys.json"), keys, { mode: 0o600 });
}

beforeAll(async () => {
  network = testNetwork(
    founders,
    {
      epochMs: 6_000,
      blockIntervalMs: 150,
      heartbeatMs: 500,
      seats,
      standbySeats: 1,
      unbondingMs: 20_000,
      missedWindow: 48,
      missedMax: 12,
      jailMs: 2_000,
    },
    [
      { lock: testLock(whale), amount: 10_000_000n * coin },
      { lock: ownerLock, amount: 2_000_000n * coin },
    ],
  );
  const free = await freePorts(2 * (newcomer + 1));
  ports = Array.from({ length: newcomer + 1 }, (_, i) => ({
    p2p: must(free[2 * i], "port"),
    rpc: must(free[2 * i + 1], "port"),
  }));
  for (const { rpc } of ports) clients.push(testClient(rpc));
  writeKeys(
    newcomer,
    validatorSecret(newcomer, "consensusKey"),
    validatorSecret(newcomer, "nodePeerKey"),
  );
  await Promise.all(Array.from({ length: newcomer + 1 }, (_, i) => run(i).ready));
});
afterAll(async () => {
  for (const one of clients) one.close();
  for (const { child } of nodes.filter(Boolean)) child.kill("SIGKILL");
  await Promise.all(nodes.filter(Boolean).map(({ ended }) => ended));
  network.remove();
});

async function recordOf<Key, Value>(of: Table<Key, Value>, key: Key): Promise<Value | undefined> {
  const [bytes] = await client(0).records([of.key(key)]);
  return bytes === undefined ? undefined : of.codec.decode(bytes);
}

/** Spends the owner's largest coin of BTM; `takes` of it go into `actions`, the rest back. */
async function send(
  secret: Uint8Array,
  lock: Uint8Array,
  actions: readonly Action[],
  takes = 0n,
  pays: readonly Output[] = [],
): Promise<Uint8Array> {
  const { genesis } = network;
  const asset = btm(genesis);
  const { time } = await client(0).status();
  const coins = [...(await client(0).utxos(lock, asset))];
  const [spent] = coins.sort((a, b) => (a.output.amount < b.output.amount ? 1 : -1));
  const { id, output } = must(spent, "a coin");
  const paid = pays.reduce((sum, { amount }) => sum + amount, 0n);
  const rest = { asset, lock, amount: output.amount - takes - paid - fee };
  const all = [
    { kind: kinds.spend, body: spendCodec.encode({ inputs: [id] }) },
    { kind: kinds.create, body: createCodec.encode({ outputs: [rest, ...pays] }) },
    ...actions,
  ];
  const unsigned = unsignedTransaction(genesis, all, [output], time + 60_000);
  const signed = signTransaction(unsigned, [secret]);
  if (isRejected(signed)) throw new Error(signed.message);
  const answer = await client(0).submit(transactionCodec.encode(signed));
  if (isRejected(answer)) throw new Error(`${answer.code}: ${(answer as Rejected).message}`);
  await eventually(async () =>
    expect(await client(0).transaction(unsigned.id)).toMatchObject({ status: "final" }),
  );
  return unsigned.id;
}

/** Who has a seat in the running epoch. */
async function seated(): Promise<Set<string>> {
  const { number } = must(await recordOf(epochs, "only"), "epoch");
  const { members } = must(await recordOf(committees, number), "committee");
  return new Set(members.map(({ validator }) => keyOf(validator)));
}
const founder = (i: number): Uint8Array => must(network.genesis.validators[i], "founder").owner;
const isSeated = async (owner: Uint8Array): Promise<boolean> => (await seated()).has(keyOf(owner));

/** Two prevotes of the founder for different blocks of the newest height in which it has a seat. */
async function doubleVote(i: number): Promise<Evidence> {
  const { height } = await client(0).status();
  const { number, firstHeight } = must(await recordOf(epochs, "only"), "epoch");
  const epoch = height >= firstHeight ? number : number - 1;
  const { members } = must(await recordOf(committees, epoch), "committee");
  const seat = members.findIndex(({ validator }) => equal(validator, founder(i)));
  const { networkId } = network.genesis;
  const vote = (of: number): SignedStatement => {
    const block = testHash(networkId, of);
    const said = { kind: statementKinds.prevote, round: 0, block, polRound: 0 };
    const digest = statementDigestOf(networkId, height, { ...said, signature: new Uint8Array(96) });
    return { ...said, signature: testBls.sign(validatorSecret(i, "consensusKey"), digest) };
  };
  return { height, seat, first: vote(1), second: vote(2), reporter: zero32 };
}

function registration(): Action {
  const owner = ownerLock;
  const keys = Object.fromEntries(
    keyRoleNames.map((role) => {
      const secret = validatorSecret(newcomer, role);
      const isBls = keyRoles[role].scheme === "bls";
      return [role, isBls ? testBls.publicKey(secret) : publicPoint(secret)];
    }),
  ) as ValidatorKeys;
  const { networkId } = network.genesis;
  const proofs = Object.fromEntries(
    keyRoleNames.map((role) => [
      role,
      signPossession(networkId, { owner, ...keys }, role, validatorSecret(newcomer, role), testBls),
    ]),
  ) as ValidatorKeys;
  const profile = { name: utf8("newcomer"), site: utf8(""), commission: 500 };
  const body = { owner, profile, keys, proofs, stake: 1_050_000n * coin };
  return { kind: kinds.register, body: registerCodec.encode(body) };
}

test("one is voted out, one joins, one signs double and is slashed, one is jailed and comes back, and payments go on", async () => {
  await client(0).waitForHeight(2, 30_000);
  let payments = 0;
  let isOver = false;
  const paying = (async () => {
    const lock = testLock("alice");
    while (!isOver) {
      const pay = { asset: btm(network.genesis), amount: coin, lock: testLock("bob") };
      await send(testSecret("alice"), lock, [], 0n, [pay]);
      payments += 1;
    }
  })();

  // One of five equal founders has no seat: the whale's stake gives it one, and another loses its own.
  const first = await seated();
  expect(first.size).toBe(seats);
  const waiting = must(
    [0, 1, 2, 3, 4].find((i) => !first.has(keyOf(founder(i)))),
    "a founder without a seat",
  );
  const amount = 100_000n * coin;
  const vote = { delegator: testLock(whale), validator: founder(waiting), amount };
  await send(
    testSecret(whale),
    testLock(whale),
    [{ kind: kinds.delegate, body: delegateCodec.encode(vote) }],
    amount,
  );
  await send(ownerSecret, ownerLock, [registration()], 1_050_000n * coin);
  await eventually(async () => expect(await isSeated(founder(waiting))).toBe(true));
  await eventually(async () => expect(await isSeated(ownerLock)).toBe(true));
  const second = await seated();
  const left = [0, 1, 2, 3, 4].filter(
    (i) => first.has(keyOf(founder(i))) && !second.has(keyOf(founder(i))),
  );
  expect(left).toHaveLength(2);

  // What a second machine with the key of one that has a seat would sign.
  const cheat = must(
    [0, 1, 2, 3, 4].find((i) => i !== waiting && i !== 0 && second.has(keyOf(founder(i)))),
    "cheat",
  );
  const stakeBefore = must(await recordOf(pools, founder(cheat)), "pool").tokens;
  const report = { ...(await doubleVote(cheat)), reporter: testLock("carol") };
  const before = must(await recordOf(economy, "only"), "economy").burnt;
  await send(testSecret(whale), testLock(whale), [
    { kind: kinds.evidence, body: evidenceCodec.encode(report) },
  ]);
  expect(await recordOf(validators, founder(cheat))).toMatchObject({
    status: validatorStatus.tombstoned,
  });
  const [slash] = must(await recordOf(slashes, founder(cheat)), "slashes").list;
  expect(slash?.amount).toBe((stakeBefore * 500n) / 10_000n);
  expect(must(await recordOf(economy, "only"), "economy").burnt - before).toBeGreaterThanOrEqual(
    ((slash?.amount ?? 0n) * 9n) / 10n,
  );
  await eventually(async () => expect(await isSeated(founder(cheat))).toBe(false));
  expect((await seated()).size).toBe(seats);

  // One stands still until it has missed too many votes, and asks to come back when it is there again.
  const sleeper = waiting === 0 ? newcomer : waiting;
  const sleeping = sleeper === newcomer ? ownerLock : founder(sleeper);
  nodes[sleeper]?.child.kill("SIGSTOP");
  await eventually(async () =>
    expect(await recordOf(validators, sleeping)).toMatchObject({ status: validatorStatus.jailed }),
  );
  nodes[sleeper]?.child.kill("SIGCONT");
  const { tokens } = must(await recordOf(pools, sleeping), "pool");
  await eventually(async () => expect(await isSeated(sleeping)).toBe(false));
  const secret = sleeper === newcomer ? ownerSecret : validatorSecret(sleeper, "owner");
  await pay(sleeping);
  await send(secret, sleeping, [
    { kind: kinds.unjail, body: unjailCodec.encode({ owner: sleeping }) },
  ]);
  expect(must(await recordOf(pools, sleeping), "pool").tokens).toBe(tokens);
  await eventually(async () => expect(await isSeated(sleeping)).toBe(true));

  isOver = true;
  await paying;
  expect(payments).toBeGreaterThan(20);
  const { height } = await client(0).status();
  const reached = [0, 1, 2, 3, 4, newcomer].filter((i) => i !== cheat);
  for (const i of reached) await client(i).waitForHeight(height, 30_000);
  const blocks = await Promise.all(reached.map((i) => client(i).block(height)));
  const [own, ...others] = blocks.map((block) => must(block, "block").header);
  for (const other of others) expect(equal(other, must(own, "header"))).toBe(true);
}, 300_000);

/** A fee's worth for one who has none. */
async function pay(lock: Uint8Array): Promise<void> {
  const gift = { asset: btm(network.genesis), amount: coin, lock };
  await send(testSecret(whale), testLock(whale), [], 0n, [gift]);
}
