// What is wrong from outside gets a clear error and costs nothing: bytes on every port, configurations, foreign
// nodes that are away, deposits that cannot be credited as wished. One network of real processes takes it all.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { assetId } from "@causeway/chain-core";
import { formatAddress, parseBitcoinAddress } from "@causeway/chain-core/interchain";
import { isRejected, must, toHex } from "@causeway/primitives";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeMessage, transactionsCodec } from "../../chain-core/src/node/message.ts";
import { nodeAt, until } from "../../deploy/devnet/follow.ts";
import type { Network } from "../../deploy/devnet/network.ts";
import { createNetwork } from "../../deploy/devnet/network.ts";
import type { Kind, Operator } from "../../deploy/devnet/operators.ts";
import { assertFree, freePorts } from "../../deploy/devnet/ports.ts";
import { stepKeys, stepStart } from "../../deploy/devnet/steps-network.ts";
import type { Trip } from "../../deploy/devnet/trip.ts";
import { makeTrip } from "../../deploy/devnet/trip.ts";
import { initSeat } from "../../signer/src/adapters/seat-folder.ts";
import { seal } from "../../signer/src/wire.ts";
import type { Forwarder } from "./bad-input/forwarder.ts";
import { forwarder } from "./bad-input/forwarder.ts";
import { wrongTransactions } from "./bad-input/hand-made.ts";
import { portalRefusal, randomBytes, rpcRefusal, send } from "./bad-input/http.ts";
import type { Refusal } from "./bad-input/mains.ts";
import { startWrong } from "./bad-input/mains.ts";
import { wrongBytes, wrongEnvelopes, wrongParameters } from "./bad-input/node-rpc.ts";
import { wrongBodies, wrongDeposits, wrongPaths, wrongQuotes } from "./bad-input/portal-api.ts";
import { babble, babbleOnPort, sayAndBeHungUp, stranger } from "./bad-input/strangers-p2p.ts";
import { accepted } from "./strangers.ts";

let network: Network;
let trip: Trip;
let doors: { readonly bitcoin: Forwarder; readonly ethereum: Forwarder };
/** The operator that reaches Bitcoin and Ethereum only by the doors. */
const remote = 3;

function operator(index: number): Operator {
  return must(network.operators[index], "an operator");
}

beforeAll(async () => {
  network = await createNetwork({ params: { heartbeatMs: 1_000 } });
  trip = makeTrip(network);
  const [bitcoin = 0, ethereum = 0] = await freePorts(2);
  doors = {
    bitcoin: forwarder(bitcoin, network.bitcoin.url),
    ethereum: forwarder(ethereum, network.ethereum.url),
  };
  const change = { BITCOIN_RPC: doors.bitcoin.url, ETHEREUM_RPC: doors.ethereum.url };
  for (const kind of ["signer", "gateway"] as const) operator(remote).configure(kind, change);
  await stepStart(trip);
});
afterAll(async () => {
  trip.close();
  await network.stop();
  await Promise.all([doors.bitcoin.close(), doors.ethereum.close()]);
});

/** A payment becomes final on every node; nothing has died and no operator is cut off. */
async function everythingWorks(): Promise<void> {
  for (const { index, isAlive } of network.operators)
    expect(isAlive(), `operator ${index} runs`).toBe(true);
  const btm = must(assetId(network.genesis, "BTM"), "BTM");
  const { id } = await trip.alice.pay(trip.bob.lock, btm, 1_000n);
  for (const { nodeUrl, index } of network.operators)
    await until(
      `node ${index} to have the payment and its peers`,
      async () => {
        const node = nodeAt(nodeUrl);
        const { peers } = await node.status();
        const { status } = await node.transaction(id);
        return status === "final" && peers === 3 ? true : undefined;
      },
      { timeoutMs: 20_000 },
    );
}

type Part = { readonly ok: boolean; readonly message: string };
type Parts = Readonly<Record<string, Part>>;

async function portalHealth(index: number): Promise<{ ok: boolean; parts: Parts }> {
  const answer = await send(`${operator(index).portalUrl}/v1/health`, "GET");
  return answer.json as { ok: boolean; parts: Parts };
}

