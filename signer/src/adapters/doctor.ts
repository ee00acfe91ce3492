// `causeway signer doctor`: what an operator should mend before it costs a seat its standing, or the ring a share
// (research: threshold 7). Reads only. Each finding says what to do.
import { readFileSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { NodeClient } from "@causeway/chain-core/client";
import type { Genesis } from "@causeway/chain-core/interchain";
import { headerCodec } from "@causeway/chain-core/interchain";
import type { Transport } from "@causeway/primitives";
import { Failure, isRejected, toHex } from "@causeway/primitives";
import { readKeyFile } from "@causeway/primitives/adapters/key-file";
import { selfTest } from "./addon-test.ts";
import { journalOf, shareNames, sharesOf } from "./seat-folder.ts";
import { openShare } from "./share-vault.ts";
import { awayText, isRunning, readHealth } from "./signer-status.ts";
import { keyFields } from "./vault.ts";

/** `fail`: it does not sign, or leaks. `warn`: it may soon. */
export type Level = "ok" | "warn" | "fail";
export type Finding = {
  readonly check: string;
  readonly level: Level;
  readonly found: string;
  /** What to do; empty when it is ok. */
  readonly todo: string;
};

export type DoctorWorld = {
  readonly genesis: Genesis;
  readonly dataFolder: string;
  readonly keysFile: string;
  readonly client: NodeClient;
  readonly bitcoin: Transport;
  readonly ethereum: Transport;
  readonly nowMs: number;
};

const ok = (check: string, found: string): Finding => ({ check, level: "ok", found, todo: "" });
const warn = (check: string, found: string, todo: string): Finding => ({
  check,
  level: "warn",
  found,
  todo,
});
const fail = (check: string, found: string, todo: string): Finding => ({
  check,
  level: "fail",
  found,
  todo,
});

/** Every check, in the order in which a person should mend them. Throws nothing that a check can say. */
export async function examine(world: DoctorWorld): Promise<Finding[]> {
  const [node, bitcoin, ethereum] = await Promise.all([
    nodeHead(world),
    bitcoinHead(world),
    ethereumHead(world),
  ]);
  return [
    nodeVersion(),
    addon(),
    coreDumps(),
    swap(),
    disk(world),
    keyFile(world),
    ...folder(world),
    process_(world),
    ...signers(world),
    ...node,
    ...bitcoin,
    ...ethereum,
  ];
}

const nodeMajorMin = 24;

function nodeVersion(): Finding {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) >= nodeMajorMin) return ok("Node", node);
  return fail("Node", node, `run the project's own Node ${nodeMajorMin} or newer`);
}

function addon(): Finding {
  const bad = selfTest();
  if (bad === undefined) return ok("native addon", "agrees with @noble/curves");
  return fail("native addon", bad, "npm rebuild secp256k1, and sign nothing before it agrees");
}

function coreDumps(): Finding {
  const line = readOr("/proc/self/limits", "")
    .split("\n")
    .find((one) => one.startsWith("Max core file size"));
  const soft = line?.slice("Max core file size".length).trim().split(/\s+/)[0];
  if (soft === "0") return ok("core dumps", "off");
  const todo = "ulimit -c 0, or LimitCORE=0 in the unit: a core holds the shares";
  return warn("core dumps", soft === undefined ? "not known here" : `up to ${soft}`, todo);
}

function swap(): Finding {
  const areas = readOr("/proc/swaps", "").trim().split("\n").slice(1);
  if (areas.length === 0) return ok("swap", "off");
  return warn("swap", `${areas.length} in use`, "swapoff -a, or encrypt it: it can hold shares");
}

const diskWarn = 2n * 1024n ** 3n;
const diskFail = 64n * 1024n ** 2n;

function disk({ dataFolder }: DoctorWorld): Finding {
  try {
    const { bavail, bsize } = statfsSync(dataFolder, { bigint: true });
    const free = bavail * bsize;
    const found = `${free / 1024n ** 2n} MB free`;
    const todo = "make room: a journal that cannot be written stops the signer";
    if (free < diskFail) return fail("disk", found, todo);
    return free < diskWarn ? warn("disk", found, todo) : ok("disk", found);
  } catch {
    return fail("disk", `${dataFolder} is not there`, "causeway signer init, or restore");
  }
}

