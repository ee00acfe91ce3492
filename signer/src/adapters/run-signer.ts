// The composition of the signer: each port meets its adapter here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createBls } from "@causeway/chain-core/adapters/bls";
import { nodeClient } from "@causeway/chain-core/client";
import type { HealthState } from "@causeway/chain-core/foreign";
import { healthState } from "@causeway/chain-core/foreign";
import type { Artifact, Genesis } from "@causeway/chain-core/interchain";
import { parseGenesis } from "@causeway/chain-core/light";
import type { Log } from "@causeway/primitives";
import { Failure, isRejected, toHex } from "@causeway/primitives";
import { openBus } from "@causeway/primitives/adapters/bus";
import { systemClock } from "@causeway/primitives/adapters/clock";
import type { RpcAuth } from "@causeway/primitives/adapters/json-rpc";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { startLog } from "@causeway/primitives/adapters/log";
import type { Event } from "../machine.ts";
import type { SignerConfig } from "./config.ts";
import type { ForeignLink } from "./foreign-link.ts";
import { foreignLink } from "./foreign-link.ts";
import { writeHealth } from "./health.ts";
import type { NodeLinkOptions } from "./node-link.ts";
import { followHeights, performNode } from "./node-link.ts";
import { peerLink } from "./peer-link.ts";
import type { Outside } from "./vault.ts";
import { startVault } from "./vault-thread.ts";
import { wakeUp } from "./wake.ts";

/** log2 of scrypt's N: 134 MB and 0.3 s in production, 16 MB where many signers share a machine. */
const logN = { production: 17, oneMachine: 14 } as const;

export type RunningSigner = {
  /** Fields of the ready line. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Rejects when the signer cannot go on. */
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
};

type Emit = (event: Event) => void;
type Parts = Readonly<Record<"node" | "bitcoin" | "ethereum" | "bus" | "ring", HealthState>>;
type Bus = ReturnType<typeof openBus>;

/** Throws the Failure that says what the operator must mend. */
export async function runSigner(config: SignerConfig): Promise<RunningSigner> {
  const log = startLog("signer", config.logLevel);
  const files = { body: read(config.genesis), proofs: read(config.proofs) };
  const genesis = parseGenesis(files.body, files.proofs, createBls());
  if (isRejected(genesis)) throw new Failure(genesis.code, genesis.message);
  const vault = await startVault({
    ...files,
    dataFolder: config.data,
    keysFile: config.keys,
    logN: config.oneMachine ? logN.oneMachine : logN.production,
  });
  const { emit } = vault;
  const stopping = new AbortController();
  const { signal } = stopping;
  const parts = partsOf();
  const peers = await peerLink(config, genesis, vault.peer, emit, parts.ring, log);
  const node: NodeLinkOptions = {
    client: nodeClient(rpcClient({ url: config.nodeRpc })),
    emit,
    health: parts.node,
    log,
    signal,
  };
  const foreign = foreignOf(config, genesis, parts, emit, log, signal);
  const wake = wakeUp(systemClock, () => emit({ kind: "woke" }));
  const broken = Promise.withResolvers<void>();
  vault.start((effect: Outside): void => {
    if (effect.kind === "send") peers.send(effect.to, effect.bytes);
    else if (effect.kind === "peers") peers.allow(effect.peers);
    else if (effect.kind === "read") foreign.perform(effect);
    else if (effect.kind === "wake") wake.at(effect.atMs);
    else if (effect.kind === "end") broken.reject(new Failure(effect.code, effect.message));
    else if (effect.kind === "log") log[effect.level](effect.message, effect.fields);
    else performNode(node, effect).catch(broken.reject);
  });
  const bus = subscribe(config, emit, parts.bus, log);
  const stopHealth = writeHealth(config.data, systemClock, () => ({
    parts: healthOf(parts, bus),
    signers: peers.reach(),
    summary: vault.summary(),
  }));
  const loops = Promise.all([followHeights(node), foreign.follow()]);
  loops.catch(broken.reject);
  return {
    ready: {
      network: toHex(genesis.networkId),
      p2p: peers.address,
      pid: process.pid,
    },
    ended: Promise.race([vault.died, broken.promise]),
    stop: async () => {
      stopping.abort();
      stopHealth();
      wake.stop();
      await Promise.all([bus?.close(), peers.close()]);
      await vault.stop();
    },
  };
}

function read(path: string): Uint8Array {
  try {
    return Uint8Array.from(readFileSync(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Failure("missing-file", `cannot read ${path}: ${code}`, { cause });
  }
}

function partsOf(): Parts {
  const state = (): HealthState => healthState(systemClock);
  return { node: state(), bitcoin: state(), ethereum: state(), bus: state(), ring: state() };
}

function foreignOf(
  config: SignerConfig,
  genesis: Genesis,
  parts: Parts,
  emit: Emit,
  log: Log,
  signal: AbortSignal,
): ForeignLink {
  const auth = bitcoinAuth(config);
  const path =
    config.artifact ?? join(import.meta.dirname, "../../../contracts/artifacts/Gateway.json");
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

/** Of the configuration, for whoever asks the own node. */
export function bitcoinAuth(config: SignerConfig): RpcAuth | undefined {
  const { bitcoinCookie: cookieFile, bitcoinUser: user, bitcoinPassword: password } = config;
  if (cookieFile !== undefined) return { cookieFile };
  return user === undefined ? undefined : { user, password: password ?? "" };
}

function subscribe(
  config: SignerConfig,
  emit: Emit,
  health: HealthState,
  log: Log,
): Bus | undefined {
  if (config.bus === undefined) {
    health.up("not configured");
    return undefined;
  }
  const bus = openBus({ socket: config.bus, log });
  // A hint that a crash loses here is given again by the relay.
  bus.subscribe("hints", "signer", async (bytes) => emit({ kind: "hint", bytes }));
  return bus;
}

function healthOf(
  parts: Parts,
  bus: Bus | undefined,
): Record<string, ReturnType<HealthState["get"]>> {
  if (bus !== undefined) {
    if (bus.isConnected()) parts.bus.up();
    else parts.bus.down(new Failure("disconnected", "the bus is away"));
  }
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.get()]));
}