function signerHealth(index: number): Parts {
  const file = join(operator(index).settings.folder, "signer", "data", "health.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { parts: Parts }).parts;
}

/** Both the signer and the gateway of the operator say that both foreign nodes are up, or down. */
async function bothSay(index: number, ok: boolean): Promise<void> {
  await until(`operator ${index} to say that its foreign nodes are ${ok}`, async () => {
    const all = [(await portalHealth(index)).parts, signerHealth(index)];
    const isSo = all.every(({ bitcoin, ethereum }) => bitcoin?.ok === ok && ethereum?.ok === ok);
    return isSo ? true : undefined;
  });
}

test("an operator whose Bitcoin and Ethereum nodes are away starts, makes keys with the others, says so, and goes on when they come", async () => {
  await stepKeys(trip);
  await bothSay(remote, false);
  const { ok, parts } = await portalHealth(remote);
  expect(ok).toBe(false);
  expect(parts.bitcoin?.message).toMatch(/unreachable|refused|connect/i);
  expect(parts.ethereum?.message).toMatch(/unreachable|refused|connect/i);
  expect(parts.node?.ok).toBe(true);
  await bothSay(0, true);
  await Promise.all([doors.bitcoin.open(), doors.ethereum.open()]);
  await bothSay(remote, true);
});

function shown(body: string | Uint8Array | undefined): string {
  return typeof body === "string" ? body.slice(0, 150) : `${body?.length ?? 0} bytes`;
}

test("a node's RPC answers every wrong body with a typed error", async () => {
  const { nodeUrl } = operator(0);
  const all = [...wrongEnvelopes, ...wrongParameters, ...wrongBytes];
  const differing: string[] = [];
  for (const { body, refused } of all) {
    const got = rpcRefusal(await send(nodeUrl, "POST", body));
    if (got !== refused) differing.push(`${shown(body)}: ${got}, not ${refused}`);
  }
  expect(differing).toEqual([]);
  expect(rpcRefusal(await send(nodeUrl, "GET"))).toBe("-32600 bad-request");
  expect(rpcRefusal(await send(`${nodeUrl}/other`, "POST", "{}"))).toBe("-32600 bad-request");
  const batch = JSON.stringify([1, { jsonrpc: "2.0", id: 2, method: "status" }]);
  const { text } = await send(nodeUrl, "POST", batch);
  expect((JSON.parse(text) as unknown[]).map((one) => Object.keys(one as object))).toEqual([
    ["jsonrpc", "id", "error"],
    ["jsonrpc", "id", "result"],
  ]);
  await babbleOnPort(operator(0).settings.ports.nodeRpc, randomBytes(1, 100_000));
  await everythingWorks();
});

const maxFee = "20000";

function depositWish(fee: string = maxFee): Record<string, unknown> {
  return {
    chain: "bitcoin",
    destination: { chain: "causeway", address: formatAddress(trip.alice.lock.slice(12)) },
    maxFee: fee,
    refund: toHex(trip.bitcoin.xOnlyKey),
  };
}

test("a portal answers every wrong request with a typed error: addresses of other networks, amounts, assets, destinations", async () => {
  const { portalUrl } = operator(0);
  const right = {
    deposit: depositWish(),
    quote: {
      asset: "BBTC",
      amount: "1000000",
      destination: { chain: "bitcoin", address: trip.bitcoin.address },
    },
  };
  const all = [...wrongBodies(), ...wrongPaths, ...wrongDeposits(right), ...wrongQuotes(right)];
  const differing: string[] = [];
  for (const { method, path, body, refused } of all) {
    const got = portalRefusal(await send(`${portalUrl}${path}`, method, body));
    if (got !== refused)
      differing.push(`${method} ${path.slice(0, 100)} ${shown(body)}: ${got}, not ${refused}`);
  }
  expect(differing).toEqual([]);
  // An amount outside the limits is a quote that says no, with the limits.
  const quoted = async (amount: string): Promise<unknown> => {
    const body = JSON.stringify({ ...right.quote, amount });
    return (await send(`${portalUrl}/v1/withdrawals/quote`, "POST", body)).json;
  };
  const limits = { fee: expect.any(String), min: expect.any(String), max: expect.any(String) };
  const no = { ...limits, accepted: false, reason: expect.stringMatching(/\d/) };
  expect(await quoted("1")).toEqual({ ...no, code: "below-minimum" });
  expect(await quoted("0")).toEqual({ ...no, code: "below-minimum" });
  expect(await quoted(`${2n ** 127n}`)).toEqual({ ...no, code: "above-maximum" });
  expect(await quoted("1000000")).toMatchObject({ accepted: true });
  await babbleOnPort(operator(0).settings.ports.portal, randomBytes(2, 100_000));
  await everythingWorks();
});

/** Multiaddr of another operator's node or signer. */
function addressOf(kind: "node" | "signer", index: number): string {
  const other = operator(index === 0 ? 1 : 0).settings;
  const port = operator(index).settings.ports[kind === "node" ? "nodeP2p" : "signerP2p"];
  const all = kind === "node" ? other.nodePeers : other.signerPeers;
  return must(
    all.find((one) => one.includes(`/tcp/${port}/`)),
    "an address",
  );
}

function peerOf(address: string): string {
  return address.slice(address.lastIndexOf("/") + 1);
}

test("a node hangs up on strangers who say what no honest node says, survives the rest, and goes on", async () => {
  const { networkId } = network.genesis;
  const target = addressOf("node", 0);
  const peer = peerOf(target);
  const topics = ["transactions", "requests"];
  const to = { networkId, peers: [target], protocol: "consensus", topics };
  const malformed: Uint8Array[] = [
    new Uint8Array(0),
    randomBytes(1, 1_000).fill(255, 0, 1),
    ...[1, 2, 3, 4, 5, 6, 7].map((kind) => randomBytes(kind, 300).fill(kind, 0, 1)),
    randomBytes(8, 3_000_000).fill(5, 0, 1),
  ];
  await Promise.all(
    malformed.map((message) => sayAndBeHungUp(to, (p2p) => p2p.send(peer, "consensus", message))),
  );
  await sayAndBeHungUp(to, (p2p) => p2p.publish("transactions", randomBytes(9, 700)));
  // Well-formed, and no use to anybody: not held against the sender, and without effect.
  const junk = randomBytes(10, 500);
  const useless: Uint8Array[] = [
    encodeMessage({
      kind: "status",
      status: { height: Number.MAX_SAFE_INTEGER, lowest: 1, round: 4_000_000_000, views: [] },
    }),
    encodeMessage({ kind: "blocksRequest", from: 0, count: 65_535 }),
    encodeMessage({ kind: "blocksRequest", from: Number.MAX_SAFE_INTEGER, count: 1 }),
    encodeMessage({ kind: "blocksReply", from: 1, blocks: [{ block: junk, certificate: junk }] }),
    encodeMessage({ kind: "transactions", transactions: [junk, new Uint8Array(0)] }),
    encodeMessage({ kind: "requests", requests: [junk, new Uint8Array(0)] }),
    // Beyond the largest message: its length alone ends the stream.
    new Uint8Array(16 * 1024 * 1024),
  ];
  const fool = await stranger(to);
  await until("the connection", async () => (fool.peers().length > 0 ? true : undefined));
  for (const message of useless) fool.send(peer, "consensus", message);
  fool.publish("transactions", transactionsCodec.encode({ transactions: [junk] }));
  for (const topic of topics) fool.publish(topic, new Uint8Array(8 * 1024 * 1024));
  fool.publish("requests", junk);
  expect(await babble(target, 100_000)).toEqual(
    expect.arrayContaining([expect.stringMatching(/consensus/), expect.stringMatching(/meshsub/)]),
  );
  await babbleOnPort(operator(0).settings.ports.nodeP2p, randomBytes(3, 100_000));
  await sleep(500);
  await fool.close();
  await everythingWorks();
});

/** Signers that tell their three peers from nobody else, and run. */
async function ringIsWhole(): Promise<void> {
  for (const { index } of network.operators)
    await until(`signer ${index} to have its peers`, async () => {
      const { ring } = signerHealth(index);
      return ring?.ok && ring.message.startsWith("3 of 3") ? true : undefined;
    });
}

test("a signer's port is closed to strangers, and garbage from a signer that the genesis names harms nobody", async () => {
  const { networkId } = network.genesis;
  const victim = operator(remote);
  const targets = victim.settings.signerPeers;
  const to = { networkId, peers: targets, protocol: "ring" };
  const outsider = await stranger(to);
  await expect(babble(must(targets[0], "a signer"), 1_000)).rejects.toThrow();
  await babbleOnPort(operator(0).settings.ports.signerP2p, randomBytes(4, 100_000));
  await sleep(1_000);
  const heard = targets.filter((one) => outsider.send(peerOf(one), "ring", randomBytes(5, 100)));
  await outsider.close();
  expect(heard).toEqual([]);
  await ringIsWhole();

  const signer = must(victim.processOf("signer"), "a signer");
  signer.kill("SIGKILL");
  await signer.ended;
  const { peer: secret } = must(network.secrets.operators[remote], "secrets").signer;
  const traitor = await stranger({ ...to, secret });
  await until("the connections", async () => (traitor.peers().length === 3 ? true : undefined));
  const bodies = [new Uint8Array(0), randomBytes(6, 400), randomBytes(7, 250_000)];
  const sealed = [0, 1, 2, 3, 4, 5, 6, 255].flatMap((kind) =>
    [0, remote].flatMap((seat) => bodies.map((body) => seal(kind, seat, body))),
  );
  const oversized = new Uint8Array(16 * 1024 * 1024);
  for (const message of [new Uint8Array(0), randomBytes(8, 5_000), ...sealed, oversized])
    traitor.broadcast("ring", message);
  await sleep(1_500);
  await traitor.close();
  await victim.startOne("signer");
  await ringIsWhole();
  await everythingWorks();
});

async function newAddress(portal: number, fee?: string): Promise<Uint8Array> {
  const body = JSON.stringify(depositWish(fee));
  const answer = await send(`${operator(portal).portalUrl}/v1/deposits`, "POST", body);
  expect(answer.status, answer.text).toBe(200);
  const { network: name } = network.genesis.bitcoin;
  return accepted(parseBitcoinAddress(name, String(answer.json?.address)));
}

type Receipt = Readonly<Record<string, unknown>>;

async function receiptAt(portal: number, txid: string): Promise<Receipt | undefined> {
  const answer = await send(`${operator(portal).portalUrl}/v1/transfers/${txid}:0`, "GET");
  return answer.status === 200 ? answer.json : undefined;
}

/** The receipt once it has this status; regtest has no other miner, so it mines while it waits. */
function receiptOf(txid: string, status: string): Promise<Receipt> {
  let mined = performance.now();
  return until(
    `deposit ${txid} to be ${status}`,
    async () => {
      const receipt = await receiptAt(0, txid);
      if (receipt?.status === status) return receipt;
      if (performance.now() - mined > 1_500) {
        mined = performance.now();
        await trip.bitcoin.mine(1);
      }
      return undefined;
    },
    { timeoutMs: 40_000 },
  );
}

test("deposits that are too small or too large, come twice, or after the portal's restart reach what their receipts explain", async () => {
  const { bitcoin } = trip;
  const { params } = network.genesis;
  const address = await newAddress(0);
  const restarted = 1;
  const remembered = await newAddress(restarted, "30000");
  const gateway = must(operator(restarted).processOf("gateway"), "a gateway");
  gateway.kill("SIGKILL");
  await gateway.ended;
  // Coins of their own for each payment.
  await bitcoin.mine(6);
  const small = await bitcoin.pay(address, params.depositMin - 1n);
  const large = await bitcoin.pay(address, params.depositCap + 1n);
  const twice = [await bitcoin.pay(address, 20_000_000n), await bitcoin.pay(address, 30_000_000n)];
  await operator(restarted).startOne("gateway");
  const late = await bitcoin.pay(remembered, 10_000_000n);
  await bitcoin.mine(params.creditDepth);

  for (const txid of [...twice, late]) {
    const { credited, fee, amount, reason, next } = await receiptOf(txid, "credited");
    expect(BigInt(String(credited)) + BigInt(String(fee))).toBe(BigInt(String(amount)));
    expect({ reason, next }).toEqual({ reason: "", next: "" });
  }
  const next = expect.stringMatching(/reclaim key/);
  const reason = expect.stringMatching(/too small: at least 10000 sats/);
  expect(await receiptOf(small, "reclaim")).toMatchObject({ reason, next, credited: "0" });
  const tooLarge = expect.stringMatching(/above the cap of 1000000000 sats/);
  expect(await receiptOf(large, "reclaim")).toMatchObject({ reason: tooLarge, next });
  // The gateway that was killed knows its own address again, and says the same.
  expect((await receiptAt(restarted, late))?.seen).toMatchObject({ height: expect.any(Number) });
  const receipts = await Promise.all([...twice, late].map((txid) => receiptAt(0, txid)));
  const sum = receipts.reduce((total, one) => total + BigInt(String(one?.credited)), 0n);
  expect(await trip.alice.balance(trip.bbtc)).toBe(sum);
});

test("a burn beyond the balance is refused by the wallet, and every wrong transaction by the node with its code", async () => {
  const { alice, bbtc, node } = trip;
  const balance = await alice.balance(bbtc);
  const { chain } = network.genesis.bitcoin;
  const destination = { chain, payload: trip.bitcoin.script };
  const order = { asset: bbtc, destination, maxFee: 20_000n };
  await expect(alice.burn({ ...order, amount: balance + 1n })).rejects.toMatchObject({
    code: "insufficient-funds",
  });
  const unknown = { ...order, asset: randomBytes(11, 32), amount: 1n };
  await expect(alice.burn(unknown)).rejects.toMatchObject({ code: "insufficient-funds" });
  const coins = await node.utxos(alice.lock);
  const others = await node.utxos(trip.bob.lock);
  const { time } = await node.status();
  const made = { genesis: network.genesis, secrets: network.secrets.users, coins, others, time };
  const differing: string[] = [];
  for (const { what, bytes, refused } of wrongTransactions(made, order)) {
    const answer = await node.submit(bytes);
    const got = isRejected(answer) ? answer.code : "accepted";
    if (got !== refused) differing.push(`${what}: ${got}, not ${refused}`);
  }
  expect(differing).toEqual([]);
  expect(await alice.balance(bbtc)).toBe(balance);
  await everythingWorks();
});

describe("while Bitcoin and Ethereum hang", () => {
  let folder: string;
  let pending: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
    pending = await trip.bitcoin.pay(await newAddress(0), 15_000_000n);
    network.bitcoin.kill("SIGSTOP");
    network.ethereum.kill("SIGSTOP");
  });
  afterAll(() => {
    network.bitcoin.kill("SIGCONT");
    network.ethereum.kill("SIGCONT");
    rmSync(folder, { recursive: true, force: true });
  });

  function configFile(kind: Kind): string {
    return join(operator(0).settings.folder, kind, `${kind}.env`);
  }

  /** Exit code 1, nothing on stdout, one typed JSON error. */
  function expectRefusal({ exitCode, stdout, error, stderr }: Refusal, code: string): void {
    expect({ exitCode, stdout, code: error.code }, stderr).toEqual({
      exitCode: 1,
      stdout: "",
      code,
    });
    expect(error.message).toMatch(/\w+ \w+/);
  }

  test.each([
    [
      "node",
      {
        GENESIS: "/nowhere/genesis.json",
        P2P_PORT: "seventy",
        RPC_PORT: "99999",
        PEERS: "here",
        LOG_LEVEL: "loud",
        ONE_MACHINE: "perhaps",
      },
      [
        'CAUSEWAY_GENESIS: must be a file that is there, got "/nowhere/genesis.json"',
        'CAUSEWAY_P2P_PORT: must be 0 to 65535, got "seventy"',
        'CAUSEWAY_RPC_PORT: must be 0 to 65535, got "99999"',
        'CAUSEWAY_PEERS: must be comma separated /ip4/<address>/tcp/<port>/p2p/<peer id>, got "here"',
        'CAUSEWAY_ONE_MACHINE: must be true or false, got "perhaps"',
        'CAUSEWAY_LOG_LEVEL: must be debug, info, warn, error or silent, got "loud"',
      ],
    ],
    [
      "signer",
      { GENESIS_PROOFS: "none", P2P_PORT: "-1", NODE_RPC: "ftp://x", BITCOIN_RPC: "hunter2" },
      [
        'CAUSEWAY_GENESIS_PROOFS: must be a file that is there, got "none"',
        'CAUSEWAY_NODE_RPC: must be an http or https address, got "ftp://x"',
        'CAUSEWAY_P2P_PORT: must be 0 to 65535, got "-1"',
        "CAUSEWAY_BITCOIN_RPC: must be an http or https address",
      ],
    ],
    [
      "gateway",
      { PORTAL_PORT: "", NODE_RPC: "x", BITCOIN_RPC: "hunter2" },
      [
        'CAUSEWAY_NODE_RPC: must be an http or https address, got "x"',
        "CAUSEWAY_PORTAL_PORT: empty",
        "CAUSEWAY_BITCOIN_RPC: must be an http or https address",
      ],
    ],
  ] as const)(
    "a %s lists every mistake of its configuration at once",
    async (kind, wrong, values) => {
      const right = readFileSync(configFile(kind), "utf8").split("\n");
      const kept = right.filter((line) => {
        const key = /^CAUSEWAY_(\w+)=/.exec(line)?.[1] ?? "";
        return key !== "" && key !== "KEYS" && !(key in wrong);
      });
      const changed = Object.entries(wrong).map(([key, value]) => `CAUSEWAY_${key}=${value}`);
      const file = join(folder, `${kind}.env`);
      writeFileSync(file, ["no line", ...kept, ...changed, "CAUSEWAY_COLOUR=blue"].join("\n"));
      const refusal = await startWrong(kind, file, {});
      expectRefusal(refusal, "bad-config");
      const lines = ["line 1: not KEY=value", "CAUSEWAY_COLOUR: no such key"];
      const all = ["CAUSEWAY_KEYS: missing", ...values, ...lines].sort();
      expect([...(refusal.error.mistakes ?? [])].sort()).toEqual(all);
      expect(refusal.stderr).not.toContain("hunter2");
    },
  );

  test.each(["node", "signer", "gateway"] as const)(
    "a %s without the native addon says so",
    async (kind) => {
      // node-gyp-build looks here instead, and finds none.
      const refusal = await startWrong(kind, configFile(kind), { SECP256K1_PREBUILD: folder });
      expectRefusal(refusal, "missing-addon");
      expect(refusal.error.message).toMatch(/npm ci/);
    },
  );

  test("a port in use, a folder or a socket in use are each said, with the name", async () => {
    const { ports } = operator(0).settings;
    const fresh = { CAUSEWAY_DATA: join(folder, "data"), CAUSEWAY_BUS: join(folder, "bus.sock") };
    initSeat(fresh.CAUSEWAY_DATA);
    const cases: [Kind, Record<string, string>, string, string][] = [
      ["node", fresh, "port-in-use", `${ports.nodeP2p}`],
      ["node", { ...fresh, CAUSEWAY_P2P_PORT: "0" }, "port-in-use", `${ports.nodeRpc}`],
      ["signer", fresh, "port-in-use", `${ports.signerP2p}`],
      ["gateway", fresh, "port-in-use", `${ports.portal}`],
      ["node", {}, "locked", "data"],
      ["signer", {}, "locked", "data"],
      ["gateway", {}, "in-use", "bus.sock"],
    ];
    for (const [kind, change, code, name] of cases) {
      const refusal = await startWrong(kind, configFile(kind), change);
      expectRefusal(refusal, code);
      expect(refusal.error.message).toContain(name);
    }
    const taken = [ports.nodeP2p, ports.portal];
    await expect(assertFree(taken)).rejects.toThrow(`ports already in use: ${taken.join(", ")}`);
  });

  test("every operator says so, serves what it can, and goes on afterwards", async () => {
    for (const { index } of network.operators) await bothSay(index, false);
    const { parts } = await portalHealth(0);
    expect(parts.bitcoin?.message).toMatch(/time/);
    await newAddress(0, "25000");
    await everythingWorks();
    network.bitcoin.kill("SIGCONT");
    network.ethereum.kill("SIGCONT");
    for (const { index } of network.operators) await bothSay(index, true);
    await trip.bitcoin.mine(network.genesis.params.creditDepth);
    await receiptOf(pending, "credited");
  });
});

test("no process died of all this, and none logged an error", () => {
  for (const { logFile, index } of network.operators)
    for (const kind of ["node", "signer", "gateway"] as const) {
      const lines = readFileSync(logFile(kind), "utf8").split("\n");
      const errors = lines.filter((line) => /"level":"(error|fatal)"|"error":\{"code"/.test(line));
      expect(errors, `${kind} ${index}`).toEqual([]);
    }
});