function keyFile({ keysFile }: DoctorWorld): Finding {
  try {
    readKeyFile(keysFile, keyFields);
    return ok("key file", keysFile);
  } catch (error) {
    return fail("key file", reasonOf(error), "mend it, or causeway signer restore");
  }
}

function folder(world: DoctorWorld): Finding[] {
  const { dataFolder, keysFile, genesis } = world;
  const out: Finding[] = [];
  const open = [dataFolder, sharesOf(dataFolder)].filter((path) => (modeOf(path) & 0o077) !== 0);
  const files = [
    journalOf(dataFolder),
    ...shareNames(dataFolder).map((name) => join(sharesOf(dataFolder), name)),
  ];
  const loose = [...open, ...files.filter((path) => (modeOf(path) & 0o077) !== 0)];
  out.push(
    loose.length === 0
      ? ok("file modes", "nobody else reads them")
      : fail("file modes", `others may read ${loose[0]}`, `chmod go= ${loose.join(" ")}`),
  );
  out.push(
    modeOf(journalOf(dataFolder)) === 0
      ? fail("journal", "none", "causeway signer init for a new seat, restore for a lost one")
      : ok("journal", `${statSync(journalOf(dataFolder)).size} bytes`),
  );
  try {
    const { passphrase } = readKeyFile(keysFile, keyFields);
    const of = { passphrase, network: genesis.networkId };
    for (const name of shareNames(dataFolder))
      openShare(of, readFileSync(join(sharesOf(dataFolder), name)), name);
    out.push(ok("shares", `${shareNames(dataFolder).length} open with the passphrase`));
  } catch (error) {
    const todo = "move it away: the signer opens it again from the ledger's deals";
    out.push(fail("shares", reasonOf(error), todo));
  }
  return out;
}

function process_({ dataFolder, nowMs }: DoctorWorld): Finding {
  const report = readHealth(dataFolder);
  if (report === undefined || !isRunning(report, nowMs))
    return warn("process", "does not run", "start causeway-signer");
  const bad = Object.entries(report.parts).filter(([, part]) => !part.ok);
  const { summary } = report;
  if (bad.length > 0)
    return warn(
      "process",
      `${bad.map(([name]) => name).join(", ")} not well`,
      "see its health.json",
    );
  if (summary !== undefined && summary.barred > 0) {
    const todo = "nothing: what is planned from now on is signed; keep this folder from now on";
    return warn("process", `${summary.barred} slots barred, the journal was old`, todo);
  }
  return ok("process", `runs as ${report.pid}`);
}

/** Of a process that runs: whom of the others it reaches, and whether they can dial it. */
function signers({ dataFolder, nowMs }: DoctorWorld): Finding[] {
  const report = readHealth(dataFolder);
  if (report?.signers === undefined || !isRunning(report, nowMs)) return [];
  const { announced, connected, away } = report.signers;
  const count = `${connected.length} of ${connected.length + away.length} connected`;
  const out: Finding[] = [];
  if (away.length === 0) out.push(ok("signers", count));
  else {
    const found = `${count}; away: ${away.map(awayText).join(", ")}`;
    const isAlone = connected.length === 0;
    const todo = isAlone
      ? "open the way to one that runs, or name it in CAUSEWAY_PEERS: it knows the others"
      : "ask their operators; no address: it has told nobody, see its CAUSEWAY_ANNOUNCE";
    out.push((isAlone ? fail : warn)("signers", found, todo));
  }
  if (announced.length === 0)
    out.push(
      warn("own address", "none is told: others cannot dial this signer", "set CAUSEWAY_ANNOUNCE"),
    );
  else out.push(ok("own address", announced.join(", ")));
  return out;
}

