// The signer process: this thread is its network, a worker is its vault. Each port meets its adapter here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createBls } from "@causeway/chain-core/adapters/bls";
import { nodeClient } from "@causeway/chain-core/client";
import type { HealthState } from "@causeway/chain-core/foreign";
import { healthState } from "@causeway/chain-core/foreign";
import type { Artifact, Genesis } from "@causeway/chain-core/interchain";
import { parseGenesis } from "@causeway/chain-core/light";
import type { Log } from "@causeway/primitives";
import { equal, Failure, isRejected, must, toHex } from "@causeway/primitives";
import { openBus } from "@causeway/primitives/adapters/bus";
import { systemClock } from "@causeway/primitives/adapters/clock";
import type { RpcAuth } from "@causeway/primitives/adapters/json-rpc";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { startLog } from "@causeway/primitives/adapters/log";
import { publicPoint } from "@causeway/primitives/secp256k1";
import type { SignerConfig } from "./adapters/config.ts";
import { loadSignerConfig } from "./adapters/config.ts";
import { foreignLink } from "./adapters/foreign-link.ts";
import { writeHealth } from "./adapters/health.ts";
import { readPeerSecret } from "./adapters/key-file.ts";
import type { NodeLinkOptions } from "./adapters/node-link.ts";
import { followHeights, performNode } from "./adapters/node-link.ts";
import { peerLink } from "./adapters/peer-link.ts";
import type { Outside } from "./adapters/vault.ts";
import { startVault } from "./adapters/vault-thread.ts";
import { wakeUp } from "./adapters/wake.ts";

/** log2 of scrypt's N: 134 MB and 0.3 s in production, 32 MB where many signers share a machine. */
const logN = { production: 17, oneMachine: 15 } as const;

type Parts = Readonly<Record<"node" | "bitcoin" | "ethereum" | "bus" | "ring", HealthState>>;

async function main(): Promise<void> {
  const config = loadSignerConfig(process.argv.slice(2), process.env);
  if (isRejected(config)) return fail(config);
  const log = startLog("signer", config.logLevel);
  const files = { body: read(config.genesis), proofs: read(config.proofs) };
  const genesis = parseGenesis(files.body, files.proofs, createBls());
  if (isRejected(genesis)) return fail(genesis);
  const peerSecret = readPeerSecret(config.keys);
  const vault = await startVault({
    ...files,
    dataFolder: config.data,
    keysFile: config.keys,
    logN: config.oneMachine ? logN.oneMachine : logN.production,
  });
  const validator = must(genesis.validators[vault.seat], "own validator");
  if (!equal(validator.signerPeerKey, publicPoint(peerSecret)))
    throw new Failure("not-a-validator", "the peer key is not this validator's in the genesis");
  const stopping = new AbortController();
  const state = (): HealthState => healthState(systemClock);
  const parts: Parts = {
    node: state(),
    bitcoin: state(),
    ethereum: state(),
    bus: state(),
    ring: state(),
  };
  const { signal } = stopping;
  const peers = await peerLink(config, genesis, peerSecret, vault.emit, parts.ring, log);
  const node: NodeLinkOptions = {
    client: nodeClient(rpcClient({ url: config.nodeRpc })),
    validator: validator.owner,
    emit: vault.emit,
    health: parts.node,
    log,
    signal,
  };
  const foreign = foreignOf(config, genesis, parts, vault.emit, log, signal);
  const wake = wakeUp(systemClock, () => vault.emit({ kind: "woke" }));
  const perform = (effect: Outside): void => {
    if (effect.kind === "send") peers.send(effect.to, effect.bytes);
    else if (effect.kind === "read") foreign.perform(effect);
    else if (effect.kind === "wake") wake.at(effect.atMs);
    else if (effect.kind === "log") log[effect.level](effect.message, effect.fields);
    else performNode(node, effect).catch(die);
  };
  vault.start(perform);
  const bus = subscribe(config, vault.emit, parts.bus, log);
  const stopHealth = writeHealth(
    config.data,
    systemClock,
    () => healthOf(parts, bus),
    vault.summary,
  );
  const stop = async (): Promise<void> => {
    if (signal.aborted) return;
    stopping.abort();
    stopHealth();
    wake.stop();
    await Promise.all([bus?.close(), peers.p2p.close()]);
    await vault.stop();
    process.exit(0);
  };
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop().catch(die));
  vault.died.catch(die);
  Promise.all([followHeights(node), foreign.follow()]).catch(die);
  const ready = { ready: true, seat: vault.seat, network: toHex(genesis.networkId) };
  console.log(JSON.stringify({ ...ready, p2p: peers.p2p.address, pid: process.pid }));
}

function read(path: string): Uint8Array {
  try {
    return Uint8Array.from(readFileSync(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Failure("missing-file", `cannot read ${path}: ${code}`, { cause });
  }
}

function foreignOf(
  config: SignerConfig,
  genesis: Genesis,
  parts: Parts,
  emit: Parameters<typeof peerLink>[3],
  log: Log,
  signal: AbortSignal,
): ReturnType<typeof foreignLink> {
  const auth = bitcoinAuth(config);
  const path =
    config.artifact ?? join(import.meta.dirname, "../../contracts/artifacts/Gateway.json");
  return foreignLink({
    genesis,
    bitcoin: rpcClient({ url: config.bitcoinRpc, ...(auth && { auth }) }),
    ethereum: rpcClient({ url: config.ethereumRpc }),
    artifact: JSON.parse(Buffer.from(read(path)).toString("utf8")) as Artifact,
    emit,
    health: parts,
    log,
    signal,
  });
}

function bitcoinAuth(config: SignerConfig): RpcAuth | undefined {
  const { bitcoinCookie: cookieFile, bitcoinUser: user, bitcoinPassword: password } = config;
  if (cookieFile !== undefined) return { cookieFile };
  return user === undefined ? undefined : { user, password: password ?? "" };
}

function subscribe(
  config: SignerConfig,
  emit: Parameters<typeof peerLink>[3],
  health: HealthState,
  log: Log,
): ReturnType<typeof openBus> | undefined {
  if (config.bus === undefined) {
    health.up("not configured");
    return undefined;
  }
  const bus = openBus({ socket: config.bus, log });
  bus.subscribe("hints", "signer", async (bytes) => emit({ kind: "hint", bytes }));
  return bus;
}

function healthOf(
  parts: Parts,
  bus: ReturnType<typeof openBus> | undefined,
): Record<string, ReturnType<HealthState["get"]>> {
  if (bus !== undefined) {
    if (bus.isConnected()) parts.bus.up();
    else parts.bus.down(new Failure("disconnected", "the bus is away"));
  }
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.get()]));
}

/** What the operator did wrong: one JSON object on stderr, exit code 1. */
function fail(error: { readonly code: string; readonly message: string }): never {
  const mistakes = (error as { mistakes?: readonly string[] }).mistakes;
  const { code, message } = error;
  console.error(JSON.stringify({ error: { code, message, ...(mistakes && { mistakes }) } }));
  process.exit(1);
}

/** What nobody expected: the process stops; its journal lets it start again. */
function die(error: unknown): never {
  if (error instanceof Failure) return fail(error);
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  console.error(JSON.stringify({ error: { code: "crashed", message, stack } }));
  process.exit(1);
}

main().catch(die);