async function nodeHead({ client, genesis, nowMs }: DoctorWorld): Promise<Finding[]> {
  try {
    const { networkId, syncing } = await client.status();
    if (toHex(networkId) !== toHex(genesis.networkId))
      return [fail("own node", "is of another network", "name the node of this genesis")];
    const finality = await client.finality();
    const header = headerCodec.parse(finality?.header ?? new Uint8Array(0));
    if (isRejected(header)) return [fail("own node", header.message, "update it")];
    const aheadMs = nowMs - header.time;
    const { finalityAgeMaxMs } = genesis.params;
    const head = `height ${header.height}, ${(aheadMs / 1000).toFixed(1)} s old, protocol ${header.version}`;
    const out = [syncing ? warn("own node", `${head}, catching up`, "wait") : ok("own node", head)];
    // RNG-6: nothing is signed on older finality; the ledger's time is of many clocks (TIM-1).
    const apart = `own clock and ledger ${(aheadMs / 1000).toFixed(1)} s apart`;
    const todo = "set the clock, or see why the node does not follow";
    if (aheadMs > finalityAgeMaxMs || aheadMs < -5_000) out.push(fail("clock", apart, todo));
    else if (aheadMs > finalityAgeMaxMs / 2) out.push(warn("clock", apart, todo));
    else out.push(ok("clock", apart));
    return out;
  } catch (error) {
    return [fail("own node", reasonOf(error), "start it, or mend CAUSEWAY_NODE_RPC")];
  }
}

async function bitcoinHead({ bitcoin, nowMs }: DoctorWorld): Promise<Finding[]> {
  try {
    const info = (await bitcoin("getblockchaininfo", [])) as Record<string, unknown>;
    const { blocks, headers, time, initialblockdownload: isBehind } = info;
    const found = `${info.chain} ${blocks} of ${headers}`;
    if (isBehind === true || blocks !== headers)
      return [warn("Bitcoin", found, "wait until it has caught up: its events are not judged")];
    // A block may be two hours ahead of its time, and an hour without one is rare.
    if (typeof time === "number" && nowMs < time * 1000 - 2 * 3_600_000)
      return [fail("Bitcoin", `${found}, its newest block is of the future`, "set the clock")];
    return [ok("Bitcoin", found)];
  } catch (error) {
    return [fail("Bitcoin", reasonOf(error), "start the node, or mend CAUSEWAY_BITCOIN_*")];
  }
}

async function ethereumHead({ ethereum, genesis, nowMs }: DoctorWorld): Promise<Finding[]> {
  const [evm] = genesis.evm;
  if (evm === undefined) return [];
  try {
    const id = BigInt(String(await ethereum("eth_chainId", [])));
    if (id !== BigInt(evm.chainId))
      return [fail("Ethereum", `chain ${id}`, `name a node of chain ${evm.chainId}`)];
    const syncing = await ethereum("eth_syncing", []);
    const block = (await ethereum("eth_getBlockByNumber", ["latest", false])) as {
      readonly number?: unknown;
      readonly timestamp?: unknown;
    } | null;
    const [number, seconds] = [Number(block?.number), Number(block?.timestamp)];
    const found = `block ${number}, ${(nowMs / 1000 - seconds).toFixed(0)} s old`;
    if (syncing !== false) return [warn("Ethereum", `${found}, catching up`, "wait")];
    if (seconds * 1000 > nowMs + 15_000)
      return [fail("Ethereum", `${found}: of the future`, "set the clock")];
    return [ok("Ethereum", found)];
  } catch (error) {
    return [fail("Ethereum", reasonOf(error), "start the node, or mend CAUSEWAY_ETHEREUM_RPC")];
  }
}

/** Of our own Failures: theirs never hold a secret. */
function reasonOf(error: unknown): string {
  return error instanceof Failure ? error.message : `${(error as NodeJS.ErrnoException).code}`;
}

/** Permission bits; 0 where nothing is. */
function modeOf(path: string): number {
  try {
    return statSync(path).mode & 0o777;
  } catch {
    return 0;
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}
